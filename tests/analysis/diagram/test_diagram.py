"""The picture of a network: complete, well-formed, and no line runs through a box."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil import join, layers, parallel, repeat
from neuropil.analysis import diagram
from neuropil.layers import Convolution, Elementwise, Identity, Input, Relu

SVG = "{http://www.w3.org/2000/svg}"


class Picture:
    """What an SVG file shows."""

    def __init__(self, picture):
        self.root = ElementTree.fromstring(str(picture))
        self.size = float(self.root.get("width")), float(self.root.get("height"))
        self.boxes, self.texts, self.hints, self.fills = {}, {}, {}, {}
        for group in self.root.iter(f"{SVG}g"):
            rect = group.find(f"{SVG}rect")
            texts = [text.text or "" for text in group.findall(f"{SVG}text")]
            x, y, w, h = (float(rect.get(k)) for k in ("x", "y", "width", "height"))
            self.boxes[texts[0]] = (x, y, x + w, y + h)
            self.texts[texts[0]] = texts
            self.hints[texts[0]] = group.find(f"{SVG}title").text
            self.fills[texts[0]] = rect.get("fill")
        paths = self.root.iter(f"{SVG}path")
        self.lines = [list(points(p.get("d"))) for p in paths if p.get("fill") == "none"]
        rest = [t.text for t in self.root.findall(f"{SVG}text")]
        self.keys = rest

    def ends(self):
        """Return from which box each line leads to which."""
        return {(self.at(line[0], 3), self.at(line[-1], 1)) for line in self.lines}

    def at(self, point, side):
        """Return the box at whose lower or upper edge a point lies."""
        (name,) = (
            name
            for name, box in self.boxes.items()
            if box[0] < point[0] < box[2] and abs(box[side] - point[1]) < 8
        )
        return name


def points(path):
    """Yield points along an SVG path of lines and curves, close to each other."""
    x = y = 0.0
    for command, numbers in re.findall(r"([MVC])([^MVC]*)", path):
        values = [float(n) for n in re.findall(r"-?[\d.]+", numbers)]
        if command == "M":
            x, y = values
            yield x, y
        elif command == "V":
            yield from ((x, y + (values[0] - y) * k / 20) for k in range(1, 21))
            y = values[0]
        else:
            curve = [(x, y), *zip(values[::2], values[1::2], strict=True)]
            yield from (bezier(curve, k / 40) for k in range(1, 41))
            x, y = values[4:]


def bezier(curve, t):
    weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
    return tuple(sum(w * p[a] for w, p in zip(weights, curve, strict=True)) for a in (0, 1))


def check(picture):
    """Hold what every picture must be."""
    width, height = picture.size
    for x0, y0, x1, y1 in picture.boxes.values():
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
    x0, y0, x1, y1 = np.array(list(picture.boxes.values())).T[:, :, None]
    apart = (x1 < x0.T) | (x0 > x1.T) | (y1 < y0.T) | (y0 > y1.T)
    assert (apart | np.eye(len(x0), dtype=bool)).all(), "two boxes overlap"
    for line in picture.lines:
        assert line[0][1] < line[-1][1], "a line leads upwards"
        x, y = np.array(line).T
        assert ((x >= 0) & (x <= width)).all()
        inside = (x0 + 0.5 < x) & (x < x1 - 0.5) & (y0 + 0.5 < y) & (y < y1 - 0.5)
        assert not inside.any(), "a line runs through a box"


@st.composite
def parts(draw, depth=3):
    """Return a network of branches within branches, some of which are only lines."""
    if depth == 0:
        return draw(st.sampled_from([Relu, layers.Sigmoid, layers.Tanh]))()
    length = draw(st.integers(1, 3))
    sequence = []
    for _ in range(length):
        branches = draw(st.lists(parts(depth - 1), min_size=1, max_size=4 if depth > 1 else 1))
        if draw(st.booleans()):
            branches.append(Identity())
        if len(branches) > 1:
            sequence += [parallel(*branches), Elementwise("add")]
        else:
            sequence += branches
    return join(*sequence)


@settings(max_examples=30, deadline=None)
@given(parts())
def test_no_line_runs_through_a_box(network):
    network = Input(3) >> network
    picture = Picture(diagram(network))
    check(picture)
    shown = [n for n in network.node_names if not n.startswith("identity")]
    last = network.node_names[-1]
    assert set(picture.boxes) == {*shown, last}


def convolved(name=None):
    return Convolution(4, 3, padding="same", name=name) >> layers.BatchNorm() >> Relu()


def test_a_chain_is_one_straight_column():
    picture = Picture(diagram(Input(4, 8, 8) >> join(*[convolved() for _ in range(60)])))
    check(picture)
    assert len(picture.boxes) == 181
    assert len({box[0] for box in picture.boxes.values()}) == 1
    assert all(x == line[0][0] for line in picture.lines for x, _ in line)


def test_connections_that_skip_leave_the_column_straight():
    block = [
        parallel(Identity(), convolved() >> convolved()) >> Elementwise("add") for _ in range(5)
    ]
    network = Input(4, 8, 8) >> join(*block) >> layers.GlobalPooling("avg") >> layers.Softmax(2)
    picture = Picture(diagram(network))
    check(picture)
    assert len({box[0] for box in picture.boxes.values()}) == 1
    assert ("elementwise1", "elementwise2") in picture.ends()
    assert ("input1", "elementwise1") in picture.ends()


def test_lines_lead_from_what_is_taken_to_who_takes_it():
    network = (
        Input(4, 8, 8)
        >> parallel(
            Convolution(2, 1),
            Convolution(2, 1) >> Convolution(2, 3, padding="same"),
            layers.MaxPooling(3, stride=1, padding="same") >> Convolution(2, 1),
        )
        >> layers.Concatenate()
    )
    picture = Picture(diagram(network))
    check(picture)
    names = network.node_names
    edges = {
        (names[i], name) for name, n in zip(names, network.nodes, strict=True) for i in n.inputs
    }
    assert picture.ends() == edges
    # The branches stand side by side, and what they part from and meet in lies between them.
    lefts = [picture.boxes[name][0] for name in ("convolution1", "convolution2", "maxpooling1")]
    assert lefts == sorted(set(lefts))
    assert lefts[0] < picture.boxes["concatenate1"][0] == picture.boxes["input1"][0] < lefts[2]


def test_several_inputs_and_outputs():
    trunk = parallel(Input(4, name="a") >> Relu(3), Input(5, name="b") >> Relu(3))
    network = trunk >> Elementwise("add") >> parallel(layers.Softmax(2), layers.Sigmoid(1))
    picture = Picture(diagram(network))
    check(picture)
    assert picture.boxes["a"][1] == picture.boxes["b"][1]
    assert len(picture.ends()) == 6


def test_boxes_say_what_layers_are():
    network = Input(3, None, None) >> Convolution(8, 3, stride=2, padding="same", name="first")
    picture = Picture(diagram(network >> layers.GlobalPooling("avg")))
    assert picture.texts["first"][0] == "first"
    assert picture.texts["first"][2] == "(8, None, None)"
    assert picture.hints["first"] == (
        "first: Convolution(8, 3, stride=2, padding='same') gives (8, None, None)"
    )
    given_ = Picture(diagram(network, (3, 32, 20)))
    assert given_.texts["first"][2] == "(8, 16, 10)"


def test_families_have_their_colours_and_a_key():
    picture = Picture(
        diagram(
            Input(3, 8, 8)
            >> Convolution(4, 3)
            >> layers.BatchNorm()
            >> Relu()
            >> layers.MaxPooling(2)
            >> layers.Flatten()
            >> Relu(5)
            >> parallel(layers.Tanh(), layers.Sigmoid())
            >> Elementwise("add")
        )
    )
    assert picture.keys == [
        *("input", "convolution", "units", "activation"),
        *("pooling", "normalisation", "merge", "other"),
    ]
    assert picture.fills["relu1"] == picture.fills["tanh1"] != picture.fills["relu2"]
    assert len(set(picture.fills.values())) == 8


def test_long_text_is_cut_and_kept_in_the_hint():
    layer = Convolution(8, 3, stride=2, padding="same", dilation=1, groups=1, bias=False)
    picture = Picture(diagram(Input(3, 8, 8) >> layer >> Relu(name="n" * 80)))
    check(picture)
    assert picture.texts["convolution1"][1].endswith("…")
    (name,) = (name for name in picture.boxes if name.startswith("nnn"))
    assert len(name) < 40
    assert "n" * 80 in picture.hints[name]


def test_what_stands_in_layers_is_escaped():
    def merge(*inputs):
        return F.relu(inputs[0])

    text = str(diagram(Input(4) >> parallel(Relu(), layers.Tanh()) >> Elementwise(merge)))
    assert "&lt;function" in text
    assert "<function" not in text
    Picture(text)


def test_an_open_network_shows_its_open_end():
    picture = Picture(diagram(Convolution(8, 3) >> Relu()))
    check(picture)
    assert picture.texts["input"][1] == "not joined yet"
    assert picture.ends() == {("input", "convolution1"), ("convolution1", "relu1")}
    assert (
        Picture(diagram(Convolution(8, 3), (3, 9, 9))).texts["convolution1"][2] == "(8, 7, 7)"
    )


def test_identities_are_lines_unless_they_end_a_network():
    picture = Picture(diagram(Input(4) >> Identity() >> Relu() >> Identity(name="end")))
    assert picture.ends() == {("input1", "relu1"), ("relu1", "end")}


def test_published_networks(architecture):
    for name in ("resnet18", "resnet50", "vgg16"):
        picture = Picture(diagram(architecture(name)))
        check(picture)
        assert picture.size[0] < 800


def test_too_many_layers_to_read():
    with torch.device("meta"):
        network = Input(2) >> repeat(Relu(2), 5000)
    with pytest.raises(
        ValueError, match=r"5,001 layers would be unreadable; the maximum is 5,000"
    ):
        diagram(network)


def test_densely_connected_layers():
    network = Relu()
    for _ in range(8):
        network = network >> parallel(Identity(), convolved()) >> layers.Concatenate()
    with torch.device("meta"):
        check(Picture(diagram(Input(3, 8, 8) >> network)))


def test_faces_and_files(tmp_path):
    picture = diagram(Input(4) >> Relu(3))
    assert picture._repr_svg_() == str(picture) == picture.svg
    assert (
        repr(picture)
        == f"<Diagram of {picture.width} × {picture.height} pixels, shown in a notebook>"
    )
    path = tmp_path / "new" / "network.svg"
    picture.save(path)
    picture.save(str(path))
    assert path.read_text(encoding="utf-8") == str(picture)
    assert [file.name for file in path.parent.iterdir()] == ["network.svg"]
    with pytest.raises(ValueError, match=r"name the file network.svg, got 'network.png'"):
        picture.save(tmp_path / "network.png")


def test_a_page_has_the_picture_and_its_colours_for_dark():
    network = Input(3, 8, 8) >> convolved()
    page = network.diagram()._repr_html_()
    assert str(diagram(network)) in page
    dark = dict(re.findall(r"light-dark\((#\w+), (#\w+)\)", page))
    fills = {*Picture(diagram(network)).fills.values()}
    assert fills <= {*dark}
    assert all(brightness(light) > 0.8 > 0.4 > brightness(dark[light]) for light in fills)
    assert network.diagram((3, 8, 8)).svg == str(diagram(network))


def brightness(colour):
    return sum(int(colour[k : k + 2], 16) for k in (1, 3, 5)) / (3 * 255)


def test_the_same_network_gives_the_same_picture():
    def network():
        return Input(4, 8, 8) >> parallel(convolved(), convolved()) >> Elementwise("add")

    assert str(diagram(network())) == str(diagram(network()))
