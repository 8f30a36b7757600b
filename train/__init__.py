"""Fine-tune, calibrate, export and evaluate (extra `[train]`)."""
