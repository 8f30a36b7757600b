"""Sentences worth labelling."""
