"""The codebook: its labels, and the schema of a codebook of one's own."""
