"""The records: documents, readings, explanations, and readings as tables."""
