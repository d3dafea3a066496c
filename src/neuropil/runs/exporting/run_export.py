"""Export of a run: its network with the answers of its task, as one file."""

from __future__ import annotations

import importlib.util
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from neuropil.core import Network
from neuropil.core.atomic import replacing
from neuropil.runs.exporting.answering_module import AnsweringModule
from neuropil.runs.exporting.exported_files import SUFFIXES
from neuropil.runs.exporting.file_facts import file_facts
from neuropil.text import all_of, reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from neuropil.runs.run_folder import Run


def export(run: Run, path: str | PathLike[str]) -> dict[str, str]:
    """Write the network of a run as a file for programs without this library.

    The suffix decides the format: ``.onnx`` for ONNX runtimes, ``.pt2`` for
    `torch.export.load`. The file has the network with its normalisation and the task's
    decoding: it takes the inputs of `Run.predict` and gives the same answers. Axes of free
    length stay free, like the number of examples; a ``.pt2`` file refuses lengths so small that
    a layer would be left with a single position. Facts that explain the file are stored in the
    metadata of an ``.onnx`` file, and in ``facts.json`` inside a ``.pt2`` file.

    Shape:
        "inputs" ``(N, …)``, with padding also "mask" ``(N, H, W)``, to "probabilities"
        ``(N, classes)`` and "class" ``(N)``, the number of the predicted one; or to "numbers",
        ``(N)`` for one number, ``(N, k)`` for several.

    Args:
        run: The run; its network is trained.
        path: The file to write; it must not exist yet.

    Returns:
        The facts: lists and shapes as JSON, everything else as plain text.

    Raises:
        FileExistsError: If the file exists already.
        FileNotFoundError: If its folder does not exist, or a file of the run is missing.
        ModuleNotFoundError: If a library that the format needs is not installed.
        ValueError: If the suffix is neither of the two, the network is a classic one, or it
            cannot be exported.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from neuropil import datasets
        >>> from neuropil.layers import Flatten, Input, Softmax
        >>> from neuropil.runs import Run, export
        >>> from neuropil.runs.tasks import task_for
        >>> digits = datasets.load_handwritten_digits()
        >>> network = Input(1, 8, 8) >> Flatten() >> Softmax(10)
        >>> with TemporaryDirectory() as folder:
        ...     path, task = Path(folder), task_for(digits.target)
        ...     run = Run.create(path / "run", network, digits, task, {"data": None})
        ...     export(run, path / "digits.pt2")["inputs"]
        'grey pictures of 8×8 pixels (height × width), from 0 for black to 16 for white'
    """
    path = Path(path)
    check_path(path)
    network = run.network()
    if not isinstance(network, Network):
        raise ValueError(
            f"{run.path} holds a classic network, a scikit-learn estimator: only networks of "
            "layers can be exported."
        )
    module = AnsweringModule(network, run.task, run.preparation)
    facts = file_facts(run, module)
    with refusing_other_errors(run.path), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporters, about their own code
        content = SUFFIXES[path.suffix.casefold()].write(module, facts)
    with replacing(path) as file:
        file.write(content)
    return facts


def check_path(path: Path) -> None:
    """Check that an export can be written, before the network is read.

    Args:
        path: The file to write.

    Raises:
        FileExistsError: If it exists already.
        FileNotFoundError: If its folder does not exist.
        ModuleNotFoundError: If a library that the format needs is not installed.
        ValueError: If the suffix is unknown.
    """
    suffix = path.suffix.casefold()
    if suffix not in SUFFIXES:
        raise ValueError(f"an export is a {' or '.join(SUFFIXES)} file, got {str(path)!r}.")
    if path.exists():
        raise FileExistsError(f"{path} already exists: name a new file.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} to write {path.name} into.")
    needed = SUFFIXES[suffix].libraries
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ModuleNotFoundError(
            f"{suffix} files need {all_of(missing)}: pip install 'neuropil[export]'."
        )


@contextmanager
def refusing_other_errors(folder: Path) -> Iterator[None]:
    """Turn an error of the exporters, which have many types, into one line.

    Args:
        folder: The run folder, for the message.

    Raises:
        ValueError: If the block raises an error.
    """
    try:
        yield
    except Exception as error:
        first: BaseException = error
        while first.__cause__ is not None:
            first = first.__cause__
        # PyTorch adds the step of its graph and a traceback to the message.
        why = reason(first).partition(" While executing %")[0]
        raise ValueError(f"the network in {folder} cannot be exported: {why}.") from error
