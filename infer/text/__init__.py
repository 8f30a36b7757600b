"""Text processing before linking: normalization, sentences, chunks."""
