"""Commands that make models and labels, and measure them."""
