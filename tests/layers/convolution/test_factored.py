"""Chains of convolutions and their kin inside networks that are compiled and exported."""

from __future__ import annotations

import copy

import pytest
import torch

from neuropil.layers import (
    BlurPooling,
    Convolution,
    DepthwiseConvolution,
    FlattenedConvolution,
    GlobalPooling,
    Input,
    LeakyRelu,
    LearnedColorspace,
    MaxPooling,
    Relu,
    SeparableConvolution,
    SqueezeExcitation,
)


def network():
    """Return a network of all of them, for pictures of any size, in test mode."""
    torch.manual_seed(0)
    made = (
        Input(3, None, None)
        >> LearnedColorspace()
        >> Convolution(8, 3, padding="same")
        >> DepthwiseConvolution(3, multiplier=2, stride=2, padding="same")
        >> SeparableConvolution(12, 3, activation=LeakyRelu(epsilon=0.3), padding=1)
        >> SqueezeExcitation(4)
        >> MaxPooling(2, stride=1)
        >> BlurPooling()
        >> FlattenedConvolution(6, (3, 2), stride=2, padding="same")
        >> SeparableConvolution(5, 3, order="pointwise_first", activation="relu", padding=1)
        >> Relu()
        >> GlobalPooling()
    )
    return made.eval()


SIZES = ((2, 3, 32, 32), (3, 3, 19, 40), (1, 3, 17, 18))
FREE = ({0: torch.export.Dim("n"), 2: torch.export.Dim("h", min=12, max=64),
         3: torch.export.Dim("w", min=12, max=64)},)  # fmt: skip


@pytest.mark.slow
def test_compiled_as_one_graph_it_gives_the_same():
    ours = network()
    # Eager as its back end: what is tested is that one whole graph can be traced.
    compiled = torch.compile(ours, backend="eager", fullgraph=True)
    x = torch.randn(SIZES[0])
    torch.testing.assert_close(compiled(x), ours(x))


@pytest.mark.slow
def test_exported_it_takes_any_size():
    ours = network()
    exported = torch.export.export(ours, (torch.randn(SIZES[0]),), dynamic_shapes=FREE)
    for shape in SIZES:
        x = torch.randn(shape)
        torch.testing.assert_close(exported.module()(x), ours(x))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the exporter's own deprecations
def test_onnx_gives_the_same(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    ours, path = network(), tmp_path / "network.onnx"
    x = torch.randn(SIZES[0])
    torch.onnx.export(ours, (x,), path, dynamo=True, verbose=False)
    (output,) = runtime.InferenceSession(path).run(None, {"input1": x.numpy()})
    torch.testing.assert_close(torch.tensor(output), ours(x), rtol=1e-4, atol=1e-5)


def test_half_precision_and_copies():
    ours = network()
    x = torch.randn(SIZES[0])
    expected = ours(x)
    torch.testing.assert_close(copy.deepcopy(ours)(x), expected)
    low = copy.deepcopy(ours).bfloat16()(x.bfloat16())
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), expected, rtol=0.1, atol=0.05)
    assert ours(x.to(memory_format=torch.channels_last)).allclose(expected, atol=1e-5)
