"""Published weights: their metadata, and how they are loaded."""
