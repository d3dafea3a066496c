"""Pictures with masks, which give each pixel a class: the labels, and the readers of files."""
