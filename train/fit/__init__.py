"""Training: the loop, the collator and the losses."""
