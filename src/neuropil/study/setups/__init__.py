"""What a run trains: a network rewritten, data changed, and weights that variants share."""
