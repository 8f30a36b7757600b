"""What a label is, where states are in a sentence, and where sentences come from."""
