"""Decision regions: each place has the colour of its class."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from sklearn.datasets import make_blobs
from sklearn.neighbors import KNeighborsClassifier

from neuropil.classic import LVQ
from neuropil.plots import decision_regions
from neuropil.plots.palette import class_palette

X, codes = make_blobs(300, centers=3, random_state=0)
Y = np.array(["one", "two", "three"])[codes]


@pytest.mark.parametrize("model", [LVQ(2, random_state=0), KNeighborsClassifier(3)])
def test_each_place_has_the_colour_of_its_class(model):
    model.fit(X, Y)
    figure = decision_regions(model, X, Y)
    picture = figure.axes[0].get_images()[0]
    left, right, bottom, top = picture.get_extent()
    pixels = np.asarray(picture.get_array())
    distances = {}
    for x, y in np.random.default_rng(0).uniform((left, bottom), (right, top), (50, 2)):
        column = int((x - left) / (right - left) * pixels.shape[1])
        row = int((y - bottom) / (top - bottom) * pixels.shape[0])
        shade = tuple(np.round(pixels[row, column], 6))
        distances.setdefault(model.predict([[x, y]])[0], []).append(shade)
    usual = {name: max(set(found), key=found.count) for name, found in distances.items()}
    assert len(set(usual.values())) == 3
    for name, found in distances.items():
        assert found.count(usual[name]) >= 0.9 * len(found)
        pure = np.array(to_rgb(class_palette(3)[list(model.classes_).index(name)]))
        assert np.argmin(usual[name]) == np.argmin(pure)


def drawn_rows(figure):
    """Return the rows that each name of the legend has on the axes."""
    found = [c for c in figure.axes[0].collections if c.get_label()[0] != "_"]
    return {c.get_label(): np.asarray(c.get_offsets()) for c in found}


def test_of_many_rows_every_class_is_drawn():
    rng = np.random.default_rng(0)
    # The second class stands at every second row, so every k-th row would miss it for even k.
    y = np.tile(["a", "b"], 4000).astype(object)
    y[1::4000] = "rare"
    X = rng.normal(size=(8000, 2)) + (y == "b")[:, None]
    figure = decision_regions(KNeighborsClassifier(1).fit(X, y), X, y)
    drawn = drawn_rows(figure)
    assert {name: len(rows) for name, rows in drawn.items()} == {
        "a": 1000,
        "b": 1000,
        "rare": 2,
    }
    assert "of 8000 rows correct, 2002 drawn" in figure.axes[0].get_title(loc="left")
    assert set(map(tuple, drawn["rare"])) == set(map(tuple, X[1::4000]))


def test_rows_of_a_class_unknown_to_the_model_are_drawn():
    model = LVQ(2, random_state=0).fit(X, Y)
    figure = decision_regions(model, X[:4], ["one", "two", "three", "four"])
    assert len(drawn_rows(figure)["four"]) == 1


def test_regions_of_many_classes_keep_apart():
    X = np.stack(np.meshgrid(np.arange(6.0), np.arange(6.0)), axis=-1).reshape(-1, 2)
    X, y = X.repeat(3, axis=0), np.arange(36).repeat(3)
    figure = decision_regions(KNeighborsClassifier(1).fit(X, y), X, y)
    picture = np.asarray(figure.axes[0].get_images()[0].get_array())
    colors, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
    assert len(colors) == 37  # one for each class, and the lines between them
    assert counts.min() > 500


def test_prototypes_are_drawn_where_they_are():
    model = LVQ(2, random_state=0).fit(X, Y)
    axes = decision_regions(model, X, Y).axes[0]
    np.testing.assert_allclose(axes.collections[-1].get_offsets(), model.prototypes_)
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["one", "three", "two"]
    assert "6 prototypes" in axes.get_title(loc="left")


@pytest.mark.parametrize(
    ("rows", "classes", "message"),
    [
        (np.ones((4, 3)), [0, 1, 0, 1], r"two columns, got the shape \(4, 3\)"),
        (np.ones((4, 2)), [0, 1], "4 rows, 2 classes"),
    ],
)
def test_what_does_not_fit_is_refused(rows, classes, message):
    with pytest.raises(ValueError, match=message):
        decision_regions(LVQ().fit(X, Y), rows, classes)
