"""Pictures of Boltzmann machines."""

import numpy as np
import pytest

from neuropil.classic import RBM, DeepBeliefNetwork
from neuropil.plots import machine_filters, samples
from neuropil.plots.palette import signed_scale


@pytest.fixture
def machine() -> RBM:
    """Return a machine over pictures of 2 × 3."""
    return RBM(5, n_epochs=1, random_state=0).fit(np.eye(6))


def test_a_filter_is_light_for_and_dark_against(machine):
    machine.components_ = np.zeros((5, 6))
    machine.components_[0, 0], machine.components_[0, 5] = 2.0, -2.0
    figure = machine_filters(machine, (2, 3))
    assert figure.axes[0].get_title(loc="left") == "RBM: the weights of 5 hidden units"
    picture = np.asarray(figure.axes[0].images[0].get_array())
    # Five filters side by side, a line between two.
    height, width = (picture.shape[0]) // 2, (picture.shape[1] - 4) // 15
    first, last = picture[0, 0], picture[2 * height - 1, 3 * width - 1]
    np.testing.assert_allclose(first, signed_scale()(1.0))
    np.testing.assert_allclose(last, signed_scale()(0.0))
    assert first[3] == last[3] == 1
    np.testing.assert_allclose(picture[0, width + 1], signed_scale()(0.5))


@pytest.mark.parametrize("kind", [RBM, DeepBeliefNetwork])
def test_samples_are_light_where_units_are_on(kind):
    rows = np.repeat([[1.0, 1, 1, 0, 0, 0]], 200, axis=0)
    machine = kind(4, n_epochs=20, random_state=0).fit(rows)
    figure = samples(machine, (2, 3), count=4, n_steps=20, random_state=0)
    assert figure.axes[0].get_title(loc="left").endswith("4 samples after 20 steps")
    picture = np.asarray(figure.axes[0].images[0].get_array())
    assert picture[0, 0, 0] > 0.8
    assert picture[-1, 0, 0] < 0.2
    again = samples(machine, (2, 3), count=4, n_steps=20, random_state=0)
    np.testing.assert_array_equal(again.axes[0].images[0].get_array(), picture)
