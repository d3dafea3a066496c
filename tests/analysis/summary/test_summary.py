"""The table of layers: as text, as HTML, as data; whatever is known and no more."""

import html.parser
import json
import re

import pytest
import torch
import torch.nn.functional as F

from neuropil import Layer, ShapeError, layers, parallel, repeat
from neuropil.analysis import Summary, cost, count_parameters, receptive_field, summary
from neuropil.layers import Convolution, Elementwise, Identity, Input, Relu


class TwoPaths(Layer):
    """A layer that is made of networks, as blocks are."""

    def __init__(self, width, *, name=None):
        super().__init__(name=name)
        self.body = Convolution(width, 3, padding=1) >> layers.BatchNorm() >> Relu()
        self.shortcut = Convolution(width, 1) >> Identity()

    def output_shape(self, shape):
        return (self.body.nodes[0].layer.filters, *shape[1:])

    def build(self, *shapes):
        if self.built_for is None:
            for network in (self.body, self.shortcut):
                Input(*shapes[0]) >> network
            self.__dict__["built_for"] = shapes

    def multiply_adds(self, shape):
        return sum(cost(network, shape).multiply_adds for network in (self.body, self.shortcut))

    def reaches(self, shape):
        return self.body.nodes[0].layer.reaches(shape)

    def forward(self, x):
        results = []
        for network in (self.body, self.shortcut):
            y = x
            for layer in network:
                y = layer(y)
            results.append(y)
        return torch.add(*results)


# Data


def test_rows_agree_with_the_functions_of_one_figure(small_networks):
    for network in small_networks.values():
        table = summary(network)
        whole = cost(network)
        assert [row.name for row in table.rows] == list(network.node_names)
        assert [row.multiply_adds for row in table.rows] == [
            layer.multiply_adds for layer in whole.layers
        ]
        assert [row.output_bytes for row in table.rows] == [
            layer.output_bytes for layer in whole.layers
        ]
        assert [row.output_shape for row in table.rows] == [n.shape for n in network.nodes]
        assert table.totals.multiply_adds == whole.multiply_adds
        assert table.totals.inference_bytes == whole.inference_bytes
        assert table.totals.training_bytes == whole.training_bytes
        assert sum(row.parameters for row in table.rows) == count_parameters(network)
        assert table.notes == ()


def test_shapes_are_those_of_a_real_pass(small_networks):
    for network in small_networks.values():
        shapes = {}
        names = {layer: name for name, layer in network.layers.items()}

        def note(layer, inputs, output, shapes=shapes, names=names):
            given_ = tuple(tuple(tensor.shape[1:]) for tensor in inputs)
            shapes[names[layer]] = given_, tuple(output.shape[1:])

        for layer in network:
            layer.register_forward_hook(note)
        network.eval()(*(torch.zeros(1, *shape) for shape in network.input_shapes))
        for row in summary(network).rows:
            inputs, output = shapes[row.name]
            assert row.output_shape == output
            assert not row.takes or row.input_shapes == inputs


def test_fields_of_rows_are_those_asked_by_name(small_networks):
    network = small_networks["residual"]
    for row in summary(network).rows:
        field = receptive_field(network, row.name)
        assert (row.receptive_field, row.sees_all) == (field.size, field.everything)


def test_what_each_row_takes():
    network = Input(4, 9, 9) >> parallel(Identity(), Relu()) >> Elementwise("add")
    assert [row.takes for row in summary(network).rows] == [
        (),
        ("input1",),
        ("input1",),
        ("identity1", "relu1"),
    ]
    assert summary(Relu()).rows[0].takes == ("input",)


def test_plain_data():
    network = (
        Input(3, 8, 8)
        >> Convolution(4, 3, name="first")
        >> layers.Flatten()
        >> layers.Softmax(2)
    )
    plain = summary(network).to_dict()
    assert json.loads(json.dumps(plain))["totals"]["parameters"] == 112 + 290
    assert plain["rows"][1]["name"] == "first"
    assert plain["rows"][1]["layer"] == "Convolution(4, 3)"
    assert plain["rows"][1]["receptive_field"] == (3, 3)


def test_names_do_not_stand_twice():
    rows = summary(Input(3, name="table") >> Relu(2, bias=False, name="a")).rows
    assert [row.layer for row in rows] == ["Input(3)", "Relu(2, bias=False)"]


def test_a_layer_alone():
    assert summary(Input(5)).totals.parameters == 0
    assert summary(Relu(3), (4,)).totals.parameters == 15


def test_the_method_of_networks():
    network = Input(3, None) >> Relu()
    assert str(network.summary()) == str(summary(network))
    assert str(network.summary((3, 7))) == str(summary(network, (3, 7)))


def test_on_the_meta_device(small_networks, architecture):
    assert count_parameters(architecture("resnet50")) == 25_557_032
    table = summary(architecture("resnet50"))
    assert table.totals.parameters == 25_557_032
    assert table.totals.parameter_bytes == 4 * 25_557_032
    assert "25,557,032 (97.5 MiB)" in str(table)


# What is not known


def test_free_lengths_stay_none_until_they_are_given():
    network = (
        Input(3, None, None)
        >> Convolution(8, 3)
        >> layers.GlobalPooling("avg")
        >> layers.Softmax(2)
    )
    table = summary(network)
    assert table.rows[1].output_shape == (8, None, None)
    assert table.rows[1].multiply_adds is None
    assert table.rows[3].multiply_adds == 16
    assert table.rows[1].receptive_field == (3, 3)
    assert table.totals.parameters == 224 + 18
    assert table.totals.multiply_adds is None
    assert table.totals.inference_bytes is table.totals.training_bytes is None
    assert table.notes == (
        "Cost and memory depend on free lengths: give input_shape, such as (3, 224, 224).",
    )
    given_ = summary(network, (3, 30, 40))
    assert given_.rows[1].output_shape == (8, 28, 38)
    assert given_.totals.multiply_adds == 27 * 8 * 28 * 38 + 16
    assert given_.notes == ()
    partly = summary(network, (3, 30, None))
    assert partly.rows[1].output_shape == (8, 28, None)
    assert "such as (3, 30, 224)" in partly.notes[0]


def test_an_open_network_shows_what_is_known():
    network = Convolution(8, 3) >> Relu()
    table = summary(network)
    assert [row.name for row in table.rows] == ["convolution1", "relu1"]
    assert table.totals.parameters is None
    assert table.rows[0].output_shape is table.rows[0].receptive_field is None
    assert "start the network with an Input(…), or give input_shape" in str(table)
    given_ = summary(network, (3, 10, 10))
    assert given_.totals.parameters == 224
    assert given_.totals.multiply_adds == 27 * 8 * 64
    assert not network.built


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 8, 8), r"takes inputs of shape \(3, None, None\), but input_shape is \(1, 8, 8\)"),
        ((3, 8), r"input_shape is \(3, 8\)"),
        (((3, 8, 8), (2,)), "takes 1 input, but input_shape has 2"),
        (8, "must be a tuple of lengths .* got 8"),
        ((3, 8, 0), r"must be a tuple of lengths .* got \(3, 8, 0\)"),
        ((3, 8.0, 8), "must be a tuple of lengths"),
        ((), "takes 1 input, but input_shape has 0"),
        ("(3, 8, 8)", "must be a tuple of lengths"),
    ],
)
def test_wrong_input_shapes(shape, words):
    with pytest.raises(ShapeError, match=words):
        summary(Input(3, None, None) >> Relu(), shape)


def test_a_shape_that_does_not_fit_a_layer_names_both():
    network = Input(3, None, None) >> Convolution(8, 5)
    with pytest.raises(ShapeError, match=r"Input\(3, None, None\) gives \(3, 4, 9\)\. Convol"):
        summary(network, (3, 4, 9))
    with pytest.raises(ShapeError, match=r"the given input gives \(3\)\. Convolution"):
        summary(Convolution(8, 5), (3,))


def test_a_built_layer_keeps_its_width():
    layer = Relu(3)
    Input(4) >> layer
    with pytest.raises(ShapeError, match="already built for"):
        summary(layer, (5,))


def test_several_inputs_take_one_shape_each():
    network = parallel(Input(3, None, name="a"), Input(2, 5, name="b"))
    table = summary(network >> layers.Concatenate(), ((3, 5), (2, 5)))
    assert table.rows[-1].output_shape == (5, 5)


# Networks within layers


def test_rows_of_inner_networks_are_indented():
    network = Input(4, 6, 6) >> TwoPaths(8, name="block") >> Relu()
    table = summary(network)
    names = [(row.name, row.depth) for row in table.rows]
    assert names == [
        ("input1", 0),
        ("block", 0),
        ("block.body.convolution1", 1),
        ("block.body.batchnorm1", 1),
        ("block.body.relu1", 1),
        ("block.shortcut.convolution1", 1),
        ("block.shortcut.identity1", 1),
        ("relu1", 0),
    ]
    assert table.rows[2].output_shape == (8, 6, 6)
    assert table.rows[1].parameters == 9 * 4 * 8 + 8 + 16 + 4 * 8 + 8
    assert table.totals.parameters == count_parameters(network) == table.rows[1].parameters
    assert table.totals.multiply_adds == 36 * (9 * 4 * 8 + 4 * 8)
    assert "\n  body.convolution1  " in str(table)
    assert [row.depth for row in summary(network, depth=0).rows] == [0, 0, 0]


def test_inner_networks_of_an_open_network():
    network = TwoPaths(8) >> Relu()
    assert len(summary(network).rows) == 7
    table = summary(network, (4, 6, 6))
    assert table.totals.parameters == 9 * 4 * 8 + 8 + 16 + 4 * 8 + 8
    assert not network.built


def test_memory_of_inner_networks():
    network = Input(4, 6, 6) >> TwoPaths(8)
    # The body keeps its input, which is the shortcut's too, the input of BatchNorm with mean
    # and deviation, and the output of Relu.
    assert cost(network).training_bytes == 4 * (36 * (4 + 8 + 8) + 2 * 8)
    # The input, the body's output, the shortcut's and their sum.
    assert cost(network).inference_bytes == 4 * 36 * (4 + 8 + 8 + 8)


# Text


@pytest.fixture(scope="module")
def branches() -> Summary:
    """Return the summary of a network with two branches and a wide end."""
    with torch.device("meta"):
        return summary(
            Input(3, 32, 32)
            >> Convolution(64, 3, padding="same")
            >> parallel(
                Identity(), Convolution(64, 3, padding="same", dilation=2) >> layers.BatchNorm()
            )
            >> Elementwise("add")
            >> layers.MaxPooling(2)
            >> layers.Flatten()
            >> layers.Softmax(1000)
        )


@pytest.mark.parametrize("width", range(70, 141))
def test_lines_fit_the_width(branches, width):
    lines = branches.text(width).splitlines()
    assert max(map(len, lines)) <= width
    assert len(set(map(len, lines[1:3]))) == 1


def test_columns_are_aligned(branches):
    lines = str(branches).splitlines()
    assert max(map(len, lines)) <= 100
    head, rows = lines[0], lines[2:10]
    edge = head.index("Parameters") + len("Parameters")
    assert [row[:edge].split()[-1] for row in rows] == [
        *("0", "1,792", "0", "36,928", "128", "0", "0", "0"),
    ]
    assert "16,385,000" in lines[10]


def test_wide_tables_show_all_and_narrow_ones_the_most_telling(branches):
    wide, narrow = branches.text(140), branches.text(70)
    assert "Convolution(64, 3, padding='same', dilation=2) ← convolution1" in wide
    assert "Elementwise() ← identity1, batchnorm1" in wide
    assert "37,748,736" in wide
    assert "37.7 M" in narrow
    assert "Written as" not in narrow
    for text in (wide, narrow):
        assert "Field" in text
        assert "36,928" in text


def test_totals_below_the_table():
    parameters, cost_, memory = str(summary(Input(1000) >> Relu(1000))).splitlines()[-3:]
    assert parameters == "Parameters     1,001,000 (3.82 MiB)"
    assert cost_ == "Multiply–adds  1,000,000 (1.00 M)"
    held = "11.7 KiB at once in inference, 7.81 KiB kept in training, for each sample"
    assert memory == f"Activations    {held}"


def test_columns_without_anything_are_left_out():
    text = str(summary(Input(4) >> Relu(3)))
    assert "Field" not in text
    assert "Parameters" not in str(summary(Convolution(2, 3) >> Relu()))


def test_shared_layers_say_so():
    assert "shared" in str(summary(Input(4) >> repeat(Relu(4), 2, share=True)))


def test_numbers_have_units():
    text = str(summary(Input(3, 512, 512) >> Convolution(64, 3)))
    assert "63.5 MiB" in text
    assert f"{27 * 64 * 510 * 510:,} (449 M)" in text


def test_a_summary_shows_itself():
    table = summary(Input(4) >> Relu(3))
    assert isinstance(table, Summary)
    assert repr(table) == str(table) == table.text()


# HTML


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.cells, self.rows = [], [], 0

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.rows += tag == "tr"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "td" in self.open:
            self.cells.append(data)


def test_html_is_well_formed_and_complete(branches):
    page = branches._repr_html_()
    tags = Tags()
    tags.feed(page)
    assert not tags.open
    totals = 3
    assert tags.rows == 1 + len(branches.rows) + totals
    for row in branches.rows:
        assert row.name in tags.cells
        assert f"{row.parameters:,}" in tags.cells
    assert "http" not in page
    assert "16,423,848" in page


def test_html_escapes_what_stands_in_layers():
    def merge(*inputs):
        return F.relu(inputs[0])

    network = Input(4) >> parallel(Relu(), Identity()) >> Elementwise(merge)
    page = summary(network)._repr_html_()
    assert "&lt;function" in page
    assert "<function" not in page


def test_html_says_what_is_missing():
    page = summary(Convolution(8, 3) >> Relu())._repr_html_()
    assert "Shapes are not known" in page


def test_html_keeps_depth_and_alignment_without_a_style():
    """Pages such as GitHub's remove styles, and Jupyter's rules outrank simple ones."""
    page = summary(Input(3, 8, 8) >> TwoPaths(4))._repr_html_()
    names = re.findall(r"<tr><td>(.*?)</td>", page)
    inner = [name for name in names if name.startswith("\N{NO-BREAK SPACE}" * 4)]
    assert len(inner) == 5
    assert [name.count("\N{NO-BREAK SPACE}") for name in names if name not in inner] == [0, 0]
    rules = page[page.index("<style>") : page.index("</style>")]
    # Jupyter's rule for cells has two classes and an element.
    assert re.search(
        r"\.neuropil\.neuropil\.neuropil :is\(th, td\) \{[^}]*text-align: left", rules
    )
    assert re.search(r"\.neuropil\.neuropil\.neuropil \.number \{[^}]*text-align: right", rules)


def test_a_network_shows_itself_as_its_summary():
    network = Input(4) >> Relu(3)
    assert network._repr_html_() == network.summary()._repr_html_()
