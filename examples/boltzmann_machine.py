"""Let a restricted Boltzmann machine learn handwritten digits, judge it, and let it dream.

Its hidden bits find strokes by themselves. What it knows is a likelihood: digits it has never
seen are likely, the same pixels in another order are not. Stacked machines start a classifier.
Run it with ``python examples/boltzmann_machine.py``.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from neuropil.classic import RBM, DeepBeliefNetwork
from neuropil.plots import machine_filters, samples


def main(epochs: int = 60, *, pictures: bool = True) -> float:
    """Return by how many nats digits are likelier than their pixels in another order."""
    X, _ = load_digits(return_X_y=True)
    train, test = train_test_split(X > 7.5, random_state=0)
    machine = RBM(100, n_epochs=epochs, lr=0.1, random_state=0).fit(train)
    log_partition = machine.log_partition()
    shuffled = np.random.default_rng(0).permuted(test, axis=1)
    known, unknown = (
        float(-machine.free_energy(rows).mean() - log_partition) for rows in (test, shuffled)
    )
    print(f"log-likelihood of digits never seen: {known:.1f} nats")
    print(f"of the same pixels in another order: {unknown:.1f} nats")
    belief = DeepBeliefNetwork((100, 50), n_epochs=epochs, random_state=0).fit(train)
    print(f"to be trained further: {belief.to_network()!r} >> Softmax(10)")
    if pictures:
        machine_filters(machine, shape=(8, 8)).savefig("rbm_filters.png", dpi=150)
        samples(machine, shape=(8, 8), random_state=0).savefig("rbm_samples.png", dpi=150)
        print("pictures are in rbm_filters.png and rbm_samples.png")
    return known - unknown


if __name__ == "__main__":
    main()
