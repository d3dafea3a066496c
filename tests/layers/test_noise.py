"""Noise: nothing at test time; rates, means and blocks over many draws."""

import pytest
import torch
import torch.nn.functional as F

from neuropil.core import ShapeError
from neuropil.layers import DropBlock, Dropout, GaussianNoise, Input, Relu

LAYERS = [
    Dropout(0.4),
    Dropout(0.4, per_channel=True),
    GaussianNoise(0.5),
    DropBlock(0.4, 3),
    DropBlock(0.4, (2, 3)),
]


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_nothing_happens_at_test_time(layer):
    x = torch.randn(2, 3, 8, 8)
    assert layer.train()(x) is not x
    assert layer.eval()(x) is x


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_the_expectation_is_kept_at_every_position(layer):
    x = torch.linspace(1, 2, 3 * 8 * 8).reshape(1, 3, 8, 8)
    mean = layer.train()(x.expand(40_000, -1, -1, -1)).mean(0)
    # The spread of one draw is at most 2·√(0.4/0.6) = 1.6, that of the mean 200 times less.
    torch.testing.assert_close(mean, x[0], atol=5 * 1.7 / 200, rtol=0)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_equal_seeds_give_equal_noise(layer):
    x = torch.ones(2, 3, 8, 8)
    layer.train()
    torch.manual_seed(5)
    one, other = layer(x), layer(x)
    torch.manual_seed(5)
    assert torch.equal(layer(x), one)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_dropout_drops_its_rate_and_scales_the_rest(rate):
    y = Dropout(rate)(torch.ones(100, 1000))
    kept = y[y != 0]
    assert 1 - len(kept) / 1e5 == pytest.approx(rate, abs=0.006)
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - rate)))


@pytest.mark.parametrize("shape", [(500,), (500, 6), (500, 3, 2)], ids=str)
def test_dropout_by_channel_drops_whole_ones(shape):
    y = Dropout(0.3, per_channel=True)(torch.ones(40, *shape)).reshape(40, 500, -1)
    assert torch.equal(y.amax(-1), y.amin(-1))
    assert (y[..., 0] == 0).float().mean().item() == pytest.approx(0.3, abs=0.015)


def test_noise_has_mean_zero_and_the_deviation_asked_for():
    noise = GaussianNoise(0.5)(torch.zeros(1000, 100))
    assert noise.mean().item() == pytest.approx(0.0, abs=0.008)
    assert noise.std().item() == pytest.approx(0.5, abs=0.005)
    assert GaussianNoise().std == 0.1


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((12,), 4),
        ((9, 7), 3),
        ((9, 7), (1, 5)),
        ((4, 3), 5),
        ((5, 4, 6), (2, 2, 3)),
        ((6, 6), 1),
    ],
    ids=str,
)
@pytest.mark.parametrize("rate", [0.05, 0.3, 0.8])
def test_drop_block_drops_its_rate_at_every_position(shape, size, rate):
    draws = 20_000
    y = DropBlock(rate, size)(torch.ones(draws // 4, 4, *shape))
    part = (y == 0).float().mean((0, 1))
    five_deviations = 5 * (rate * (1 - rate) / draws) ** 0.5
    torch.testing.assert_close(part, torch.full(shape, rate), atol=five_deviations, rtol=0)


def test_drop_block_drops_blocks():
    dropped = (DropBlock(0.2, (3, 2))(torch.ones(20, 4, 12, 10)) == 0).float()
    # What lies outside counts as dropped, since blocks may reach over the border. A block fits
    # at a corner where all of it is dropped; together these blocks must be all that is.
    ones = F.pad(dropped, (1, 1, 2, 2), value=1.0)
    fits = -F.max_pool2d(-ones, (3, 2), 1)
    assert torch.equal(F.max_pool2d(fits, (3, 2), 1), dropped)
    assert 0 < dropped.mean() < 1


def test_channels_and_samples_have_blocks_of_their_own():
    dropped = DropBlock(0.5, 4)(torch.ones(2, 2, 16, 16)) == 0
    masks = dropped.flatten(0, 1)
    for one in range(4):
        for other in range(one):
            assert not torch.equal(masks[one], masks[other])


def test_gradients_pass_where_values_do():
    x = torch.ones(2, 3, 8, 8, requires_grad=True)
    y = DropBlock(0.4, 3)(x)
    y.sum().backward()
    torch.testing.assert_close(x.grad, y.detach())


def test_a_network_trains_with_noise_and_tests_without():
    network = Input(50) >> Dropout(0.5) >> Relu(10)
    x = torch.ones(1, 50)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))
    assert torch.equal(network.train().predict(x), network.eval()(x))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"a volume \(C, D, H, W\), got \(10\)"):
        Input(10) >> DropBlock(0.1)
    with pytest.raises(ShapeError, match=r"DropBlock\(0.1, \(2, 3\)\): .* for 1 axes"):
        Input(10, 5) >> DropBlock(0.1, (2, 3))
    for make, message in [
        (lambda: Dropout(1.0), r"Dropout: rate must be a number in \[0, 1\), got 1.0"),
        (lambda: Dropout(-0.1), r"Dropout: rate must be .* got -0.1"),
        (lambda: DropBlock(1.5), r"DropBlock: rate must be .* got 1.5"),
        (lambda: DropBlock(0.1, 0), "DropBlock: block_size must be a whole number from 1"),
        (lambda: GaussianNoise(-1), r"GaussianNoise: std must be a number in \[0, inf\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()
