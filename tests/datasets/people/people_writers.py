"""Writer of folders of people."""

from __future__ import annotations

import numpy as np
from PIL import Image


def write_people(folder, people, pictures=3, first=0):
    """Write a folder of grey pictures for each person, all of them different."""
    random = np.random.default_rng(first)
    for person in people:
        (folder / person).mkdir(parents=True)
        for number in range(pictures):
            pixels = random.integers(0, 256, (8, 8), np.uint8)
            Image.fromarray(pixels).save(folder / person / f"{number}.png")
    return folder
