"""Networks for landmarks: shapes, backbones, and places in padded pictures."""

import pytest
import torch

from neuropil.architectures import resnet20, squeezenet
from neuropil.core import ShapeError
from neuropil.layers import Input, SoftArgmax
from neuropil.vision import LandmarkNet, decode_landmarks, landmark_loss


@pytest.mark.parametrize("heat_maps", [True, False])
@pytest.mark.parametrize(
    ("shape", "backbone"),
    [
        ((1, 64, 64), None),
        ((3, 50, 70), None),
        ((1, 9, 12), None),
        ((3, 64, 48), lambda: squeezenet(input_shape=(3, None, None))),
        ((3, 64, 48), lambda: resnet20(input_shape=(3, None, None))),
    ],
)
def test_it_gives_three_numbers_for_each_point(shape, backbone, heat_maps):
    body = None if backbone is None else backbone()
    network = LandmarkNet(5, shape, backbone=body, heat_maps=heat_maps)
    assert network.output_shape == (15,)
    assert network(torch.zeros(2, *shape)).shape == (2, 15)


def test_an_untrained_network_sees_all_points_inside():
    network = LandmarkNet(4, (1, 40, 56))
    places = decode_landmarks(network(torch.rand(3, 1, 40, 56)), (40, 56))[..., :2]
    assert (places > 0).all()
    assert (places < torch.tensor([56, 40])).all()


def test_heat_maps_extend_over_a_padded_picture():
    network = LandmarkNet(2, (1, 40, 56))
    (last,) = [each for each in network.layers.values() if isinstance(each, SoftArgmax)]
    assert last.extent == (64 / 56, 48 / 40)


@pytest.mark.parametrize("heat_maps", [True, False])
def test_it_learns_where_a_spot_is(heat_maps):
    draw = torch.Generator().manual_seed(0)
    corners = torch.randint(0, 13, (32, 2), generator=draw)
    pictures = torch.zeros(32, 1, 16, 16)
    for picture, (x, y) in zip(pictures, corners.tolist(), strict=True):
        picture[0, y : y + 4, x : x + 4] = 1
    targets = torch.cat([corners + 2.0, torch.full((32, 1), 2.0)], dim=1)[:, None]
    network = LandmarkNet(1, (1, 16, 16), heat_maps=heat_maps, width=8, dropout=0.0)
    network.reset_parameters(draw)
    steps = torch.optim.AdamW(network.parameters(), 1e-2)
    for _ in range(50):
        steps.zero_grad()
        landmark_loss(network(pictures), targets, (16, 16)).mean().backward()
        steps.step()
    found = decode_landmarks(network(pictures), (16, 16))[..., :2]
    # A guess in the middle is 5 pixels away on average.
    assert (found - targets[..., :2]).norm(dim=-1).mean() < 2


def test_wrong_options_are_refused():
    with pytest.raises(ShapeError, match=r"one size, got .*choose one with --image-size"):
        LandmarkNet(5, (3, None, None))
    with pytest.raises(ValueError, match="points"):
        LandmarkNet(0, (3, 64, 64))
    with pytest.raises(ValueError, match="no features to start from"):
        LandmarkNet(5, (3, 64, 64), backbone=Input(3, None, None) >> SoftArgmax())
