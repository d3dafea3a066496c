"""Training, validation and evaluation report what others measure of what `predict` gives."""

import pickle
from functools import partial

import numpy as np
import pytest
import sklearn.metrics as peers
import torch
import torch.nn.functional as F
from scipy.special import expit, log_softmax, logit
from torch import Tensor, nn

from neuropil import Trainer, parallel, training
from neuropil.layers import (
    Convolution,
    Dropout,
    HardSigmoid,
    Input,
    Linear,
    Module,
    Relu,
    Reshape,
    Sigmoid,
    Softmax,
    Tanh,
    Transpose,
)
from neuropil.optim import LevenbergMarquardt, QuasiNewton
from neuropil.training import auxiliary
from neuropil.training.losses import losses
from neuropil.training.losses.score_views import Views
from neuropil.training.metrics.metrics import resolve

N = 30


def network_of(last, *, seed=0):
    torch.manual_seed(seed)
    return (Input(4) >> Tanh(6) >> last).double()


def data_of(network, *, kind):
    """Return examples with targets that suit a loss or metric of this kind."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(N, 4, generator=generator, dtype=torch.float64)
    (width,) = network.output_shape
    if kind == "class":
        return x, torch.randint(width, (N,), generator=generator)
    if kind == "binary":
        return x, (torch.rand(N, width, generator=generator) > 0.4).double()
    return x, torch.rand(N, width, generator=generator, dtype=torch.float64) * 2 + 0.5


# The same by NumPy, SciPy and scikit-learn, from what `predict` gives


def scores_of(network, p):
    """Return scores from predictions; those of a Softmax up to a constant, which cancels."""
    last = network.nodes[-1].layer
    if isinstance(last, Sigmoid):
        return logit(p)
    return np.log(p) if isinstance(last, Softmax) else p


def cross_entropy(_network, s, _p, t):
    return -log_softmax(s, axis=1)[np.arange(N), t].mean()


def binary_cross_entropy(_network, s, _p, t):
    return (np.logaddexp(0, s) - t * s).mean()


def hinge(_network, s, _p, t):
    return peers.hinge_loss(t, s, labels=range(s.shape[1]))


def binary_hinge(_network, s, _p, t):
    return np.mean([peers.hinge_loss(t[:, k], s[:, k]) for k in range(s.shape[1])])


def squared(_network, _s, p, t):
    return peers.mean_squared_error(t, p)


def absolute(_network, _s, p, t):
    return peers.mean_absolute_error(t, p)


def huber(_network, _s, p, t):
    d = np.abs(p - t)
    return np.where(d <= 1, d**2 / 2, d - 0.5).mean()


def cubes(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).abs().pow(3).mean(1)


def cubes_by_hand(_network, _s, p, t):
    return (np.abs(p - t) ** 3).mean()


def right(_network, s, p, t):
    del s
    return peers.accuracy_score(t, p.argmax(1))


def right_labels(_network, s, _p, t):
    return ((s > 0) == (t > 0.5)).mean()


LAST = {
    "class": (Softmax(3), Sigmoid(3), Linear(3)),
    "binary": (Sigmoid(1), Sigmoid(3), Linear(1), Linear(2)),
    "value": (Sigmoid(1), Sigmoid(2), Softmax(3), Linear(1), Linear(2), Tanh(2), Softmax(1)),
}
LOSSES = [
    ("cross_entropy", "class", cross_entropy),
    (nn.CrossEntropyLoss(), "class", cross_entropy),
    (partial(F.cross_entropy, reduction="none"), "class", cross_entropy),
    ("hinge", "class", hinge),
    ("binary_cross_entropy", "binary", binary_cross_entropy),
    ("binary_hinge", "binary", binary_hinge),
    (nn.BCEWithLogitsLoss(), "binary", binary_cross_entropy),
    ("squared_error", "value", squared),
    (nn.MSELoss(), "value", squared),
    ("absolute_error", "value", absolute),
    (nn.L1Loss(reduction="none"), "value", absolute),
    ("huber", "value", huber),
    (nn.SmoothL1Loss(), "value", huber),
    (cubes, "value", cubes_by_hand),
]
METRICS = {
    "class": [("accuracy", right)],
    "binary": [("accuracy", right_labels), ("r2", None), ("mae", None), (cubes, None)],
    "value": [("r2", None), ("mse", None), ("rmse", None), ("mae", None), (cubes, None)],
}
OF_VALUES = {
    "r2": peers.r2_score,
    "mean_squared_error": peers.mean_squared_error,
    "root_mean_squared_error": lambda t, p: np.sqrt(peers.mean_squared_error(t, p)),
    "mean_absolute_error": peers.mean_absolute_error,
    "cubes": lambda t, p: (np.abs(p - t) ** 3).mean(),
}


def expected_of(network, x, t, reference, metrics):
    """Return the figures by others."""
    p, t = network.predict(x.numpy()), t.numpy()
    s = scores_of(network, p)
    figures = {"loss": reference(network, s, p, t)}
    for name, own in metrics:
        name = resolve(name).name
        value = OF_VALUES[name](t, p) if own is None else own(network, s, p, t)
        figures[name] = value
    return figures


def name_of(loss):
    return getattr(loss, "__name__", str(loss))[:40]


CASES = [
    pytest.param(loss, kind, reference, last, id=f"{name_of(loss)}-{last!r}")
    for loss, kind, reference in LOSSES
    for last in LAST[kind]
]


@pytest.mark.parametrize(("loss", "kind", "reference", "last"), CASES)
def test_reported_figures_are_those_of_predict(loss, kind, reference, last):
    network = network_of(last.fresh())
    x, t = data_of(network, kind=kind)
    names = [name for name, _ in METRICS[kind]]
    still = torch.optim.SGD(network.parameters(), lr=0.0)
    trainer = Trainer(
        network,
        loss=loss,
        metrics=names,
        optimizer=still,
        threads=None,
        progress=False,
        ema=0.5,
    )
    history = trainer.fit((x, t), validation=(x, t), epochs=1, batch_size=7)
    expected = expected_of(network, x, t, reference, METRICS[kind])
    assert trainer.evaluate((x, t)) == pytest.approx(expected, rel=1e-9)
    record = history[-1]
    for name, value in expected.items():
        assert record[name] == pytest.approx(value, rel=1e-9), name
        assert record[f"validation_{name}"] == pytest.approx(value, rel=1e-9), name


LBFGS = partial(torch.optim.LBFGS, line_search_fn="strong_wolfe")


@pytest.mark.parametrize("optimizer", [QuasiNewton, LevenbergMarquardt, LBFGS])
@pytest.mark.parametrize("last", [Sigmoid(1), Softmax(2), Linear(2)], ids=repr)
def test_searches_and_residuals_see_the_same(optimizer, last):
    network = network_of(last.fresh())
    x, t = data_of(network, kind="value")
    before = expected_of(network, x, t, squared, [("r2", None)])
    trainer = Trainer(
        network,
        loss="squared_error",
        metrics=["r2"],
        optimizer=optimizer,
        normalize=False,
        progress=False,
    )
    record = trainer.fit((x, t), epochs=1)[-1]
    assert record["loss"] == pytest.approx(before["loss"], rel=1e-9)
    assert record["r2"] == pytest.approx(before["r2"], rel=1e-9)
    after = expected_of(network, x, t, squared, [("r2", None)])
    assert trainer.evaluate((x, t))["loss"] == pytest.approx(after["loss"], rel=1e-9)
    assert after["loss"] < before["loss"]


def test_a_sigmoid_is_fitted_to_values_it_can_reach():
    network = network_of(Sigmoid(1))
    x = torch.linspace(-1, 1, 64, dtype=torch.float64).reshape(16, 4)
    t = 0.2 + 0.6 * torch.sigmoid(3 * x[:, :1])
    trainer = Trainer(network, loss="squared_error", metrics=["r2"], seed=0, progress=False)
    trainer.fit((x, t), epochs=60, batch_size=4)
    own = peers.r2_score(t.numpy(), network.predict(x.numpy()))
    assert trainer.evaluate((x, t))["r2"] == pytest.approx(own)
    assert own > 0.5


# Where classes stand on another axis


@pytest.mark.parametrize(
    "last",
    [
        Softmax(3),
        Convolution(3, 1) >> Softmax(axis=0),
        Convolution(3, 1) >> Transpose(1, 0) >> Softmax(),
    ],
    ids=repr,
)
def test_values_keep_the_axes_of_predict(last):
    torch.manual_seed(0)
    network = (Input(3, 3) >> last).double()
    x = torch.randn(8, 3, 3, dtype=torch.float64)
    t = torch.rand(8, 3, 3, dtype=torch.float64)
    trainer = Trainer(network, loss="squared_error", metrics=["mae", cubes_of_all])
    figures = trainer.evaluate((x, t))
    p = network.predict(x.numpy())
    assert figures["loss"] == pytest.approx(((p - t.numpy()) ** 2).mean())
    assert figures["mean_absolute_error"] == pytest.approx(np.abs(p - t.numpy()).mean())
    assert figures["cubes_of_all"] == pytest.approx((np.abs(p - t.numpy()) ** 3).mean())


def cubes_of_all(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).abs().pow(3).flatten(1).mean(1)


def test_a_softmax_over_positions_is_seen_whole():
    torch.manual_seed(0)
    network = (Input(5, 3) >> Softmax(3)).double()
    x = torch.randn(8, 5, 3, dtype=torch.float64)
    y = torch.randint(3, (8, 5))
    trainer = Trainer(network, loss="cross_entropy", metrics=["accuracy", nn.NLLLoss()])
    figures = trainer.evaluate((x, y))
    p = network.predict(x.numpy())
    log = np.log(np.take_along_axis(p, y.numpy()[..., None], 2)).mean()
    assert figures["loss"] == pytest.approx(-log)
    assert figures["NLLLoss"] == pytest.approx(-log)
    assert figures["accuracy"] == pytest.approx((p.argmax(2) == y.numpy()).mean())


# Several outputs


@pytest.mark.parametrize("last", [Sigmoid(2), Softmax(2), Linear(2)], ids=repr)
def test_auxiliary_heads_see_values_too(last):
    torch.manual_seed(0)
    trunk = Input(4) >> Tanh(6)
    network = parallel(trunk >> last.fresh(), trunk >> last.fresh()).double()
    x, t = torch.randn(N, 4).double(), torch.rand(N, 2).double()
    first, second = network.predict(x)
    still = torch.optim.SGD(network.parameters(), lr=0.0)
    loss = auxiliary("squared_error", weight=0.5)
    trainer = Trainer(network, loss=loss, metrics=["r2"], optimizer=still, progress=False)
    record = trainer.fit((x, t), epochs=1, batch_size=8, validation=(x, t))[-1]
    first, second = network.predict(x)
    expected = F.mse_loss(first, t) + 0.5 * F.mse_loss(second, t)
    assert record["loss"] == pytest.approx(expected.item())
    assert record["validation_loss"] == pytest.approx(F.mse_loss(first, t).item())
    assert record["validation_r2"] == pytest.approx(peers.r2_score(t, first))
    assert record["r2"] == pytest.approx(peers.r2_score(t, first))


def test_a_function_of_all_outputs_sees_what_predict_gives():
    network = (Input(4) >> parallel(Softmax(2), Sigmoid(1))).double()
    x, t = torch.randn(N, 4).double(), torch.rand(N, 3).double()

    def both(outputs: tuple[Tensor, Tensor], targets: Tensor) -> Tensor:
        return (torch.cat(outputs, 1) - targets).square().mean(1)

    figures = Trainer(network, loss=both, metrics=[both]).evaluate((x, t))
    own = np.concatenate(network.predict(x.numpy()), 1)
    expected = ((own - t.numpy()) ** 2).mean()
    assert figures == pytest.approx({"loss": expected, "both": expected})


# What users say


def test_a_function_may_ask_for_scores():
    def margin(outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).abs().mean(1)

    network = network_of(Sigmoid(1))
    x, t = data_of(network, kind="value")
    p = network.predict(x.numpy())
    seen = Trainer(network, loss=margin, metrics=[margin]).evaluate((x, t))
    assert seen == pytest.approx(dict.fromkeys(seen, np.abs(p - t.numpy()).mean()))
    margin.takes = "scores"
    seen = Trainer(network, loss=margin, metrics=[margin]).evaluate((x, t))
    assert seen == pytest.approx(dict.fromkeys(seen, np.abs(logit(p) - t.numpy()).mean()))
    margin.takes = "logits"
    with pytest.raises(ValueError, match=r"one of scores, values, .* got 'logits'"):
        Trainer(network, loss=margin)


@pytest.mark.parametrize(
    ("loss", "takes", "predicts"),
    [
        (nn.MultiMarginLoss(), "scores", "class"),
        (nn.MultiLabelSoftMarginLoss(), "scores", "binary"),
        (nn.SoftMarginLoss(), "scores", "binary"),
        (nn.CrossEntropyLoss(weight=torch.ones(3), reduction="none"), "scores", "class"),
        (nn.BCEWithLogitsLoss(pos_weight=torch.ones(1)), "scores", "binary"),
        (F.binary_cross_entropy_with_logits, "scores", "binary"),
        (nn.BCELoss(), "values", "binary"),
        (nn.NLLLoss(), "log_probabilities", "class"),
        (nn.KLDivLoss(reduction="batchmean"), "log_probabilities", "class"),
        (nn.PoissonNLLLoss(), "values", "value"),
        (F.mse_loss, "values", "value"),
    ],
    ids=name_of,
)
def test_torch_losses_are_known(loss, takes, predicts):
    made = losses.resolve(loss)
    assert (made.takes, made.predicts) == (takes, predicts)
    assert resolve(loss).takes == takes


@pytest.mark.parametrize(
    "loss",
    [
        nn.CrossEntropyLoss(label_smoothing=0.1),
        nn.MultiMarginLoss(),
        nn.NLLLoss(),
        nn.KLDivLoss(reduction="batchmean"),
    ],
    ids=str,
)
def test_torch_losses_of_classes_have_torchs_value(loss):
    network = network_of(Softmax(3))
    x, y = data_of(network, kind="class")
    if isinstance(loss, nn.KLDivLoss):
        y = torch.softmax(torch.randn(N, 3, dtype=torch.float64), 1)
    figure = Trainer(network, loss=loss).evaluate((x, y), batch_size=8)["loss"]
    scores = network.scores().predict(x)
    logarithms = losses.resolve(loss).takes == "log_probabilities"
    given = scores.log_softmax(1) if logarithms else scores
    assert figure == pytest.approx(loss(given, y).item())


def test_a_last_layer_of_the_users_own_gives_values_and_scores_alike():
    network = network_of(Linear(1) >> Module(nn.Sigmoid()))
    x, t = data_of(network, kind="value")
    p = network.predict(x.numpy())
    t = t.clamp(0, 1)
    figures = Trainer(network, loss=nn.BCELoss(), metrics=["r2"]).evaluate((x, t))
    entropy = -(t.numpy() * np.log(p) + (1 - t.numpy()) * np.log(1 - p)).mean()
    assert figures == pytest.approx({"loss": entropy, "r2": peers.r2_score(t, p)})


@pytest.mark.parametrize(
    ("network", "loss", "metrics"),
    [
        (nn.Sequential(nn.Linear(4, 3), nn.Softmax(1)), "cross_entropy", []),
        (
            nn.Sequential(nn.Linear(4, 1), nn.Sequential(nn.Sigmoid())),
            nn.BCELoss(),
            ["accuracy"],
        ),
        (Input(4) >> HardSigmoid(1), "binary_cross_entropy", []),
        (Input(4) >> Sigmoid(1) >> Reshape(1), "binary_cross_entropy", []),
        (Input(4) >> Softmax(3) >> Dropout(0.1), "cross_entropy", []),
        (nn.Sequential(Input(4) >> Softmax(3), nn.Flatten()), "cross_entropy", []),
        (Input(4) >> Linear(1) >> Module(nn.Sigmoid()), "squared_error", ["accuracy"]),
    ],
    ids=str,
)
def test_probabilities_for_scores_are_pointed_out(network, loss, metrics):
    x = torch.randn(8, 4)
    y = torch.zeros(8).long() if loss == "cross_entropy" else torch.zeros(8, 1)
    with pytest.warns(
        UserWarning, match="takes scores, and the network ends in .*igmoid|Softm"
    ):
        Trainer(network, loss=loss, metrics=metrics).evaluate((x, y))


def test_a_broadcast_is_refused():
    network = network_of(Linear(2))
    x = torch.randn(N, 4, dtype=torch.float64)
    with pytest.raises(
        ValueError, match="SmoothL1Loss needs targets of the shape of the scores"
    ):
        Trainer(network, loss=nn.SmoothL1Loss()).evaluate((x, torch.rand(N).double()))


def test_what_is_taken_survives_options_and_pickling():
    smooth = losses.resolve(partial(training.cross_entropy, label_smoothing=0.1))
    assert smooth.takes == "scores"
    assert pickle.loads(pickle.dumps(losses.resolve(nn.NLLLoss()))).takes == "log_probabilities"
    assert pickle.loads(pickle.dumps(resolve(training.squared_error))).takes == "values"
    assert resolve(partial(training.huber, delta=2.0)).takes == "values"
    assert auxiliary("squared_error").takes == "values"
    assert auxiliary().takes == "scores"


def test_a_shared_last_layer_is_applied_once():
    last = Sigmoid(4)
    network = Input(4) >> last >> parallel(Relu(4))
    assert Views(network).of("values") is None
    network = (Input(4) >> Sigmoid(4)).double()
    scores = torch.randn(3, 4, dtype=torch.float64)
    assert np.allclose(Views(network).see("values", scores), expit(scores.numpy()))
