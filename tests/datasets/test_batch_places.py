"""Batches of like sizes: every example once, little padded, the same from the same order."""

import numpy as np
import pytest
import torch

from neuropil.datasets import batches_of_like_sizes
from neuropil.datasets.batch_places import variety_in_batches


def padding(sizes: np.ndarray, batches: list[torch.Tensor]) -> float:
    """Return the share of a batch's positions that hold no content."""
    content = sizes.prod(axis=1).sum()
    held = sum(len(batch) * sizes[batch].max(axis=0).prod() for batch in batches)
    return 1 - content / held


@pytest.mark.parametrize(("count", "kinds"), [(1, 1), (2, 2), (50, 1), (997, 8), (997, 400)])
def test_every_example_comes_once(count, kinds):
    sizes = np.random.default_rng(0).integers(1, 99, (kinds, 2))[np.arange(count) % kinds]
    batches = batches_of_like_sizes(sizes, 16, torch.randperm(count))
    assert sorted(torch.cat(batches).tolist()) == list(range(count))
    assert max(map(len, batches)) <= 17


def test_few_sizes_are_never_mixed_and_nothing_is_padded():
    sizes = np.random.default_rng(0).integers(1, 4, (500, 2)) * 8
    batches = batches_of_like_sizes(sizes, 32, torch.randperm(500))
    assert padding(sizes, batches) == 0
    assert sum(len(batch) < 32 for batch in batches) <= 9, "one rest for each size"


def test_many_sizes_are_padded_little():
    sizes = np.random.default_rng(0).integers(20, 91, (3000, 2))
    random = list(torch.randperm(3000).split(32))
    alike = batches_of_like_sizes(sizes, 32, torch.randperm(3000))
    assert padding(sizes, alike) < 0.25 < 0.5 < padding(sizes, random)


def test_the_order_of_the_batches_is_random_too():
    sizes = np.random.default_rng(0).integers(20, 91, (3000, 2))
    batches = batches_of_like_sizes(sizes, 32, torch.randperm(3000))
    areas = np.array([sizes[batch].prod(axis=1).mean() for batch in batches])
    neighbours = np.corrcoef(areas[1:], areas[:-1])[0, 1]
    assert abs(neighbours) < 0.3


def test_the_same_order_gives_the_same_batches():
    sizes = np.random.default_rng(0).integers(20, 91, (300, 2))
    first, second, other = (
        batches_of_like_sizes(
            sizes, 32, torch.randperm(300, generator=torch.Generator().manual_seed(seed))
        )
        for seed in (0, 0, 1)
    )
    assert all(map(torch.equal, first, second))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_one_remaining_example_joins_a_batch_of_its_size():
    batches = batches_of_like_sizes([(1, 1)] * 5 + [(2, 2)], 2)
    assert sorted(map(len, batches)) == [1, 2, 3]


def test_no_examples_give_no_batches():
    assert batches_of_like_sizes(np.zeros((0, 2)), 4) == []


def test_a_batch_size_of_nothing_is_refused():
    with pytest.raises(ValueError, match="batch_size"):
        batches_of_like_sizes([(1, 1)], 0)


class Sizes:
    """A source of 200 examples of four sizes, whose classes are given."""

    input_shape = (1, None, None)

    def __init__(self, targets):
        self.targets = targets

    def __len__(self):
        return 200

    def size_of(self, index):
        return (8 * (1 + index % 4), 8)


@pytest.mark.parametrize("kind", [torch.int64, torch.float32])
def test_batches_of_one_size_are_mixed_unless_the_size_tells_the_target(kind):
    places = torch.arange(200)
    told, random = places % 4, torch.randint(4, (200,))
    assert variety_in_batches(Sizes(told.to(kind)), 20) < 1e-9
    assert 0.7 < variety_in_batches(Sizes(random.to(kind)), 20) <= 1
    partly = torch.where(random == 0, 0, told)
    assert 0 < variety_in_batches(Sizes(partly.to(kind)), 20) < 0.9
