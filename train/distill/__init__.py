"""Distillation: write and read a teacher's soft labels."""
