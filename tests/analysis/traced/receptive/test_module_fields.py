"""Receptive fields of plain modules against gradients and published figures."""

import csv
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.agreement import Does, footprints, inner_footprints, make_positive
from tests.reference import timm, torchvision
from torch import nn

from neuropil import ShapeError, join, parallel
from neuropil.analysis import effective_receptive_field, receptive_field, summary
from neuropil.layers import Concatenate, Convolution, Elementwise, Input, MaxPooling

LENGTH = 96


class Branches(nn.Module):
    """Runs branches side by side and joins what they give."""

    def __init__(self, merge, *branches):
        super().__init__()
        self.merge = merge
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return self.merge([branch(x) for branch in self.branches])


def added(tensors):
    total = tensors[0]
    for tensor in tensors[1:]:
        total = total + tensor
    return total


MERGES = {
    "add": added,
    "cat": lambda tensors: torch.cat(tensors, 1).unflatten(1, (len(tensors), -1)).mean(1),
    "stack": lambda tensors: torch.stack(tensors).sum(0),
}


@st.composite
def shrinking(draw):
    """Return a layer that slides a window, or moves numbers."""
    size, stride, dilation = draw(st.tuples(*[st.integers(1, m) for m in (4, 3, 3)]))
    padding = draw(st.integers(0, size // 2))
    kind = draw(st.sampled_from(["conv", "grouped", "pool", "pad", "slice", "lowered"]))
    groups = 2 if kind == "grouped" else 1
    layers = {
        "pool": lambda: nn.AvgPool1d(size, stride, min(padding, size // 2)),
        "pad": lambda: nn.ConstantPad1d((padding, padding % 2), 0.0),
        "slice": lambda: Does(lambda x: x[..., padding::stride]),
        "lowered": lambda: Does(lambda x: x.transpose(1, 2).flip(2).contiguous().mT),
    }
    convolution = nn.Conv1d(2, 2, size, stride, padding, dilation, groups, bias=False)
    return layers[kind]() if kind in layers else convolution


@st.composite
def keeping(draw):
    """Return a path that keeps an even length."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        size, dilation = 2 * draw(st.integers(0, 2)) + 1, draw(st.integers(1, 3))
        same = (size - 1) * dilation // 2
        parts.append(nn.Conv1d(2, 2, size, padding=same, dilation=dilation, bias=False))
    if draw(st.booleans()):
        middle = draw(st.integers(0, len(parts)))
        parts.insert(middle, nn.AvgPool1d(2))
        parts.insert(draw(st.integers(middle + 1, len(parts))), draw(doubling()))
    return nn.Sequential(*parts)


def doubling():
    return st.sampled_from(
        [
            nn.ConvTranspose1d(2, 2, 2, stride=2, bias=False),
            nn.ConvTranspose1d(2, 2, 4, stride=2, padding=1, bias=False),
            nn.Upsample(scale_factor=2),
            nn.Upsample(scale_factor=2, mode="linear"),
        ]
    )


@st.composite
def branching(draw):
    """Return a few blocks of branches, with strides between."""
    parts = []
    for _ in range(draw(st.integers(1, 2))):
        branches = draw(st.lists(keeping(), min_size=1, max_size=3))
        if draw(st.booleans()):
            branches.append(nn.Identity())
        merge = MERGES[draw(st.sampled_from([*MERGES]))]
        parts += [Branches(merge, *branches)]
        if draw(st.booleans()):
            parts.append(nn.Conv1d(2, 2, 3, stride=2, padding=1, bias=False))
    return nn.Sequential(*parts)


def positive(module):
    return make_positive(module).eval()


@settings(max_examples=40, deadline=None)
@given(st.lists(shrinking(), min_size=1, max_size=4))
def test_chains_see_what_gradients_reach(layers):
    module = nn.Sequential(*layers)
    try:
        field = receptive_field(module, input_shape=(2, LENGTH))
    except ShapeError:
        assume(False)
    inner = inner_footprints(module, field, 2, LENGTH)
    assume(inner)
    (size,), (jump,), (start,) = field.size, field.jump, field.start
    for position, first, last in inner:
        assert (first, last - first + 1) == (start + jump * position, size)
    assert (field.stride, field.padding) == ((jump,), (-start,))


@settings(max_examples=40, deadline=None)
@given(branching())
def test_branches_see_what_gradients_reach(module):
    field = receptive_field(module, input_shape=(2, LENGTH))
    inner = inner_footprints(module, field, 2, LENGTH)
    # What an output sees may depend on its place, and comes back after nine of them.
    assume(len(inner) >= 9)
    assert (max(last - first + 1 for _, first, last in inner),) == field.size


@settings(max_examples=20, deadline=None)
@given(branching(), st.integers(0, 1))
def test_places_are_exact_when_axes_are_mixed_up(module, turned):
    """After a reshaping that hides the axes every place is followed on its own."""
    hidden = nn.Sequential(
        module, Does(lambda x: x.flatten(1).roll(turned, 1).reshape(x.shape))
    )
    field = receptive_field(hidden, input_shape=(2, LENGTH))
    assert field.size == receptive_field(module, input_shape=(2, LENGTH)).size


def test_images_axis_by_axis():
    module = positive(
        nn.Sequential(
            nn.Conv2d(2, 2, (5, 3), stride=(2, 1), padding=(2, 1), bias=False),
            nn.AvgPool2d((2, 3)),
            nn.Conv2d(2, 1, (3, 1), dilation=(2, 1), bias=False),
        )
    )
    field = receptive_field(module, input_shape=(2, 40, 31))
    assert (field.size, field.jump, field.start) == ((23, 5), (4, 3), (-2, -1))
    x = torch.zeros(1, 2, 40, 31, dtype=torch.float64, requires_grad=True)
    module(x)[0, 0, 1, 4].backward()
    rows, columns = (x.grad[0].sum(0).sum(axis).nonzero()[:, 0] for axis in (1, 0))
    assert (int(rows[0]), int(rows[-1])) == (2, 24)
    assert (int(columns[0]), int(columns[-1])) == (11, 15)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Upsample(size=14),
        nn.Upsample(size=9, mode="linear"),
        nn.Upsample(size=21, mode="linear", align_corners=True),
        nn.Upsample(size=24, mode="nearest-exact"),
        nn.AdaptiveAvgPool1d(4),
        nn.AdaptiveAvgPool1d(5),
        nn.Sequential(nn.AdaptiveAvgPool1d(5), nn.Conv1d(2, 2, 2)),
        Does(lambda x: x.flip(2)),
        Does(lambda x: x.repeat(1, 1, 2)),
        Does(lambda x: torch.cat([x, x[..., 3:5]], 2)),
        Does(lambda x: x[..., 1:] + x[..., :-1]),
        Does(lambda x: torch.stack(x.unbind(2)[2:7], 2)),
        Does(lambda x: F.glu(x, 1).expand(1, 2, 12)),
        Does(lambda x: x.split([5, 7], 2)[1]),
        nn.Sequential(nn.Upsample(scale_factor=1.5), nn.Conv1d(2, 2, 3)),
    ],
    ids=repr,
)
def test_every_place_of_odd_operations(layer):
    seen = list(footprints(positive(layer), 2, 12))
    field = receptive_field(layer, input_shape=(2, 12))
    sizes = [last - first + 1 for _, first, last in seen]
    assert field.size == (max(sizes),)


@pytest.mark.parametrize(
    "layer",
    [
        *(nn.Upsample(scale_factor=3), nn.Upsample(size=30), nn.Upsample(size=8)),
        *(
            nn.Upsample(size=30, mode="nearest-exact"),
            nn.AvgPool1d(3, 2),
            nn.AdaptiveAvgPool1d(4),
        ),
        nn.Sequential(nn.PixelShuffle(2), Does(lambda x: x[..., 0])),
    ],
    ids=repr,
)
def test_the_place_of_every_output(layer):
    shape = (4, 12, 12) if isinstance(layer, nn.Sequential) else (2, 12)
    x = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
    outputs = layer(x)[0].sum(0)
    for place, output in enumerate(outputs):
        (gradient,) = torch.autograd.grad(output, x, retain_graph=True)
        seen = gradient.sum((0, 1)) if x.ndim == 3 else gradient.sum((0, 1, 3))
        single = nn.Sequential(layer, Does(lambda y, place=place: y[..., place : place + 1]))
        field = receptive_field(single, input_shape=shape)
        first, last = seen.nonzero()[[0, -1], 0].tolist()
        assert (field.start[0], field.size[0]) == (first, last - first + 1)


# Against published figures


@pytest.fixture(scope="session")
def published(data):
    with (data / "published" / "receptive_fields.csv").open() as file:
        return {row["network"]: row for row in csv.DictReader(file)}


def check_published(row, field):
    assert field.size == (int(row["receptive_field"]),) * 2
    if row["effective_stride"]:
        assert field.stride == (int(row["effective_stride"]),) * 2
    if row["effective_padding"]:
        assert field.padding == (int(row["effective_padding"]),) * 2


@pytest.mark.parametrize(
    ("row", "name", "part", "side"),
    [
        ("vgg_16", "vgg16", "features", 224),
        ("inception_v3", "inception_v3", "Mixed_7c", 299),
    ],
)
def test_torchvision(published, row, name, part, side):
    models = torchvision().models
    options = {"init_weights": False} if name != "vgg16" else {}
    with torch.device("meta"):
        module = getattr(models, name)(weights=None, **options)
    field = receptive_field(module, part, input_shape=(3, side, side))
    check_published(published[row], field)


@pytest.mark.parametrize(
    ("row", "name", "part", "side"),
    [
        ("mobilenet_v1", "mobilenetv1_100", "blocks", 224),
        ("inception_v4", "inception_v4", "features", 299),
        ("inception_resnet_v2", "inception_resnet_v2", "conv2d_7b", 299),
    ],
)
def test_timm(published, row, name, part, side):
    with torch.device("meta"):
        module = timm().create_model(name)
    check_published(published[row], receptive_field(module, part, input_shape=(3, side, side)))


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_stages(published, name):
    (row,) = (row for key, row in published.items() if key.startswith(f"{name} "))
    with torch.device("meta"):
        module = getattr(torchvision().models, name)(weights=None)
    table = summary(module, (3, 224, 224), depth=0)
    fields = {row.name: row.receptive_field for row in table.rows}
    sizes = [int(size) for size in row["receptive_field"].split("/")]
    assert [fields[f"layer{k}"] for k in (1, 2, 3, 4)] == [(size, size) for size in sizes]


@pytest.mark.parametrize(
    ("row", "counts"),
    [
        ("resnet_v1_50", (3, 4, 6, 3)),
        ("resnet_v1_101", (3, 4, 23, 3)),
        ("resnet_v1_152", (3, 8, 36, 3)),
        ("resnet_v1_200", (3, 24, 36, 3)),
    ],
)
def test_residual_networks_that_stride_last(published, row, counts):
    """Their middle convolution strides in the last unit of each stage but the last."""
    parts = [nn.Conv2d(1, 1, 7, 2, 3), nn.ZeroPad2d((0, 1, 0, 1)), nn.MaxPool2d(3, 2)]
    for stage, count in enumerate(counts):
        for unit in range(count):
            stride = 2 if stage < 3 and unit == count - 1 else 1
            shortcut = nn.MaxPool2d(1, stride) if stride > 1 else nn.Identity()
            parts.append(Branches(added, nn.Conv2d(1, 1, 3, stride, 1), shortcut))
    check_published(
        published[row], receptive_field(nn.Sequential(*parts), input_shape=(1, 224, 224))
    )


def test_alexnet_v2(published):
    module = nn.Sequential(
        *(nn.Conv2d(3, 4, 11, 4), nn.MaxPool2d(3, 2), nn.Conv2d(4, 4, 5, padding=2)),
        *(nn.MaxPool2d(3, 2), *(nn.Conv2d(4, 4, 3, padding=1) for _ in range(3))),
        nn.MaxPool2d(3, 2),
    )
    check_published(published["alexnet_v2"], receptive_field(module, input_shape=(3, 224, 224)))


def test_our_networks_and_their_operations_agree():
    def branch(size):
        return Convolution(2, size, padding="same") >> MaxPooling(2)

    network = Input(1, 40, 30) >> join(
        parallel(branch(3), branch(5)) >> Concatenate(),
        parallel(Convolution(4, 1), Convolution(4, 3, padding=1)) >> Elementwise("add"),
    )
    plain = nn.Sequential(network)
    assert receptive_field(plain, input_shape=(1, 40, 30)) == receptive_field(network)
    assert receptive_field(network).stride == (2, 2)


# Everything, attention, order


def test_attention_over_places_sees_everything():
    with torch.device("meta"):
        module = torchvision().models.vit_b_16(weights=None)
    table = summary(module, (3, 224, 224), depth=3)
    rows = {row.name: row for row in table.rows}
    assert rows["conv_proj"].receptive_field == (16, 16)
    assert rows["encoder.layers.encoder_layer_0.ln_1"].receptive_field == (16, 16)
    assert rows["encoder.layers.encoder_layer_0.self_attention"].sees_all
    field = receptive_field(module, input_shape=(3, 224, 224))
    assert field.everything
    assert (field.size, field.jump, str(field)) == ((224, 224), (0, 0), "all")


def test_attention_within_windows_sees_the_window():
    def attend(x):
        windows = x.view(1, 4, 3, 5).permute(0, 2, 3, 1)
        return F.scaled_dot_product_attention(windows, windows, windows)

    field = receptive_field(Does(attend), input_shape=(4, 15))
    assert field.size == (5,)
    assert not field.everything


def test_attention_that_looks_back():
    def attend(x):
        tokens = x.mT
        return F.scaled_dot_product_attention(tokens, tokens, tokens, is_causal=True).mT

    assert list(footprints(Does(attend), 2, 6))[2] == (2, 0, 2)
    field = receptive_field(Does(attend), input_shape=(2, 6))
    assert (field.size, field.start, field.everything) == ((6,), (0,), False)


@pytest.mark.parametrize("both", [False, True])
def test_recurrent_layers_see_what_was_before(both):
    lstm = nn.LSTM(2, 3, bidirectional=both, batch_first=True)
    module = Does(lambda x: lstm(x.mT)[0].mT)
    field = receptive_field(module, input_shape=(2, 7))
    assert field.size == (7,)
    assert field.everything == both
    first = receptive_field(Does(lambda x: lstm(x.mT)[0].mT[..., :3]), input_shape=(2, 7))
    assert first.size == ((7,) if both else (3,))


def test_means_and_gates():
    gate = Branches(
        lambda parts: parts[0] * parts[1].mean(2, keepdim=True), nn.Identity(), nn.Identity()
    )
    assert receptive_field(gate, input_shape=(2, 9)).everything
    assert receptive_field(nn.AdaptiveAvgPool1d(1), input_shape=(2, 9)).everything
    rows = receptive_field(Does(lambda x: x.amax(2, keepdim=True) + x), input_shape=(2, 8, 9))
    assert (rows.size, rows.jump, rows.everything) == ((8, 1), (0, 1), False)


def test_channels_are_told_apart():
    wide, narrow = nn.Conv1d(2, 2, 7, padding=3), nn.Conv1d(2, 2, 3, padding=1)
    both = Branches(lambda parts: torch.cat(parts, 1), wide, narrow)
    assert receptive_field(both, input_shape=(2, 20)).size == (7,)
    kept = nn.Sequential(both, Does(lambda x: x.chunk(2, 1)[1]), nn.Conv1d(2, 1, 3))
    assert receptive_field(kept, input_shape=(2, 20)).size == (5,)
    grouped = nn.Sequential(both, nn.Conv1d(4, 4, 3, groups=2), Does(lambda x: x[:, 2:]))
    assert receptive_field(grouped, input_shape=(2, 20)).size == (5,)
    padded = nn.Sequential(narrow, nn.ConstantPad2d((0, 0, 2, 2), 0.0))
    assert receptive_field(padded, input_shape=(2, 20)).size == (3,)


def test_pixels_and_channels():
    shuffle = nn.Sequential(
        nn.PixelUnshuffle(2), nn.Conv2d(4, 4, 3, padding=1), nn.PixelShuffle(2)
    )
    field = receptive_field(shuffle, input_shape=(1, 16, 16))
    assert (field.size, field.jump) == ((6, 6), (1, 1))
    assert (
        receptive_field(nn.PixelShuffle(2), input_shape=(4, 8, 8)).jump == (Fraction(1, 2),) * 2
    )


# What cannot be told


def test_unknown_operations_are_named_and_not_guessed():
    module = nn.Sequential(
        nn.Conv1d(2, 2, 3), Does(lambda x: torch.fft.rfft(x).abs()), nn.ReLU()
    )
    words = r"the receptive field of Sequential is not known: it runs aten._fft_r2c in '1'"
    with pytest.raises(ValueError, match=words):
        receptive_field(module, input_shape=(2, 9))
    assert receptive_field(module, "0", input_shape=(2, 9)).size == (3,)
    table = summary(module, (2, 9))
    assert "not known after aten._fft_r2c in '1'" in table.notes[1]
    assert [row.receptive_field for row in table.rows] == [(3,), None, None]


def test_writing_into_a_part_is_not_guessed():
    def write(x):
        y = x.clone()
        y[..., 2:] += x[..., :-2]
        return y

    with pytest.raises(ValueError, match=r"writes into a part of a tensor"):
        receptive_field(Does(write), input_shape=(2, 9))


def test_names_of_parts_and_inputs():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.near, self.far = nn.Conv1d(1, 1, 3, padding=1), nn.Conv1d(1, 1, 9, padding=4)

        def forward(self, left, right):
            return self.near(self.near(left)) + self.far(right)

    shapes = ((1, 20), (1, 20))
    assert receptive_field(Two(), input_shape=shapes, input_name="left").size == (5,)
    assert receptive_field(Two(), input_shape=shapes, input_name="right").size == (9,)
    assert receptive_field(Two(), "near", input_shape=shapes, input_name="left").size == (3,)
    assert receptive_field(Two(), "near@2", input_shape=shapes, input_name="left").size == (5,)
    with pytest.raises(ValueError, match=r"choose input_name from \['left', 'right'\]"):
        receptive_field(Two(), input_shape=shapes)
    with pytest.raises(
        ValueError, match=r"has no input 'x': choose input_name from \['left', 'right'\]"
    ):
        receptive_field(Two(), input_shape=shapes, input_name="x")
    with pytest.raises(
        ValueError, match=r"no part 'nera' of Two was called. Did you mean 'near'"
    ):
        receptive_field(Two(), "nera", input_shape=shapes, input_name="left")
    with pytest.raises(ShapeError, match="'far' does not depend on 'left'"):
        receptive_field(Two(), "far", input_shape=shapes, input_name="left")
    with pytest.raises(ShapeError, match="takes vectors, which have no positions"):
        receptive_field(nn.Linear(3, 2), input_shape=(3,))


# The effective field


def test_the_effective_field_of_a_module_is_that_of_the_network():
    network = Input(1, 15, 15) >> Convolution(4, 3) >> Convolution(4, 3, padding=1)
    plain = nn.Sequential(*(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, padding=1)))
    for own, layer in zip(plain, [*network.layers.values()][1:], strict=True):
        own.load_state_dict(layer.state_dict())
    expected = effective_receptive_field(network)
    field = effective_receptive_field(plain, input_shape=(1, 15, 15))
    torch.testing.assert_close(field.map, expected.map)
    assert field.size == expected.size
    first = effective_receptive_field(plain, "0", input_shape=(1, 15, 15))
    torch.testing.assert_close(
        first.map, effective_receptive_field(network, "convolution1").map
    )
    assert not plain.training or all(part.training for part in plain.modules())
    assert all(parameter.grad is None for parameter in plain.parameters())


def test_what_has_no_effective_field():
    shape = (1, 9)
    with pytest.raises(ValueError, match=r"no gradient reaches '.*': .* detaches its output"):
        effective_receptive_field(Does(lambda x: x.detach()), input_shape=shape)
    with torch.device("meta"):
        module = nn.Conv1d(1, 1, 3)
    with pytest.raises(ValueError, match="on the meta device hold no data"):
        effective_receptive_field(module, input_shape=shape)
    with pytest.raises(ShapeError, match=r"Conv1d fails on an input of \(1, 2, 9\)"):
        effective_receptive_field(nn.Conv1d(1, 1, 3), input_shape=(2, 9))
