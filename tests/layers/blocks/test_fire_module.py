import pytest
import torch
from torch import nn

from neuropil.core import ShapeError
from neuropil.layers import FireModule, Input


class Reference(nn.Module):
    """The module as written by hand."""

    def __init__(self):
        super().__init__()
        self.squeeze = nn.Conv2d(6, 3, 1)
        self.expand1, self.expand3 = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        s = self.squeeze(x).relu()
        return torch.cat([self.expand1(s).relu(), self.expand3(s).relu()], 1)


def pair(**options):
    """Return the reference and our network with its weights."""
    torch.manual_seed(0)
    reference, network = Reference(), Input(6, 5, 5) >> FireModule(3, 2, 4, **options)
    ours = list(network.parameters())
    with torch.no_grad():
        for parameter, theirs in zip(ours, reference.parameters(), strict=False):
            parameter.copy_(theirs)
    return reference, network


def test_it_equals_a_module_written_by_hand():
    reference, network = pair()
    x = torch.randn(2, 6, 5, 5)
    torch.testing.assert_close(network(x), reference(x))


def test_a_shortcut_adds_the_input():
    reference, network = pair(shortcut="identity")
    x = torch.randn(2, 6, 5, 5)
    torch.testing.assert_close(network(x), reference(x) + x)


def test_a_projection_adds_a_map_of_the_input():
    reference, network = pair(shortcut="projection")
    weight, bias = list(network.parameters())[6:]
    x = torch.randn(2, 6, 5, 5)
    torch.testing.assert_close(
        network(x), reference(x) + torch.conv2d(x, weight, bias), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize(("shortcut", "more"), [(None, 0), ("projection", 97 * 128)])
def test_the_parameters_are_those_of_the_formula(shortcut, more):
    with torch.device("meta"):
        network = Input(96, 8, 8) >> FireModule(16, 64, 64, shortcut=shortcut)
    count = sum(p.numel() for p in network.parameters())
    assert count == 97 * 16 + 17 * 64 + (9 * 16 + 1) * 64 + more


def test_the_automatic_shortcut_is_the_identity_where_it_fits():
    def count(shortcut, channels):
        layer = FireModule(2, 3, 3, shortcut=shortcut)
        return len(layer.parameter_shapes((channels, 4, 4)))

    assert count("auto", 6) == count(None, 6)
    assert count("auto", 5) == count("projection", 5) == count(None, 5) + 2


def test_normalisation_and_activation_are_options():
    layer = FireModule(2, 3, 3, normalization="batch", activation="elu", place="after")
    network = Input(4, 4, 4) >> layer
    kinds = [type(module).__name__ for module in network.modules()]
    assert [kinds.count(kind) for kind in ("BatchNorm", "Elu", "Relu")] == [3, 3, 0]


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="FireModule: squeeze must be a whole number"):
        FireModule(0, 1, 1)
    with pytest.raises(ValueError, match="FireModule: shortcut must be one of 'auto'"):
        FireModule(1, 1, 1, shortcut="zeros")
    with pytest.raises(ShapeError, match=r"needs 2 channels, got 3: take 'auto'"):
        Input(3, 4, 4) >> FireModule(1, 1, 1, shortcut="identity")
