"""Pictures of self-organising maps: a cell a unit, where the grid has it."""

import re

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from neuropil.classic import SOFM
from neuropil.plots import cluster_map, component_planes, hit_map, u_matrix
from neuropil.plots.palette import DATA_INK
from neuropil.plots.theme import PAPER
from neuropil.report.svg import drawing

X = np.random.default_rng(0).random((60, 3))


def cells(figure, which=0):
    """Return the corners of each cell that was drawn."""
    paths = figure.axes[0].collections[which].get_paths()
    return [path.vertices[:-1] for path in paths]


def area(corners):
    x, y = corners.T
    return abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2


@pytest.mark.parametrize("topology", ["rectangular", "toroidal"])
def test_squares_fill_the_plane(topology):
    drawn = cells(u_matrix(SOFM((4, 5), topology=topology, n_epochs=2).fit(X)))
    assert {len(corners) for corners in drawn} == {4}
    assert [area(corners) for corners in drawn] == pytest.approx([1] * 20)
    centers = np.array([corners.mean(axis=0) for corners in drawn])
    np.testing.assert_allclose(centers, [(c, r) for r in range(4) for c in range(5)])


def test_hexagons_touch_their_six_neighbours():
    model = SOFM((4, 5), topology="hexagonal", n_epochs=2).fit(X)
    drawn = cells(u_matrix(model))
    assert {len(corners) for corners in drawn} == {6}
    assert [area(corners) for corners in drawn] == pytest.approx([3**0.5 / 2] * 20)
    shared = set()
    for a in range(20):
        for b in range(a):
            gaps = np.linalg.norm(drawn[a][:, None] - drawn[b], axis=-1)
            if (gaps < 1e-9).sum() == 2:  # an edge in common
                shared.add((b, a))
    assert shared == set(map(tuple, model.grid_.edges().tolist()))


def test_dark_cells_are_far_from_their_neighbours():
    model = SOFM((5, 5), n_epochs=3).fit(X)
    figure = u_matrix(model)
    colors = figure.axes[0].collections[0].get_facecolor()
    values = model.u_matrix().ravel()
    assert colors[:, :3].sum(axis=1).argmin() == values.argmax()
    np.testing.assert_allclose(colors[values.argmin()], to_rgba(PAPER), atol=0.01)
    assert "neighbours" in figure.axes[1].get_ylabel()


def test_areas_are_hits():
    model = SOFM((3, 4), n_epochs=3).fit(X)
    figure = hit_map(model, X)
    hits = model.hit_map(X).ravel()
    areas = [area(corners) for corners in cells(figure, 1)]
    np.testing.assert_allclose(areas, hits / hits.max(), atol=1e-12)
    assert (
        figure.axes[0].get_title(loc="left") == f"Hits: 60 rows, at most {hits.max()} on a unit"
    )


def test_units_bear_the_commonest_label():
    model = SOFM((2,), n_epochs=9, final_radius=0.1).fit([[0.0], [0.0], [0.0], [9.0]])
    figure = hit_map(model, [[0.0], [1.0], [0.5], [9.0]], ["a", "b$", "b$", "c"])
    found = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    low, high = model.predict([[0.0], [9.0]])
    assert found == {(low, 0): r"b\$", (high, 0): "c"}
    with pytest.raises(ValueError, match="2 rows, 3 labels"):
        hit_map(model, [[0.0], [1.0]], ["a", "b", "c"])


def test_there_is_a_plane_for_each_feature():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["one", "two", "three"])
    model = SOFM((3, 4), topology="hexagonal", n_epochs=3).fit(frame)
    figure = component_planes(model)
    assert [axes.get_title(loc="left") for axes in figure.axes[:3]] == ["one", "two", "three"]
    colors = figure.axes[1].collections[0].get_facecolor()
    largest = model.weights_[:, 1].argmax()
    assert colors[largest, :3].sum() == colors[:, :3].sum(axis=1).max()
    many = SOFM((2, 2), n_epochs=2).fit(np.random.default_rng(0).random((9, 40)))
    assert sum(bool(axes.get_title(loc="left")) for axes in component_planes(many).axes) == 36
    with pytest.raises(ValueError, match="3 features, 2 names"):
        component_planes(model, ["a", "b"])


def test_regions_are_coloured_and_numbered_inside():
    model = SOFM((5, 6), n_epochs=5).fit(X)
    figure = cluster_map(model, 4)
    regions = model.cluster_map(4)
    colors = figure.axes[0].collections[0].get_facecolor()
    for region in range(4):
        assert len(np.unique(colors[regions.ravel() == region], axis=0)) == 1
    assert len(np.unique(colors, axis=0)) == 4
    for text in figure.axes[0].texts:
        x, y = map(round, text.get_position())
        assert regions[y, x] == int(text.get_text())


def test_every_kind_of_map_can_be_saved(tmp_path):
    same = SOFM((1, 1)).fit(np.zeros((3, 1)))
    for model in (same, SOFM((9,)).fit(X), SOFM((7, 1), topology="hexagonal").fit(X)):
        rows = np.zeros((3, model.n_features_in_))
        for draw in (u_matrix, component_planes, lambda m: cluster_map(m, 1)):
            draw(model).savefig(tmp_path / "map.png")
        hit_map(model, rows).savefig(tmp_path / "map.svg")
    with pytest.raises(ValueError, match="one axis or two, got 3 axes"):
        u_matrix(SOFM((2, 2, 2)).fit(X))


def test_in_a_report_the_highest_wall_stays_dark_and_names_stay_on_their_cells():
    model = SOFM((4, 5), n_epochs=2, random_state=0).fit(X)
    borders = drawing(u_matrix(model), "borders", "Borders.")
    cells = re.findall(r"fill: ?(#[0-9a-f]{6})", borders)
    assert DATA_INK in cells  # the largest distance
    held = drawing(hit_map(model, X, ["a"] * len(X)), "hits", "Hits.")
    # Cells are light in every theme, so what is written on them must stay dark.
    assert f"fill: {DATA_INK}" in held.replace("fill:#", "fill: #")


def test_regions_have_a_colour_each():
    figure = cluster_map(SOFM((6, 6), n_epochs=2, random_state=0).fit(X), 30)
    colors = figure.axes[0].collections[0].get_facecolor()
    assert len(np.unique(colors, axis=0)) == 30
