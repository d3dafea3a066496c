"""Mean and deviation of awkward numbers, beside NumPy's in extended precision."""

import numpy as np
import pytest
import torch

from neuropil.core.moments import (
    RunningMoments,
    describe_unresolved,
    moments,
    narrow,
    single_precision_holds,
    standardization,
)

RANDOM = np.random.default_rng(0).standard_normal(500)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e-5, 1.0, 1e5, 1e30, 1e300])
@pytest.mark.parametrize("offset", [0.0, 3.0, -1e6])
def test_mean_and_deviation_on_every_scale(offset, scale):
    x = (RANDOM + offset) * scale
    mean, deviation = moments(torch.from_numpy(x), [0])
    exact = x.astype(np.longdouble)
    assert mean.item() == pytest.approx(float(exact.mean()), rel=1e-14, abs=1e-16 * scale)
    assert deviation.item() == pytest.approx(float(exact.std()), rel=1e-9)


def test_integers_bytes_and_channels():
    pictures = torch.arange(2 * 5000 * 4, dtype=torch.int64).reshape(5000, 2, 4) % 251
    for dtype in (torch.uint8, torch.int64, torch.float32):
        mean, deviation = moments(pictures.to(dtype), [0, 2])
        assert mean.shape == (1, 2, 1)
        for channel in range(2):
            values = pictures[:, channel].double()
            assert mean[0, channel, 0].item() == pytest.approx(values.mean().item())
            assert deviation[0, channel, 0].item() == pytest.approx(
                values.std(correction=0).item()
            )


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9, -1e300])
def test_constants_are_only_shifted(value):
    mean, scale = standardization(torch.full((30, 1), value, dtype=torch.float64), [0])
    assert (mean.item(), scale.item()) == (value, 1.0)


@pytest.mark.parametrize(
    ("mean", "scale", "holds"),
    [(0, 1, True), (2000, 10, True), (1e9, 10, False), (0, 1e-40, False), (0, 1e200, False)],
)
def test_what_single_precision_resolves(mean, scale, holds):
    assert single_precision_holds(torch.tensor([mean]), torch.tensor([scale])) is holds


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (RANDOM, torch.float32),
        (RANDOM + 100, torch.float32),
        (RANDOM + 1e9, torch.float64),
        (RANDOM * 1e-50, torch.float64),
        (RANDOM * 1e50, torch.float64),
        (np.full(9, 0.1), torch.float32),
        (np.full(9, 1e300), torch.float64),
        (np.array([1.0, np.nan]), torch.float32),
        (np.round(RANDOM) + 2**20, torch.float32),
    ],
)
def test_single_precision_only_where_it_loses_nothing(values, dtype):
    assert narrow(torch.from_numpy(values)).dtype == dtype


def test_integers_that_become_one_number_are_named():
    assert "column 1 varies" in describe_unresolved(torch.tensor([[1, 2**60], [2, 2**60 + 1]]))
    assert not describe_unresolved(torch.tensor([[1, 2**60], [2, 2**60]]))


def test_a_weight_is_a_number_of_copies():
    examples = torch.randn(50, 3, 4, generator=torch.Generator().manual_seed(0)) * 1e3 + 1e6
    counts = torch.randint(0, 4, (50,), generator=torch.Generator().manual_seed(1))
    copies = examples[torch.arange(50).repeat_interleave(counts)]
    expected = standardization(copies, [0, 2])
    torch.testing.assert_close(standardization(examples, [0, 2], counts), expected)
    running = RunningMoments()
    for batch, weights in zip(examples.split(7), (counts / 3).split(7), strict=True):
        running.add(batch, [0, 2], weights)
    torch.testing.assert_close(running.standardization(), expected)
