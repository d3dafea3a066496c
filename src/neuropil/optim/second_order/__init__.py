"""Optimisers that use curvature: conjugate gradients, quasi-Newton and Newton methods."""
