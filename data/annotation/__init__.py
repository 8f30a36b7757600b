"""Labels by coders: the table of labels, Label Studio, agreement."""
