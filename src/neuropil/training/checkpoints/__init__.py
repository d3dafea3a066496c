"""Checkpoint files, their schedule, and the checks when resuming."""
