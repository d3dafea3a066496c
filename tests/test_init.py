"""Initialisers against their moments, torch.nn.init and the definition of orthogonality."""

import inspect
import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from neuropil import init
from neuropil.init import (
    Constant,
    HeNormal,
    HeUniform,
    Initializer,
    Normal,
    Orthogonal,
    Uniform,
    XavierNormal,
    XavierUniform,
)

CASES = (
    Constant(0.3),
    Normal(1.0, 0.2),
    Uniform(-1.0, 2.0),
    Orthogonal(2.0),
    HeNormal(),
    HeUniform(),
    XavierNormal(),
    XavierUniform(0.5),
)
RANDOM = CASES[1:]
FROM_FANS = CASES[4:]
LARGE = (300, 20, 3, 5)  # fan-in 300, fan-out 4500


def test_every_public_initializer_has_a_case():
    names = {type(case).__name__ for case in CASES}
    assert names == set(init.__all__) - {"Initializer"}


@pytest.mark.parametrize("initializer", CASES, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_precision_is_filled_and_returned(initializer: Initializer, dtype: torch.dtype):
    weight = torch.nn.Parameter(torch.full((8, 4, 3), torch.nan, dtype=dtype))
    assert initializer(weight) is weight
    assert weight.requires_grad
    assert weight.dtype is dtype
    assert weight.isfinite().all()


@pytest.mark.parametrize("initializer", CASES, ids=repr)
def test_a_part_of_a_tensor_is_filled_alone(initializer: Initializer):
    whole = torch.full((6, 8), 7.0)
    initializer(whole.T[:4])
    assert (whole[:, 4:] == 7).all()
    assert (whole[:, :4] != 7).all()


@pytest.mark.parametrize("kind", [Normal, Orthogonal, HeNormal, HeUniform, XavierUniform])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_a_seed_decides_the_values_whatever_the_global_state(kind: type, dtype: torch.dtype):
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = kind(seed=3)(torch.empty(5, 4, dtype=dtype))
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(first, kind(seed=3)(torch.empty(5, 4, dtype=dtype)))
    assert not torch.equal(first, kind(seed=4)(torch.empty(5, 4, dtype=dtype)))


@pytest.mark.parametrize("initializer", RANDOM, ids=repr)
def test_a_generator_decides_the_values(initializer: Initializer):
    def draw(seed: int) -> torch.Tensor:
        return initializer(torch.empty(5, 4), torch.Generator().manual_seed(seed))

    assert torch.equal(draw(0), draw(0))
    assert not torch.equal(draw(0), draw(1))


@pytest.mark.parametrize("initializer", RANDOM, ids=repr)
def test_without_a_generator_the_global_seed_decides(initializer: Initializer):
    torch.manual_seed(5)
    first = initializer(torch.empty(5, 4))
    second = initializer(torch.empty(5, 4))
    torch.manual_seed(5)
    assert torch.equal(first, initializer(torch.empty(5, 4)))
    assert not torch.equal(first, second)


def test_halves_are_the_rounded_floats():
    full = HeNormal(seed=0)(torch.empty(10, 10))
    half = HeNormal(seed=0)(torch.empty(10, 10, dtype=torch.bfloat16))
    assert torch.equal(half, full.bfloat16())


@pytest.mark.parametrize(
    ("initializer", "mean", "variance"),
    [
        (Normal(3.0, 0.5, seed=0), 3.0, 0.25),
        (Uniform(1.0, 4.0, seed=0), 2.5, 9 / 12),
        (HeNormal(seed=0), 0.0, 2 / 300),
        (HeUniform(seed=0), 0.0, 2 / 300),
        (HeNormal(1, seed=0), 0.0, 1 / 300),
        (XavierNormal(seed=0), 0.0, 2 / 4800),
        (XavierUniform(3, seed=0), 0.0, 6 / 4800),
    ],
    ids=repr,
)
def test_moments(initializer: Initializer, mean: float, variance: float):
    weight = initializer(torch.empty(LARGE, dtype=torch.float64))
    deviation = math.sqrt(variance)
    # 90,000 draws: five standard errors of the mean and of the variance.
    assert weight.mean().item() == pytest.approx(mean, abs=5 * deviation / 300)
    assert weight.var().item() == pytest.approx(variance, rel=5 * math.sqrt(2) / 300)


@pytest.mark.parametrize(
    ("ours", "torchs"),
    [
        (HeNormal(), torch.nn.init.kaiming_normal_),
        (HeUniform(), torch.nn.init.kaiming_uniform_),
        (XavierNormal(4), lambda w: torch.nn.init.xavier_normal_(w, gain=2)),
        (XavierUniform(4), lambda w: torch.nn.init.xavier_uniform_(w, gain=2)),
        (Orthogonal(2), lambda w: torch.nn.init.orthogonal_(w, gain=2)),
        (Normal(1.0, 2.0), lambda w: torch.nn.init.normal_(w, 1.0, 2.0)),
        (Uniform(1.0, 2.0), lambda w: torch.nn.init.uniform_(w, 1.0, 2.0)),
    ],
)
@pytest.mark.parametrize("shape", [(6, 5), (5, 6), (7, 3, 2), (4, 2, 3, 3)])
def test_the_same_draws_as_torch(ours, torchs, shape: tuple[int, ...]):
    torch.manual_seed(0)
    expected = torchs(torch.empty(shape))
    torch.manual_seed(0)
    torch.testing.assert_close(ours(torch.empty(shape)), expected)


@given(
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    kernel=st.lists(st.integers(1, 3), max_size=2),
    gain=st.sampled_from([0.5, 1.0, 3.0]),
)
@settings(max_examples=50, deadline=None)
def test_rows_or_columns_are_orthonormal(rows, columns, kernel, gain):
    shape = (rows, columns, *kernel)
    Q = Orthogonal(gain, seed=1)(torch.empty(shape, dtype=torch.float64)).flatten(1)
    if Q.shape[0] > Q.shape[1]:
        Q = Q.T
    torch.testing.assert_close(Q @ Q.T, gain**2 * torch.eye(len(Q), dtype=torch.float64))


def test_orthogonal_is_not_one_sided():
    # A bare QR has R's diagonal of one sign, which pins the signs of Q's first column.
    signs = {Orthogonal(seed=seed)(torch.empty(2, 2))[0, 0].sign().item() for seed in range(20)}
    assert signs == {-1.0, 1.0}


@pytest.mark.parametrize("initializer", FROM_FANS, ids=repr)
def test_given_fans_come_before_the_shape(initializer: Initializer):
    shape = (3, 5, 2)
    from_shape = initializer(torch.empty(shape), torch.Generator().manual_seed(0))
    given_them = initializer(torch.empty(3, 10), torch.Generator().manual_seed(0), fans=(10, 6))
    torch.testing.assert_close(from_shape.flatten(1), given_them)
    bigger = initializer(
        torch.empty(100), torch.Generator().manual_seed(0), fans=(10**6, 10**6)
    )
    assert 0 < bigger.abs().max() < 0.01


@pytest.mark.parametrize("initializer", CASES, ids=repr)
def test_an_empty_tensor_stays_empty(initializer: Initializer):
    assert initializer(torch.empty(0, 4)).shape == (0, 4)
    assert initializer(torch.empty(4, 0)).shape == (4, 0)


@pytest.mark.parametrize("initializer", CASES, ids=repr)
def test_nothing_happens_on_the_meta_device(initializer: Initializer):
    weight = torch.empty(64, 64, 3, 3, device="meta")
    assert initializer(weight) is weight
    state = torch.random.get_rng_state()
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize("initializer", CASES, ids=repr)
def test_repr_is_the_call(initializer: Initializer):
    assert repr(eval(repr(initializer))) == repr(initializer)
    assert (
        initializer.arguments.keys() == inspect.signature(type(initializer)).parameters.keys()
    )


def test_repr_shows_what_is_not_default():
    assert repr(HeNormal()) == "HeNormal()"
    assert repr(HeNormal(gain=1)) == "HeNormal(1)"
    assert repr(Normal(seed=3)) == "Normal(seed=3)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Normal(0, -0.5), r"Normal: std must be a number in \[0, inf\), got -0.5"),
        (lambda: Normal(math.nan), "Normal: mean must be a number in .*, got nan"),
        (lambda: Normal(0, math.inf), r"Normal: std must be a number in \[0, inf\), got inf"),
        (lambda: Uniform(1, 1), "Uniform: high must be above low, got 1 and 1"),
        (lambda: Uniform(2, 1), "Uniform: high must be above low, got 2 and 1"),
        (lambda: Uniform(-math.inf, 1), "Uniform: low must be a number in .*, got -inf"),
        (lambda: Constant(math.nan), "Constant: value must be a number in .*, got nan"),
        (lambda: Constant("0"), "Constant: value must be a number in .*, got '0'"),
        (lambda: Constant(True), "Constant: value must be a number in .*, got True"),
        (lambda: Constant(10**400), "Constant: value must be a number in .*, got 1000"),
        (lambda: HeNormal(-1), r"HeNormal: gain must be a number in \[0, inf\), got -1"),
        (lambda: XavierUniform(math.nan), r"gain must be a number in \[0, inf\), got nan"),
        (lambda: Orthogonal(-2.0), r"Orthogonal: gain must be a number in .*, got -2.0"),
        (lambda: HeNormal(seed=-1), "HeNormal: seed must be a whole number from 0, got -1"),
        (lambda: HeNormal(seed=0.5), "HeNormal: seed must be a whole number from 0, got 0.5"),
        (lambda: HeNormal(seed=True), "HeNormal: seed must be a whole number from 0, got True"),
    ],
)
def test_a_wrong_argument_is_refused(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("initializer", [Orthogonal(), *FROM_FANS], ids=repr)
def test_a_vector_has_no_fans(initializer: Initializer):
    with pytest.raises(ValueError, match=r"at least 2 axes \(out, in, \*kernel\), got \(7,\)"):
        initializer(torch.empty(7))


def test_fans_below_one_are_refused():
    with pytest.raises(ValueError, match=r"fans of at least 1, got \(0, 3\)"):
        HeNormal()(torch.empty(3, 3), fans=(0, 3))


def test_integers_cannot_be_filled():
    with pytest.raises(TypeError, match=r"floating-point tensors, got torch\.int64"):
        HeNormal()(torch.zeros(3, 3, dtype=torch.int64))


def test_a_seed_is_a_generator_of_that_seed():
    weight = HeNormal()(torch.empty(3, 3), torch.Generator().manual_seed(4))
    assert torch.equal(weight, HeNormal(seed=4)(torch.empty(3, 3)))


def test_values_are_drawn_in_place_where_the_tensor_can_hold_them():
    class Seen(init.Initializer):
        def draw(self, values, generator, fans):
            self.place = values.data_ptr()
            return values.zero_()

    seen, tensor = Seen(), torch.empty(3, 4)
    seen(tensor)
    assert seen.place == tensor.data_ptr()  # no second copy of a large layer
    for other in (tensor.t(), tensor.half()):
        seen(other)
        assert seen.place != other.data_ptr()


def test_a_number_beyond_float32_is_refused():
    with pytest.raises(ValueError, match=r"must be at most 3.4e\+38 in size, got 1e\+308"):
        Constant(1e308)
