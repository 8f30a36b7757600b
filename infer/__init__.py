"""Labelling with the exported model: onnxruntime and numpy, no torch."""
