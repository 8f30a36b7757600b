"""Distillation: a teacher's soft labels."""
