"""Regions beside their peers: RoI align and pooling, segmentation, recall of selective search.

torchvision's operators and scikit-image's `felzenszwalb` must give the same, and are timed in
turn with ours. Times are the processor's. Recall is that of the first thousand boxes at an IoU
of ½ on the pictures of two folders of shared data, of which each ``step``-th is taken.
"""

from __future__ import annotations

import csv
import os
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from benchmarks.boxes import torchvision_nms
from benchmarks.timing import alternate, ratio, report
from neuropil.vision import graph_segmentation, iou, roi_align, roi_pool, selective_search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

DATA = Path(os.environ.get("NEUROPIL_DATA", "../shared/data"))
# Pictures of each folder that are segmented.
SEGMENTED = 10
# Scale and size of the features of a region.
FORM = (1 / 8, 7, 7)


def main(json: str | None = None, rounds: int = 9, step: int = 8) -> None:
    """Compare and time everything, and print a line for each."""
    torch.set_num_threads(1)
    figures: dict[str, Any] = {}
    if torchvision_nms():
        figures["features"] = features(rounds)
    sets = {"bccd": cell_pictures(), "coco128": everyday_pictures()}
    pictures = {name: [*each] for name, each in sets.items()}
    figures["segmentation"] = segmentation(
        [picture for each in pictures.values() for picture, _ in each[:SEGMENTED]]
    )
    figures["selective search"] = {
        name: recall(name, each[::step]) for name, each in pictures.items()
    }
    report("regions", {"rounds": rounds, **figures}, json)


def features(rounds: int) -> dict[str, Any]:
    """Compare RoI align and pooling with torchvision's, gradients too, and time them."""
    draw = torch.Generator().manual_seed(0)
    maps = torch.randn(4, 64, 30, 40, generator=draw, requires_grad=True)
    corners = torch.rand(4, 100, 2, 2, generator=draw) * torch.tensor([320, 240])
    boxes = torch.cat([corners.amin(2), corners.amax(2)], -1)
    numbers = torch.arange(4.0).repeat_interleave(100)[:, None]
    rows = torch.cat([numbers, boxes.flatten(0, 1)], 1)
    weight = torch.randn(400, 64, 7, 7, generator=draw)
    # In double precision, in which they differ in the way of computing alone.
    exact = [each.detach().double() for each in (maps, boxes, rows, weight)]
    exact[0].requires_grad_()
    figures: dict[str, Any] = {}
    given = (maps, boxes, rows, weight)
    for name in ("align", "pooling"):
        pairs = zip(ours(name, *exact), theirs(name, *exact), strict=True)
        errors = [float((own - other).detach().abs().max()) for own, other in pairs]
        assert max(errors) <= 1e-5, errors
        contestants = {
            "ours": lambda name=name: ours(name, *given),
            "theirs": lambda name=name: theirs(name, *given),
        }
        timings = alternate(contestants, rounds=rounds, clock=time.thread_time)
        faster = ratio(timings["ours"], timings["theirs"])
        print(
            f"RoI {name}, 400 regions, forward and backward: "
            f"{timings['ours'].median * 1e3:.1f} ms, {faster} of torchvision's; largest "
            f"difference {errors[0]:.1e}, of the gradient {errors[1]:.1e}"
        )
        figures[name] = {"errors": errors, "ratio": faster.median}
    return figures


def theirs(
    name: str, maps: Tensor, boxes: Tensor, rows: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Return torchvision's features and the gradient of the maps."""
    del boxes
    operators = torch.ops.torchvision
    if name == "align":
        found = operators.roi_align(maps.detach(), rows, *FORM, 2, True)
        return found, operators._roi_align_backward(weight, rows, *FORM, *maps.shape, 2, True)
    found, places = operators.roi_pool(maps.detach(), rows, *FORM)
    return found, operators._roi_pool_backward(weight, rows, places, *FORM, *maps.shape)


def ours(
    name: str, maps: Tensor, boxes: Tensor, rows: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Return our features and the gradient of the maps."""
    del rows
    function = roi_align if name == "align" else roi_pool
    found = function(maps, boxes, 7, stride=8).flatten(0, 1)
    return found, torch.autograd.grad(found, maps, weight)[0]


def segmentation(pictures: list[Tensor]) -> dict[str, Any]:
    """Compare the labels with scikit-image's, and time both."""
    from skimage.segmentation import felzenszwalb

    graph_segmentation(pictures[0][:, :9, :9])
    seconds, differ, pixels = [0.0, 0.0], 0, 0
    for picture in pictures:
        colors = picture.permute(1, 2, 0).contiguous().numpy()
        start = time.thread_time()
        own = graph_segmentation(picture, 100, 0.8, 50)
        middle = time.thread_time()
        other = felzenszwalb(colors, scale=100, sigma=0.8, min_size=50)
        seconds[0] += middle - start
        seconds[1] += time.thread_time() - middle
        differ += int((own != torch.from_numpy(other)).sum())
        pixels += own.numel()
    print(
        f"segmentation of {len(pictures)} pictures: {seconds[0]:.2f} s, scikit-image "
        f"{seconds[1]:.2f} s; {differ} of {pixels:,} pixels have another label"
    )
    return {"seconds": seconds, "different pixels": differ, "pixels": pixels}


def recall(name: str, examples: list[tuple[Tensor, Tensor]]) -> dict[str, Any]:
    """Return the part of the boxes that selective search proposes."""
    found, total, seconds = 0, 0, 0.0
    for picture, boxes in examples:
        start = time.thread_time()
        proposals = selective_search(picture, most=1000)
        seconds += time.thread_time() - start
        found += int((iou(boxes, proposals).amax(1) >= 0.5).sum())
        total += len(boxes)
    each = seconds / len(examples)
    print(
        f"selective search of {len(examples)} pictures of {name}: recall {found / total:.3f} "
        f"of {total} boxes, {each * 1e3:.0f} ms per picture"
    )
    return {"recall": found / total, "boxes": total, "seconds per picture": each}


def cell_pictures() -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the pictures of blood cells with their boxes."""
    boxes: dict[str, list[list[float]]] = defaultdict(list)
    with (DATA / "bccd" / "boxes.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            box = [float(row[key]) for key in ("xmin", "ymin", "xmax", "ymax")]
            boxes[row["image"]].append(box)
    for name, own in sorted(boxes.items()):
        path = DATA / "bccd" / "JPEGImages" / f"{name}.jpg"
        yield pixels_of(path), torch.tensor(own)


def everyday_pictures() -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the pictures of everyday scenes with their boxes."""
    for path in sorted((DATA / "coco128" / "images").glob("*/*.jpg")):
        labels = DATA / "coco128" / "labels" / path.parent.name / f"{path.stem}.txt"
        if not labels.exists() or not labels.read_text().strip():
            continue
        rows = [line.split()[1:5] for line in labels.read_text().splitlines()]
        center, size = torch.tensor([[*map(float, row)] for row in rows]).split(2, 1)
        picture = pixels_of(path)
        sides = torch.tensor([picture.shape[2], picture.shape[1]] * 2)
        yield picture, torch.cat([center - size / 2, center + size / 2], 1) * sides


def pixels_of(path: Path) -> Tensor:
    """Return a picture as bytes, ``(3, H, W)``."""
    return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)


if __name__ == "__main__":
    main()
