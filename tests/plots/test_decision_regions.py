"""Decision regions: each place has the colour of its class."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from sklearn.datasets import make_blobs
from sklearn.neighbors import KNeighborsClassifier

from neuropil.algorithms import LVQ
from neuropil.plots import decision_regions
from neuropil.plots.maps import REGIONS

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
        pure = np.array(to_rgb(REGIONS[list(model.classes_).index(name)]))
        assert np.argmin(usual[name]) == np.argmin(pure)


def test_prototypes_are_drawn_where_they_are():
    model = LVQ(2, random_state=0).fit(X, Y)
    axes = decision_regions(model, X, Y).axes[0]
    np.testing.assert_allclose(axes.collections[-1].get_offsets(), model.prototypes_)
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["one", "three", "two"]
    assert "6 prototypes" in axes.get_title(loc="left")


@pytest.mark.parametrize(
    ("rows", "classes", "message"),
    [
        (np.ones((4, 3)), [0, 1, 0, 1], r"two columns, got \(4, 3\)"),
        (np.ones((4, 2)), [0, 1], "4 rows, 2 classes"),
    ],
)
def test_what_does_not_fit_is_refused(rows, classes, message):
    with pytest.raises(ValueError, match=message):
        decision_regions(LVQ().fit(X, Y), rows, classes)
