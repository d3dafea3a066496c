"""Data that need no file: bundled or generated."""
