"""Export: ONNX and int8."""
