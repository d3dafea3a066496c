"""What detections are worth: matches with the true boxes, and figures of them."""
