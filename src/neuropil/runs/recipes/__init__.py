"""Recipes: networks with the settings of their training, chosen for the data."""
