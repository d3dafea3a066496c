"""Optimisers that take all examples at once, through the trainer, estimators, command line."""

import json
import math

import numpy as np
import pytest
import torch
from tests.training.probes import Probe
from torch import nn

from neuropil import NetworkClassifier, NetworkRegressor
from neuropil.cli import main
from neuropil.layers import Tanh
from neuropil.optim import by_name, l2
from neuropil.training import Trainer
from neuropil.training.loop.closure_step import takes_all
from neuropil.training.losses.losses import LOSSES, resolve
from neuropil.training.losses.weighted_loss import Objective

# All that evaluate the loss themselves, and RPROP.
NAMES = [
    "conjugate_gradient",
    "quasi_newton",
    "levenberg_marquardt",
    "hessian",
    "hessian_diagonal",
    "rprop",
    "irprop_plus",
]
CLOSURES = [name for name in NAMES if name != "rprop"]


def data(dtype=torch.float32, rows=48):
    x = torch.randn(rows, 3, generator=torch.Generator().manual_seed(0)).to(dtype)
    return x, (x[:, :1] * x[:, 1:2] + x[:, 2:].sin())


def network(dtype=torch.float32, *, norm=False, dropout=0.0):
    torch.manual_seed(0)
    layers = [nn.Linear(3, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1)]
    if norm:
        layers.insert(1, nn.BatchNorm1d(8))
    return nn.Sequential(*layers).to(dtype)


def trainer_of(net, optimizer, **options):
    options = {"seed": 0, "threads": 1, "progress": False, "loss": "squared_error"} | options
    return Trainer(net, optimizer=optimizer, **options)


def flat(net):
    return torch.cat([p.detach().flatten() for p in net.state_dict().values()])


# The trainer


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_networks_learn_with_batch_norm_groups_and_frozen_weights(name, dtype):
    net = network(dtype, norm=True)
    frozen = net[0].bias.requires_grad_(requires_grad=False).clone()
    groups = [{"params": net[0].parameters()}, {"params": net[1:].parameters()}]
    history = trainer_of(net, by_name(name)(groups), metrics=["r2"]).fit(data(dtype), epochs=12)
    assert [record["steps"] for record in history] == list(range(1, len(history) + 1))
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]
    assert torch.equal(net[0].bias, frozen)
    # However often the loss was evaluated, the statistics moved once a step.
    assert int(net[1].num_batches_tracked) == len(history)


@pytest.mark.parametrize("name", CLOSURES)
def test_running_statistics_are_those_of_one_evaluation_where_the_step_began(name):
    net = network(norm=True)
    hidden = net[0](data()[0]).detach()
    trainer_of(net, by_name(name)(net.parameters())).fit(data(), epochs=1)
    torch.testing.assert_close(net[1].running_mean, 0.1 * hidden.mean(0))
    torch.testing.assert_close(net[1].running_var, 0.9 + 0.1 * hidden.var(0))


@pytest.mark.parametrize("name", CLOSURES)
def test_dropout_is_frozen_within_a_step_and_does_not_end_the_training(name):
    net = network(dropout=0.5)
    masks = []
    net[2].register_forward_hook(
        lambda layer, _, y: masks.append(y == 0) if layer.training else None
    )
    trainer = trainer_of(net, by_name(name)(net.parameters()))
    ends = []
    step = trainer.optimizer.step

    def counted(closure):
        step(closure)
        ends.append(len(masks))

    trainer.optimizer.step = counted
    history = trainer.fit(data(), epochs=4)
    assert len(history) == 4
    starts = [0, *ends[:-1]]
    # The first evaluation of each step draws a mask of its own, the others see it again.
    assert len({masks[start].numpy().tobytes() for start in starts}) == 4
    for start, end in zip(starts, ends, strict=True):
        assert all(torch.equal(mask, masks[start]) for mask in masks[start:end])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_training_is_resumed_bit_by_bit(name, dropout, tmp_path):
    ends = []
    for folder, epochs in ((None, (6,)), (tmp_path, (3, 6))):
        for end in epochs:
            net = network(torch.float64, norm=True, dropout=dropout)
            trainer = trainer_of(net, by_name(name), checkpoints=folder)
            trainer.fit(data(torch.float64), epochs=end, resume=folder is not None)
        ends.append(flat(net))
    assert torch.equal(*ends)


@pytest.mark.parametrize("name", ["quasi_newton", "levenberg_marquardt", "hessian"])
def test_it_ends_by_itself_and_says_why(name):
    x, _ = data(torch.float64)
    net = nn.Linear(3, 1).double()
    trainer = trainer_of(net, by_name(name))
    history = trainer.fit((x, x.sum(1, keepdim=True)), epochs=60)
    assert len(history) < 60
    assert trainer.stop_reason == str(trainer.optimizer.outcome)
    assert trainer.optimizer.outcome.converged


def test_it_goes_on_where_a_batch_is_not_all():
    x, _ = data(torch.float64)
    net = nn.Linear(3, 1).double()
    trainer = trainer_of(net, by_name("hessian"))
    history = trainer.fit((x, x.sum(1, keepdim=True)), epochs=5, batch_size=24)
    assert len(history) == 5
    assert trainer.stop_reason == ""


def test_the_batch_is_what_the_algorithm_wants():
    assert all(takes_all(by_name(name)) for name in NAMES)
    for name, steps in (("adam", 2), ("rprop", 1), ("quasi_newton", 1)):
        net = network()
        assert trainer_of(net, by_name(name)).fit(data(), epochs=1)[0]["steps"] == steps


# Residuals


def targets_for(name):
    generator = torch.Generator().manual_seed(1)
    if name in ("cross_entropy", "hinge"):
        return torch.tensor([0, 2, 1, 2])
    if name == "kl_divergence":
        return torch.rand(4, 3, generator=generator, dtype=torch.float64).softmax(1)
    if name == "binary_cross_entropy":
        return torch.tensor([[0.0, 1, 1]] * 4, dtype=torch.float64)
    return torch.randn(4, 3, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("name", LOSSES)
def test_half_the_squared_residuals_are_the_losses(name):
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(4, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = targets_for(name)
    objective = Objective(name)
    residuals = objective.residuals(scores, targets)
    ours = 0.5 * residuals.square().sum() / objective.share(scores)
    theirs = objective.loss(scores, targets).sum()
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-12)
    (gradient,) = torch.autograd.grad(ours, scores)
    (expected,) = torch.autograd.grad(theirs, scores)
    torch.testing.assert_close(gradient, expected, rtol=1e-9, atol=1e-12)


def test_class_weights_are_factors_of_the_squares():
    scores = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weights = torch.tensor([1.0, 4.0, 0.5], dtype=torch.float64)
    objective = Objective("cross_entropy", weights)
    squares = objective.residuals(scores, targets_for("cross_entropy")).square() / 2
    mean = objective.mean(scores, targets_for("cross_entropy"))
    assert squares.mean().item() == pytest.approx(mean.item())


@pytest.mark.parametrize("name", ["huber", "absolute_error", "cross_entropy", "hinge"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_derivatives_are_finite_where_the_loss_is_0(name, dtype):
    if name in ("cross_entropy", "hinge"):
        scores, targets = torch.tensor([[90.0, -90.0, -90.0]]), torch.tensor([0])
    else:
        scores = targets = torch.tensor([[1.0, 2.0]])
    scores = scores.to(dtype).requires_grad_()
    residuals = Objective(name).residuals(scores, targets.to(dtype).to(targets.dtype))
    (gradient,) = torch.autograd.grad(residuals.sum(), scores)
    assert bool(torch.isfinite(gradient).all())
    assert float(gradient.abs().max()) <= 1
    assert float(residuals.detach().abs().max()) < 1e-3


def test_a_loss_that_can_be_negative_is_refused():
    def likelihood(scores, targets):
        return ((scores - targets) ** 2).flatten() - 1.0

    trainer = trainer_of(network(), by_name("levenberg_marquardt"), loss=likelihood)
    with pytest.raises(ValueError, match="must not be negative; likelihood returned -"):
        trainer.fit(data(), epochs=1)
    named_alike = resolve(lambda scores, targets: (scores - targets).abs().flatten())
    named_alike.name = "squared_error"
    scores = torch.tensor([[2.0]])
    residual = Objective(named_alike).residuals(scores, torch.tensor([[0.0]]))
    assert residual.item() == pytest.approx(2.0)


class Collector(Probe):
    """Looks at residuals and moves nothing."""

    needs = "residuals"

    def step(self, closure):
        for _ in range(2):
            value = closure()
            parts = [value] if isinstance(value, torch.Tensor) else list(value)
            self.seen.append([part.detach() for part in parts])


def test_many_examples_come_in_portions_and_a_penalty_at_the_end():
    x, y = data(rows=10_000)
    net = network(dropout=0.5)
    optimizer = Collector(net.parameters())
    history = trainer_of(net, optimizer, regularizer=l2(0.01), metrics=["r2"]).fit(
        (x, y), epochs=1
    )
    first, second = optimizer.seen
    assert [len(part) for part in first] == [3334, 3334, 3332, 24 + 8]
    assert all(torch.equal(*pair) for pair in zip(first, second, strict=True))
    # ½‖r‖² is half of N times what the trainer reports, with the penalty.
    penalty = 0.01 * sum(p.square().sum().item() for p in net.parameters() if p.dim() > 1)
    whole = sum(float(part.double().square().sum()) for part in first) / 2
    assert whole == pytest.approx(0.5 * 10_000 * (history[0]["loss"] + penalty), rel=1e-5)
    assert history[0]["r2"] < 1


def test_batch_statistics_keep_a_batch_together():
    net = network(norm=True)
    optimizer = Collector(net.parameters())
    trainer_of(net, optimizer).fit(data(rows=10_000), epochs=1)
    assert [len(part) for part in optimizer.seen[0]] == [10_000]


def test_levenberg_marquardt_minimises_what_the_trainer_reports():
    x, y = data(torch.float64)
    net = nn.Linear(3, 1).double()
    trainer_of(net, by_name("levenberg_marquardt"), regularizer=l2(0.1)).fit((x, y), epochs=30)
    # Ridge regression, the bias apart: (X'X/N + 0.1) w = X'(y − b)/N.
    centred, goal = x - x.mean(0), y - y.mean()
    left = centred.T @ centred / len(x) + 0.1 * torch.eye(3)
    exact = torch.linalg.solve(left.double(), centred.T @ goal / len(x)).T
    torch.testing.assert_close(net.weight.detach(), exact, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("loss", ["huber", "absolute_error"])
def test_levenberg_marquardt_learns_by_any_loss(loss):
    net = network(torch.float64)
    trainer = trainer_of(net, by_name("levenberg_marquardt"), loss=loss)
    history = trainer.fit(data(torch.float64), epochs=20)
    assert history[-1]["loss"] < 0.2 * history[0]["loss"]


# Estimators and the command line


@pytest.mark.parametrize("name", NAMES)
def test_regressors_fit_by_default(name):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    y = 1000 + 300 * np.sin(x[:, 0]) + 100 * x[:, 1] ** 2
    model = NetworkRegressor("Tanh(6)", optimizer=name, random_state=0, epochs=80).fit(x, y)
    assert model.score(x, y) > (0.8 if name == "hessian_diagonal" else 0.95)
    assert model.predict(x).dtype == np.float64
    steps = model.history_[-1]["steps"]
    assert steps == len(model.history_) <= 80


@pytest.mark.parametrize("name", NAMES)
def test_classifiers_fit_by_default(name):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2)).astype(np.float32)
    y = np.where(x[:, 0] * x[:, 1] > 0, "same", "other")
    model = NetworkClassifier("Tanh(6)", optimizer=name, random_state=0, epochs=80).fit(x, y)
    assert model.score(x, y) > 0.85
    assert model.predict_proba(x).dtype == np.float32


def test_rates_and_epochs_are_the_algorithms_own():
    assert NetworkRegressor().lr is None
    x = np.linspace(-1, 1, 20).reshape(-1, 1)
    model = NetworkRegressor("Linear(1)", epochs=None).fit(x, x[:, 0])
    assert len(model.history_) == 50
    assert model.history_[0]["lr"] == 1e-3
    with pytest.raises(ValueError, match=r"levenberg_marquardt .* has no lr, got 0\.1"):
        NetworkRegressor(optimizer="levenberg_marquardt", lr=0.1).fit(x, x[:, 0])


@pytest.mark.parametrize("name", NAMES)
def test_the_command_line_trains_with_each(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("neuropil.report.write_report", lambda path, *_, **__: path.touch())
    rows = [f"{x},{x % 7},{1000 + 50 * x + (x % 7) ** 2}.5" for x in range(80)]
    (tmp_path / "numbers.csv").write_text("\n".join(["a,b,price", *rows, ""]))
    arguments = ["train", "--data", "numbers.csv", "--optimizer", name, "--out", "run"]
    assert main([*arguments, "--epochs", "25", "--threads", "1"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "at most 25 epochs of all" in said
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    settings = facts["settings"]
    assert settings["batch_size"] == facts["data"]["train"]
    assert settings["schedule"] is None
    assert settings["keep_best"]
    assert "Dropout" not in (tmp_path / "run" / "network.json").read_text()
    assert facts["figures"]["train"]["r2"] > 0.9
    assert math.isfinite(facts["figures"]["test"]["r2"])


def test_a_rate_for_an_algorithm_without_one_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--optimizer", "quasi_newton", "--lr", "0.1"]) == 2
    assert "quasi_newton determines its own step size and has no lr" in capsys.readouterr().err


def test_a_schedule_for_an_algorithm_without_a_rate_is_refused():
    trainer = trainer_of(network(), by_name("quasi_newton"), schedule="cosine")
    with pytest.raises(ValueError, match="QuasiNewton determines its own step size"):
        trainer.fit(data(), epochs=2)


def test_many_weights_get_limited_memory():
    few, many = (by_name("quasi_newton")([nn.Parameter(torch.zeros(n))]) for n in (2000, 2001))
    assert few.options["update"] == few.defaults["update"] == "bfgs"
    assert many.options["update"] == "lbfgs"


def test_options_stand_behind_the_name():
    x = np.linspace(-1, 1, 41).reshape(-1, 1)
    y = np.sin(np.pi * x).ravel()
    errors = {}
    for optimizer in ("levenberg_marquardt", "LevenbergMarquardt(restarts=16)"):
        model = NetworkRegressor(Tanh(3), optimizer=optimizer, epochs=30, random_state=1)
        errors[optimizer] = ((model.fit(x, y).predict(x) - y) ** 2).sum()
    one, many = errors.values()
    assert many <= one * (1 + 1e-9)
    with pytest.raises(ValueError, match="has no option 'restart'"):
        NetworkRegressor(optimizer="LevenbergMarquardt(restart=3)").fit(x, y)
    with pytest.raises(ValueError, match="must be a name or a call with plain values"):
        NetworkRegressor(optimizer="adam(lr=open('x'))").fit(x, y)
