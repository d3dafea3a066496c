"""Pictures with points, written in each format from one description."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tests.datasets.annotations.label_writers import write_picture

Point = tuple[float, float, int]
"""x and y in pixels, and the visibility."""


def write_table(
    file: Path,
    pictures: Mapping[str, Sequence[Point]],
    names: Sequence[str],
    size: tuple[int, int] = (24, 32),
) -> Path:
    """Write a table of points, and its pictures beside it; missing points are empty cells."""
    rows = [",".join(["image", *(f"{name}_{axis}" for name in names for axis in "xyv")])]
    for seed, (name, points) in enumerate(pictures.items()):
        write_picture(file.parent / f"{name}.png", size, seed)
        cells = [f"{x},{y},{v}" if v else ",,0" for x, y, v in points]
        rows.append(",".join([f"{name}.png", *cells]))
    file.write_text("\n".join(rows))
    return file


def write_coco(
    file: Path,
    pictures: Mapping[str, Sequence[Point]],
    names: Sequence[str],
    size: tuple[int, int] = (24, 32),
) -> Path:
    """Write a file of COCO keypoints, and its pictures beside it."""
    images, annotations = [], []
    file.parent.mkdir(parents=True, exist_ok=True)
    for number, (name, points) in enumerate(pictures.items()):
        write_picture(file.parent / f"{name}.png", size, number)
        images.append({"id": number, "file_name": f"{name}.png"})
        flat = [value for point in points for value in point]
        annotations.append(
            {"image_id": number, "category_id": 1, "bbox": [0, 0, 9, 9], "keypoints": flat}
        )
    categories = [{"id": 1, "name": "face", "keypoints": list(names)}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    file.write_text(json.dumps(content))
    return file


def write_arrays(
    file: Path,
    pictures: Mapping[str, Sequence[Point]],
    names: Sequence[str],
    size: tuple[int, int] = (24, 32),
) -> Path:
    """Write arrays of pictures and points; missing points are NaN."""
    x = np.random.default_rng(0).integers(0, 256, (len(pictures), *size), dtype=np.uint8)
    rows = [
        [(x, y) if v else (np.nan, np.nan) for x, y, v in each] for each in pictures.values()
    ]
    np.savez(file, x=x, k=np.array(rows))
    return file
