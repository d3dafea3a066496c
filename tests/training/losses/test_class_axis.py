"""A class at each position: wherever Softmax puts the classes, the loss finds them."""

import pytest
import torch
import torch.nn.functional as F

from neuropil.core import parallel
from neuropil.layers import Convolution, Embedding, Input, Linear, Relu, Softmax, Transpose
from neuropil.training import Trainer

CLASSES = 5


def sequences(length):
    """Return sequences, and at each position how much larger it is than the one in front."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, CLASSES, (64, length), generator=generator)
    return x, (x + 1) % CLASSES


def trainer_of(network, **options):
    return Trainer(network, progress=False, seed=0, optimizer=torch.optim.SGD, **options)


# 5 positions and 5 classes: nothing but the layer can tell which is which.
@pytest.mark.parametrize("length", [3, 5, 8])
@pytest.mark.parametrize("form", ["units", "alone", "axis"])
def test_softmax_over_the_last_axis_of_a_sequence_is_learnt(length, form):
    torch.manual_seed(0)
    last = {
        "units": Softmax(CLASSES),
        "alone": Linear(CLASSES) >> Softmax(),
        "axis": Softmax(CLASSES, axis=-1),
    }[form]
    network = Input(length, dtype="int64") >> Embedding(CLASSES, 8) >> last
    x, y = sequences(length)
    trainer = trainer_of(network, metrics=["accuracy"])
    scores = network.scores()(x)
    expected = F.cross_entropy(scores.reshape(-1, CLASSES), y.reshape(-1)).item()
    figures = trainer.evaluate((x, y))
    assert figures["loss"] == pytest.approx(expected, rel=1e-6)
    right = (scores.argmax(-1) == y).double().mean().item()
    assert figures["accuracy"] == pytest.approx(right)
    history = trainer.fit((x, y), epochs=1)
    assert history[-1]["loss"] < expected


@pytest.mark.parametrize(
    "network",
    [
        Input(2, 5) >> Convolution(CLASSES, 1) >> Softmax(axis=0),
        Input(2, 5) >> Convolution(CLASSES, 1) >> Transpose(1, 0) >> Softmax(),
        Input(2, 5, 3) >> Convolution(CLASSES, 1) >> Softmax(),
        Input(2, 5, 3) >> Convolution(CLASSES, 1) >> Transpose(1, 2, 0) >> Softmax(axis=-1),
    ],
    ids=repr,
)
def test_channels_are_found_at_every_rank(network):
    shape = network.input_shape
    x = torch.randn(4, *shape)
    y = torch.randint(0, CLASSES, (4, *shape[1:]))
    probabilities = network(x)
    if isinstance(network.nodes[-2].layer, Transpose):
        probabilities = probabilities.movedim(-1, 1)
    expected = F.nll_loss(probabilities.log(), y).item()
    trainer = trainer_of(network, normalize=False)
    assert trainer.evaluate((x, y))["loss"] == pytest.approx(expected, rel=1e-5)


def test_weights_are_shared_with_the_network():
    network = Input(4, dtype="int64") >> Embedding(CLASSES, 8) >> Softmax(CLASSES)
    keys = list(network.state_dict())
    before = [p.clone() for p in network.parameters()]
    trainer_of(network).fit(sequences(4), epochs=1)
    assert all(
        (one != two).any() for one, two in zip(before, network.parameters(), strict=True)
    )
    assert list(network.state_dict()) == keys
    assert network.output_shape == (4, CLASSES)


def test_a_vector_of_classes_is_left_as_it_is():
    network = Input(4) >> Relu(3) >> Softmax(CLASSES)
    trainer = trainer_of(network)
    assert repr(trainer.learner.scores) == repr(network.scores())


def test_several_outputs_are_left_as_they_are():
    network = Input(4, 3) >> parallel(Softmax(2), Softmax(CLASSES))
    first, second = trainer_of(network).learner.scores(torch.randn(2, 4, 3))
    assert (first.shape, second.shape) == ((2, 4, 2), (2, 4, CLASSES))


def test_scores_of_unknown_axes_are_refused_with_the_way_out():
    network = Input(4, dtype="int64") >> Embedding(CLASSES, 8) >> Linear(CLASSES)
    with pytest.raises(
        ValueError,
        match=r"axis 1 of the scores must be the class axis.* end the network in Softmax",
    ):
        trainer_of(network, loss="cross_entropy").fit(sequences(4), epochs=1)
