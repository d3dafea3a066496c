"""The sections on tasks whose answers are boxes: detection and localisation."""
