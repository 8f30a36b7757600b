"""Models for a codebook of one's own."""
