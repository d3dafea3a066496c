"""Every augmentation by its row: plain data, checked options, drawn from its generator."""

import re
from collections.abc import Callable

import pytest
import torch
from tests.datasets.augmentation.batches import batch, seeded
from torch import Tensor

from neuropil.core.arguments import Arguments
from neuropil.datasets import Boxes, DataError, augmentation
from neuropil.datasets.augmentation import (
    Augmentation,
    ColorJitter,
    Compose,
    CutMix,
    Mixup,
    Mosaic,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomFlip,
    RandomResizedCrop,
    RandomRotation,
    RandomShift,
    RandomZoom,
)

# A row for each class: one that changes something, and calls that are refused with a message.
ROWS: dict[str, tuple[Augmentation, dict[str, Callable[[], Augmentation]]]] = {
    "ColorJitter": (
        ColorJitter(0.5, 0.5),
        {
            "ColorJitter: brightness must be a number in [0, 1]": lambda: ColorJitter(2),
            "ColorJitter: contrast must be a number in [0, 1]": lambda: ColorJitter(0, -1),
            "ColorJitter: saturation must be": lambda: ColorJitter(saturation=-0.1),
            "ColorJitter: hue must be a number in [0, 0.5]": lambda: ColorJitter(hue=1),
        },
    ),
    "Compose": (
        Compose(RandomShift(1), RandomFlip(), RandomRotation(9), ColorJitter(0.1)),
        {"each step must be an augmentation, got 2": lambda: Compose(RandomFlip(), 2)},  # pyright: ignore[reportArgumentType]
    ),
    "CutMix": (
        CutMix(classes=3),
        {
            "CutMix: alpha must be a number in (0, inf), got 0": lambda: CutMix(0),
            "CutMix: classes must be a whole number from 2": lambda: CutMix(classes=1),
        },
    ),
    "Mixup": (
        Mixup(0.5, classes=3),
        {
            "Mixup: alpha must be a number in (0, inf), got 0": lambda: Mixup(0),
            "Mixup: classes must be a whole number from 2": lambda: Mixup(classes=1),
        },
    ),
    "Mosaic": (
        Mosaic(0.9).bind(Boxes(["cat"]).move),
        {
            "Mosaic: p must be a number in [0, 1], got 2": lambda: Mosaic(2),
            "Mosaic: scale must be in rising order": lambda: Mosaic(scale=(2, 1)),
        },
    ),
    "RandomAffine": (
        RandomAffine(20, scale=(0.8, 1.2), shift=0.1),
        {
            "RandomAffine: degrees must be a number in [0, inf)": lambda: RandomAffine(-5),
            "scale must be a number in (0, inf), got 0": lambda: RandomAffine(scale=(0, 1)),
            "scale must be in rising order, got (2, 1)": lambda: RandomAffine(scale=(2, 1)),
            "shift must be a number in [0, inf)": lambda: RandomAffine(shift=-1),
        },
    ),
    "RandomCrop": (
        RandomCrop((5, 8), fill=3.0),
        {
            "RandomCrop: size must be a whole number from 1": lambda: RandomCrop(0),
            "got (1, 2, 3)": lambda: RandomCrop((1, 2, 3)),  # pyright: ignore[reportArgumentType]
        },
    ),
    "RandomErasing": (
        RandomErasing(0.8, fill=3.0),
        {
            "RandomErasing: area must be in rising": lambda: RandomErasing(area=(0.5, 0.1)),
            "ratio must be a number in (0, inf), got 0": lambda: RandomErasing(ratio=(0, 1)),
            "p must be a number in [0, 1], got -1": lambda: RandomErasing(-1),
        },
    ),
    "RandomFlip": (
        RandomFlip(0.7),
        {
            "RandomFlip: p must be a number in [0, 1], got 2": lambda: RandomFlip(2),
            "RandomFlip: axis must be a whole number from -2 to -1": lambda: RandomFlip(axis=1),
        },
    ),
    "RandomResizedCrop": (
        RandomResizedCrop((9, 5), ratio=(0.5, 2.0)),
        {
            "RandomResizedCrop: size must be": lambda: RandomResizedCrop((4, 0)),
            "scale must be a number in (0, 1], got 2": lambda: RandomResizedCrop(scale=(1, 2)),
            "ratio must be in rising order": lambda: RandomResizedCrop(ratio=(2, 1)),
        },
    ),
    "RandomRotation": (
        RandomRotation(20),
        {"degrees must be a number in [0, inf), got -1": lambda: RandomRotation(-1)},
    ),
    "RandomShift": (
        RandomShift(2),
        {
            "RandomShift: pixels must be a whole number from 0": lambda: RandomShift(-1),
            "got 1.5": lambda: RandomShift(1.5),  # pyright: ignore[reportArgumentType]
        },
    ),
    "RandomZoom": (
        RandomZoom((0.5, 2), ratio=(0.8, 1.2), fill=3.0),
        {
            "RandomZoom: scale must be a number in (0, inf)": lambda: RandomZoom((0, 1)),
            "RandomZoom: ratio must be in rising order": lambda: RandomZoom(ratio=(2, 1)),
        },
    ),
}
ALL = [augment for augment, _ in ROWS.values()]
WRONG = [(message, make) for _, wrong in ROWS.values() for message, make in wrong.items()]


def targets_of(augment: Augmentation, classes: Tensor) -> Tensor:
    """Return targets for an augmentation: boxes for one that joins them, else the classes."""
    if not isinstance(augment, Mosaic):
        return classes
    return torch.tensor([[[1.0, 1, 5, 6, 0]]]).repeat(len(classes), 1, 1)


def test_every_augmentation_has_a_row():
    names = {name for name in augmentation.__all__ if name != "Augmentation"}
    assert set(ROWS) == names, "give each augmentation a row"
    assert {name: type(row[0]).__name__ for name, row in ROWS.items()} == {n: n for n in names}


@pytest.mark.parametrize("augment", ALL, ids=repr)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_all_keep_their_promises(augment, dtype):
    pictures, classes = batch(dtype=dtype)
    before, given = pictures.clone(), targets_of(augment, classes)
    first, targets = augment(pictures, given, seeded())
    torch.manual_seed(99)
    again, _ = augment(pictures, given, seeded())
    other, _ = augment(pictures, given, seeded(1))
    assert torch.equal(pictures, before)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (8, 2, *getattr(augment, "size", (7, 6)))
    assert first.dtype == (torch.float32 if isinstance(augment, Mixup) else dtype)
    assert len(targets) == len(classes)


@pytest.mark.parametrize("augment", [*ALL, RandomFlip(axis=-2)], ids=repr)
def test_a_view_of_a_larger_tensor_is_changed_as_its_copy_is(augment):
    given = targets_of(augment, batch()[1])
    store = torch.randint(1, 256, (3 + 8 * 2 * 8 * 6 + 4,), dtype=torch.uint8)
    spaced = torch.randint(1, 256, (6, 8, 8, 2), dtype=torch.uint8).permute(1, 3, 2, 0)
    last = spaced.to(memory_format=torch.channels_last)
    for view in (store[3:-4].view(8, 2, 8, 6), spaced, last):
        expected, _ = augment(
            view.clone(memory_format=torch.contiguous_format), given, seeded()
        )
        assert torch.equal(augment(view, given, seeded())[0], expected)


@pytest.mark.parametrize("augment", ALL, ids=repr)
def test_padded_pictures_keep_their_mask(augment):
    pictures, classes = batch(count=64)
    mask = torch.ones(64, 7, 6, dtype=torch.uint8)
    mask[::2, 4:], mask[1::2, :, 3:] = 0, 0
    given = targets_of(augment, classes)
    expected, _ = augment(pictures, given, seeded())
    (changed, moved), targets = augment((pictures, mask), given, seeded())
    assert len(targets) == 64
    if not isinstance(
        augment, Compose | ColorJitter
    ):  # contrast is about the mean of the content
        assert torch.equal(changed, expected)
    assert moved.dtype == mask.dtype
    assert moved.shape == (64, *changed.shape[2:])
    assert set(moved.unique().tolist()) == {0, 1}


@pytest.mark.parametrize("augment", ALL, ids=repr)
def test_repr_is_the_call_that_makes_it(augment):
    again = eval(repr(augment), vars(augmentation).copy())
    assert repr(again) == repr(augment)
    assert isinstance(augment, Arguments)
    if isinstance(augment, Mosaic):
        again = again.bind(augment.move)
    pictures, classes = batch()
    given = targets_of(augment, classes)
    expected, _ = augment(pictures, given, seeded())
    assert torch.equal(again(pictures, given, seeded())[0], expected)


@pytest.mark.parametrize("augment", [a for a in ALL if not isinstance(a, Mixup)], ids=repr)
def test_what_is_no_picture_is_refused(augment):
    with pytest.raises(
        DataError, match=r"needs pictures \(N, C, H, W\), got a batch of shape \(4, 3\)"
    ):
        augment(torch.zeros(4, 3), torch.zeros(4), seeded())


@pytest.mark.parametrize("augment", ALL, ids=repr)
def test_a_second_input_that_is_no_mask_is_refused(augment):
    pictures, classes = batch(count=4)
    with pytest.raises(
        DataError, match=r"their mask \(N, H, W\), got .* \(4, 2, 7, 6\), \(4, 3\)"
    ):
        augment((pictures, torch.zeros(4, 3)), classes, seeded())


@pytest.mark.parametrize(("message", "make"), WRONG, ids=[message for message, _ in WRONG])
def test_arguments_out_of_range_are_refused(message, make):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
@pytest.mark.parametrize("augment", ALL, ids=repr)
@pytest.mark.parametrize("where", ["cpu", "cuda"])
def test_all_work_on_the_device_with_a_generator_anywhere(augment, where):
    pictures, classes = batch()
    generator = torch.Generator(where).manual_seed(0)
    given = targets_of(augment, classes)
    inputs, targets = augment(pictures.cuda(), given.cuda(), generator)
    assert inputs.device.type == targets.device.type == "cuda"
    if where == "cpu":
        expected, _ = augment(pictures, given, seeded())
        torch.testing.assert_close(inputs.cpu().float(), expected.float(), atol=1, rtol=0)
