"""Scoring a corpus: on one machine or on Spark, and its speed."""
