"""The sections on landmarks."""
