"""End-to-end evaluation on articles, stage by stage."""
