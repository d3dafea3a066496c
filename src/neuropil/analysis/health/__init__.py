"""The health of the gradients of a network."""
