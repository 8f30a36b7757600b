"""Corpora to score: records and their dates."""
