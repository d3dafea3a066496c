"""Networks whose weights are sharded over several processes, by PyTorch's FSDP."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Shard, distribute_tensor

from neuropil.core import Network

if TYPE_CHECKING:
    from collections.abc import Iterator

# Minimum number of weights that are gathered at once: smaller layers are joined into groups.
GROUP = 2**20


@final
@dataclass(eq=False)
class ShardedNetwork:
    """A network whose weights are sharded over all processes.

    Args:
        network: The network, whose parameters are sharded.
        scores: The network up to its scores, to be called.
        blueprint: A copy of the network on the meta device, as it was before.
        mesh: The processes.
    """

    network: nn.Module
    scores: nn.Module
    blueprint: nn.Module
    mesh: DeviceMesh

    def gather(self, *, keep: bool) -> Any:
        """Return a copy of the network with all weights, on the CPU; all processes call it.

        Args:
            keep: Whether this process needs the copy; the others get None.
        """
        weights: dict[str, Tensor] = {}
        for name, value in self.network.state_dict().items():
            whole = whole_of(value.detach())
            if keep:
                weights[name] = whole.cpu()
        if not keep:
            return None
        result = copy.deepcopy(self.blueprint).to_empty(device="cpu")
        result.load_state_dict(weights)
        return result.eval()

    @contextmanager
    def unsynchronized(self) -> Iterator[None]:
        """Accumulate gradients inside the context without adding those of the others."""
        scores: Any = self.scores
        scores.set_requires_gradient_sync(False)
        try:
            yield
        finally:
            scores.set_requires_gradient_sync(True)


def blueprint_of(network: nn.Module) -> nn.Module:
    """Return a copy of a network on the meta device, which has shapes but no weights."""
    state = [*network.parameters(), *network.buffers()]
    memo: dict[int, Any] = {}
    for value in state:
        empty = torch.empty_like(value, device="meta")
        is_parameter = isinstance(value, nn.Parameter)
        memo[id(value)] = (
            nn.Parameter(empty, requires_grad=value.requires_grad) if is_parameter else empty
        )
    return copy.deepcopy(network, memo)


def shard_network(
    network: nn.Module, scores: nn.Module, device: torch.device, generator: torch.Generator
) -> ShardedNetwork:
    """Shard the parameters of a network over all processes.

    Each process keeps a part of every parameter and gathers the whole of a few layers when
    they run. A network on the meta device gets its weights here: every process draws those of
    one layer at a time, in the order of ``network.reset_parameters(generator)``, keeps its own
    part and forgets the rest. The weights are therefore the same as those of a whole network.

    Args:
        network: The network.
        scores: The network up to its scores, which shares all parameters; this part runs.
        device: The device to train on.
        generator: Source of the weights of a network on the meta device.

    Raises:
        ValueError: If the network is on the meta device and is not a `Network`.
    """
    blueprint = blueprint_of(network)
    on_meta = any(value.is_meta for value in network.parameters())
    if on_meta and not isinstance(network, Network):
        raise ValueError(
            "a network on the meta device must be a neuropil Network, whose layers know how "
            "their weights are drawn."
        )
    if not on_meta:
        network.to(device)
        for value in [*network.parameters(), *network.buffers()]:
            distributed.broadcast(value.detach(), 0)
    mesh = init_device_mesh(device.type, (distributed.get_world_size(),))
    before = places_of(network)
    for module in groups_of(scores):
        fully_shard(module, mesh=mesh, reshard_after_forward=True)
    whole: Any = fully_shard(scores, mesh=mesh, reshard_after_forward=True)
    if on_meta:
        whole.to_empty(device=device)
    connect(before, scores, blueprint)
    if on_meta:
        draw_weights(network, blueprint, mesh, generator)
    return ShardedNetwork(network, scores, blueprint, mesh)


def places_of(network: nn.Module) -> dict[str, list[tuple[nn.Module, str]]]:
    """Return where the parameters and buffers of a network stand, by their names."""
    found: dict[int, list[tuple[nn.Module, str]]] = {}
    for module in network.modules():
        for entries in (vars(module)["_parameters"], vars(module)["_buffers"]):
            for name, value in entries.items():
                if value is not None:
                    found.setdefault(id(value), []).append((module, name))
    return {
        name: found[id(value)]
        for name, value in [*network.named_parameters(), *network.named_buffers()]
    }


def connect(
    places: dict[str, list[tuple[nn.Module, str]]], scores: nn.Module, blueprint: nn.Module
) -> None:
    """Put the sharded parameters of the scores wherever the network had the whole ones."""
    sharded = dict([*scores.named_parameters(), *scores.named_buffers()])
    parameters = {name for name, _ in blueprint.named_parameters()}
    for name, value in sharded.items():
        for module, own in places.get(name, ()):
            kind = "_parameters" if name in parameters else "_buffers"
            vars(module)[kind][own] = value


def groups_of(network: nn.Module) -> list[nn.Module]:
    """Return the modules to gather at once, inner ones first, each of at least `GROUP` weights.

    Weights that several modules share must be in one group: then there is only the whole.
    """
    seen: dict[int, int] = {}
    for module in network.modules():
        for value in module.parameters(recurse=False):
            seen[id(value)] = seen.get(id(value), 0) + 1
    if any(count > 1 for count in seen.values()):
        return []
    groups: list[nn.Module] = []
    for child in network.children():
        collect_groups(child, groups)
    return groups


def collect_groups(module: nn.Module, groups: list[nn.Module]) -> int:
    """Add the groups in a module to a list, and return its number of weights in none."""
    size = sum(collect_groups(child, groups) for child in module.children())
    size += sum(value.numel() for value in module.parameters(recurse=False))
    runs = type(module).forward is not nn.Module.forward
    if size < GROUP or not runs:
        return size
    groups.append(module)
    return 0


def draw_weights(
    network: Any, blueprint: Any, mesh: DeviceMesh, generator: torch.Generator
) -> None:
    """Draw the weights of a sharded network, one layer at a time."""
    for name, layer in blueprint.layers.items():
        whole = copy.deepcopy(layer).to_empty(device="cpu")
        whole.reset_parameters(generator)
        own = network.layers[name]
        with torch.no_grad():
            for key, value in whole.named_parameters():
                part = distribute(value.detach().to(mesh.device_type), mesh)
                own.get_parameter(key).copy_(part)
            for key, value in whole.named_buffers():
                own.get_buffer(key).copy_(value)


def distribute(value: Tensor, mesh: DeviceMesh) -> DTensor:
    """Return this process's part of a tensor that every process has, without an exchange."""
    return distribute_tensor(value, mesh, [Shard(0)], src_data_rank=None)


def whole_of(value: Tensor) -> Tensor:
    """Return the whole of a sharded tensor, which all processes must ask for together."""
    return value.full_tensor() if isinstance(value, DTensor) else value
