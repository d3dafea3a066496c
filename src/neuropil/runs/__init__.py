"""Run folders: what a training leaves, and how it is read again."""
