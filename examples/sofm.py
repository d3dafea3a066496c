"""Lay a self-organising map over handwritten digits and look at it.

The map knows no classes; what is alike ends up side by side. Run it with
``python examples/sofm.py``; it writes three pictures into the folder ``sofm_pictures``.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from neuropil.classic import SOFM
from neuropil.classic.competitive import error_front
from neuropil.plots import cluster_map, hit_map, u_matrix


def main(
    grid: tuple[int, int] = (16, 20), folder: Path | str = "sofm_pictures", n_epochs: int = 20
) -> float:
    """Choose a final radius, draw the map, and return how often a unit's class is right."""
    digits = load_digits()
    X, y = digits.data / 16, digits.target

    # Small final radii follow the digits closely and tear the map; large ones keep it whole.
    radii = (0.4, 0.6, 0.8, 1.2)
    maps = [
        SOFM(grid, topology="hexagonal", final_radius=radius, n_epochs=n_epochs).fit(X[::2])
        for radius in radii
    ]
    for found in error_front(maps, X[1::2]):
        print(
            f"final radius {found.map.final_radius}: quantisation error "
            f"{found.quantization:.3f}, topographic error {found.topographic:.3f}"
        )
    model = maps[radii.index(0.6)]

    # Each unit is called what most of its digits are; then other digits are asked about.
    counts = np.zeros((model.grid_.units, 10), int)
    np.add.at(counts, (model.predict(X[::2]), y[::2]), 1)
    accuracy = (counts.argmax(axis=1)[model.predict(X[1::2])] == y[1::2]).mean()
    print(f"digits never seen that fall on a unit of their class: {accuracy:.1%}")

    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    pictures = {
        "u_matrix": u_matrix(model),
        "hits": hit_map(model, X, labels=y),
        "regions": cluster_map(model, 10),
    }
    for name, figure in pictures.items():
        figure.savefig(place / f"{name}.png", dpi=120)
    print(f"pictures are in {place}: {', '.join(pictures)}")
    return accuracy


if __name__ == "__main__":
    main()
