"""The audit of a scored corpus by gold labels."""
