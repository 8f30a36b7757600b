"""Charts of series. Needs the extra `[plot]`."""
