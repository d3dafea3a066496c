import pytest
from torch import nn, optim
from torch.optim import lr_scheduler

from neuropil import layers
from neuropil.cli.catalogue import items
from neuropil.core import Network
from neuropil.foreign_names import FOREIGN, bare, our_name
from neuropil.layers import SeparableConvolution
from neuropil.optim import by_name, schedules
from neuropil.optim.optimizer_table import optimizers
from neuropil.training.losses import losses
from neuropil.training.metrics import metrics

# Parts of PyTorch that have no counterpart here.
WITHOUT = {
    "loss": "CTCLoss CosineEmbeddingLoss GaussianNLLLoss HingeEmbeddingLoss MarginRankingLoss "
    "LinearCrossEntropyLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss PoissonNLLLoss "
    "SoftMarginLoss TripletMarginLoss TripletMarginWithDistanceLoss AdaptiveLogSoftmaxWithLoss",
    "optimiser": "ASGD Adafactor Muon NAdam Optimizer RAdam SparseAdam",
    "schedule": "ChainedScheduler ConstantLR CosineAnnealingWarmRestarts CyclicLR LRScheduler "
    "LambdaLR MultiplicativeLR ReduceLROnPlateau",
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_every_name_leads_to_an_item_of_the_sheet(kind):
    known = items() | {"relu": None, "swish": None}
    for ours in FOREIGN[kind]:
        assert ours in known


def test_no_name_means_two_things_of_one_kind():
    for kind, names in FOREIGN.items():
        foreign = [bare(name) for each in names.values() for name in each.split()]
        assert len(foreign) == len(set(foreign)), kind


@pytest.mark.parametrize(
    ("kind", "names", "known"),
    [
        ("loss", [name for name in dir(nn) if name.endswith("Loss")], losses.LOSSES),
        (
            "optimiser",
            [n for n, o in vars(optim).items() if isinstance(o, type)],
            optimizers(),
        ),
        ("schedule", lr_scheduler.__all__, schedules.SCHEDULES),
    ],
)
def test_the_names_of_torch_find_ours(kind, names, known):
    own = {bare(name) for name in known}
    found = {name for name in names if our_name(name, kind) or bare(name) in own}
    assert set(names) - found <= set(WITHOUT[kind].split())


@pytest.mark.parametrize(
    ("ask", "name", "ours"),
    [
        (losses.by_name, "mse", "squared_error"),
        (losses.by_name, "categorical_crossentropy", "cross_entropy"),
        (losses.by_name, "BCEWithLogitsLoss", "binary_cross_entropy"),
        (metrics.by_name, "acc", "accuracy"),
        (by_name, "LBFGS", "quasi_newton"),
        (schedules.by_name, "CosineAnnealingLR", "cosine_decay"),
        (Network.parse, "Conv2d(3, 3)", "Convolution"),
        (Network.parse, "Relu(3, weight=kaiming_normal_())", "HeNormal"),
        (lambda name: SeparableConvolution(3, 3, activation=name), "silu", "swish"),
    ],
)
def test_a_foreign_name_is_refused_with_ours(ask, name, ours):
    with pytest.raises(ValueError, match=f"Neuropil calls it '{ours}'"):
        ask(name)


def test_a_foreign_attribute_of_a_package_is_answered_with_ours():
    with pytest.raises(AttributeError, match=r"'Conv2d'\. Neuropil calls it 'Convolution'$"):
        _ = layers.Conv2d
    with pytest.raises(AttributeError, match=r"has no attribute 'Adam'$"):
        _ = layers.Adam
    assert not hasattr(layers, "Linearly")


def test_the_name_in_the_error_is_accepted():
    for ours in FOREIGN["loss"]:
        assert losses.by_name(ours).name == ours
    for ours in FOREIGN["metric"]:
        assert metrics.by_name(ours).name == ours
    for ours in FOREIGN["optimiser"]:
        assert by_name(ours).__name__ == ours
    for ours in FOREIGN["schedule"]:
        assert schedules.by_name(ours).__name__ == ours
