"""Faces: losses and triplets that teach a network to tell people apart."""
