"""The exported network: from sentences and pairs to probabilities and cues."""
