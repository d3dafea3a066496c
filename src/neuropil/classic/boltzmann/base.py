"""Base class of `RBM` and `DeepBeliefNetwork`: the options of training."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from neuropil.checks import choice, flag, interval
from neuropil.classic.base import COUNT
from neuropil.classic.feature_transformer import FeatureTransformer

if TYPE_CHECKING:
    from neuropil.checks import Rules


@dataclass(eq=False, repr=False)
class BoltzmannMachine(FeatureTransformer):
    """A network of hidden bits that is trained by contrastive divergence."""

    _: KW_ONLY
    visible: str = "bernoulli"
    binarize: float | None = 0.0
    n_epochs: int = 10
    lr: float = 0.05
    batch_size: int = 10
    n_steps: int = 1
    persistent: bool = True
    decay: bool = True
    random_state: Any = None

    rules: ClassVar[Rules] = FeatureTransformer.rules | {
        "visible": choice("bernoulli", "gaussian"),
        "lr": interval("(0, inf)"),
        "n_steps": COUNT,
        "persistent": flag,
        "decay": flag,
    }
