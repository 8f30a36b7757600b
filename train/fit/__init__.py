"""Fine-tuning: the training loop, the collator and the losses."""
