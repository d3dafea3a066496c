"""Training with one weight per example: ``fit((inputs, targets, weights))``."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from neuropil import Trainer
from neuropil.datasets.source import Batch
from neuropil.layers import Input, Linear, Softmax
from neuropil.optim import GradientDescent, l2

X = torch.randn(40, 3, generator=torch.Generator().manual_seed(1))
CLASSES = torch.randint(3, (40,), generator=torch.Generator().manual_seed(2))
COUNTS = torch.randint(0, 4, (40,), generator=torch.Generator().manual_seed(3))
NUMBERS = X @ torch.tensor([[1.0, -2.0, 0.5]]).T + X[:, :1] ** 2


def classifier(**options):
    torch.manual_seed(0)
    network = Input(3) >> Softmax(3)
    optimizer = GradientDescent(network.parameters(), lr=0.5)
    options = {"seed": 0, "progress": False, "normalize": False} | options
    return Trainer(network, optimizer=optimizer, **options)


def weights_of(trainer):
    return torch.cat([p.detach().flatten() for p in trainer.network.parameters()])


@pytest.mark.parametrize("options", [{}, {"regularizer": l2(0.1)}, {"class_weight": [1, 2, 3]}])
def test_a_weight_counts_like_the_number_of_copies(options):
    copies = torch.arange(40).repeat_interleave(COUNTS)
    weighted, repeated = classifier(**options), classifier(**options)
    first = weighted.fit((X, CLASSES, COUNTS), epochs=20, batch_size=40)
    second = repeated.fit((X[copies], CLASSES[copies]), epochs=20, batch_size=len(copies))
    torch.testing.assert_close(weights_of(weighted), weights_of(repeated), atol=1e-6, rtol=0)
    assert first[-1]["loss"] == pytest.approx(second[-1]["loss"], abs=1e-6)
    figures = weighted.evaluate((X, CLASSES, 10 * COUNTS), batch_size=7)
    assert figures == pytest.approx(repeated.evaluate((X[copies], CLASSES[copies])), abs=1e-6)


def test_batches_equal_a_loop_written_by_hand():
    trainer = classifier(seed=5)
    weights = COUNTS / COUNTS.float().mean()
    torch.manual_seed(0)
    own = Input(3) >> Softmax(3)
    order = torch.Generator().manual_seed(0)
    trainer.learner.randomness.order.set_state(order.get_state())
    history = trainer.fit((X, CLASSES, COUNTS), (X, CLASSES, COUNTS), epochs=2, batch_size=8)
    optimizer = torch.optim.SGD(own.parameters(), lr=0.5)
    for _ in range(2):
        for rows in torch.randperm(40, generator=order).split(8):
            optimizer.zero_grad()
            each = F.cross_entropy(own.scores()(X[rows]), CLASSES[rows], reduction="none")
            (each * weights[rows]).mean().backward()
            optimizer.step()
    found = torch.cat([p.detach().flatten() for p in own.parameters()])
    torch.testing.assert_close(weights_of(trainer), found, atol=1e-6, rtol=0)
    each = F.cross_entropy(own.scores()(X), CLASSES, reduction="none")
    mean = ((each * COUNTS).sum() / COUNTS.sum()).item()
    assert history[-1]["validation_loss"] == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize("optimizer", ["levenberg_marquardt", "quasi_newton"])
def test_second_order_training_finds_the_weighted_least_squares_line(optimizer):
    network = (Input(3) >> Linear(1)).double()
    trainer = Trainer(network, loss="squared_error", optimizer=optimizer, progress=False)
    data = X.double(), NUMBERS.double(), COUNTS
    trainer.fit(data, epochs=60)
    line = LinearRegression().fit(X.double(), NUMBERS.double(), sample_weight=COUNTS)
    found = network.predict(X.double())
    np.testing.assert_allclose(found, line.predict(X.double().numpy()), atol=1e-6)


def test_a_custom_step_gets_the_weights():
    seen = []

    def step(trainer, batch):
        inputs, targets, weights = batch
        each = F.cross_entropy(trainer.network(inputs), targets, reduction="none")
        seen.append(weights)
        return {"loss": (each * weights).mean()}

    classifier(step=step).fit((X, CLASSES, COUNTS), epochs=1, batch_size=8)
    assert torch.cat(seen).mean().item() == pytest.approx(1)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ((X, CLASSES, COUNTS[:9]), "40, 40, 9 examples: the numbers must be equal"),
        ((X, CLASSES, -COUNTS), "the training weights must be finite, not negative"),
        ((X, CLASSES, 0 * COUNTS), "not all zero"),
        ((X, CLASSES, torch.full((40,), torch.nan)), "weights must be finite"),
        ((X, X, X), r"one number per example, \(N,\), got \(40, 3\)"),
        ((X, X, CLASSES, COUNTS), "got 4 parts"),
        (TensorDataset(X, X, CLASSES), "got 3 parts; put several inputs in a tuple"),
    ],
)
def test_what_is_not_one_weight_per_example_is_refused(data, said):
    with pytest.raises(ValueError, match=said):
        classifier().fit(data, epochs=1)


class Rows:
    """A source with weights, fetched by index."""

    names, input_shape, fingerprint = None, (3,), "rows"

    def __init__(self, weights):
        self.targets, self.weights = CLASSES, weights

    def __len__(self):
        return 40

    def size_of(self, index):
        return ()

    def fetch(self, indices):
        return Batch(X[list(indices)], CLASSES[list(indices)])


def test_a_source_may_have_weights_and_normalisation_follows_them():
    first, second = classifier(normalize=True), classifier(normalize=True, workers=0)
    copies = torch.arange(40).repeat_interleave(COUNTS)
    history = first.fit((X, CLASSES, COUNTS), epochs=3, batch_size=8)
    assert second.fit(Rows(COUNTS), epochs=3, batch_size=8)["loss"] == pytest.approx(
        history["loss"], rel=1e-5
    )
    torch.testing.assert_close(weights_of(first), weights_of(second))
    for trainer in (first, second):
        mean = trainer.network.input1.mean
        torch.testing.assert_close(mean, X[copies].mean(0), atol=1e-6, rtol=1e-5)
