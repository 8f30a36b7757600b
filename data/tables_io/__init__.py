"""Readers of tables and texts: columns, formats and compression."""
