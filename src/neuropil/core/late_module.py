"""Networks that become PyTorch modules when they are first used as one."""

from __future__ import annotations

from typing import Any

from torch import nn
from typing_extensions import override

from neuropil.checks import shown
from neuropil.core.graph import Graph, layer_names
from neuropil.core.layer import Layer, start_module


class LateModule(nn.Module):
    """A module that consists only of its graph until another attribute is accessed.

    So an intermediate result of a longer ``>>`` never becomes a module.

    Args:
        graph: The nodes and which of them are outputs.
        names: The layers by name, if they keep their names.

    Raises:
        TypeError: If `graph` is not the graph of a network.
    """

    graph: Graph
    names: dict[str, Layer]

    def __init__(self, graph: Graph, *, names: dict[str, Layer] | None = None) -> None:
        if not isinstance(graph, Graph):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(
                "a network is composed of layers, as in Input(4) >> Relu(8) >> Softmax(3), "
                f"got {shown(graph)}: use it as it is, or Module(…) for a module of PyTorch."
            )
        self.__dict__["graph"] = graph
        if names is not None:
            self.start(names)

    def start(self, names: dict[str, Layer]) -> None:
        """Initialise the module with these layers as children."""
        start_module(self)
        self.__dict__["names"] = names
        # All at once: torch's `add_module` would check each name against each attribute.
        self._modules.update(names)

    @override
    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        if "names" in own or "graph" not in own:
            return super().__getattr__(name)
        self.start(layer_names(self.graph))
        return getattr(self, name)

    @override
    def __setattr__(self, name: str, value: Any) -> None:
        _ = self.names
        super().__setattr__(name, value)
