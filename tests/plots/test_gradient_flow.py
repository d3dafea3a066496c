"""The picture of gradients and outputs from layer to layer."""

import numpy as np
import pytest
import torch
from torch import nn

from neuropil.analysis import gradient_health
from neuropil.plots import gradient_flow


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def a_health(depth=2, bias=0.0):
    layers = [m for _ in range(depth) for m in (nn.Linear(4, 4), nn.ReLU())]
    network = nn.Sequential(*layers, nn.Linear(4, 1))
    nn.init.constant_(network[2].bias, bias)
    return gradient_health(network, torch.randn(64, 4), torch.randn(64, 1))


def names(axes):
    return [text.get_text() for text in axes.get_yticklabels()]


def test_each_layer_has_its_place_and_its_size():
    health = a_health()
    left, right = gradient_flow(health).axes
    assert names(left) == ["0 (Linear)", "1 (ReLU)", "2 (Linear)", "3 (ReLU)", "4 (Linear)"]
    (line,) = left.get_lines()
    gradients = [(row.gradient, k) for k, row in enumerate(health.rows) if row.gradient]
    np.testing.assert_allclose(line.get_xydata(), gradients)
    np.testing.assert_allclose(right.get_lines()[0].get_xdata(), [r.size for r in health.rows])
    top, bottom = sorted(left.get_ylim(), reverse=True)
    assert left.get_ylim() == (top, bottom)  # the first layer is at the top


def test_the_first_and_the_last_epoch_are_named_and_some_between_are_faint():
    figure = gradient_flow([a_health() for _ in range(30)], range(1, 60, 2))
    lines = figure.axes[0].get_lines()
    assert len(lines) == 8
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "epoch 1",
        "epoch 59",
    ]
    assert {line.get_alpha() for line in lines[1:-1]} == {0.3}


def test_a_size_of_zero_is_marked_at_the_left_edge():
    health = a_health(bias=-100.0)
    figure = gradient_flow(health)
    for axes in figure.axes:
        *_, marks = axes.get_lines()
        assert marks.get_marker() == "<"
        assert (marks.get_xdata() <= min(axes.get_lines()[0].get_xdata())).all()
    assert list(figure.axes[1].get_lines()[-1].get_ydata()) == [3]
    assert list(figure.axes[0].get_lines()[-1].get_ydata()) == [0, 2]
    figure.canvas.draw()


def test_deep_networks_name_some_layers_and_long_names_keep_their_end():
    figure = gradient_flow(a_health(depth=60))
    assert len(names(figure.axes[0])) < 40
    assert figure.get_figheight() <= 9
    long = "a_block_with_a_long_name.convolution1"
    health = a_health()
    rows = (health.rows[0]._replace(name=long), *health.rows[1:])
    renamed = type(health)(rows, health.verdicts, health.loss, health.examples)
    assert names(gradient_flow(renamed).axes[0])[0].endswith("_name.convolution1")


def test_numbers_that_are_none_leave_a_gap():
    network = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
    nn.init.constant_(network[2].weight, torch.inf)
    gradient_flow(gradient_health(network, torch.rand(8, 4), torch.rand(8, 1))).canvas.draw()


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(ValueError, match="nothing was measured yet"):
        gradient_flow([])
    with pytest.raises(ValueError, match="1 measurements and 2 epochs"):
        gradient_flow(a_health(), [1, 2])
    with pytest.raises(ValueError, match="of the same layers"):
        gradient_flow([a_health(), a_health(depth=3)])
