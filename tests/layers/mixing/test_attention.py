"""Attention: torch's under equal weights, masks, cost."""

import pytest
import torch
from tests.agreement import same_compiled_exported_copied_and_saved
from torch import nn

from neuropil.core import ShapeError, parallel
from neuropil.layers import Attention, Elementwise, Embedding, Input, LayerNorm, Linear, Softmax

exact = {"rtol": 0, "atol": 1e-12}


def twins(shapes, *, bias=True, **options):
    """Return our layer and torch's, of equal random weights, in double precision."""
    torch.manual_seed(0)
    ours = Attention(2, bias=bias, **options)
    ours.build(*shapes)
    widths = [*[shape[1] for shape in shapes], *[shapes[-1][1]] * 2]
    theirs = nn.MultiheadAttention(
        widths[0], 2, kdim=widths[1], vdim=widths[2], bias=bias, batch_first=True
    )
    theirs = theirs.double()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, 0, 0.5)
    ours.double().load_state_dict(theirs.state_dict())
    return ours, theirs


CASES = {
    "self": [(6, 8)],
    "cross": [(6, 8), (5, 8)],
    "cross, other width": [(6, 8), (5, 3)],
    "query, key, value": [(6, 8), (5, 8), (5, 8)],
    "three widths": [(6, 8), (5, 3), (5, 4)],
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_outputs_and_gradients_are_torchs(case, bias, masked):
    shapes = CASES[case]
    ours, theirs = twins(shapes, bias=bias)
    given = [torch.randn(3, *s, dtype=torch.float64) for s in shapes]
    present = torch.ones(3, shapes[-1][0], dtype=torch.bool)
    present[1, 2:] = present[2, 1:3] = False
    mask = [present] * masked
    inputs = [value.clone().requires_grad_() for value in given]
    twin = [value.clone().requires_grad_() for value in given]
    query, key, value = (*twin, *twin[-1:] * 2)[:3]
    expected, _ = theirs(
        query, key, value, key_padding_mask=~present if masked else None, need_weights=False
    )
    output = ours(*inputs, *mask)
    torch.testing.assert_close(output, expected, **exact)

    factors = torch.randn_like(expected)
    (output * factors).sum().backward()
    (expected * factors).sum().backward()
    for one, two in zip(inputs, twin, strict=True):
        torch.testing.assert_close(one.grad, two.grad, **exact)
    names = {"out_proj.weight": "out_proj_weight", "out_proj.bias": "out_proj_bias"}
    for name, parameter in theirs.named_parameters():
        own = ours.get_parameter(names.get(name, name))
        torch.testing.assert_close(own.grad, parameter.grad, **exact)


@pytest.mark.parametrize("masked", [True, False])
def test_a_causal_layer_is_torchs(masked):
    ours, theirs = twins([(6, 8)], causal=True)
    x = torch.randn(3, 6, 8, dtype=torch.float64)
    present = torch.ones(3, 6, dtype=torch.bool)
    present[1, 2:] = False  # the first is always there, or torch's own would give NaN
    later = torch.ones(6, 6, dtype=torch.bool).triu(1)
    expected, _ = theirs(
        x, x, x, key_padding_mask=~present if masked else None, attn_mask=later
    )
    torch.testing.assert_close(ours(x, *[present] * masked), expected, **exact)


def test_a_causal_layer_sees_nothing_that_comes_later():
    layer = Attention(2, causal=True)
    network = Input(6, 8) >> layer
    x = torch.randn(1, 6, 8)
    changed = x.clone()
    changed[:, 4:] += 1
    torch.testing.assert_close(network(changed)[:, :4], network(x)[:, :4])
    assert not torch.isclose(network(changed)[:, 4:], network(x)[:, 4:]).any()


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_who_sees_nothing_gathers_zeros(causal, dtype):
    torch.manual_seed(0)
    layer = Attention(2, causal=causal)
    layer.build((4, 8))
    layer.to(dtype)
    with torch.no_grad():
        layer.out_proj_bias.fill_(0.25)
    x = torch.randn(3, 4, 8, dtype=dtype, requires_grad=True)
    # Nothing there; all there; only the second, which a causal first query cannot see.
    mask = torch.tensor([[0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0, 0]])
    output = layer(x, mask)
    blind = torch.full((8,), 0.25, dtype=dtype)
    assert (output[0] == blind).all()
    assert (output[1] != blind).all()
    assert (output[2, 0] == blind).all() == causal
    output.square().sum().backward()
    assert x.grad.isfinite().all()
    assert all(p.grad.isfinite().all() for p in layer.parameters())


def test_what_only_fills_up_changes_nothing():
    torch.manual_seed(0)
    words = Input(None, dtype="int64")
    embedded = words >> Embedding(9, 8, padding_idx=0)
    network = parallel(embedded, words) >> Attention(2)
    assert network.output_shape == (None, 8)
    short, filled = torch.tensor([[5, 3, 1]]), torch.tensor([[5, 3, 1, 0, 0]])
    torch.testing.assert_close(network(filled)[:, :3], network(short))


def test_masks_may_be_bytes_integers_or_booleans():
    network = parallel(Input(4, 8), Input(4, dtype="uint8")) >> Attention(2)
    x, mask = torch.randn(2, 4, 8), torch.tensor([[1, 1, 0, 0], [2, 0, 9, 0]])
    expected = network(x, mask.bool())
    for dtype in (torch.uint8, torch.int32, torch.int64):
        torch.testing.assert_close(network(x, mask.to(dtype)), expected, rtol=0, atol=0)


def test_units_set_the_width():
    layer = Attention(3, units=12)
    network = Input(None, 5) >> layer
    assert network.output_shape == (None, 12)
    assert layer.in_proj_weight.shape == (36, 5)
    assert network(torch.randn(2, 7, 5)).shape == (2, 7, 12)


def test_each_map_is_drawn_by_itself():
    torch.manual_seed(0)
    layer = Attention(2)
    _ = Input(None, 30) >> layer
    bound = (6 / (30 + 30)) ** 0.5
    for weight in (*layer.in_proj_weight.chunk(3), layer.out_proj_weight):
        assert 0.9 * bound < weight.abs().max() < bound
    assert layer.in_proj_bias.count_nonzero() == layer.out_proj_bias.count_nonzero() == 0


def test_dropout_is_for_training():
    torch.manual_seed(0)
    layer = Attention(2, dropout=0.5)
    network = Input(6, 8) >> layer
    x = torch.randn(400, 6, 8)[:1].expand(400, -1, -1)
    expected = network.eval()(x)
    torch.testing.assert_close(network(x), expected, rtol=0, atol=0)
    drawn = network.train()(x)
    assert not torch.equal(drawn[0], drawn[1])
    spread = drawn.std(0) / 400**0.5
    assert ((drawn.mean(0) - expected[0]).abs() < 5 * spread).all()


def test_parameters_and_cost_are_the_published_ones():
    layer = Attention(4)
    assert layer.multiply_adds((50, 64)) == 1_139_200
    layer.build((50, 64))
    assert sum(p.numel() for p in layer.parameters()) == 16_640
    # 6·8·8 + 5·3·8 + 5·4·8 for the maps, 2·6·5·8 in the heads, 6·8·8 after them.
    assert (
        Attention(2).multiply_adds((6, 8), (5, 3), (5, 4), (5,)) == 384 + 120 + 160 + 480 + 384
    )


def test_a_transformer_is_compiled_exported_copied_and_saved(tmp_path):
    torch.manual_seed(0)
    words = Input(12, dtype="int64") >> Embedding(9, 8)
    mixed = parallel(words, words >> LayerNorm() >> Attention(2, causal=True)) >> Elementwise()
    network = mixed >> Softmax(9)
    x = torch.randint(0, 9, (2, 12))
    same_compiled_exported_copied_and_saved(network, x, tmp_path, fullgraph=True)


def test_a_shared_layer_keeps_its_weights():
    layer = Attention(2, units=8)
    one = Input(5, 8) >> layer
    with pytest.raises(ShapeError, match="the widths it was built for"):
        parallel(one >> Linear(8), Input(4, 3)) >> layer.fresh() >> layer
    with pytest.raises(ShapeError, match="the widths it was built for"):
        layer.build((5, 8), (4, 3))
    layer.build((9, 8))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([Input(8)], r"sequences \(T, D\) .*got \(8\): put"),
        ([Input(3, 8, 8)], r"sequences \(T, D\) .*got \(3, 8, 8\): put"),
        ([Input(5, None)], "a last axis of known length"),
        ([Input(5, 7)], r"a width divisible by its 2 heads, got \(5, 7\): give units=…"),
        ([Input(5, 8), Input(4, 8), Input(3, 8)], "key, value and mask of one length"),
        ([Input(5, 8), Input(4, dtype="int64")], "key, value and mask of one length"),
        ([Input(5, 8), Input(5)], r"takes a mask of integers, and Input\(5\) gives floats"),
        ([Input(5, dtype="int64")], "takes floats, and"),
        ([Input(5, 8, dtype="int64")], "takes floats"),
    ],
)
def test_wrong_inputs_are_refused(inputs, message):
    with pytest.raises(ShapeError, match=message):
        parallel(*inputs) >> Attention(2)


def test_a_causal_layer_needs_one_length():
    with pytest.raises(ShapeError, match="being causal, queries of one length"):
        parallel(Input(5, 8), Input(4, 8)) >> Attention(2, causal=True)


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="units must be a multiple of the 3 heads, got 8"):
        Attention(3, units=8)
    with pytest.raises(ValueError, match=r"Attention: dropout must be a number in \[0, 1\)"):
        Attention(2, dropout=1.0)
    with pytest.raises(ValueError, match="Attention: heads must be a whole number"):
        Attention(0)
    with pytest.raises(ShapeError, match="known lengths to count"):
        Attention(2).multiply_adds((None, 8))
