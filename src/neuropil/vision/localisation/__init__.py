"""Classification with localisation: the one thing in a picture, and where it is."""
