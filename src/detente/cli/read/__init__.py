"""Commands that read texts and what was read from them."""
