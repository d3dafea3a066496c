"""The effective receptive field against arithmetic, and against the theory of Luo et al."""

import math

import pytest
import torch

from neuropil import ShapeError, layers, parallel, repeat
from neuropil.analysis import effective_receptive_field, receptive_field
from neuropil.layers import Convolution, Dropout, Flatten, Input, Relu


def with_weights(network, value):
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(value)
    return network


def test_one_linear_layer_shows_its_weights():
    network = Input(1, 9, 9) >> Convolution(1, 3, bias=False, padding=1)
    weight = network.layers["convolution1"].weight
    field = effective_receptive_field(network)
    expected = torch.zeros(9, 9)
    expected[3:6, 3:6] = weight[0, 0].detach().abs() / weight.abs().max().item()
    torch.testing.assert_close(field.map, expected)
    assert field.size == math.sqrt((expected >= 0.0455).sum())


@pytest.mark.parametrize("depth", [8, 20])
def test_equal_weights_give_the_gaussian_of_the_theory(depth):
    layer = Convolution(1, 3, bias=False, padding=1)
    network = with_weights(Input(1, 49, 49) >> repeat(layer, depth), 1 / 9)
    # A sum of n uniform steps of −1, 0, 1 has variance 2n/3; a Gaussian falls to 4.55 % at
    # 2.486 deviations, and the square root of that circle's area is the size.
    expected = math.sqrt(math.pi) * 2.486 * math.sqrt(2 * depth / 3)
    field = effective_receptive_field(network, samples=1)
    assert field.size == pytest.approx(expected, rel=0.03)
    assert field.size < receptive_field(network).size[0]


def test_it_lies_within_the_theoretical_field():
    network = Input(2, 33, 40) >> Convolution(4, 5) >> Relu() >> Convolution(3, 3, stride=2)
    field = effective_receptive_field(network)
    theory = receptive_field(network)
    middle = [length // 2 for length in network.output_shape[1:]]
    rows, columns = (
        slice(start + jump * place, start + jump * place + size)
        for start, jump, place, size in zip(
            theory.start, theory.jump, middle, theory.size, strict=True
        )
    )
    inside = field.map[rows, columns]
    assert float(field.map.max()) == 1.0
    assert (inside > 0).sum() == (field.map > 0).sum() == 49
    assert field.size <= 7


def test_signals_and_volumes():
    signal = Input(3, 21) >> Convolution(1, 5, padding=2)
    assert effective_receptive_field(with_weights(signal, 1.0)).size == 5
    volume = Input(1, 7, 7, 7) >> Convolution(1, 3, padding=1)
    assert effective_receptive_field(with_weights(volume, 1.0)).size == pytest.approx(3)


def test_any_layer_can_be_asked():
    network = Input(1, 15, 15) >> Convolution(2, 3) >> Relu() >> Convolution(2, 3) >> Flatten()
    network = with_weights(network >> layers.Softmax(3), 0.5)
    assert effective_receptive_field(network, "convolution1").size == 3
    assert effective_receptive_field(network, "convolution2").size == pytest.approx(5, abs=0.6)


def test_the_same_seed_gives_the_same_map():
    network = Input(1, 15, 15) >> Convolution(4, 3) >> Relu() >> Convolution(4, 3)
    first, second = (effective_receptive_field(network, seed=1) for _ in range(2))
    other = effective_receptive_field(network, seed=2)
    assert torch.equal(first.map, second.map)
    assert not torch.equal(first.map, other.map)


def test_the_network_stays_as_it_was():
    network = (
        Input(1, 15, 15) >> Convolution(4, 3) >> layers.BatchNorm() >> Relu() >> Dropout(0.5)
    )
    network.layers["batchnorm1"].eval()
    network.layers["convolution1"].requires_grad_(False)
    state = {key: value.clone() for key, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    random = torch.get_rng_state()
    with torch.no_grad():
        effective_receptive_field(network)
    assert torch.equal(random, torch.get_rng_state())
    assert modes == [module.training for module in network.modules()]
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


def test_normalised_inputs_are_measured_in_their_own_unit():
    def network():
        torch.manual_seed(0)
        return Input(1, 15, 15) >> Convolution(4, 3) >> Relu() >> Convolution(4, 3)

    raw, normalised = network(), network()
    normalised.layers["input1"].set_normalization(5.0, 100.0)
    first, second = effective_receptive_field(raw), effective_receptive_field(normalised)
    torch.testing.assert_close(first.map, second.map)


def test_one_of_several_inputs():
    near = Input(1, 15, 15, name="near") >> Convolution(1, 3, padding=1)
    far = Input(1, 15, 15, name="far") >> Convolution(1, 7, padding=3)
    network = with_weights(parallel(near, far) >> layers.Elementwise("add"), 1.0)
    assert effective_receptive_field(network, input_name="near").size == 3
    assert effective_receptive_field(network, input_name="far").size == 7
    assert effective_receptive_field(network, "convolution1").size == 3
    with pytest.raises(ValueError, match=r"choose input_name from .*\['near', 'far'\]"):
        effective_receptive_field(network)


def test_double_precision():
    network = with_weights(Input(1, 9, 9) >> Convolution(1, 3, padding=1), 1.0).double()
    assert effective_receptive_field(network).map.dtype == torch.float64


def test_free_lengths_are_asked_for():
    network = Input(3, None, None) >> Convolution(2, 3) >> layers.GlobalPooling("avg")
    with pytest.raises(ShapeError, match=r"'input1' has a free length: give input_shape"):
        effective_receptive_field(network)
    assert effective_receptive_field(network, input_shape=(3, 6, 7)).map.shape == (6, 7)


def test_what_cannot_be_measured():
    with pytest.raises(ShapeError, match="no parameters yet"):
        effective_receptive_field(Convolution(2, 3) >> Relu())
    with pytest.raises(ValueError, match=r"floating-point inputs \[\]"):
        effective_receptive_field(Input(3, 4, dtype="int64") >> layers.Identity())
    with pytest.raises(ValueError, match=r"takes vectors \(5\), which have no positions"):
        effective_receptive_field(Input(5) >> Relu(3))
    with pytest.raises(ValueError, match="samples must be a whole number from 1"):
        effective_receptive_field(Input(1, 5, 5) >> Convolution(1, 3), samples=0)
    with torch.device("meta"):
        network = Input(1, 5, 5) >> Convolution(1, 3)
    with pytest.raises(ValueError, match="on the meta device hold no data"):
        effective_receptive_field(network)


def test_dead_networks_are_named():
    network = with_weights(Input(1, 5, 5) >> Convolution(1, 3) >> Relu(), 0.0)
    with pytest.raises(ValueError, match=r"no gradient reaches 'input1'"):
        effective_receptive_field(network)
