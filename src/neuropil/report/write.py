"""Write the report on a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuropil.core.atomic import replacing
from neuropil.report.evidence import gather_evidence
from neuropil.report.subject import Subject
from neuropil.report.training_report import pages_of, training_report
from neuropil.runs.measure import measure
from neuropil.runs.tasks import task_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from neuropil.core import Network
    from neuropil.datasets import Splits
    from neuropil.runs.classic_model import ClassicModel
    from neuropil.runs.task import Task
    from neuropil.training import GradientWatch, History


def write_report(
    path: str | PathLike[str],
    network: Network | ClassicModel,
    splits: Splits,
    history: History,
    *,
    task: Task[Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    figures: Mapping[str, Mapping[str, float | None]] | None = None,
    versions: Mapping[str, Any] | None = None,
    run: str | PathLike[str] | None = None,
    gradients: GradientWatch | None = None,
) -> Path:
    """Write a report on a trained network as one HTML file.

    The report has the result in plain words, metrics with 95 % intervals, the confusion matrix,
    the worst mistakes, calibration, learning curves, the network, the data, and how to use the
    network. Pictures are embedded, nothing is loaded, and the file is replaced atomically. The
    network is evaluated on the test part; without one, on the validation part; without either,
    on the training part. The report says which.

    Args:
        path: The file, such as ``"report.html"``; its folder must exist.
        network: The trained network. It takes raw inputs; for a regression it returns
            standardised values, as `Numbers.standardize` does.
        splits: Its data.
        history: The history that `Trainer.fit` returned.
        task: The task of the network; None for the task that follows from the labels.
        settings: The settings to list, given or chosen.
        figures: Metrics by part (``"train"``, ``"validation"``, ``"test"``) and by name; the
            report measures those of the evaluated part itself.
        versions: Versions of the software to list.
        run: The run folder as the user would type it, for the commands; by default the folder
            of `path`.
        gradients: The callback that watched the gradients of the training, if any.

    Raises:
        ValueError: If the network does not fit the data, or returns NaN.
        OSError: If the file cannot be written.

    Example:
        >>> import tempfile
        >>> from neuropil import datasets
        >>> from neuropil.layers import Flatten, Input, Softmax
        >>> from neuropil.training import History
        >>> digits = datasets.load_handwritten_digits()
        >>> network = Input(1, 8, 8) >> Flatten() >> Softmax(10)
        >>> history = History([{"epoch": 1, "loss": 2.3}])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     written = write_report(f"{folder}/report.html", network, digits, history)
        ...     written.name, "held-out pictures" in written.read_text("utf-8")
        ('report.html', True)
    """
    path = Path(path)
    task = task_for(splits.target, labels=splits.train.targets) if task is None else task
    evidence = gather_evidence(network, splits, task)
    given = {**(figures or {}), evidence.part: measure(network, evidence.data, task)}
    known = {
        part: {name: value for name, value in values.items() if value is not None}
        for part, values in given.items()
    }
    subject = Subject(
        network=network,
        splits=splits,
        history=history,
        settings=settings or {},
        figures=known,
        versions=versions or {},
        run=str(path.parent if run is None else run),
        evidence=evidence,
        measured=pages_of(task).intervals(evidence, known[evidence.part]),
        gradients=gradients,
    )
    content = training_report(subject).encode("utf-8", "replace")
    with replacing(path) as file:
        file.write(content)
    return path
