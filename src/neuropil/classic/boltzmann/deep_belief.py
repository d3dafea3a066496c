"""The deep belief network: a stack of restricted Boltzmann machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from typing_extensions import override

from neuropil.classic.boltzmann.base import BoltzmannMachine
from neuropil.classic.boltzmann.rbm import RBM
from neuropil.classic.fitted_state import Networks

if TYPE_CHECKING:
    from neuropil.classic.base import Floats
    from neuropil.core import Network


@dataclass(eq=False, repr=False)
class DeepBeliefNetwork(BoltzmannMachine):
    """Layers of hidden bits, each trained as an `RBM` on the output of the layer below.

    Training is greedy: the first machine learns the data, the second the probabilities
    ``h₁ = σ(c₁ + v W₁)`` of the first one's hidden units, and so on. The fitted machines can
    draw examples, from the top down, and initialise a network (`to_network`).

    Shape:
        ``X``: ``(n_samples, n_features)``.

    Args:
        n_hidden: The number of units in each hidden layer, from the bottom up.
        visible: Visible units of the first machine, as for `RBM`.
        binarize: As for `RBM`, for the first machine; the others take probabilities.
        n_epochs: Passes over the data for each layer.
        lr: Learning rate.
        batch_size: Rows per update; also the number of chains.
        n_steps: Gibbs steps per update.
        persistent: Whether chains continue from update to update, or restart from the data.
        decay: Whether the rate falls to 0 linearly in each machine's training.
        random_state: Seed or generator of all random numbers.

    Attributes:
        machines_: The machines, from the bottom up.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: If an option or the data are invalid, or the weights grow without bound.

    Reference:
        Hinton, Osindero, Teh, "A Fast Learning Algorithm for Deep Belief Nets", 2006. Each
        machine is trained separately, without a wake-sleep phase afterwards.

    Example:
        >>> from sklearn.datasets import load_digits
        >>> X = load_digits().data / 16
        >>> belief = DeepBeliefNetwork((50, 20), binarize=None, n_epochs=1).fit(X)
        >>> belief.transform(X).shape
        (1797, 20)
        >>> belief.to_network()
        Input(64) >> Sigmoid(50) >> Sigmoid(20)
    """

    n_hidden: tuple[int, ...] = (256, 64)

    learnt: ClassVar[dict[str, Any]] = {"machines_": Networks("RBM")}

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn passes it
        """Learn one layer after the other.

        Args:
            X: Rows of examples.
            y: Ignored.

        Raises:
            ValueError: If ``n_hidden`` is empty.
        """
        X = self.training_input(X)
        widths = self.widths
        shared = {"n_epochs", "lr", "batch_size", "n_steps", "persistent", "decay"}
        options = {name: getattr(self, name) for name in shared}
        random = check_random_state(self.random_state)
        first = {"visible": self.visible, "binarize": self.binarize}
        machines: list[RBM] = []
        for width in widths:
            kind = {"binarize": None} if machines else first
            seed = random.randint(2**31)
            machines.append(RBM(width, **kind, **options, random_state=seed))
            # Greedy layer-wise training: the next machine learns this one's hidden
            # probabilities.
            X = machines[-1].fit(X).transform(X)
        self.machines_ = machines
        return self

    @property
    def widths(self) -> list[int]:
        """The number of units in each hidden layer."""
        return np.atleast_1d(np.asarray(self.n_hidden, object)).tolist()

    @override
    def check_options(self) -> None:
        super().check_options()
        whole = all(
            type(width) is int or isinstance(width, np.integer) for width in self.widths
        )
        if not self.widths or not whole or min(self.widths) < 1:
            self.refuse("n_hidden", "one whole number or more, each at least 1")

    @override
    def consistent(self) -> bool:
        above = [len(machine.components_) for machine in self.machines_]
        below = [self.n_features_in_, *above[:-1]]
        taken = [machine.n_features_in_ for machine in self.machines_]
        return taken == below and [machine.n_hidden for machine in self.machines_] == above

    def transform(self, X: Any) -> Floats:
        """Return the probabilities of the topmost hidden units."""
        H = self.input(X)
        for machine in self.machines_:
            H = machine.transform(H)
        return H

    def inverse_transform(self, H: Any) -> Floats:
        """Return the expected visible units given the topmost hidden units, layer by layer.

        Args:
            H: States or probabilities of the topmost hidden units, one row per example.
        """
        check_is_fitted(self)
        for machine in reversed(self.machines_):
            H = machine.inverse_transform(H)
        return H

    def score(self, X: Any, y: Any = None) -> float:  # noqa: ARG002 - scikit-learn passes it
        """Return minus the mean squared error of reconstructing rows from the top layer.

        Args:
            X: Rows of examples.
            y: Ignored.
        """
        V = self.machines_[0].values(self.input(X))
        return -float(((V - self.inverse_transform(self.transform(X))) ** 2).mean())

    def sample(
        self,
        n_samples: int = 1,
        *,
        n_steps: int = 500,
        expected: bool = False,
        random_state: Any = None,
    ) -> Floats:
        """Return examples: Gibbs chains between the two topmost layers, then down.

        Args:
            n_samples: The number of examples.
            n_steps: Steps of the chains in the topmost machine.
            expected: Whether to return expected values of the visible units instead of samples.
            random_state: Seed or generator; None uses the network's own.
        """
        check_is_fitted(self)
        random = check_random_state(self.random_state if random_state is None else random_state)
        *below, top = self.machines_
        at_top = {"n_steps": n_steps, "random_state": random}
        # The top two layers are an undirected RBM; the layers below are sampled downwards once.
        H = top.sample(n_samples, expected=expected and not below, **at_top)
        for machine in reversed(below):
            final = expected and machine is self.machines_[0]
            H = machine.inverse_transform(H) if final else machine.draw(H, random)
        return H

    def to_network(self) -> Network:
        """Return the layers as a `Network` with the same weights, for further training.

        It takes the first machine's visible units (with `binarize`, the bits), returns the same
        as `transform`, and does not normalise its input: add ``>> Softmax(10)`` and train.
        """
        check_is_fitted(self)
        import torch

        from neuropil.layers import Input, Sigmoid

        start = Input(self.n_features_in_)
        start.set_normalization(0.0, 1.0)
        layers = [Sigmoid(machine.n_hidden) for machine in self.machines_]
        network = start >> layers[0]
        for layer in layers[1:]:
            network = network >> layer
        with torch.no_grad():
            for layer, machine in zip(layers, self.machines_, strict=True):
                own = dict(layer.named_parameters())
                own["weight"].copy_(torch.from_numpy(machine.components_.copy()))
                own["bias"].copy_(torch.from_numpy(machine.intercept_hidden_))
        return network

    @property
    def _n_features_out(self) -> int:
        return self.machines_[-1].n_hidden
