"""The corpora: where they come from, how they are read, and those that the package carries."""
