"""The linker: mentions of states in a text."""
