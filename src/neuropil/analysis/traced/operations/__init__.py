"""PyTorch's operations: names, output shapes and multiply–adds."""
