"""The codebook: its labels, and the schema of user-defined codebooks."""
