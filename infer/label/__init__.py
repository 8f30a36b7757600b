"""Labelling: from a document to its readings."""
