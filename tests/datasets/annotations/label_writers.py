"""Folders of pictures with boxes, written in each format from one description."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

Box = tuple[str, float, float, float, float]
"""Class, x₁, y₁, x₂, y₂ in pixels."""


def write_picture(path: Path, size: tuple[int, int] = (24, 32), seed: int = 0) -> Path:
    """Write a random picture of a height and width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def voc_xml(boxes: Sequence[Box], more: str = "") -> str:
    """Return the text of a VOC file; each box takes a line."""
    objects = [
        f"<object><name>{name}</name><difficult>0</difficult><bndbox><xmin>{x}</xmin>"
        f"<ymin>{y}</ymin><xmax>{right}</xmax><ymax>{down}</ymax></bndbox></object>"
        for name, x, y, right, down in boxes
    ]
    return "\n".join(["<annotation>", *objects, more, "</annotation>"])


def yolo_text(boxes: Sequence[Box], classes: Sequence[str], size: tuple[int, int]) -> str:
    """Return the text of a YOLO file."""
    height, width = size
    return "\n".join(
        f"{classes.index(name)} {(x + right) / 2 / width:.6f} {(y + down) / 2 / height:.6f} "
        f"{(right - x) / width:.6f} {(down - y) / height:.6f}"
        for name, x, y, right, down in boxes
    )


def write_voc(
    folder: Path, pictures: Mapping[str, Sequence[Box]], size: tuple[int, int] = (24, 32)
) -> Path:
    """Write a VOC folder; the names of the pictures have no suffix."""
    (folder / "Annotations").mkdir(parents=True, exist_ok=True)
    for seed, (name, boxes) in enumerate(pictures.items()):
        write_picture(folder / "JPEGImages" / f"{name}.png", size, seed)
        (folder / "Annotations" / f"{name}.xml").write_text(voc_xml(boxes))
    return folder


def write_lists(folder: Path, **parts: Sequence[str]) -> Path:
    """Write the lists of the parts of a VOC folder."""
    (folder / "ImageSets" / "Main").mkdir(parents=True, exist_ok=True)
    for part, names in parts.items():
        (folder / "ImageSets" / "Main" / f"{part}.txt").write_text("\n".join(names))
    return folder


def write_yolo(
    folder: Path,
    pictures: Mapping[str, Sequence[Box]],
    classes: Sequence[str],
    size: tuple[int, int] = (24, 32),
) -> Path:
    """Write a YOLO folder; the names of the pictures may begin with a part, as ``train/a``."""
    for seed, (name, boxes) in enumerate(pictures.items()):
        write_picture(folder / "images" / f"{name}.png", size, seed)
        file = folder / "labels" / f"{name}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yolo_text(boxes, classes, size))
    (folder / "classes.txt").write_text("\n".join(classes))
    return folder


def coco_content(
    pictures: Mapping[str, Sequence[Box]], classes: Sequence[str]
) -> dict[str, list[dict[str, object]]]:
    """Return the content of a COCO file; the ids of categories are 10, 20 and so on."""
    images, annotations = [], []
    for number, (name, boxes) in enumerate(pictures.items()):
        images.append({"id": 100 + number, "file_name": f"{name}.png"})
        annotations += [
            {
                "id": 1000 + len(annotations) + place,
                "image_id": 100 + number,
                "category_id": 10 * (1 + classes.index(label)),
                "bbox": [x, y, right - x, down - y],
                "iscrowd": 0,
            }
            for place, (label, x, y, right, down) in enumerate(boxes)
        ]
    categories = [{"id": 10 * n, "name": name} for n, name in enumerate(classes, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def write_coco(
    file: Path,
    pictures: Mapping[str, Sequence[Box]],
    classes: Sequence[str],
    size: tuple[int, int] = (24, 32),
    folder: str = "",
) -> Path:
    """Write a COCO file, and its pictures into a folder beside it."""
    for seed, name in enumerate(pictures):
        write_picture(file.parent / folder / f"{name}.png", size, seed)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(coco_content(pictures, classes)))
    return file


def write_boxes(
    file: Path, pictures: Mapping[str, Sequence[Box]], size: tuple[int, int] = (24, 32)
) -> Path:
    """Write a table of boxes, and its pictures into a folder beside it."""
    rows = ["image,class,xmin,ymin,xmax,ymax"]
    for seed, (name, boxes) in enumerate(pictures.items()):
        write_picture(file.parent / "images" / f"{name}.png", size, seed)
        rows += [",".join(map(str, (f"{name}.png", *box))) for box in boxes]
        rows += [f"{name}.png,,,,,"] * (not boxes)
    file.write_text("\n".join(rows))
    return file
