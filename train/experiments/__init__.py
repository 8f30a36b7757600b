"""Experiments behind figures in the docs, each run by `python -m`."""
