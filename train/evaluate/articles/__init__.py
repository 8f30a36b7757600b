"""Evaluation on whole articles, stage by stage."""
