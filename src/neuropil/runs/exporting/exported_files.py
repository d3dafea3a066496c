"""The formats of exported files, as bytes."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.runs.exporting.answering_module import AnsweringModule

# The format of .onnx files stores sizes in 31 bits; the graph itself takes far less than this.
MOST_BYTES = (1 << 31) - (1 << 24)


class FileFormat(NamedTuple):
    """A format of exported files.

    Attributes:
        write: Returns the content of a file for a module and the facts to store.
        libraries: The libraries that `write` needs besides PyTorch.
    """

    write: Callable[[AnsweringModule, dict[str, str]], bytes]
    libraries: tuple[str, ...] = ()


def onnx_bytes(module: AnsweringModule, facts: dict[str, str]) -> bytes:
    """Return a module as the content of an ``.onnx`` file.

    Args:
        module: The module to export.
        facts: Texts to store as metadata.

    Raises:
        ValueError: If the weights are too large for one file.
    """
    sizes = (value.nbytes for value in module.state_dict().values())
    if sum(sizes) > MOST_BYTES:
        raise ValueError("its weights take more than the 2 GB of an .onnx file: use .pt2")
    own_operators = module.task.own_operators()
    program: Any = torch.onnx.export(
        module,
        module.examples(),
        dynamo=True,
        dynamic_shapes=free_axes(module),
        input_names=[*module.axes],
        output_names=module.outputs,
        custom_translation_table={own.operator: own.in_onnx for own in own_operators} or None,
        verbose=False,
    )
    model = program.model
    for node in model.graph.all_nodes():  # source lines, with the paths of this machine
        node.metadata_props.clear()
    fixed = [
        axis
        for value, axes in zip(model.graph.inputs, module.axes.values(), strict=True)
        for side, axis in zip(value.shape, axes, strict=True)
        if isinstance(axis, str) and isinstance(side, int)
    ]
    if fixed:
        raise ValueError(f"its {fixed[0]} cannot stay free")
    model.metadata_props.update(facts)
    model.doc_string = facts["predicts"]
    for value in model.graph.inputs:
        value.doc_string = facts[value.name]
    for value in model.graph.outputs:
        value.doc_string = facts.get(value.name, facts["predicts"])
    return program.model_proto.SerializeToString()


def pt2_bytes(module: AnsweringModule, facts: dict[str, str]) -> bytes:
    """Return a module as the content of a ``.pt2`` file.

    Args:
        module: The module to export.
        facts: Texts to store as ``facts.json``.
    """
    # Any length is allowed on these axes.
    free = tuple(dict.fromkeys(axes, torch.export.Dim.DYNAMIC) for axes in free_axes(module))
    with torch.no_grad():
        program = torch.export.export(module, module.examples(), dynamic_shapes=free)
        if own_operators := module.task.own_operators():
            plain = {own.operator: own.in_torch for own in own_operators}
            program = program.run_decompositions(plain)
    for node in program.graph.nodes:  # source lines, with the paths of this machine
        node.meta.pop("stack_trace", None)
    program.example_inputs = None  # they may be larger than the network
    file = io.BytesIO()
    text = json.dumps(facts, ensure_ascii=False, indent=1)
    torch.export.save(program, file, extra_files={"facts.json": text})
    return file.getvalue()


def free_axes(module: AnsweringModule) -> tuple[dict[int, str], ...]:
    """Return the name of each free axis by its place, for each input."""
    return tuple(
        {place: axis for place, axis in enumerate(axes) if isinstance(axis, str)}
        for axes in module.axes.values()
    )


SUFFIXES = {
    ".onnx": FileFormat(onnx_bytes, ("onnx", "onnxscript")),
    ".pt2": FileFormat(pt2_bytes),
}
