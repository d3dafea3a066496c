"""The folder that a training leaves: what was done, the network, and how good it is."""

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

from neuropil.core import Network
from neuropil.core.atomic import clear_remains, make_folder, replacing
from neuropil.datasets import (
    DataError,
    PredictionInputs,
    Preparation,
    Splits,
    read_for_prediction,
)
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
from neuropil.runs.tasks import task_from
from neuropil.training.checkpoints.checkpoint import PATTERN
from neuropil.training.checkpoints.digest import fingerprint
from neuropil.training.history import History

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor

    from neuropil.runs.classic_model import ClassicModel
    from neuropil.runs.task import Task

HISTORY, REPORT = "history.csv", "report.html"


@final
@dataclass
class Run:
    """The folder that a training leaves.

    It holds ``run.json`` (all that is here but the path), ``network.json`` and
    ``weights.safetensors``, ``history.csv``, ``checkpoints/`` and ``report.html``. Each file is
    replaced whole or not at all.

    Args:
        path: The folder.
        settings: What the training was asked for and what it chose, plain data.
        data: What the data were, with their fingerprint and their preparation, plain data.
        versions: Versions of what computed it.
        figures: For each part (``"train"``, ``"validation"``, ``"test"``) its figures by name.
        times: When it started, and the seconds that its epochs took.
        status: ``"running"``, ``"interrupted"``, ``"failed"``, or ``"finished"``, which is
            written last, once the report is there.
    """

    path: Path
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
    ) -> Self:
        """Make a run folder for a training that is about to begin.

        Args:
            path: A folder that is empty or does not exist yet.
            network: The network with the weights that it starts from.
            splits: The data.
            task: What is asked of the network.
            settings: What the training was asked for and what it chose, plain data.

        Raises:
            FileExistsError: When there is something in the folder.
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
        run = cls(path, settings, data, versions(), times=times)
        try:
            # First, for by it a folder is known again whose writer was killed right here.
            make_folder(run.checkpoints)
            with run.held():
                for left in set(path.iterdir()) - {run.checkpoints}:
                    left.unlink()
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
            FileNotFoundError: When it is no run folder.
            ValueError: When its ``run.json`` is damaged or of a newer format.
        """
        run = cls(Path(path), **read_facts(Path(path)))
        run.task  # noqa: B018 - refuses what is damaged
        return run

    def save(self) -> None:
        """Write ``run.json``, whole or not at all."""
        plain = {"format": FORMAT, "status": self.status}
        plain |= {name: getattr(self, name) for name in FIELDS}
        with replacing(self.path / FACTS) as file:
            file.write(json.dumps(finite(plain), indent=1, ensure_ascii=False).encode())

    def write_result(self, network: Network | ClassicModel, history: History) -> None:
        """Write the network and its history, then the facts.

        Args:
            network: The network with its weights.
            history: The figures of its epochs.
        """
        network.save(self.path)
        history.save(self.path / HISTORY)
        self.save()

    def discard(self) -> None:
        """Remove the folder, unless something is in it that the training can go on from."""
        if not self.resumable and not self.is_fitted:
            shutil.rmtree(self.path, ignore_errors=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from training in this folder; the system ends it with us.

        What a killed process was writing is cleared away.

        Raises:
            BlockingIOError: When another process does.
        """
        handle = lock_folder(self.path)
        try:
            clear_remains(self.path, FILES)
            clear_remains(self.checkpoints, PATTERN)
            yield
        finally:
            if handle is not None:
                os.close(handle)

    # What is in it

    @property
    def checkpoints(self) -> Path:
        """The folder of the states that `resume` goes on from."""
        return self.path / CHECKPOINTS

    @property
    def resumable(self) -> bool:
        """Whether there is a state to go on from, be it whole or not."""
        return any(self.checkpoints.glob("step-*.pt"))

    @property
    def is_fitted(self) -> bool:
        """Whether the network has been written with what it learnt; its history comes last."""
        return (self.path / HISTORY).is_file()

    @property
    def is_classic(self) -> bool:
        """Whether it holds a classic network, which is fitted in one go."""
        return (self.path / MODEL).is_file()

    @property
    def report(self) -> Path:
        """The file that tells a person everything."""
        return self.path / REPORT

    @property
    def preparation(self) -> Preparation:
        """How raw input becomes what the network takes.

        Raises:
            ValueError: When ``run.json`` is damaged.
        """
        try:
            return preparation_from_json(self.data.get("preparation"))
        except DataError as error:
            raise ValueError(f"{self.path / FACTS}: {error}") from None

    @property
    def task(self) -> Task[Any]:
        """What is asked of the network.

        Raises:
            ValueError: When ``run.json`` is damaged.
        """
        target = self.preparation.target
        try:
            return task_from(self.data.get("task"), target)
        except ValueError as error:
            raise ValueError(f"{self.path / FACTS} is damaged: {error}") from None

    def require(self, *names: str, may_be_null: bool = True) -> None:
        """Refuse to go on without some of the settings.

        Args:
            *names: The settings.
            may_be_null: Whether null is one of their values.

        Raises:
            ValueError: When one is lacking.
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
        """Return the network with its weights, or the classic network as it was fitted.

        Raises:
            FileNotFoundError: When a file is missing.
            ValueError: When a file is damaged or does not belong to the others.
        """
        if self.is_classic:
            from neuropil.runs.classic_model import ClassicModel

            return ClassicModel.load(self.path)
        network = Network.load(self.path)
        try:
            check_fit(network, self.preparation.input_shape, self.task)
        except ValueError as error:
            raise ValueError(
                f"{self.path}: network.json does not belong to {FACTS} beside it: {error}"
            ) from None
        return network

    def history(self) -> History:
        """Return the figures of the epochs.

        Raises:
            ValueError: When the file is damaged.
        """
        try:
            return History.load(self.path / HISTORY)
        except csv.Error as error:
            raise ValueError(f"{self.path / HISTORY} is damaged: {error}.") from None

    # Using it

    def read(self, files: Iterable[str | os.PathLike[str]]) -> PredictionInputs:
        """Return new examples from files, in the form that the network was trained on.

        Args:
            files: Pictures, folders of pictures, tables or arrays.
        """
        return read_for_prediction(self.preparation, files)

    def predict(self, inputs: Tensor, network: Network | ClassicModel | None = None) -> Tensor:
        """Return the task's answers: each class's probability, or numbers in their own units.

        Shape:
            ``(N, …) -> (N, classes)``, or ``(N)`` for a single number, ``(N, k)`` for several.

        Args:
            inputs: Examples, such as those that `read` gives.
            network: The run's network, if it is at hand; it is read otherwise.
        """
        network = self.network() if network is None else network
        return answers_of(network, inputs, self.task)
