"""Diagrams of networks as graphs."""
