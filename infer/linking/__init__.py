"""The linker: from a text to mentions of states."""
