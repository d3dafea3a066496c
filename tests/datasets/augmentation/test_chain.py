"""Chains: neighbouring steps are joined, so that pixels are moved once and rounded once."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datasets.augmentation.batches import batch, seeded

from neuropil.datasets import DataError
from neuropil.datasets.augmentation import (
    ColorJitter,
    Compose,
    Mixup,
    RandomCrop,
    RandomErasing,
    RandomFlip,
    RandomRotation,
    RandomShift,
    picture_parts,
)

WHOLE = (
    RandomFlip(),
    RandomFlip(axis=-2),
    RandomCrop((5, 4)),
    RandomErasing(),
    ColorJitter(0.3),
)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.lists(st.sampled_from(WHOLE), max_size=5), st.integers(0, 50))
def test_a_chain_gives_what_its_steps_give_in_order(steps, seed):
    pictures, classes = batch()
    pictures = pictures.double()
    generator = seeded(seed)
    expected = pictures
    for step in sorted_joints(steps):
        expected, _ = step(expected, classes, generator)
    joint, targets = Compose(*steps)(pictures, classes, seeded(seed))
    torch.testing.assert_close(joint, expected)
    assert targets is classes


def sorted_joints(steps):
    """Yield the steps as a chain applies them: up to any other step, pixels before colours."""
    waiting = []
    for step in [*steps, RandomErasing(0.0)]:
        if isinstance(step, RandomErasing):
            yield from sorted(waiting, key=lambda each: isinstance(each, ColorJitter))
            waiting = []
            yield from [step] * (step.p > 0)
        else:
            waiting.append(step)


def test_there_and_back_is_exact_because_nothing_is_interpolated_twice():
    pictures, classes = batch(count=32)
    turned, _ = Compose(RandomFlip(1.0), RandomFlip(1.0))(pictures, classes, seeded())
    assert torch.equal(turned, pictures)
    # Pixels that the shift moves out come back in by the larger window.
    chain = Compose(RandomShift(3, fill=0), RandomCrop((13, 12), fill=0))
    wide, _ = chain(torch.ones(200, 1, 7, 6), torch.zeros(200), seeded())
    assert (wide.sum((1, 2, 3)) == 42).any()


def test_a_chain_of_turns_is_sharper_than_its_steps():
    picture = torch.zeros(64, 1, 33, 33)
    picture[:, :, ::2] = 1
    steps = [RandomRotation(10) for _ in range(3)]
    joint, _ = Compose(*steps)(picture, torch.zeros(64), seeded())
    apart, generator = picture, seeded()
    for step in steps:
        apart, _ = step(apart, torch.zeros(64), generator)
    middle = (..., slice(11, 22), slice(11, 22))
    assert joint[middle].std() > 1.5 * apart[middle].std()


def test_each_fill_is_kept():
    pictures = torch.full((64, 1, 6, 6), 100, dtype=torch.uint8)
    chain = Compose(RandomShift(2, fill=7), RandomFlip(), RandomShift(2, fill=9))
    values = set(chain(pictures, torch.zeros(64), seeded())[0].unique().tolist())
    assert values == {100, 7, 9}
    assert [repr(stage) for stage in chain.stages] == [
        "RandomShift(2, fill=7) >> RandomFlip()",
        "RandomShift(2, fill=9)",
    ]


def test_what_stands_in_a_chain_is_joined_up_to_any_other_step():
    chain = Compose(
        Compose(RandomFlip(), ColorJitter(0.1)), RandomShift(1), Mixup(), RandomErasing()
    )
    assert [repr(stage) for stage in chain.stages] == [
        "RandomFlip() >> ColorJitter(0.1) >> RandomShift(1)",
        "Mixup()",
        "RandomErasing()",
    ]
    assert Compose()(torch.ones(2), torch.ones(2), seeded())[0].sum() == 2
    with pytest.raises(
        DataError, match=r"^RandomFlip\(\) >> ColorJitter\(0.1\) >> .* needs pictures"
    ):
        chain(torch.zeros(3, 4), torch.zeros(3), seeded())


def test_a_function_may_stand_in_a_chain():
    def double(inputs, targets, generator):
        return 2 * inputs, targets + 1

    pictures, classes = batch()
    changed, targets = Compose(RandomFlip(1.0), double)(pictures.float(), classes, seeded())
    assert torch.equal(changed, 2 * pictures.float().flip(-1))
    assert torch.equal(targets, classes + 1)


def test_parts_of_a_batch_give_what_the_whole_gives(monkeypatch):
    """On a CPU a few pictures are computed at a time."""
    pictures, classes = batch(count=9)
    mask = torch.randint(0, 2, (9, 7, 6), generator=seeded(2), dtype=torch.uint8)
    chain = Compose(RandomFlip(), RandomRotation(20, fill=7.0), ColorJitter(0.2, 0.4))
    expected, _ = chain((pictures, mask), classes, seeded())
    for most in (1, 2 * 84, 4 * 84):
        monkeypatch.setattr(picture_parts, "MOST", most)
        changed, _ = chain((pictures, mask), classes, seeded())
        assert torch.equal(changed[0], expected[0])
        assert torch.equal(changed[1], expected[1])
