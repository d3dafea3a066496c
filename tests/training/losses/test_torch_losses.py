"""Torch's losses and losses of the user's own, beside loops written by hand in PyTorch."""

import copy
import pickle
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from neuropil import Trainer
from neuropil.layers import Input, Linear, Module, Sigmoid, Softmax
from neuropil.training import auxiliary
from neuropil.training.losses.losses import resolve

N, K = 30, 3
DRAW = torch.Generator().manual_seed(4)
X = torch.randn(N, 4, generator=DRAW)
CLASSES = torch.randint(K, (N,), generator=DRAW)
SOME = CLASSES.where(torch.rand(N, generator=DRAW) < 0.7, -100)
LABELS = torch.randint(2, (N, K), generator=DRAW)
NUMBERS = torch.randn(N, K, generator=DRAW)
FRACTIONS = torch.rand(N, K, generator=DRAW)
DISTRIBUTIONS = torch.rand(N, K, generator=DRAW).softmax(1)
WEIGHT = torch.tensor([0.2, 1.0, 3.0])

# Losses of scores, with targets as a loop written by hand gives them.
OF_SCORES = [
    (nn.CrossEntropyLoss(), CLASSES),
    (nn.CrossEntropyLoss(), SOME),
    (nn.CrossEntropyLoss(), DISTRIBUTIONS),
    (nn.CrossEntropyLoss(weight=WEIGHT), CLASSES),
    (nn.CrossEntropyLoss(weight=WEIGHT), DISTRIBUTIONS),
    (nn.CrossEntropyLoss(weight=WEIGHT, label_smoothing=0.2), SOME),
    (nn.CrossEntropyLoss(weight=WEIGHT, ignore_index=1), CLASSES),
    (nn.CrossEntropyLoss(weight=WEIGHT, reduction="sum"), SOME),
    (nn.CrossEntropyLoss(weight=WEIGHT, reduction="none"), CLASSES),
    (F.cross_entropy, SOME),
    (partial(F.cross_entropy, weight=WEIGHT, label_smoothing=0.1), CLASSES),
    (nn.MultiMarginLoss(), CLASSES),
    (nn.MultiMarginLoss(p=2, margin=0.5, weight=WEIGHT), CLASSES),
    (F.multi_margin_loss, CLASSES),
    (nn.BCEWithLogitsLoss(), LABELS.float()),
    (nn.BCEWithLogitsLoss(weight=WEIGHT, pos_weight=WEIGHT), LABELS.float()),
    (nn.BCEWithLogitsLoss(reduction="sum"), LABELS.float()),
    (partial(F.binary_cross_entropy_with_logits, pos_weight=WEIGHT), LABELS.float()),
    (nn.SoftMarginLoss(), 2.0 * LABELS - 1),
    (nn.MultiLabelSoftMarginLoss(weight=WEIGHT), LABELS.float()),
    (nn.MultiLabelMarginLoss(), torch.where(LABELS > 0, CLASSES[:, None], -1)),
    (nn.HingeEmbeddingLoss(margin=0.7), 2.0 * LABELS - 1),
]
OF_LOGARITHMS = [
    (nn.NLLLoss(), CLASSES),
    (nn.NLLLoss(weight=WEIGHT, ignore_index=0), CLASSES),
    (nn.NLLLoss(reduction="sum"), CLASSES),
    (F.nll_loss, CLASSES),
    (nn.KLDivLoss(), DISTRIBUTIONS),
    (nn.KLDivLoss(reduction="batchmean"), DISTRIBUTIONS),
    (nn.KLDivLoss(reduction="sum", log_target=True), DISTRIBUTIONS.log()),
]
OF_VALUES = [
    (nn.MSELoss(), NUMBERS),
    (nn.MSELoss(reduction="sum"), NUMBERS),
    (nn.L1Loss(), NUMBERS),
    (nn.SmoothL1Loss(beta=0.3), NUMBERS),
    (nn.HuberLoss(delta=0.3), NUMBERS),
    (F.mse_loss, NUMBERS),
    (partial(F.smooth_l1_loss, beta=0.3), NUMBERS),
    (nn.PoissonNLLLoss(), NUMBERS.abs()),
    (nn.PoissonNLLLoss(log_input=False, full=True), 5 * FRACTIONS),
    (nn.BCELoss(weight=WEIGHT), FRACTIONS),
    (lambda outputs, targets: (outputs - targets).abs().pow(3).mean(), NUMBERS),
    (lambda outputs, targets: (outputs - targets).abs().pow(3).mean(1), NUMBERS),
    (lambda outputs, targets: 1 - F.cosine_similarity(outputs, targets).mean(), NUMBERS),
]


class Log(Module):
    """The logarithm of a softmax, as a layer."""

    def __init__(self):
        super().__init__(nn.LogSoftmax(1))


def named(thing):
    """Return the name of a case."""
    if isinstance(thing, torch.Tensor):
        return "x".join(map(str, thing.shape))
    return getattr(getattr(thing, "func", thing), "__name__", type(thing).__name__)


def value(loss, outputs, targets):
    return loss(outputs, targets).mean()


def trained_by_hand(network, outputs_of, loss, targets, rows):
    """Train for three epochs in batches, and return the loss of all examples before that."""
    with torch.no_grad():
        before = value(loss, outputs_of(X), targets).item()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.02)
    for _ in range(3):
        for x, y in zip(X.split(rows), targets.split(rows), strict=True):
            optimizer.zero_grad()
            value(loss, outputs_of(x), y).backward()
            optimizer.step()
    return before


def trainer_of(network, loss, lr=0.02):
    optimizer = torch.optim.SGD(network.parameters(), lr=lr)
    return Trainer(
        network, loss=loss, optimizer=optimizer, normalize=False, threads=None, progress=False
    )


def check_against_a_loop(network, outputs_of, loss, targets):
    """Compare weights, training and validation figures with those of a loop written by hand."""
    adds = getattr(loss, "reduction", "") == "sum"
    own = copy.deepcopy(network)
    ways = {"array": (X, targets), "loader": DataLoader(TensorDataset(X, targets), 8)}
    for way, data in ways.items():
        rows = N if way == "array" else 8
        theirs = copy.deepcopy(own)
        before = trained_by_hand(theirs, outputs_of(theirs), loss, targets, rows)
        still = trainer_of(copy.deepcopy(own), loss, lr=0.0)
        record = still.fit(data, data, epochs=1, batch_size=rows)[-1]
        expected = pytest.approx(before / N if adds else before, abs=1e-6, rel=1e-6)
        assert record["loss"] == expected
        assert record["validation_loss"] == expected
        assert still.evaluate((X, targets), batch_size=7)["loss"] == expected
        ours = copy.deepcopy(own)
        trainer_of(ours, loss).fit(data, epochs=3, batch_size=rows)
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(mine, other, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(("loss", "targets"), OF_SCORES, ids=named)
def test_losses_of_scores_equal_a_loop(loss, targets):
    torch.manual_seed(0)
    check_against_a_loop(nn.Linear(4, K), lambda module: module, loss, targets)
    last = Sigmoid(K) if targets.shape == (N, K) else Softmax(K)
    check_against_a_loop(Input(4) >> last, lambda network: network.scores(), loss, targets)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize(("loss", "targets"), OF_LOGARITHMS, ids=named)
def test_losses_of_logarithms_equal_a_loop(loss, targets):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, K), nn.LogSoftmax(1))
    check_against_a_loop(module, lambda network: network, loss, targets)
    network = Input(4) >> Softmax(K)
    check_against_a_loop(
        network, lambda n: lambda x: n.scores()(x).log_softmax(1), loss, targets
    )


@pytest.mark.parametrize(("loss", "targets"), OF_VALUES, ids=named)
def test_losses_of_values_equal_a_loop(loss, targets):
    torch.manual_seed(0)
    sigmoid = isinstance(loss, nn.BCELoss) or not getattr(loss, "log_input", True)
    if not sigmoid:
        check_against_a_loop(nn.Linear(4, K), lambda module: module, loss, targets)
    check_against_a_loop(Input(4) >> Sigmoid(K), lambda network: network, loss, targets)


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(weight=WEIGHT), nn.NLLLoss()], ids=str)
def test_classes_at_positions_equal_a_loop(loss):
    torch.manual_seed(0)
    targets = torch.randint(-1, K, (N, 2, 2)).where(torch.rand(N, 2, 2) < 0.5, -100).clamp(-100)
    targets[targets == -1] = -100
    module = nn.Sequential(nn.Linear(4, K * 4), nn.Unflatten(1, (K, 2, 2)), nn.LogSoftmax(1))
    check_against_a_loop(module, lambda network: network, loss, targets)


def test_a_sum_with_accumulated_batches_equals_the_sum_of_all():
    torch.manual_seed(0)
    network, loss = nn.Linear(4, K), nn.CrossEntropyLoss(reduction="sum")
    theirs = copy.deepcopy(network)
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.02)
    loss(theirs(X), CLASSES).backward()
    optimizer.step()
    trainer = trainer_of(network, loss)
    trainer = Trainer(
        network, loss=loss, optimizer=trainer.optimizer, accumulate=9, progress=False
    )
    trainer.fit((X, CLASSES), epochs=1, batch_size=8)
    torch.testing.assert_close(network.weight, theirs.weight)


def test_weights_of_examples_and_classes_join_those_of_the_loss():
    torch.manual_seed(0)
    network, loss = nn.Linear(4, K), nn.CrossEntropyLoss(weight=WEIGHT)
    copies = torch.randint(0, 3, (N,))
    rows = torch.arange(N).repeat_interleave(copies)
    figure = trainer_of(network, loss).evaluate((X, SOME, copies), batch_size=7)["loss"]
    expected = loss(network(X[rows]), SOME[rows]).item()
    assert figure == pytest.approx(expected, rel=1e-6)
    trainer = Trainer(network, loss=nn.CrossEntropyLoss(), class_weight=WEIGHT.tolist())
    each = F.cross_entropy(network(X), SOME, reduction="none") * WEIGHT[SOME.clamp(min=0)]
    figure = trainer.evaluate((X, SOME))["loss"]
    assert figure == pytest.approx((each.sum() / (SOME >= 0).sum()).item(), rel=1e-6)


@pytest.mark.parametrize("weights", [None, torch.zeros(N).index_fill(0, torch.arange(5), 1.0)])
def test_batches_without_weight_are_skipped(weights):
    torch.manual_seed(0)
    network, loss = nn.Linear(4, K), nn.CrossEntropyLoss(weight=WEIGHT)
    targets = CLASSES.where(torch.arange(N) < 5, -100)
    data = (X, targets) if weights is None else (X, CLASSES, weights)
    trainer = trainer_of(copy.deepcopy(network), loss)
    trainer.fit(data, data, epochs=2, batch_size=2)
    some = trainer_of(network, loss)
    figure = some.evaluate((X[:5], CLASSES[:5]))["loss"]
    assert some.evaluate(data, batch_size=2)["loss"] == pytest.approx(figure, rel=1e-6)
    assert trainer.history["validation_loss"][-1] < figure


@pytest.mark.parametrize("targets", [CLASSES, SOME], ids=["weights", "ignored"])
def test_accumulated_batches_have_the_mean_of_all(targets):
    torch.manual_seed(0)
    first, loss = nn.Linear(4, K), nn.CrossEntropyLoss(weight=WEIGHT)
    second = copy.deepcopy(first)
    optimizer = torch.optim.SGD(second.parameters(), lr=0.02)
    Trainer(
        second, loss=loss, optimizer=optimizer, accumulate=8, normalize=False, progress=False
    ).fit((X, targets), epochs=2, batch_size=4)
    trainer_of(first, loss).fit((X, targets), epochs=2, batch_size=N)
    torch.testing.assert_close(second.weight, first.weight)


def test_auxiliary_heads_take_torch_losses():
    torch.manual_seed(0)
    network = nn.Linear(4, K)
    loss = auxiliary(nn.CrossEntropyLoss(weight=WEIGHT), weight=0.5)
    scores = network(X), network(-X)
    own = nn.CrossEntropyLoss(weight=WEIGHT)
    expected = own(scores[0], SOME) + 0.5 * own(scores[1], SOME)
    torch.testing.assert_close(loss.mean(scores, SOME), expected)


def test_double_precision_takes_the_weights_along():
    network = (Input(4) >> Softmax(K)).double()
    loss = nn.CrossEntropyLoss(weight=WEIGHT)
    figure = trainer_of(network, loss).evaluate((X.double(), CLASSES))["loss"]
    assert figure == pytest.approx(loss(network.scores()(X).float(), CLASSES).item(), rel=1e-6)


def test_half_precision_takes_the_weights_along():
    network, loss = Input(4) >> Softmax(K), nn.CrossEntropyLoss(weight=WEIGHT)
    trainer = Trainer(network, loss=loss, mixed_precision="bf16", progress=False)
    trainer.fit((X, CLASSES), epochs=1)
    expected = loss(network.scores()(X), CLASSES).item()
    assert trainer.evaluate((X, CLASSES))["loss"] == pytest.approx(expected, rel=1e-2)


def test_targets_of_numpy_are_numbers_of_the_network():
    network = nn.Linear(4, K)

    def cosine(outputs, targets):
        return F.cosine_embedding_loss(outputs, targets, torch.ones(len(outputs)))

    figure = trainer_of(network, cosine).evaluate(
        (X.double().numpy(), NUMBERS.double().numpy())
    )
    assert figure["loss"] == pytest.approx(cosine(network(X), NUMBERS).item(), rel=1e-6)


def test_one_value_for_all_cannot_be_weighted_by_example():
    trainer = trainer_of(nn.Linear(4, K), lambda outputs, targets: (outputs - targets).sum())
    said = r"must return one value per example, a tensor \(N,\), got \(\): weights, metrics and"
    with pytest.raises(ValueError, match=said):
        trainer.evaluate((X, NUMBERS, torch.ones(N)))


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (nn.GaussianNLLLoss(), "GaussianNLLLoss takes input, target, var, and the loss of a"),
        (
            F.gaussian_nll_loss,
            "the loss gaussian_nll_loss takes input, target, var, but a loss",
        ),
        (nn.TripletMarginLoss(), "TripletMarginLoss takes anchor, positive, negative"),
        (nn.CTCLoss(), "CTCLoss takes log_probs, targets, input_lengths, target_lengths"),
        (lambda a, b, c: a, "the loss <lambda> takes a, b, c, but a loss is given outputs"),
    ],
    ids=named,
)
def test_a_loss_of_more_than_outputs_and_targets_is_refused(loss, said):
    with pytest.raises(ValueError, match=said):
        Trainer(nn.Linear(4, K), loss=loss).fit((X, NUMBERS), epochs=1)


@pytest.mark.parametrize(
    ("loss", "targets", "said"),
    [
        (
            nn.CrossEntropyLoss(),
            CLASSES + 1,
            "for 3 classes, .* got class 3",
        ),
        (nn.CrossEntropyLoss(ignore_index=3), CLASSES - 1, "got class -1"),
        (nn.NLLLoss(weight=torch.ones(4)), CLASSES, r"each of the 3 classes, got \(4,\)"),
        (nn.MultiMarginLoss(), CLASSES + 1, "got class 3"),
        (nn.SmoothL1Loss(), NUMBERS[:, :2], "needs targets of the shape of the scores"),
    ],
    ids=named,
)
def test_wrong_targets_are_found_before_the_training(loss, targets, said):
    with pytest.raises(ValueError, match=f"training targets: .*{said}"):
        Trainer(nn.Linear(4, K), loss=loss).fit((X, targets), epochs=1)


def test_a_torch_loss_survives_pickling():
    loss = pickle.loads(pickle.dumps(resolve(partial(F.cross_entropy, weight=WEIGHT))))
    scores = torch.randn(N, K)
    expected = F.cross_entropy(scores, CLASSES, weight=WEIGHT)
    torch.testing.assert_close(loss.mean(scores, CLASSES), expected)
    assert (loss.name, loss.takes, loss.predicts) == ("cross_entropy", "scores", "class")


def test_a_module_of_the_users_own_with_weights_is_trained_by_its_optimizer():
    class Tempered(nn.Module):
        takes = "scores"

        def __init__(self):
            super().__init__()
            self.temperature = nn.Parameter(torch.ones(()))

        def forward(self, scores, targets):
            return F.cross_entropy(scores / self.temperature, targets)

    loss, network = Tempered(), Input(4) >> Linear(K)
    optimizer = torch.optim.SGD([*network.parameters(), loss.temperature], lr=0.1)
    trainer = Trainer(network, loss=loss, optimizer=optimizer, progress=False)
    trainer.fit((X, CLASSES), epochs=2)
    assert loss.temperature.item() != 1.0
