"""The run folder: settings, network, history and figures of a training."""

from __future__ import annotations

import csv
import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, final

from typing_extensions import override

from neuropil.core import Network
from neuropil.core.atomic import clear_remains, make_folder, replacing
from neuropil.datasets import (
    DataError,
    PredictionInputs,
    Preparation,
    Splits,
)
from neuropil.datasets.fingerprint import fingerprint, fingerprint_of_files
from neuropil.datasets.preparations import preparation_from_json
from neuropil.runs.measure import answers_of
from neuropil.runs.network_fit import check_fit
from neuropil.runs.run_facts import (
    CHECKPOINTS,
    FACTS,
    FIELDS,
    FILES,
    FORMAT,
    MODEL,
    check_free,
    finite,
    lock_folder,
    read_facts,
    settings_hash,
    versions,
)
from neuropil.runs.run_html import run_html
from neuropil.runs.tasks import task_from
from neuropil.training.checkpoints.checkpoint import PATTERN
from neuropil.training.history import History

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor

    from neuropil.datasets.source import Source
    from neuropil.runs.classic_model import ClassicModel
    from neuropil.runs.task import Task

HISTORY, REPORT = "history.csv", "report.html"


@final
@dataclass
class Run:
    """The folder with the results of a training, which ``neuropil train`` writes.

    `open` reads one. Its `figures`, `settings` and `history` are what the training gave;
    `network` is the trained network, and `read` and `predict` apply it to new files. The folder
    holds ``run.json`` (all attributes but the path), ``network.json`` and
    ``weights.safetensors``, ``history.csv``, ``checkpoints/`` and ``report.html``. Each file is
    replaced atomically.

    Args:
        path: The folder.
        options: The options that the user gave, by name, as plain data.
        settings: The settings of the training, given or chosen, as plain data.
        data: Facts on the data, with their fingerprint and preparation, as plain data.
        versions: Versions of the software.
        figures: Metrics by part (``"train"``, ``"validation"``, ``"test"``) and by name.
        times: The start time, and the seconds of the epochs.
        status: ``"running"``, ``"interrupted"``, ``"failed"``, or ``"finished"``, which is
            written last, after the report.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from neuropil import Run, datasets
        >>> from neuropil.cli import main
        >>> with TemporaryDirectory() as folder:
        ...     code = main(
        ...         ["train", "--network", "pnn", "--quiet", "--out", f"{folder}/digits"]
        ...     )
        ...     run = Run.open(f"{folder}/digits")
        ...     probabilities = run.predict(datasets.load_handwritten_digits().test.inputs)
        /.../digits
        >>> run.figures["test"]["accuracy"] > 0.95, probabilities.shape
        (True, torch.Size([359, 10]))
    """

    path: Path
    options: dict[str, Any]
    settings: dict[str, Any]
    data: dict[str, Any]
    versions: dict[str, str] = field(default_factory=dict)
    figures: dict[str, dict[str, float | None]] = field(default_factory=dict)
    times: dict[str, Any] = field(default_factory=dict)
    status: str = "running"

    # Making and reading it

    @classmethod
    def create(
        cls,
        path: Path,
        network: Network | ClassicModel,
        splits: Splits,
        task: Task[Any],
        settings: dict[str, Any],
        options: dict[str, Any] | None = None,
    ) -> Self:
        """Make a run folder for a training that is about to start.

        Args:
            path: A folder that is empty or does not exist yet.
            network: The network with its initial weights.
            splits: The data.
            task: The task of the network.
            settings: The settings of the training, given or chosen, as plain data.
            options: The options that the user gave, which start the same training again.

        Raises:
            FileExistsError: If the folder is not empty.
        """
        check_free(path)
        data = {
            **splits.facts(),
            "fingerprint": fingerprint(splits, settings.get("data")),
            "preparation": splits.preparation.to_json(),
            "task": task.to_json(),
            "settings": settings_hash(settings),
        }
        times = {"started": datetime.now(UTC).isoformat(timespec="seconds")}
        run = cls(path, options or {}, settings, data, versions(), times=times)
        try:
            # Made first: `is_unstarted` recognises by it a folder whose writer was killed here.
            make_folder(run.checkpoints)
            with run.lock():
                for leftover in set(path.iterdir()) - {run.checkpoints}:
                    leftover.unlink()
                network.save(path)
                run.save()
        except BaseException:
            run.discard()
            raise
        return run

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Read a run folder.

        Args:
            path: The folder.

        Raises:
            FileNotFoundError: If it is not a run folder.
            ValueError: If its ``run.json`` is damaged or of a newer format.
        """
        run = cls(Path(path), **read_facts(Path(path)))
        run.task  # noqa: B018 - raises if the task is damaged
        return run

    def save(self) -> None:
        """Write ``run.json`` atomically."""
        plain = {"format": FORMAT, "status": self.status}
        plain |= {name: getattr(self, name) for name in FIELDS}
        with replacing(self.path / FACTS) as file:
            file.write(json.dumps(finite(plain), indent=1, ensure_ascii=False).encode())

    def write_result(self, network: Network | ClassicModel, history: History) -> None:
        """Write the network and its history, then ``run.json``.

        Args:
            network: The network with its weights.
            history: The history of its training.
        """
        network.save(self.path)
        history.save(self.path / HISTORY)
        self.save()

    def discard(self) -> None:
        """Remove the folder, unless the training can be resumed from it."""
        if not self.resumable and not self.is_fitted:
            shutil.rmtree(self.path, ignore_errors=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from training in this folder, at most until this process ends.

        Temporary files of killed processes are removed.

        Raises:
            BlockingIOError: If another process is training here.
        """
        handle = lock_folder(self.path)
        try:
            clear_remains(self.path, FILES)
            clear_remains(self.checkpoints, PATTERN)
            yield
        finally:
            if handle is not None:
                os.close(handle)

    # Its contents

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints that `resume` continues from."""
        return self.path / CHECKPOINTS

    @property
    def resumable(self) -> bool:
        """Whether there is a checkpoint, complete or not."""
        return any(self.checkpoints.glob("step-*.pt"))

    @property
    def is_fitted(self) -> bool:
        """Whether the trained network has been written; its history is written last."""
        return (self.path / HISTORY).is_file()

    @property
    def is_classic(self) -> bool:
        """Whether it holds a classic network, which is fitted without checkpoints."""
        return (self.path / MODEL).is_file()

    @property
    def report(self) -> Path:
        """The file of the report."""
        return self.path / REPORT

    @property
    def preparation(self) -> Preparation:
        """The preparation that turns raw data into inputs of the network.

        Raises:
            ValueError: If ``run.json`` is damaged.
        """
        try:
            return preparation_from_json(self.data.get("preparation"))
        except DataError as error:
            raise ValueError(f"{self.path / FACTS}: {error}") from None

    @property
    def task(self) -> Task[Any]:
        """The task of the network.

        Raises:
            ValueError: If ``run.json`` is damaged.
        """
        target = self.preparation.target
        try:
            return task_from(self.data.get("task"), target)
        except ValueError as error:
            raise ValueError(f"{self.path / FACTS} is damaged: {error}") from None

    def was_trained_on(self, splits: Splits) -> bool:
        """Return whether the data are those of the training.

        Args:
            splits: The data, opened again.
        """
        return fingerprint(splits, self.settings["data"]) == self.data.get("fingerprint")

    def holds_training_data(self, data: str | os.PathLike[str]) -> bool:
        """Return whether a file or folder is the one that was trained on, or a copy of it.

        Args:
            data: The file or folder.
        """
        trained = self.settings.get("data")
        if trained is None:
            return False
        own = fingerprint_of_files(self.data["preparation"], Path(data), Path(trained).name)
        return own == self.data.get("fingerprint")

    def require(self, *names: str, may_be_null: bool = True) -> None:
        """Check that the run has some settings.

        Args:
            *names: Names of the settings.
            may_be_null: Whether their values may be null.

        Raises:
            ValueError: If one is missing.
        """
        lacking = [
            name
            for name in names
            if name not in self.settings or (not may_be_null and self.settings[name] is None)
        ]
        if lacking:
            raise ValueError(
                f"{self.path / FACTS} is damaged: its settings lack {lacking[0]!r}."
            )

    def network(self) -> Network | ClassicModel:
        """Return the trained network.

        Raises:
            FileNotFoundError: If a file is missing.
            ValueError: If a file is damaged or does not belong to the others.
        """
        if self.is_classic:
            from neuropil.runs.classic_model import ClassicModel

            return ClassicModel.load(self.path)
        network = Network.load(self.path)
        try:
            check_fit(
                network,
                self.preparation.input_shape,
                self.task,
                masked=self.preparation.pads,
            )
        except ValueError as error:
            raise ValueError(
                f"{self.path}: network.json does not belong to {FACTS}: {error}"
            ) from None
        return network

    def history(self) -> History:
        """Return the history of the training.

        Raises:
            ValueError: If the file is damaged.
        """
        try:
            return History.load(self.path / HISTORY)
        except csv.Error as error:
            raise ValueError(f"{self.path / HISTORY} is damaged: {error}.") from None

    # Using it

    @override
    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {self.status})"

    def _repr_html_(self) -> str:
        return run_html(self)

    def read(self, files: Iterable[str | os.PathLike[str]]) -> PredictionInputs:
        """Return new examples from files, prepared like the training data.

        Args:
            files: Pictures, folders of pictures, tables or arrays.
        """
        from neuropil.datasets import read_for_prediction  # which loads readers of all formats

        return read_for_prediction(self.preparation, files)

    def predict(
        self,
        inputs: Tensor | Source | PredictionInputs,
        network: Network | ClassicModel | None = None,
    ) -> Tensor:
        """Return the answers of the task: class probabilities, or numbers in their own units.

        Answers that have a place in a picture are in the pixels of its file for what `read`
        returns, else in those of the network's input.

        Shape:
            ``(N, …) -> (N, classes)``, or ``(N)`` for a single number, ``(N, k)`` for several.

        Args:
            inputs: Examples, or what `read` returns.
            network: The network of the run; by default it is read from the folder.
        """
        network = self.network() if network is None else network
        task = self.task
        if not isinstance(inputs, PredictionInputs):
            return task.chosen(answers_of(network, inputs, task))
        return task.place(task.chosen(answers_of(network, inputs.inputs, task)), inputs)
