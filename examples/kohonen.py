"""Reduce a picture to a few colours with a competitive layer: each unit becomes a colour.

Run it with ``python examples/kohonen.py``; it writes ``few_colours.png``.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_sample_image

from neuropil.classic import Kohonen


def main(colours: int = 16, place: Path | str = "few_colours.png", step: int = 4) -> float:
    """Write a picture in so many colours beside the original; return how far off they are."""
    from PIL import Image

    picture = load_sample_image("flower.jpg")[::step, ::step]
    pixels = picture.reshape(-1, 3) / 255

    model = Kohonen(colours, n_epochs=5, random_state=0).fit(pixels)
    error = model.quantization_error(pixels)
    fewer = model.weights_[model.predict(pixels)].reshape(picture.shape)

    both = np.concatenate([picture, (255 * fewer).round().astype(np.uint8)], axis=1)
    Image.fromarray(both).save(place)
    print(f"{len(pixels)} pixels in {colours} colours, {error:.3f} off on average: {place}")
    return error


if __name__ == "__main__":
    main()
