"""What holds for all layers that slide over axes: what they see, and that lengths stay free."""

from __future__ import annotations

import copy
import math
import pickle
import sys

import pytest
import torch
from torch import nn

from neuropil.layers import (
    AveragePooling,
    Convolution,
    Deconvolution,
    GlobalPooling,
    Input,
    MaxAveragePooling,
    MaxPooling,
    SpatialPyramidPooling,
    Upscale,
)

LAYERS = [
    Convolution(1, 3),
    Convolution(1, 4, stride=2, padding="same"),
    Convolution(1, 3, stride=3, padding="same", dilation=2),
    Convolution(1, 2, padding=(2, 0)),
    Convolution(1, 3, stride=2, padding="full"),
    Convolution(1, 2, stride=4, padding="same"),
    Deconvolution(1, 3),
    Deconvolution(1, 4, stride=2, padding="same"),
    Deconvolution(1, 5, stride=2, padding=(1, 3), output_padding=1),
    Deconvolution(1, 2, stride=3, padding="same"),
    Deconvolution(1, 3, stride=3, dilation=2, padding="full"),
    MaxPooling(2),
    MaxPooling(3, stride=2, padding="same"),
    MaxPooling(3, stride=2, padding="full", dilation=2),
    AveragePooling(3, stride=2, padding=1, ceil_mode=True),
    AveragePooling(4, stride=3, padding=(2, 1), ceil_mode=True, count_include_pad=False),
    MaxAveragePooling(3, stride=1, padding="same"),
    Upscale(2),
    Upscale(5),
    Upscale(1, "bilinear"),
    Upscale(2, "bilinear"),
    Upscale(3, "bilinear"),
]


def seen_by_each_output(network, length):
    """Return which inputs each output depends on: those whose change changes it."""
    x = torch.rand(
        1, 1, length, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    changed = x + 1000 * torch.eye(length, dtype=torch.float64)[:, None]
    differs = (network(changed) - network(x)).abs() > 1e-9
    return [column.nonzero().flatten().tolist() for column in differs[:, 0].T]


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
@torch.no_grad()
def test_reaches_is_what_outputs_depend_on(layer):
    layer = layer.fresh()
    for length in (12, 13):
        network = (Input(1, length) >> layer).double()
        for parameter in network.parameters():
            parameter.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(1))
        (reach,) = layer.reaches((1, length))
        spans = []
        for o, seen in enumerate(seen_by_each_output(network, length)):
            first = math.ceil(reach.start + reach.jump * o)
            assert set(seen) <= set(range(first, first + reach.size)), o
            spans.append(max(seen) - min(seen) + 1 if seen else 0)
        gaps = layer.arguments.get("dilation", 1) > 1 and isinstance(layer, Deconvolution)
        assert max(spans) == reach.size or (gaps and max(spans) < reach.size)


def test_reaches_goes_axis_by_axis():
    layer = Convolution(1, (3, 5), stride=(1, 2), padding="same")
    rows, columns = layer.reaches((3, 8, 8))
    assert (rows.size, rows.jump, rows.start) == (3, 1, -1)
    assert (columns.size, columns.jump, columns.start) == (5, 2, -1)
    assert layer.reaches((3, 8, None))[1].start is None


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_a_free_length_takes_any_input_as_a_fixed_one(layer):
    free = Input(1, None) >> layer.fresh()
    assert free.output_shape == (1, None)
    copies = [copy.deepcopy(free), pickle.loads(pickle.dumps(free))]
    for length in (5, 6, 11, 16):
        fixed = Input(1, length) >> layer.fresh()
        fixed.load_state_dict(free.state_dict())
        x = torch.randn(2, 1, length)
        expected = fixed(x)
        assert fixed.output_shape == expected.shape[1:]
        for network in (free, *copies):
            assert torch.equal(network(x), expected)


def uneven():
    """Return a network in which every kind of padding depends on lengths, or is uneven."""
    return (
        Input(2, None, None)
        >> Convolution(4, 3, stride=2, padding="same")
        >> MaxPooling(3, stride=2, padding="same")
        >> AveragePooling(3, stride=1, padding=(2, 1), count_include_pad=False)
        >> Deconvolution(3, 3, stride=2, padding="same")
        >> Upscale(2, "bilinear")
        >> Convolution(2, 2, stride=3, padding="same", dilation=2)
        >> SpatialPyramidPooling((1, 2))
    )


LENGTHS = ((32, 37), (33, 40), (47, 52))


def free_lengths():
    least_to_most = {"min": 24, "max": 128}
    height, width = (torch.export.Dim(name, **least_to_most) for name in ("h", "w"))
    return ({0: torch.export.Dim("n"), 2: height, 3: width},)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_compiled_and_exported_networks_take_any_size():
    network = uneven()
    # Eager as its back end: what is tested is that the sizes stay symbols, in one whole graph.
    compiled = torch.compile(network, backend="eager", fullgraph=True, dynamic=True)
    example = torch.randn(2, 2, 33, 40)
    exported = torch.export.export(network, (example,), dynamic_shapes=free_lengths()).module()
    for lengths in LENGTHS:
        x = torch.randn(3, 2, *lengths)
        torch.testing.assert_close(compiled(x), network(x))
        torch.testing.assert_close(exported(x), network(x))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_onnx_takes_any_size(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    network, path = uneven().eval(), tmp_path / "network.onnx"
    example = torch.randn(2, 2, 33, 40)
    torch.onnx.export(
        network, (example,), path, dynamo=True, dynamic_shapes=free_lengths(), verbose=False
    )
    session = runtime.InferenceSession(path)
    (name,) = (value.name for value in session.get_inputs())
    for lengths in LENGTHS:
        x = torch.randn(3, 2, *lengths)
        (got,) = session.run(None, {name: x.numpy()})
        torch.testing.assert_close(torch.tensor(got), network(x), rtol=1e-4, atol=1e-5)


def calls(module, x):
    """Return how many Python functions run in a forward pass."""
    count = 0

    def counted(_frame, event, _argument):
        nonlocal count
        count += event == "call"

    module(x)
    sys.setprofile(counted)
    try:
        module(x)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    ("layer", "peer"),
    [
        (Convolution(4, 3, padding=1), nn.Conv2d(3, 4, 3, padding=1)),
        (Convolution(4, 3, stride=2, bias=False), nn.Conv2d(3, 4, 3, stride=2, bias=False)),
        (Deconvolution(4, 3, stride=2), nn.ConvTranspose2d(3, 4, 3, stride=2)),
        (MaxPooling(3, stride=2, padding=1), nn.MaxPool2d(3, 2, 1)),
        (AveragePooling(2), nn.AvgPool2d(2)),
        (GlobalPooling(), nn.AdaptiveAvgPool2d(1)),
        (Upscale(2), nn.Upsample(scale_factor=2)),
    ],
    ids=repr,
)
def test_forward_is_no_more_calls_than_torchs_layer(layer, peer):
    layer.build((3, 8, 8))
    x = torch.zeros(1, 3, 8, 8)
    assert calls(layer, x) <= calls(peer, x)
