"""Embeddings of people: a centre for each person, and noise."""

import numpy as np


def draw_people(seed, people=8, pictures=4, noise=0.6, size=6):
    """Return embeddings, and the number of the person of each."""
    random = np.random.default_rng(seed)
    numbers = np.arange(people).repeat(pictures)
    centers = random.normal(size=(people, size))
    return centers[numbers] + noise * random.normal(size=(len(numbers), size)), numbers


def on_circle(*degrees):
    """Return points on the unit circle; those at an angle α are at a distance 2 sin(α/2)."""
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def chord(degrees):
    """Return the distance of two points at an angle."""
    return 2 * np.sin(np.deg2rad(degrees) / 2)
