"""What is read off a map: neighbours, errors, and views, most of them worked by hand."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score

from neuropil.classic import SOFM
from neuropil.classic.competitive import error_front
from neuropil.classic.competitive.som.grid import Grid


def placed(weights, grid, **options):
    """Return a map whose units are where we want them."""
    weights = np.asarray(weights, float).reshape(np.prod(grid), -1)
    model = SOFM(grid, algorithm="online", init=weights, lr=1e-300, n_epochs=1, **options)
    return model.fit(np.vstack([weights, weights + 1]))


def neighbours(grid):
    """Return the set of neighbours of each unit."""
    found = [set() for _ in range(grid.units)]
    for a, b in grid.edges().tolist():
        found[a].add(b)
        found[b].add(a)
    return found


def test_squares_have_eight_neighbours_and_cells_six():
    square = neighbours(Grid((4, 5)))
    assert square[6] == {0, 1, 2, 5, 7, 10, 11, 12}
    assert square[0] == {1, 5, 6}
    comb = Grid((4, 5), "hexagonal")
    assert neighbours(comb)[6] == {5, 7, 1, 2, 11, 12}  # row 1 is moved to the right
    assert neighbours(comb)[11] == {10, 12, 5, 6, 15, 16}  # row 2 is not
    for topology, count in (("toroidal", 8), ("toroidal_hexagonal", 6)):
        around = neighbours(Grid((4, 5), topology))
        assert {len(found) for found in around} == {count}
    assert neighbours(Grid((1, 3))) == [{1}, {0, 2}, {1}]
    assert neighbours(Grid((1, 1))) == [set()]
    assert neighbours(Grid((2, 2), "toroidal"))[0] == {1, 2, 3}


def test_cells_of_a_honeycomb_are_not_all_alike():
    grid = Grid((5, 5), "hexagonal")
    distances = np.sqrt(grid.squared_distances(np.array([12]))[0])
    rings = np.unique(distances.round(6), return_counts=True)
    np.testing.assert_allclose(rings[0][:4], [0, 1, 3**0.5, 2], atol=1e-6)
    assert rings[1][:4].tolist() == [1, 6, 6, 6]
    model = SOFM((5, 5), topology="hexagonal", init=np.zeros((25, 1)), n_epochs=1, radius=1.0)
    model.set_params(algorithm="online").partial_fit([[1.0]])
    moved = np.unique(model.weights_.round(12))
    assert len(moved) > 5


def test_a_torus_is_near_itself():
    grid = Grid((4, 6), "toroidal")
    distances = np.sqrt(grid.squared_distances(np.array([0]))[0]).reshape(4, 6)
    np.testing.assert_allclose(distances[0], [0, 1, 2, 3, 2, 1])
    np.testing.assert_allclose(distances[:, 0], [0, 1, 2, 1])
    assert distances[3, 5] == pytest.approx(2**0.5)
    comb = Grid((4, 4), "toroidal_hexagonal")
    for unit in range(16):
        near = comb.squared_distances(np.array([unit]))[0]
        assert np.isclose(near, 1).sum() == 6


def test_errors_by_hand():
    model = placed([0.0, 1.0, 5.0, 2.0], (4,))
    # The two best: (0, 1); (1, 3), no neighbours; (3, 1), none; (2, 3).
    X = [[0.2], [1.2], [2.0], [5.0]]
    assert model.quantization_error(X) == pytest.approx((0.2 + 0.2) / 4)
    assert model.topographic_error(X) == pytest.approx(0.5)
    assert placed([3.0], (1,)).topographic_error(X) == 0
    diagonal = placed([[0, 0], [9, 9], [9, 8], [1, 1]], (2, 2))
    assert diagonal.topographic_error([[0.1, 0.1]]) == 0


def test_the_topographic_product_is_zero_for_a_grid_over_itself():
    places = np.indices((4, 5)).reshape(2, -1).T
    assert placed(places, (4, 5)).topographic_product() == pytest.approx(0, abs=1e-12)
    snake = np.array([(r, c if r % 2 == 0 else 4 - c) for r in range(4) for c in range(5)])
    assert placed(snake + places / 1e6, (20,)).topographic_product() < -0.03
    line = np.arange(20)[:, None] + np.indices((4, 5)).reshape(2, -1).T / 1e6
    assert abs(placed(line, (4, 5)).topographic_product()) > 0.05
    with pytest.raises(ValueError, match="two units have the same weights"):
        placed(np.zeros((4, 1)), (2, 2)).topographic_product()
    with pytest.raises(ValueError, match="needs two units"):
        placed([0.0], (1,)).topographic_product()


def test_views_by_hand():
    model = placed([0.0, 1.0, 5.0], (3,))
    np.testing.assert_allclose(model.u_matrix(), [1, 2.5, 4])
    np.testing.assert_array_equal(model.hit_map([[0.1], [0.2], [9.0]]), [2, 0, 1])
    np.testing.assert_allclose(model.component_planes(), [[0, 1, 5]], atol=1e-12)
    square = placed([[0, 0], [3, 4], [0, 0], [0, 0]], (2, 2))
    np.testing.assert_allclose(square.u_matrix(), [[5 / 3, 5], [5 / 3, 5 / 3]])
    assert square.component_planes().shape == (2, 2, 2)
    np.testing.assert_array_equal(placed([1.0], (1,)).u_matrix(), [0])


def test_clusters_are_regions_of_the_map():
    rng = np.random.default_rng(0)
    centers = np.array([[0, 0], [9, 0], [0, 9]])
    X = centers[np.arange(300) % 3] + rng.normal(size=(300, 2))
    for topology in ("rectangular", "hexagonal", "toroidal"):
        model = SOFM((6, 7), topology=topology).fit(X)
        clusters = model.cluster_map(3)
        assert clusters.shape == (6, 7)
        found = clusters.ravel()[model.predict(X)]
        assert adjusted_rand_score(np.arange(300) % 3, found) > 0.9
    with pytest.raises(ValueError, match="from 1 to the number of units, 42, got 43"):
        model.cluster_map(43)


def test_the_front_holds_what_nothing_beats():
    X = np.random.default_rng(0).normal(size=(400, 5))
    maps = [SOFM((6, 6), final_radius=radius).fit(X) for radius in (0.3, 0.5, 0.8, 1.4)]
    # The same units as the first map's, and none where it was.
    worse = placed(np.random.default_rng(0).permutation(maps[0].weights_), (6, 6))
    front = error_front([*maps, worse], X)
    assert all(found.map is not worse for found in front)
    products = [found.quantization * found.topographic for found in front]
    assert products == sorted(products) == [found.product for found in front]
    for a in front:
        assert a.quantization == a.map.quantization_error(X)
        for b in front:
            better = a.quantization < b.quantization and a.topographic < b.topographic
            assert not better


def test_views_need_a_fitted_map():
    model = SOFM()
    for view in (model.u_matrix, model.component_planes, model.topographic_product):
        with pytest.raises(NotFittedError):
            view()


@pytest.mark.parametrize("distance", ["cosine", "dot"])
def test_views_of_a_map_of_directions_have_its_own_distance(distance):
    """Worked out by SciPy, and the same however long the units of a cosine map are."""
    angles = np.radians([0, 10, 20, 90, 100, 110])
    units = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    model = placed(units, (6,), distance=distance)
    lengths = np.array([1, 50, 1, 1, 50, 1]) if distance == "cosine" else np.ones(6)
    model.weights_ = units * lengths[:, None]
    way = cdist(units, units, "cosine")
    steps = way[np.arange(5), np.arange(1, 6)]
    wanted = [steps[0], *(steps[:-1] + steps[1:]) / 2, steps[-1]]
    np.testing.assert_allclose(model.u_matrix(), wanted, rtol=1e-9)
    assert model.cluster_map(2).tolist() in ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])
    assert model.u_matrix().argmax() in {2, 3}
    rows = np.array([[3.0, 0.1], [0.2, 5.0], [-1.0, 2.0]])
    unlike = cdist(rows, units, "cosine")
    if distance == "dot":  # ‖x‖ − x·w is ‖x‖ times as much
        unlike *= np.linalg.norm(rows, axis=1, keepdims=True)
    assert model.quantization_error(rows) == pytest.approx(unlike.min(axis=1).mean())
    np.testing.assert_allclose(model.transform(rows), unlike, atol=1e-12)
    straight = placed(units, (6,), distance=distance).topographic_product()
    assert model.topographic_product() == pytest.approx(straight)


def test_a_unit_without_a_direction_is_at_a_right_angle():
    model = placed([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]], (3,), distance="euclid")
    model.set_params(distance="cosine")
    model.weights_[1] = 0
    np.testing.assert_allclose(model.u_matrix(), [1, 1, 1])
    assert model.u_matrix().dtype == np.float64
