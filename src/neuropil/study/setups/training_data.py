"""The data of one run of a study: some examples, wrong labels, other sizes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from neuropil.datasets import DataError, Splits
from neuropil.datasets.relabelling import with_targets
from neuropil.datasets.target import Classes
from neuropil.study.setups.box_crops import box_crops
from neuropil.study.setups.resized import check_resizable, resized

if TYPE_CHECKING:
    from neuropil.datasets.source import Source
    from neuropil.study.setups.setup import Setup


def training_data(splits: Splits, setup: Setup, seed: int) -> Splits:
    """Return the data that a setup trains and tests on.

    Fractions are stratified by class, and each class keeps an example as long as there are
    enough. All draws depend on the seed alone and are nested: a smaller fraction is part of
    every larger one, and of the same examples those with a wrong label at 5 % have the same
    wrong label at 10 %. Validation and test examples keep their labels, and all parts are
    resized. The things cut out of boxes are training examples only.

    Args:
        splits: The data.
        setup: What becomes of them.
        seed: Seed of the draws.

    Raises:
        DataError: If labels without classes are to be wrong, or pictures are to be resized
            that have no common size, or labels with a place in them; or if boxes are missing
            to cut out.

    Example:
        >>> from neuropil import datasets
        >>> from neuropil.runs.recipes.default_recipes import recipe
        >>> from neuropil.runs.tasks import task_for
        >>> from neuropil.study.setups.setup import Setup
        >>> digits = datasets.load_handwritten_digits()
        >>> setup = Setup(recipe(digits, task_for(digits.target)), fraction=0.25, size=(4, 4))
        >>> part = training_data(digits, setup, seed=0)
        >>> len(part.train), len(part.test), part.input_shape
        (314, 359, (1, 4, 4))
    """
    train = splits.train
    if setup.fraction < 1:
        train = train[first_examples(train, setup.fraction, seed)]
    if setup.noise:
        classes = splits.target
        if not isinstance(classes, Classes) or train.targets is None:
            raise DataError(f"labels are {splits.target.kind}: only classes can be wrong.")
        train = with_targets(
            train, wrong_labels(train.targets, len(classes.classes), setup.noise, seed)
        )
    held_out = [splits.validation, splits.test]
    if setup.size is None:
        return with_parts(splits, train, *held_out)
    own: dict[str, Any] = {"shape": (splits.input_shape[0], *setup.size)}
    if setup.crops:
        boxes: Any = splits.target
        own |= {"target": Classes(boxes.classes)}
        return with_parts(splits, box_crops(train, setup.size), **own)
    check_resizable(splits)
    held_out = [None if part is None else resized(part, setup.size) for part in held_out]
    return with_parts(splits, resized(train, setup.size), *held_out, **own)


def with_parts(
    splits: Splits,
    train: Source,
    validation: Source | None = None,
    test: Source | None = None,
    **changed: Any,
) -> Splits:
    """Return data with other parts, and a preparation with some fields changed."""
    preparation: Any = splits.preparation
    return Splits(
        train,
        validation,
        test,
        preparation=replace(preparation, **changed) if changed else preparation,
        source=splits.source,
        notes=splits.notes,
    )


def first_examples(source: Source, fraction: float, seed: int) -> Tensor:
    """Return the places of a fraction of examples in order, stratified by class.

    The examples of a class in random order get the ranks (i + ½)/n, and those with the lowest
    ranks of all are taken, the first of each class before all others.
    """
    count = len(source)
    order = np.random.default_rng(seed).permutation(count)
    rank = np.empty(count)
    for members in by_class(source.targets, order):
        rank[members] = (np.arange(len(members)) + 0.5) / len(members)
        rank[members[:1]] = 0.0
    # A stable sort in random order: equal ranks are taken at random.
    taken = order[np.argsort(rank[order], kind="stable")][: max(1, round(fraction * count))]
    return torch.from_numpy(np.sort(taken))


def by_class(targets: Tensor | None, order: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """Return places in their order, apart by class if the targets are classes."""
    if targets is None or targets.ndim != 1 or targets.is_floating_point():
        return [order]
    classes = targets.cpu().numpy()[order]
    return [order[classes == each] for each in np.unique(classes)]


def wrong_labels(targets: Tensor, classes: int, noise: float, seed: int) -> Tensor:
    """Return class numbers, a fraction of them replaced by another class.

    Which examples, and by which class, is drawn for all of them, whatever the fraction.

    Raises:
        DataError: If the labels have a single class.
    """
    if classes < 2:
        raise DataError(f"labels of {classes} class cannot be wrong.")
    generator = np.random.default_rng(seed)
    count = len(targets)
    chosen = torch.from_numpy(generator.permutation(count)[: round(noise * count)])
    shifts = torch.from_numpy(generator.integers(1, classes, count)).to(targets.device)
    wrong = targets.clone()
    wrong[chosen] = (targets[chosen] + shifts[chosen]) % classes
    return wrong
