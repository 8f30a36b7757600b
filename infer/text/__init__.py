"""A text before anything is looked up in it: normalization, sentences, chunks."""
