"""The growing gas over its data: nodes and edges where they are."""

import numpy as np
import pytest
from sklearn.datasets import make_moons

from neuropil.classic import GrowingNeuralGas
from neuropil.plots import growing_gas

X, _ = make_moons(600, noise=0.05, random_state=0)


def test_nodes_and_edges_are_drawn_where_they_are():
    gas = GrowingNeuralGas(40, n_epochs=10, random_state=0).fit(X)
    axes = growing_gas(gas, X).axes[0]
    rows, edges, nodes = axes.collections
    np.testing.assert_allclose(rows.get_offsets(), X)
    np.testing.assert_allclose(nodes.get_offsets(), gas.nodes_)
    np.testing.assert_allclose(edges.get_segments(), gas.nodes_[gas.edges_])
    assert len(np.unique(nodes.get_facecolors(), axis=0)) == len(set(gas.components_)) == 2
    assert axes.get_title(loc="left").endswith("2 components")


def test_many_columns_are_seen_along_the_directions_of_most_variance():
    wide = np.column_stack([0.01 * X[:, 0], X, np.zeros(len(X))])
    gas = GrowingNeuralGas(10, n_epochs=4, random_state=0).fit(wide)
    figure = growing_gas(gas, wide)
    drawn = figure.axes[0].collections[0].get_offsets()
    assert drawn.var(axis=0).sum() == pytest.approx(wide.var(axis=0).sum(), rel=1e-3)
    figure.canvas.draw()
