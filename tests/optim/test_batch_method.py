"""What all methods keep to that evaluate the loss themselves."""

import copy
import io
import math
import pickle

import pytest
import torch
from torch import nn

from neuropil.layers import BatchNorm, Dropout, Input, Linear, Tanh
from neuropil.optim import ConjugateGradient, QuasiNewton, by_name
from neuropil.optim.outcome import Outcome
from neuropil.optim.second_order.conjugate_gradient import FORMULAS
from neuropil.training import Trainer

VARIANTS = {
    **{name: (ConjugateGradient, {"formula": name}) for name in FORMULAS},
    **{name: (QuasiNewton, {"update": name}) for name in ("bfgs", "dfp", "psb", "sr1")},
    "lbfgs": (QuasiNewton, {"update": "lbfgs", "memory": 4}),
}
every_variant = pytest.mark.parametrize("variant", VARIANTS)
some_variants = pytest.mark.parametrize("variant", ["hestenes_stiefel", "bfgs", "sr1", "lbfgs"])
X = torch.linspace(-1, 1, 41, dtype=torch.float64)[:, None]
Y = torch.sin(math.pi * X)


def make(variant, params, **options):
    kind, own = VARIANTS[variant]
    return kind(params, **own, **options)


def network(seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    made = nn.Sequential(nn.Linear(1, 5), nn.Tanh(), nn.Linear(5, 1)).to(dtype)
    with torch.no_grad():
        for parameter in made.parameters():
            values = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.copy_(values * 0.5)
    return made


def squared_error(model):
    weight = next(model.parameters())
    x, y = X.to(weight), Y.to(weight)
    return lambda: (model(x) - y).square().sum()


def bits(model):
    return [p.detach().clone() for p in model.parameters()]


def assert_same(ours, theirs):
    for a, b in zip(bits(ours), bits(theirs), strict=True):
        assert torch.equal(a, b)


@every_variant
def test_it_resumes_bit_identically(variant):
    straight = network()
    optimizer = make(variant, straight.parameters())
    closure = squared_error(straight)
    for _ in range(7):
        optimizer.step(closure)
    file = io.BytesIO()
    torch.save([straight.state_dict(), optimizer.state_dict()], file)
    for _ in range(7):
        optimizer.step(closure)
    file.seek(0)
    weights, state = torch.load(file)  # text and plain objects are refused there
    resumed = network(seed=1)
    resumed.load_state_dict(weights)
    again = make(variant, resumed.parameters())
    again.load_state_dict(state)
    assert again.outcome.steps == 7
    for _ in range(7):
        again.step(squared_error(resumed))
    assert_same(straight, resumed)
    assert again.outcome == optimizer.outcome


@every_variant
def test_minimizing_is_stepping_without_asking_twice(variant):
    by_steps, at_once = network(), network()
    stepping = make(variant, by_steps.parameters())
    for _ in range(10):
        stepping.step(squared_error(by_steps))
    minimizing = make(variant, at_once.parameters())
    outcome = minimizing.minimize(squared_error(at_once), max_steps=10)
    assert_same(by_steps, at_once)
    assert (outcome.steps, outcome.loss) == (10, stepping.outcome.loss)
    assert outcome.evaluations == stepping.outcome.evaluations - 9


@some_variants
def test_it_copies_and_pickles_in_the_middle(variant):
    model = network()
    optimizer = make(variant, model.parameters())
    optimizer.minimize(squared_error(model), max_steps=4)
    for other, theirs in (
        copy.deepcopy((model, optimizer)),
        pickle.loads(pickle.dumps((model, optimizer))),
    ):
        straight = copy.deepcopy((model, optimizer))
        theirs.step(squared_error(other))
        straight[1].step(squared_error(straight[0]))
        assert_same(other, straight[0])


@every_variant
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_loss_never_grows_and_the_outcome_is_true(variant, dtype):
    model = network(dtype=dtype)
    closure = squared_error(model)
    optimizer = make(variant, model.parameters())
    losses = [closure().item()]
    for _ in range(20):
        assert optimizer.step(closure).item() == losses[-1]
        losses.append(closure().item())
        assert optimizer.outcome.loss == losses[-1]
    assert losses == sorted(losses, reverse=True)
    gradients = torch.autograd.grad(closure(), list(model.parameters()))
    largest = max(g.abs().max().item() for g in gradients)
    assert optimizer.outcome.gradient == largest
    assert losses[-1] < losses[0] / 5


@every_variant
def test_frozen_and_unused_parameters_and_groups(variant):
    model, spare = network(), nn.Parameter(torch.ones(3, dtype=torch.float64))
    model[0].bias.requires_grad_(False)
    frozen = model[0].bias.detach().clone()
    groups = [{"params": model[0].parameters()}, {"params": [*model[2].parameters(), spare]}]
    optimizer = make(variant, groups)
    closure = squared_error(model)
    before = closure().item()
    optimizer.minimize(closure, max_steps=10)
    assert closure().item() < before / 2
    assert torch.equal(model[0].bias, frozen)
    assert spare.tolist() == [1, 1, 1]
    assert all(p.grad is None for p in model.parameters())


@every_variant
def test_thawing_a_parameter_forgets_what_was_learnt_without_it(variant):
    model = network()
    model[0].weight.requires_grad_(False)
    optimizer = make(variant, model.parameters())
    closure = squared_error(model)
    optimizer.minimize(closure, max_steps=5)
    thawed = model[0].weight.requires_grad_(True).detach().clone()
    before = closure().item()
    optimizer.minimize(closure, max_steps=5)
    assert closure().item() < before
    assert not torch.equal(model[0].weight, thawed)


@some_variants
def test_another_precision_in_the_middle(variant):
    model = network()
    optimizer = make(variant, model.parameters())
    optimizer.minimize(squared_error(model), max_steps=5)
    model.float()
    before = squared_error(model)().item()
    optimizer.minimize(squared_error(model), max_steps=5)
    assert squared_error(model)().item() < before


@every_variant
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_start_that_is_not_finite_is_said_and_left(variant, value):
    w = nn.Parameter(torch.tensor([1.0, 2.0]))
    optimizer = make(variant, [w])
    outcome = optimizer.minimize(lambda: w.square().sum() * value)
    assert (outcome.reason, outcome.steps, outcome.evaluations) == ("not finite", 1, 1)
    assert not outcome.converged
    assert w.tolist() == [1.0, 2.0]


@every_variant
def test_a_loss_that_is_not_finite_beyond_a_wall(variant):
    """−log(1 − w₁² − w₂²) + w₁ has its minimum at w₁ = 1 − √2."""
    w = nn.Parameter(torch.tensor([0.999, 0.01], dtype=torch.float64))
    optimizer = make(variant, [w])
    outcome = optimizer.minimize(lambda: -torch.log(1 - w.square().sum()) + w[0])
    assert outcome.converged
    assert w.tolist() == pytest.approx([1 - math.sqrt(2), 0], abs=1e-6)


@every_variant
def test_a_gradient_that_is_not_finite_is_said(variant):
    w = nn.Parameter(torch.tensor([0.0, 1.0]))
    optimizer = make(variant, [w])
    outcome = optimizer.minimize(lambda: w.sqrt().sum())
    assert outcome.reason == "not finite"
    assert w.tolist() == [0.0, 1.0]


@every_variant
@pytest.mark.parametrize("scale", [1e-30, 1e-18, 1e18, 1e30])
def test_slopes_whose_squares_are_no_numbers_in_single_precision(variant, scale):
    w = nn.Parameter(torch.tensor([3.0, -4.0]))
    optimizer = make(variant, [w], tolerance=0.0)
    outcome = optimizer.minimize(lambda: (w - 1).square().sum() * scale, max_steps=30)
    assert w.isfinite().all()
    assert outcome.loss <= 29 * scale * (1 + 1e-6)


@every_variant
def test_steps_after_the_end_change_nothing(variant):
    w = nn.Parameter(torch.tensor([3.0, -4.0], dtype=torch.float64))
    optimizer = make(variant, [w])
    outcome = optimizer.minimize(lambda: (w - 1).square().sum())
    assert outcome.converged
    assert outcome.done
    arrived = w.detach().clone()
    for _ in range(3):
        optimizer.step(lambda: (w - 1).square().sum())
    assert torch.equal(w, arrived)
    assert str(optimizer.outcome).startswith("the gradient has vanished after")


@some_variants
def test_no_smaller_loss_to_be_found_is_said(variant):
    """The gradient lies: it points away from where the loss falls."""
    w = nn.Parameter(torch.tensor([1.0, 2.0], dtype=torch.float64))
    optimizer = make(variant, [w])
    outcome = optimizer.minimize(lambda: 2 * w.detach().square().sum() - w.square().sum())
    assert outcome.done
    assert outcome.reason != "gradient"
    assert outcome.steps == 1
    assert w.tolist() == [1.0, 2.0]


@some_variants
def test_what_the_closure_raises_leaves_the_weights(variant):
    model = network()
    optimizer = make(variant, model.parameters())
    start, asked = bits(model), []

    def closure():
        asked.append(1)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return squared_error(model)()

    with pytest.raises(KeyboardInterrupt):
        optimizer.step(closure)
    assert all(torch.equal(a, b) for a, b in zip(bits(model), start, strict=True))


@pytest.mark.parametrize(
    ("closure", "got"),
    [
        (lambda w: None, "got NoneType"),
        (lambda w: w.sum().item(), "got float"),
        (lambda w: w.square(), r"got \(2,\)"),
        (lambda w: w.detach().sum(), r"got \(\)"),
    ],
)
@some_variants
def test_a_closure_must_return_the_loss(variant, closure, got):
    w = nn.Parameter(torch.ones(2))
    with pytest.raises(TypeError, match=f"must return the loss, a scalar tensor.*{got}"):
        make(variant, [w]).step(lambda: closure(w))


@some_variants
def test_parameters_that_make_no_vector_are_refused(variant):
    single = nn.Parameter(torch.ones(2, dtype=torch.float32))
    double = nn.Parameter(torch.ones(2, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"one dtype and one device, got .*float32.*float64"):
        make(variant, [single, double]).step(lambda: single.sum() + double.sum())
    single.requires_grad_(False)
    with pytest.raises(ValueError, match="nothing to move: every parameter is frozen"):
        make(variant, [single]).step(single.sum)
    wave = nn.Parameter(torch.ones(2, dtype=torch.complex64))
    with pytest.raises(ValueError, match=r"moves real numbers, got torch.complex64"):
        make(variant, [wave]).step(lambda: wave.abs().sum())
    with pytest.raises(ValueError, match="got no parameters"):
        make(variant, [])
    with pytest.raises(
        ValueError, match=r"a group cannot have 'tolerance' of its own, got 0.5"
    ):
        make(variant, [{"params": [double], "tolerance": 0.5}])


def test_gradients_that_autograd_gives_sparse():
    table = nn.Embedding(6, 2, sparse=True).double()
    rows = torch.tensor([0, 2, 2, 5])
    optimizer = QuasiNewton(table.parameters())
    assert optimizer.minimize(lambda: (table(rows) - 1).square().sum()).converged
    torch.testing.assert_close(table.weight[rows], torch.ones(4, 2, dtype=torch.float64))


def test_an_outcome_says_why_it_stopped():
    outcome = Outcome("stuck", loss=0.25, gradient=0.5, steps=1, evaluations=20)
    assert str(outcome) == (
        "no step along the last directions lowers the loss after 1 step: loss 0.25, "
        "gradient 0.5, 20 evaluations"
    )
    assert (outcome.done, outcome.converged) == (True, False)


@some_variants
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_trainer_drives_them_with_batch_norm_and_dropout(variant, dtype):
    torch.manual_seed(0)
    model = Input(1) >> Linear(8) >> BatchNorm() >> Tanh() >> Dropout(0.1) >> Linear(1)
    model = model.to(dtype)
    x, y = X.to(dtype), Y.to(dtype)
    trainer = Trainer(
        model,
        loss="squared_error",
        optimizer=make(variant, model.parameters()),
        seed=0,
        threads=1,
        progress=False,
    )
    history = trainer.fit((x, y), epochs=25, batch_size=41)
    assert history[-1]["loss"] < history[0]["loss"] / 3
    assert all(value.isfinite().all() for value in model.state_dict().values())


def test_they_are_found_by_name():
    assert by_name("conjugate_gradient") is ConjugateGradient
    assert by_name("QuasiNewton") is QuasiNewton


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
@every_variant
def test_it_trains_and_resumes_on_an_accelerator(variant):
    model = network().cuda()
    optimizer = make(variant, model.parameters())
    optimizer.minimize(squared_error(model), max_steps=5)
    resumed = copy.deepcopy(model)
    again = make(variant, resumed.parameters())
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    before = squared_error(model)().item()
    for one, its in ((model, optimizer), (resumed, again)):
        its.minimize(squared_error(one), max_steps=5)
    assert squared_error(model)().item() < before
    assert_same(model, resumed)


METHODS = ["conjugate_gradient", "quasi_newton", "hessian", "hessian_diagonal", "irprop_plus"]


@pytest.mark.parametrize("name", [*METHODS, "levenberg_marquardt"])
@pytest.mark.parametrize("way", ["step", "minimize"])
def test_a_closure_written_for_torchs_lbfgs_is_refused_in_a_line(name, way):
    model = network()
    before = bits(model)
    method = by_name(name)(model.parameters())

    def closure():
        method.zero_grad()
        residuals = (model(X) - Y).flatten()
        loss = residuals.square().sum()
        loss.backward()
        return residuals if name == "levenberg_marquardt" else loss

    gives = "residuals" if name == "levenberg_marquardt" else "loss"
    message = f"^{type(method).__name__}: the closure called backward, .* return the {gives}.$"
    with pytest.raises(TypeError, match=message):
        getattr(method, way)(closure)
    assert all(torch.equal(a, b) for a, b in zip(bits(model), before, strict=True))


def test_other_errors_of_a_closure_are_left_as_they_are():
    model = network()
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        QuasiNewton(model.parameters()).step(lambda: model(X.T).sum())
