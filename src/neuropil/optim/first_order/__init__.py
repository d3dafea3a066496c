"""First-order algorithms: one gradient for each step."""
