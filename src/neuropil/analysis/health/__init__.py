"""Health of a network's gradients."""
