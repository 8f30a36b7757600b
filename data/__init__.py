"""The codebook, the gazetteer, the corpora and coders' labels: what lies on disk, and its readers."""
