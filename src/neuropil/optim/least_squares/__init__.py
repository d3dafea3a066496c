"""Nonlinear least squares: Levenberg–Marquardt and the Jacobian that it needs."""
