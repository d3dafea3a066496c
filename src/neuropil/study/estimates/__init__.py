"""Differences between variants of a training, with intervals, verdicts and stopping."""
