"""The suffixes by which a file is taken for a picture."""

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".pgm", ".ppm", ".pbm", ".pnm", ".bmp"),
    *(".webp", ".gif", ".tif", ".tiff"),
)
