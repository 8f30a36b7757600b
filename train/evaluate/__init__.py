"""Evaluation: benchmarks, metrics, calibration, tests, the report."""
