"""Experiments whose figures the docs give, each run by `python -m`."""
