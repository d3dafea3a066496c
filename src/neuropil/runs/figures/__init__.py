"""Figures of answers: rare classes, thresholds, intervals, importance of columns."""
