"""Pictures with boxes around things: the labels, and the readers of annotation files."""
