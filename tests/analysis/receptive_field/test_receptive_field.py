"""Receptive fields against published ones, and against the footprint of real gradients."""

import csv
from fractions import Fraction

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.agreement import footprints, inner_footprints, make_positive

from neuropil import ShapeError, join, parallel, repeat
from neuropil.analysis import receptive_field, summary
from neuropil.layers import (
    AveragePooling,
    BatchNorm,
    Concatenate,
    Convolution,
    Deconvolution,
    Elementwise,
    Flatten,
    GlobalPooling,
    Identity,
    Input,
    MaxPooling,
    Relu,
    Reshape,
    Sigmoid,
    Upscale,
)

LENGTH = 96


# Against gradients


def filters(size, **options):
    return Convolution(1, size, bias=False, **options)


@st.composite
def shrinking(draw):
    """Return a layer that slides a window."""
    size, stride, dilation = draw(st.tuples(*[st.integers(1, m) for m in (4, 3, 3)]))
    starts = st.integers(0, size - 1)
    padding = draw(st.sampled_from(["valid", "same", "full"]) | st.tuples(starts, starts))
    if draw(st.booleans()):
        return filters(size, stride=stride, dilation=dilation, padding=(padding,))
    padding = padding if padding != "full" else "valid"
    return AveragePooling(size, stride=stride, padding=(padding,))


@st.composite
def enlarging(draw):
    """Return a layer that enlarges by a whole factor; its filters have a multiple of it."""
    factor = draw(st.integers(1, 3))
    if draw(st.booleans()):
        return Upscale(factor, "bilinear" if factor == 2 and draw(st.booleans()) else "nearest")
    size = factor * draw(st.integers(1, 2))
    padding = draw(st.sampled_from(["valid", "same"]))
    return Deconvolution(1, size, stride=factor, padding=padding, bias=False)


@st.composite
def keeping(draw):
    """Return a path that keeps an even length."""
    parts = [
        filters(draw(st.integers(1, 4)), dilation=draw(st.integers(1, 3)), padding="same")
        for _ in range(draw(st.integers(1, 3)))
    ]
    if draw(st.booleans()):
        middle = draw(st.integers(0, len(parts)))
        parts.insert(middle, AveragePooling(2))
        parts.insert(draw(st.integers(middle + 1, len(parts))), draw(doubling()))
    return join(*parts)


def doubling():
    return st.sampled_from([2, 4]).map(
        lambda size: Deconvolution(1, size, stride=2, padding="same", bias=False)
    ) | st.sampled_from(["nearest", "bilinear"]).map(lambda mode: Upscale(2, mode))


@st.composite
def branching(draw):
    """Return a few blocks of branches, with strides between."""
    parts = []
    for _ in range(draw(st.integers(1, 2))):
        branches = draw(st.lists(keeping(), min_size=1, max_size=3))
        if draw(st.booleans()):
            branches.append(Identity())
        if len(branches) > 1:
            merge = draw(st.sampled_from([Elementwise("add"), Concatenate()]))
            parts += [parallel(*branches), fresh(merge)]
        else:
            parts += branches
        if draw(st.booleans()):
            parts.append(filters(draw(st.integers(1, 5)), stride=2, padding="same"))
    return join(*parts)


def fresh(merge):
    return Elementwise("add") if isinstance(merge, Elementwise) else Concatenate()


def seen_by(network):
    return footprints(make_positive(network), *network.input_shape)


def check_footprints(network, *, enlarges=False):
    """Hold a receptive field to gradients where no border is near."""
    field = receptive_field(network)
    inner = inner_footprints(network, field, *network.input_shape)
    assume(inner)
    (size,), (jump,), (start,) = field.size, field.jump, field.start
    if enlarges:
        # What an output sees depends on its place, and comes back after nine of them.
        assume(len(inner) >= 9)
        assert max(last - first + 1 for _, first, last in inner) == size
        return
    for position, first, last in inner:
        assert (first, last - first + 1) == (start + jump * position, size)


@settings(max_examples=40, deadline=None)
@given(st.lists(shrinking(), min_size=1, max_size=4))
def test_chains_see_what_gradients_reach(layers):
    try:
        network = Input(1, LENGTH) >> join(*layers)
    except ShapeError:
        assume(False)
    check_footprints(network)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(shrinking(), max_size=2),
    *[enlarging(), st.lists(shrinking(), max_size=2), enlarging(), shrinking()],
)
def test_chains_that_enlarge_see_what_gradients_reach(before, first, between, second, after):
    try:
        network = Input(1, LENGTH) >> join(*before, first, *between, second, after)
    except ShapeError:
        assume(False)
    check_footprints(network, enlarges=True)


@settings(max_examples=40, deadline=None)
@given(branching())
def test_branches_see_what_gradients_reach(network):
    check_footprints(Input(1, LENGTH) >> network, enlarges=True)


def test_images_axis_by_axis():
    network = make_positive(
        Input(2, 40, 31)
        >> Convolution(2, (5, 3), stride=(2, 1), padding="same", bias=False)
        >> AveragePooling((2, 3))
        >> Convolution(1, (3, 1), dilation=(2, 1), bias=False)
    )
    field = receptive_field(network)
    assert (field.size, field.jump, field.start) == ((23, 5), (4, 3), (-1, -1))
    x = torch.zeros(1, 2, 40, 31, dtype=torch.float64, requires_grad=True)
    network(x)[0, 0, 1, 4].backward()
    rows, columns = (x.grad[0].sum(0).sum(axis).nonzero()[:, 0] for axis in (1, 0))
    assert (int(rows[0]), int(rows[-1])) == (3, 25)
    assert (int(columns[0]), int(columns[-1])) == (11, 15)


# Against published figures


@pytest.fixture(scope="session")
def published(data):
    with (data / "published" / "receptive_fields.csv").open() as file:
        return {(row["network"], row["layer"]): row for row in csv.DictReader(file)}


def test_vgg16(architecture, published):
    row = published["vgg_16", "last convolution block (pool5)"]
    field = receptive_field(architecture("vgg16"), "maxpooling5")
    assert field.size == (int(row["receptive_field"]),) * 2 == (212, 212)
    assert field.jump == (int(row["effective_stride"]),) * 2
    assert field.start == (-int(row["effective_padding"]),) * 2
    assert field.clipped == (212, 212)
    assert not field.everything


def test_alexnet_v2(published):
    row = published["alexnet_v2", "pool5"]
    network = (
        Input(3, 224, 224)
        >> Convolution(64, 11, stride=4)
        >> MaxPooling(3, stride=2)
        >> Convolution(192, 5, padding="same")
        >> MaxPooling(3, stride=2)
        >> repeat(Convolution(192, 3, padding="same"), 3)
        >> MaxPooling(3, stride=2)
    )
    field = receptive_field(network)
    assert field.size[0] == int(row["receptive_field"])
    assert field.jump[0] == int(row["effective_stride"])
    assert field.start[0] == -int(row["effective_padding"])


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_residual_networks(architecture, published, name):
    (row,) = (row for (network, _), row in published.items() if network.startswith(f"{name} "))
    sizes = [int(size) for size in row["receptive_field"].split("/")]
    for shape in ((3, 224, 224), (3, None, None)):
        network = architecture(name, shape)
        fields = [receptive_field(network, f"stage{k}") for k in (1, 2, 3, 4)]
        assert [field.size for field in fields] == [(size, size) for size in sizes]


def test_the_formula_by_hand():
    network = Input(1, 60) >> filters(3) >> filters(5, stride=2) >> filters(3, dilation=4)
    field = receptive_field(network)
    assert field.size == (1 + 2 + 4 + 2 * 4 * 2,)
    assert (field.jump, field.start, field.centre) == ((2,), (0,), (11.0,))
    assert str(field) == "23"


# Branches, places, clipping


def test_branches_that_look_aside_are_joined():
    left, right = filters(3, padding=((0, 4),)), filters(3, padding=((4, 0),))
    field = receptive_field(Input(1, 20) >> parallel(left, right) >> Elementwise("add"))
    assert (field.size, field.start) == ((7,), (-4,))


def test_branches_of_different_strides_drift_apart():
    network = Input(1, 8) >> parallel(filters(5), AveragePooling(2)) >> Elementwise("add")
    field = receptive_field(network)
    assert field.jump == (None,)
    seen = list(seen_by(network))
    assert seen == [(0, 0, 4), (1, 1, 5), (2, 2, 6), (3, 3, 7)]
    assert (field.size, field.start) == ((5,), (0,))
    behind = Input(1, 8) >> parallel(filters(5), AveragePooling(2)) >> Elementwise("add")
    behind = behind >> filters(2)
    assert receptive_field(behind).size == (6,)
    assert [last - first + 1 for _, first, last in seen_by(behind)] == [
        6,
        6,
        6,
    ]
    free = parallel(filters(5), AveragePooling(2)) >> Concatenate()
    assert receptive_field(free, input_shape=(1, None)).size == (None,)


def test_a_skipped_layer_sees_least():
    network = Input(1, 9) >> parallel(Identity(), filters(3, padding="same")) >> Elementwise()
    assert receptive_field(network).size == (3,)
    assert receptive_field(network, "identity1").size == (1,)


def test_clipping():
    network = Input(1, 8, 64) >> repeat(Convolution(1, 5, padding="same"), 4)
    field = receptive_field(network)
    assert field.size == (17, 17)
    assert field.clipped == (8, 17)


def test_branches_that_enlarge_by_different_factors():
    pairs, triples = AveragePooling(2) >> Upscale(2), AveragePooling(3) >> Upscale(3)
    network = Input(1, 24) >> parallel(pairs, triples) >> Elementwise("add")
    # The third output sees its pair, 2 and 3, and its triple, 0 to 2.
    assert receptive_field(network).size == (4,)
    assert max(last - first + 1 for _, first, last in seen_by(network)) == 4


def test_enlarging():
    # A pool of 2 undone by an enlargement of 2: each output sees its own pair.
    network = Input(1, 12) >> AveragePooling(2) >> Upscale(2)
    field = receptive_field(network)
    assert (field.size, field.jump, field.start) == ((2,), (1,), (0,))
    assert receptive_field(Input(1, 12) >> Upscale(3)).jump == (Fraction(1, 3),)
    assert receptive_field(Input(1, 12) >> Upscale(3) >> filters(4)).size == (2,)


def test_absurd_enlargement_is_said_to_be_unknown():
    assert receptive_field(Input(1, 2) >> Upscale(10**8)).size == (None,)


@pytest.mark.parametrize("size", [3, 5])
def test_uneven_filters_that_enlarge_see_no_less_than_gradients(size):
    layer = Deconvolution(1, size, stride=2, bias=False)
    network = Input(1, 40) >> layer >> filters(2)
    (bound,) = receptive_field(network).size
    most = max(last - first + 1 for _, first, last in seen_by(network))
    assert most <= bound <= most + 1


# Everything


@pytest.mark.parametrize("layer", [GlobalPooling("avg"), Flatten() >> Relu(3)], ids=repr)
def test_some_layers_see_everything(layer):
    network = Input(2, 10, 12) >> Convolution(2, 3) >> layer
    field = receptive_field(network)
    assert field.everything
    assert field.size == field.clipped == (10, 12)
    assert field.jump == (0, 0)
    assert str(field) == "all"


@pytest.mark.parametrize("layer", [Flatten(), Reshape(2, -1), Reshape(2, 8, 10)], ids=repr)
def test_a_number_that_is_put_elsewhere_sees_no_more(layer):
    network = Input(2, 10, 12) >> Convolution(2, 3) >> layer
    for each in (network, network >> Relu()):
        field = receptive_field(each)
        assert (field.size, field.start, field.everything) == ((3, 3), (0, 0), False)
    assert receptive_field(network >> Flatten() >> Relu(4)).size == (10, 12)
    assert receptive_field(Input(2, 10, 12) >> GlobalPooling("avg") >> Flatten()).everything


def test_numbers_from_elsewhere_meet():
    def turned():
        return Convolution(2, 3) >> Flatten() >> Reshape(2, 8, 10)

    for other in (Convolution(2, 3), turned()):
        network = Input(2, 10, 12) >> parallel(turned(), other) >> Elementwise("add")
        assert receptive_field(network).size == (10, 12)


def test_everything_leaves_out_what_no_window_reaches():
    network = Input(1, 11) >> filters(3, stride=3) >> GlobalPooling("avg") >> Sigmoid(1)
    assert receptive_field(network).size == (9,)


def test_everything_by_several_ways():
    part = filters(3, stride=3) >> GlobalPooling("avg")
    network = Input(1, 11) >> parallel(part, GlobalPooling("max")) >> Concatenate()
    assert receptive_field(network, "globalpooling1").size == (9,)
    assert receptive_field(network).size == (11,)


def test_everything_of_a_free_length():
    field = receptive_field(Input(1, None, 12) >> GlobalPooling("avg"))
    assert field.everything
    assert field.size == (None, 12)


def test_gates_make_everything_seen():
    gate = GlobalPooling("avg") >> Sigmoid(3) >> Reshape(3, 1, 1)
    network = Input(3, 9, 9) >> parallel(Convolution(3, 3, padding=1), gate)
    field = receptive_field(network >> Elementwise("multiply"))
    assert field.everything
    assert field.size == (9, 9)


def test_a_length_of_one_is_stretched():
    row = AveragePooling((1, 9))
    network = Input(1, 9, 9) >> parallel(Identity(), row) >> Elementwise("add")
    field = receptive_field(network)
    assert (field.size, field.jump, field.everything) == ((1, 9), (1, 0), False)


# Where lengths are free


def test_free_lengths():
    network = Input(3, None, None) >> Convolution(4, 3, stride=2, padding="same") >> BatchNorm()
    field = receptive_field(network >> Relu())
    assert (field.size, field.start, field.centre) == ((3, 3), (None, None), (None, None))
    # The padding that "same" puts at the start depends on the length.
    assert receptive_field(network, input_shape=(3, 9, 8)).start == (-1, 0)
    assert summary(network).rows[-1].receptive_field == (3, 3)


def test_branches_of_a_free_length_are_placed_as_for_an_even_one():
    same = filters(8, stride=2, padding="same")
    after = filters(6, stride=2, padding=((0, 4),))
    network = Input(1, None) >> parallel(same, after) >> Concatenate()
    assert receptive_field(network).size == (9,)
    assert receptive_field(network, input_shape=(1, 40)).size == (9,)
    same = filters(8, stride=2, padding="same")
    after = filters(6, stride=2, padding=((0, 4),))
    even = Input(1, 40) >> parallel(same, after) >> Concatenate()
    assert max(last - first + 1 for _, first, last in seen_by(even)) == 9


def test_open_networks():
    network = Convolution(4, 3) >> Convolution(4, 3)
    with pytest.raises(ShapeError, match=r"give input_shape, such as \(3, None, None\)"):
        receptive_field(network)
    assert receptive_field(network, input_shape=(1, None, None)).size == (5, 5)
    assert receptive_field(Convolution(4, 7), input_shape=(1, None)).size == (7,)


# Several inputs and outputs


def test_several_inputs_are_told_apart():
    near = Input(1, 20, name="near") >> filters(3, padding=1)
    far = Input(1, 20, name="far") >> filters(9, padding=4)
    network = parallel(near, far) >> Elementwise("add")
    assert receptive_field(network, input_name="near").size == (3,)
    assert receptive_field(network, input_name="far").size == (9,)
    assert receptive_field(network, "convolution1").size == (3,)
    assert summary(network).rows[-1].receptive_field == (9,)
    with pytest.raises(ValueError, match=r"choose input_name from .*\['near', 'far'\]"):
        receptive_field(network)
    with pytest.raises(
        ValueError, match=r"does not depend on 'far': choose input_name from \['near'\]"
    ):
        receptive_field(network, "convolution1", input_name="far")


def test_several_outputs_must_be_named():
    network = Input(1, 20) >> parallel(filters(3), filters(5))
    assert receptive_field(network, "convolution2").size == (5,)
    with pytest.raises(
        ValueError, match=r"choose name from \['convolution1', 'convolution2'\]"
    ):
        receptive_field(network)


def test_unknown_names():
    with pytest.raises(ValueError, match=r"no layer 'convolution9'. Did you mean"):
        receptive_field(Input(1, 9) >> filters(3), "convolution9")


def test_shared_layers_count_each_call():
    network = Input(1, 20) >> repeat(filters(3), 3, share=True)
    assert receptive_field(network).size == (7,)
    assert receptive_field(network, "convolution1@2").size == (5,)
