"""The audit of a scored corpus against gold labels."""
