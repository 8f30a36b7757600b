"""Time series of warmth and tones. Needs the extra `[plot]`."""
