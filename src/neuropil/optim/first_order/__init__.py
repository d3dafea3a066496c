"""First-order optimisers: one gradient for each step."""
