"""Fine-tune, distil, calibrate, export and evaluate (extra `[train]`)."""
