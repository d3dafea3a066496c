"""Levenberg–Marquardt against least squares solved otherwise, NIST, and what breaks others."""

import copy
import itertools
import math

import pytest
import torch
from benchmarks.optimizers import nist, random_starts, sine
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neuropil.layers import BatchNorm, Input, Linear, Tanh
from neuropil.optim import LevenbergMarquardt, by_name

DOUBLE = torch.float64
# Quick ones of each level of difficulty, for both starts.
PROBLEMS = [
    *("Misra1a", "Chwirut2", "DanWood", "Gauss1", "Kirby2", "MGH09", "Nelson", "Hahn1"),
    *("Rat43", "Thurber", "ENSO", "BoxBOD"),
]
WAYS = {
    "plain": {},
    "geodesic": {"geodesic": True},
    "bayesian": {"bayesian": True},
    "restarts": {"restarts": 3},
}


def table(rows: int, columns: int, seed: int = 0, dtype: torch.dtype = DOUBLE):
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(rows, columns, generator=generator, dtype=DOUBLE)
    return X.to(dtype), (X.sin().sum(1) + X[:, 0] ** 2).to(dtype)


def small(seed: int = 0, inputs: int = 2, dtype: torch.dtype = DOUBLE):
    network = Input(inputs) >> Tanh(4) >> Linear(1)
    network.to(dtype).reset_parameters(torch.Generator().manual_seed(seed))
    return network


def vector(network: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def made(network, **options) -> LevenbergMarquardt:
    if options.get("restarts", 1) > 1:
        generator = torch.Generator().manual_seed(5)
        options["draw"] = lambda: network.reset_parameters(generator)
    return LevenbergMarquardt(network.parameters(), **options)


def fitting(network, X: Tensor, y: Tensor):
    return lambda: network(X).flatten() - y


@pytest.mark.parametrize(("rows", "columns"), [(50, 5), (5, 5), (300, 120), (12, 40)])
def test_linear_least_squares_in_two_steps(rows, columns):
    X, y = table(rows, columns)
    w = nn.Parameter(torch.zeros(columns, dtype=DOUBLE))
    optimizer = LevenbergMarquardt([w], damping=1e-9)
    for _ in range(2):
        optimizer.step(lambda: X @ w - y)
    expected = torch.linalg.lstsq(X, y, driver="gelsd").solution
    if rows >= columns:
        torch.testing.assert_close(w.detach(), expected, rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(X @ w.detach(), X @ expected, rtol=1e-6, atol=1e-8)


def test_a_step_is_the_damped_one_written_out():
    X, y = table(30, 2)
    network = small()
    optimizer = LevenbergMarquardt(network.parameters(), damping=0.5)
    w = vector(network)

    def residuals(w):
        parts = w.split([p.numel() for p in network.parameters()])
        names = [name for name, _ in network.named_parameters()]
        shaped = [q.view_as(p) for q, p in zip(parts, network.parameters(), strict=True)]
        found = torch.func.functional_call(network, dict(zip(names, shaped, strict=True)), X)
        return found.flatten() - y

    J, r = torch.func.jacrev(residuals)(w), residuals(w).detach()
    square = J.T @ J
    sizes = w.abs().clamp(min=0.05 * float(w.abs().max()))
    damped = square + 0.5 * torch.diag(square.diagonal() + 100 * r.dot(r) / sizes**2)
    loss = optimizer.step(fitting(network, X, y))
    torch.testing.assert_close(vector(network), w - torch.linalg.solve(damped, J.T @ r))
    torch.testing.assert_close(loss, 0.5 * r.dot(r))
    after = residuals(vector(network))
    assert optimizer.outcome.loss == pytest.approx(0.5 * after.dot(after).item(), rel=1e-12)
    assert optimizer.outcome.gradient == pytest.approx((J.T @ r).abs().max().item(), rel=1e-12)
    assert (optimizer.outcome.steps, optimizer.outcome.evaluations) == (1, 2)


@pytest.mark.parametrize(
    ("curve", "number"),
    [("logistic, 4 parameters", n) for n in (1, 7)]
    + [("logistic, 5 parameters", n) for n in (2, 9)],
)
def test_a_random_start_of_a_logistic_does_not_run_off(curve, number):
    """Under Marquardt's scale alone it goes where the curve is flat and r hardly changes."""
    seed = 60 * list(random_starts.CURVES).index(curve) + number
    task = random_starts.task(random_starts.CURVES[curve], seed)
    truth = torch.tensor(task.curve.truth, dtype=DOUBLE)
    found, best = (random_starts.ours(task, start) for start in (task.start, truth))
    assert found.squares <= best.squares * (1 + 1e-4)


def test_the_unit_of_a_weight_does_not_matter():
    X, y = table(30, 3)
    paths = []
    for units in (torch.ones(3, dtype=DOUBLE), torch.tensor([4.0, 0.5, 2.0], dtype=DOUBLE)):
        b = nn.Parameter(units.clone())
        optimizer = LevenbergMarquardt([b])
        for _ in range(2):
            optimizer.step(lambda b=b, units=units: torch.tanh(X @ (b / units)) - y)
        paths.append(b.detach() / units)
    torch.testing.assert_close(*paths, rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("start", [0, 1])
def test_certified_digits(name, start, data):
    problem = nist.read(data / "nist_strd" / f"{name}.dat")
    b = nn.Parameter(problem.starts[start].clone())
    outcome = nist.ours(b, problem)
    assert outcome.converged
    assert nist.digits(b.detach(), problem) >= 6
    assert 2 * outcome.loss == pytest.approx(problem.squares, rel=1e-8)


def test_a_sine_from_thirty_starts():
    for seed in range(30):
        network = sine.start(seed)
        optimizer = LevenbergMarquardt(network.parameters())
        for _ in range(200):
            optimizer.step(lambda network=network: sine.residuals(network))
            if 2 * optimizer.outcome.loss <= sine.GOAL:
                break
        assert sine.sse(network) <= sine.GOAL


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 12),
    columns=st.integers(1, 3),
    seed=st.integers(0, 1000),
    exponent=st.integers(-6, 6),
    damping=st.sampled_from([1e-12, 1e-3, 1e3]),
    geodesic=st.booleans(),
)
def test_never_uphill(rows, columns, seed, exponent, damping, geodesic):
    X, y = table(rows, columns, seed)
    network = small(seed, columns)
    closure = fitting(network, X, y * 10.0**exponent)
    optimizer = LevenbergMarquardt(network.parameters(), damping=damping, geodesic=geodesic)
    before = closure().square().sum().item()
    for _ in range(6):
        optimizer.step(closure)
        after = closure().square().sum().item()
        assert after <= before * (1 + 1e-12)
        assert optimizer.outcome.loss == pytest.approx(after / 2, rel=1e-6, abs=1e-14 * before)
        before = after


AWKWARD = {
    "constant features": lambda X, y: (torch.ones_like(X), y),
    "features of zero": lambda X, y: (torch.zeros_like(X), y),
    "one sample": lambda X, y: (X[:1], y[:1]),
    "duplicated samples": lambda X, y: (X[:1].repeat(20, 1), y[:1].repeat(20)),
    "the same features": lambda X, y: (X[:, :1].repeat(1, 2), y),
    "fewer rows than weights": lambda X, y: (X[:6], y[:6]),
    "huge features": lambda X, y: (X * 1e8, y),
    "tiny targets": lambda X, y: (X, y * 1e-12),
}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", AWKWARD)
def test_awkward_data_end_in_a_result(kind, way, dtype):
    X, y = AWKWARD[kind](*table(30, 2, dtype=dtype))
    network = small(dtype=dtype)
    closure = fitting(network, X, y)
    before = closure().square().sum().item()
    outcome = made(network, **WAYS[way]).minimize(closure, 15)
    after = closure().square().sum().item()
    assert math.isfinite(after)
    assert torch.isfinite(vector(network)).all()
    if way != "bayesian":
        assert after <= before
        assert outcome.loss == pytest.approx(after / 2, rel=1e-3, abs=1e-6 * before)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_targets_that_are_not_finite_are_said_and_nothing_moves(way, value):
    X, y = table(30, 2)
    y[3] = value
    network = small()
    w = vector(network)
    outcome = made(network, **WAYS[way]).minimize(fitting(network, X, y), 5)
    assert outcome.reason == "not finite"
    assert not outcome.converged
    assert outcome.steps == 1
    torch.testing.assert_close(vector(network), w, rtol=0, atol=0)


def test_a_trial_that_is_not_finite_is_taken_back():
    x = torch.linspace(1, 2, 20, dtype=DOUBLE)
    b = nn.Parameter(
        torch.tensor([4.0], dtype=DOUBLE)
    )  # Newton's first step leaves log's domain
    optimizer = LevenbergMarquardt([b], damping=1e-9)
    outcome = optimizer.minimize(lambda: torch.log(b * x) - torch.log(0.1 * x))
    assert outcome.converged
    assert b.item() == pytest.approx(0.1)


def test_no_way_down_is_stuck():
    w = nn.Parameter(torch.tensor([1.0], dtype=DOUBLE))

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return -grad

    outcome = LevenbergMarquardt([w]).minimize(lambda: Wrong.apply(w))
    assert outcome.reason == "stuck"
    assert w.item() == 1.0


@pytest.mark.parametrize("way", ["plain", "geodesic", "bayesian"])
@pytest.mark.parametrize("rows", [10, 60])
def test_portions_are_as_good_as_the_whole(way, rows):
    X, y = table(rows, 2)
    networks = [small(), small()]

    def portions():
        for some, targets in zip(X.split(7), y.split(7), strict=True):
            yield networks[1](some).flatten() - targets

    closures = [fitting(networks[0], X, y), portions]
    for network, closure in zip(networks, closures, strict=True):
        made(network, **WAYS[way]).minimize(closure, 6)
    torch.testing.assert_close(vector(networks[0]), vector(networks[1]), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("way", WAYS)
def test_resumes_bit_for_bit(way):
    X, y = table(30, 2)
    network = small()
    optimizer = made(network, **WAYS[way])
    closure = fitting(network, X, y)
    for _ in range(4):
        optimizer.step(closure)
    twin = copy.deepcopy(network)
    resumed = made(twin, **WAYS[way])
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for _ in range(4):
        optimizer.step(closure)
        resumed.step(fitting(twin, X, y))
        assert torch.equal(vector(network), vector(twin))
    assert resumed.outcome == optimizer.outcome


def test_frozen_parameters_and_groups():
    X, y = table(30, 2)
    network = small()
    first, second, *rest = network.parameters()
    first.requires_grad_(False)
    held = first.clone()
    optimizer = LevenbergMarquardt([{"params": [first, second]}, {"params": rest}])
    before = fitting(network, X, y)().square().sum()
    optimizer.minimize(fitting(network, X, y), 10)
    assert torch.equal(first, held)
    assert fitting(network, X, y)().square().sum() < before / 2


def test_batch_norm_in_training_mode():
    X, y = table(40, 2)
    network = (Input(2) >> Tanh(4) >> BatchNorm() >> Linear(1)).double().train()
    network.reset_parameters(torch.Generator().manual_seed(0))
    closure = fitting(network, X, y)
    before = closure().square().sum()
    LevenbergMarquardt(network.parameters()).minimize(closure, 30)
    assert closure().square().sum() < before / 10


def test_the_best_of_many_starts_is_kept():
    x, network = sine.x, sine.start(3)
    closure = fitting(network, x, sine.y.flatten())
    single = copy.deepcopy(network)
    optimizer = made(network, restarts=8)
    losses = []
    for _ in range(30):
        optimizer.step(closure)
        losses.append(optimizer.outcome.loss)
        assert closure().square().sum().item() / 2 == pytest.approx(losses[-1], rel=1e-9)
    assert all(b <= a * (1 + 1e-12) for a, b in itertools.pairwise(losses))
    LevenbergMarquardt(single.parameters()).minimize(fitting(single, x, sine.y.flatten()), 5)
    starts = optimizer.state_dict()["state"][0]["starts"]
    assert starts.shape == (8, 16)
    each = []
    for w in starts:
        nn.utils.vector_to_parameters(w, single.parameters())
        each.append((single(x).flatten() - sine.y.flatten()).square().sum().item() / 2)
    assert min(each) == pytest.approx(losses[-1], rel=1e-9)


def test_a_start_among_many_goes_where_it_would_go_alone():
    network = sine.start(0)
    alone = copy.deepcopy(network)
    together = made(network, restarts=3, damping=10.0)
    single = LevenbergMarquardt(alone.parameters(), damping=10.0)
    together.step(lambda: sine.residuals(network))
    single.step(lambda: sine.residuals(alone))
    assert single.outcome.evaluations == 2  # no trial was taken back
    starts = together.state_dict()["state"][0]["starts"]
    torch.testing.assert_close(starts[0], vector(alone))


def test_many_starts_of_a_formula():
    x = torch.linspace(0, 2, 30, dtype=DOUBLE)
    y = 2 * torch.exp(-1.5 * x)
    b = nn.Parameter(torch.tensor([9.0, 9.0], dtype=DOUBLE))
    generator = torch.Generator().manual_seed(0)
    optimizer = LevenbergMarquardt(
        [b], restarts=20, draw=lambda: b.normal_(generator=generator)
    )
    outcome = optimizer.minimize(lambda: b[0] * torch.exp(-b[1] * x) - y, 200)
    assert outcome.converged
    torch.testing.assert_close(b.detach(), torch.tensor([2.0, 1.5], dtype=DOUBLE))


def test_what_cannot_run_for_many_starts_is_said():
    X, y = table(30, 2)
    network = small()

    def closure():
        r = network(X).flatten() - y
        return r if r.sum().item() > 0 else -r

    with pytest.raises(RuntimeError, match="restarts` need a closure that"):
        made(network, restarts=3).step(closure)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"damping": 0.0}, "damping"),
        ({"damping": math.nan}, "damping"),
        ({"tolerance": -1.0}, "tolerance"),
        ({"restarts": 0}, "restarts"),
        ({"restarts": 2.5, "draw": print}, "restarts"),
        ({"restarts": 4, "draw": "randn"}, "draw must be a function or None, got .randn"),
        ({"restarts": 4, "draw": print, "geodesic": True}, "combined"),
        ({"restarts": 4, "draw": print, "bayesian": True}, "combined"),
    ],
)
def test_options_out_of_range(options, words):
    with pytest.raises(ValueError, match=words):
        LevenbergMarquardt(small().parameters(), **options)


@pytest.mark.parametrize(
    "give",
    [
        lambda r: r.square().sum(),
        lambda r: r[:, None],
        lambda r: 3.0,
        lambda r: [r.sum()],
        lambda r: r.detach(),
        lambda r: r.long(),
    ],
)
def test_a_closure_without_residuals(give):
    X, y = table(30, 2)
    network = small()
    with pytest.raises(TypeError, match="LevenbergMarquardt"):
        LevenbergMarquardt(network.parameters()).step(lambda: give(fitting(network, X, y)()))


def test_residuals_that_change_their_number():
    X, y = table(30, 2)
    network = small()
    counts = iter([30, 20])

    def closure():
        count = next(counts)
        return network(X[:count]).flatten() - y[:count]

    with pytest.raises(ValueError, match="got 30, then 20"):
        LevenbergMarquardt(network.parameters()).step(closure)


def test_no_residuals():
    network = small()
    with pytest.raises(ValueError, match="no residuals"):
        LevenbergMarquardt(network.parameters()).step(list)


def test_is_found_by_name():
    assert by_name("levenberg_marquardt") is LevenbergMarquardt
    assert LevenbergMarquardt.needs == "residuals"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
@pytest.mark.parametrize("way", WAYS)
def test_on_an_accelerator(way):
    X, y = table(60, 2)
    networks = [small(), small().cuda()]
    for network, device in zip(networks, ["cpu", "cuda"], strict=True):
        options = dict(WAYS[way])
        if way == "restarts":
            draws = [small(seed) for seed in (1, 2)]

            def draw(network=network, draws=draws):
                network.load_state_dict(draws.pop(0).state_dict())

            options["draw"] = draw
        optimizer = LevenbergMarquardt(network.parameters(), **options)
        optimizer.minimize(fitting(network, X.to(device), y.to(device)), 5)
    torch.testing.assert_close(vector(networks[1]).cpu(), vector(networks[0]))


def test_starts_need_something_that_draws_them():
    b = torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
    with pytest.raises(ValueError, match="`restarts` need `draw`"):
        LevenbergMarquardt([b], restarts=4).step(lambda: b - 1)


@pytest.fixture
def little_memory(monkeypatch):
    monkeypatch.setattr("neuropil.core.free_memory.free_memory", lambda: 1000)


@pytest.mark.parametrize(
    ("rows", "options", "what"),
    [
        (300, {}, "JᵀJ of 17 weights, with its factor, needs 4.62 kB"),
        (15, {}, "the Jacobian of 15 residuals by 17 weights needs 2.04 kB"),
        (300, {"geodesic": True}, "the Jacobian of 300 residuals by 17 weights needs 40.8 kB"),
        (9, {"restarts": 10**9}, "`restarts=1000000000` with 9 residuals and 17 weights each"),
    ],
)
def test_what_does_not_fit_the_memory_is_refused_first(rows, options, what, little_memory):
    X, y = table(rows, 2)
    network = small()
    before = vector(network)
    with pytest.raises(MemoryError, match=what) as caught:
        made(network, **options).step(fitting(network, X, y))
    assert "1 kB are free. QuasiNewton(update='lbfgs') and Conj" in str(caught.value)
    assert "\n" not in str(caught.value)
    torch.testing.assert_close(vector(network), before, rtol=0, atol=0)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
def test_running_out_of_memory_says_what_is_needed(error):
    network = small()

    def closure():
        raise error

    said = "ran out of memory: JᵀJ of 17 weights takes 2,312 bytes, and J 136 for each residual"
    with pytest.raises(MemoryError, match=said):
        LevenbergMarquardt(network.parameters()).step(closure)


def test_other_errors_of_a_closure_pass():
    def closure():
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        LevenbergMarquardt(small().parameters()).step(closure)
