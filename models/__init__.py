"""The network, its weights on disk, and the shipped model."""
