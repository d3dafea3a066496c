"""Published weights: what is known of them, and how they are loaded."""
