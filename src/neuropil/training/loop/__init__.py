"""The training loop: epochs, steps and batches."""
