"""Tables and texts in files: their columns, formats and compression."""
