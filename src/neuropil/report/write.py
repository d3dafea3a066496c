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
    """Write all that is to be known of a trained network into one HTML file.

    The result in plain words; figures with 95 % intervals; what was taken for what; the worst
    mistakes; calibration; learning curves; the network; the data; how to use it. Pictures are
    inside, nothing is loaded, and the file is replaced whole or not at all. The network is
    judged on the test part, without one on the validation part, else on the training part,
    which the report then says.

    Args:
        path: The file, such as ``"report.html"``; its folder exists.
        network: The trained network, which takes the raw inputs; for regression it gives
            standardised values, as `Numbers.standardize` makes them.
        splits: Its data.
        history: What `Trainer.fit` gave.
        task: What is asked of the network; None for what the labels ask for.
        settings: What was asked for and chosen, to be listed.
        figures: Metrics by part (``"train"``, ``"validation"``, ``"test"``) and by name; those
            that the report measures itself need not be given.
        versions: Of the software, to be listed.
        run: The run folder as the user would type it, for the commands; by default the folder
            of `path`.
        gradients: What watched the gradients of the training, if anything did.

    Raises:
        ValueError: When the network does not fit the data, or gives NaN.
        OSError: When the file cannot be written.

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
    task = task_for(splits.target) if task is None else task
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
