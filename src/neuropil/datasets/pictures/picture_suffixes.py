"""The suffixes of picture files."""

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".pgm", ".ppm", ".pbm", ".pnm", ".bmp"),
    *(".webp", ".gif", ".tif", ".tiff"),
)
