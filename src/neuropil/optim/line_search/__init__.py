"""Line search: the length of a step along a direction."""
