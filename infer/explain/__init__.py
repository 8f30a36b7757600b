"""Explanations: attribution by occlusion, and the nearest labelled examples."""
