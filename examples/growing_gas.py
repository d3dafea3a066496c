"""Grow a gas into rings and moons, and count the parts that the data hang together in.

Nobody says how many clusters there are, or that they are round: the graph joins what is near,
and its connected components are the answer. Run it with ``python examples/growing_gas.py``,
which also draws ``growing_gas.png``.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import make_circles, make_moons
from sklearn.metrics import adjusted_rand_score

from neuropil.classic import GrowingNeuralGas
from neuropil.plots import growing_gas


def main(rows: int = 4000, nodes: int = 150, picture: str | None = "growing_gas.png") -> float:
    """Grow the gas, print what it found, return how well its parts are the true ones."""
    moons, moon = make_moons(rows // 2, noise=0.04, random_state=0)
    rings, ring = make_circles(rows - rows // 2, noise=0.04, factor=0.4, random_state=0)
    X = np.concatenate([moons, np.add(rings, (0.5, 3.0))])
    part = np.concatenate([moon, ring + 2])

    gas = GrowingNeuralGas(max_nodes=nodes, random_state=0).fit(X)
    found = gas.predict(X)
    agreement = adjusted_rand_score(part, found)
    graph = gas.graph_
    print(f"{graph.number_of_nodes()} nodes, {graph.number_of_edges()} edges")
    print(f"{len(set(found.tolist()))} parts; agreement with the true four: {agreement:.3f}")
    print(f"mean distance to the nearest node: {gas.quantization_error(X):.4f}")
    if picture:
        growing_gas(gas, X).savefig(Path(picture))
    return float(agreement)


if __name__ == "__main__":
    main()
