"""Detection: boxes around the things in a picture, each with a class."""
