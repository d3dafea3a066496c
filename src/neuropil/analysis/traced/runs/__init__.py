"""Running any PyTorch module while every operation is recorded."""
