"""Figures of detections: matches with the true boxes, average precision, F1, errors."""
