"""Facts in an exported file, so that it explains itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from neuropil import __version__
from neuropil.runs.exporting.input_meaning import meaning_of

if TYPE_CHECKING:
    from neuropil.runs.exporting.answering_module import AnsweringModule
    from neuropil.runs.run_folder import Run

MASK = "1 for the pixels of a picture, 0 for its padding"


def file_facts(run: Run, module: AnsweringModule) -> dict[str, str]:
    """Return the facts on a run that are stored in an exported file, as texts.

    ``inputs`` and ``mask`` say what the tensors of these names mean, and ``input_shape`` has
    the lengths of the axes of the first, or the names of those that are free. ``preparation``
    is the complete description by which `neuropil predict` encodes new input.

    Args:
        run: The run.
        module: The module that is exported.
    """
    preparation, target = run.preparation, run.task.target
    meaning = meaning_of(preparation)
    facts: dict[str, Any] = {
        "task": run.task.name,
        "predicts": run.task.goal(),
        "inputs": meaning.text,
        "input_shape": module.axes["inputs"],
        "input_type": meaning.dtype,
        **meaning.details,
        "targets": target.names,
    }
    if "mask" in module.axes:
        facts["mask"] = MASK
    if run.task.decision:
        facts[run.task.decision] = f"the number of the predicted {run.task.decision}"
    facts |= run.task.facts()
    facts |= {"preparation": preparation.to_json(), "neuropil": __version__}
    return {name: as_text(value) for name, value in facts.items()}


def as_text(value: Any) -> str:
    """Return text unchanged, and other plain data as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
