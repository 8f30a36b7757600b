"""Sampling: choose sentences to label."""
