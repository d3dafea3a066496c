"""Settings of a training: the checked options, in the form that a run stores."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, final

from neuropil import optim
from neuropil.cli import augmentation_text
from neuropil.cli.suggestions import elsewhere
from neuropil.cli.terminal.process_group import is_group
from neuropil.cli.train_options import flag
from neuropil.datasets.pictures.picture_sizes import SIZES
from neuropil.optim import schedules
from neuropil.training.loop.closure_step import check_lr
from neuropil.training.losses import losses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuropil.cli.train_options import TrainOptions

NONE = "none"
IMAGE_SIZE = "--image-size"


@final
@dataclass(frozen=True)
class Settings:
    """Settings of a training as plain data; `TrainOptions` documents them.

    None means that the user did not give the option.
    """

    data: str | None
    target: str | None
    task: str | None
    header: bool | None
    encoding: str | None
    split_by: str | None
    image_size: int | tuple[int, int] | str | None
    then: tuple[int | tuple[int, int], int] | None
    color: str | None
    validation: float
    test: float
    network: str | None
    weights: str | None
    freeze: str | None
    optimizer: str | None
    lr: float | None
    batch_size: int | None
    epochs: int | None
    schedule: str | None
    patience: int | None
    keep_best: bool | None
    loss: str | None
    class_weight: str | list[float] | None
    augment: str | None
    seed: int
    device: str
    threads: str | int
    shard: bool | None
    from_study: str | None

    @classmethod
    def from_options(cls, asked: TrainOptions) -> Self:
        """Return the settings of the given options, after all checks that do not need the data.

        Raises:
            ValueError: When an option is out of range or unknown.
        """
        if asked.lr is not None and not 0 < asked.lr < math.inf:
            raise ValueError(f"--lr must be a number above 0, got {asked.lr:g}.")
        check_names(asked)
        if asked.optimizer is not None:
            check_lr(asked.optimizer, optim.by_name(asked.optimizer), asked.lr)
        for name in ("epochs", "batch_size", "patience"):
            given = getattr(asked, name)
            if given is not None and given < 1:
                raise ValueError(f"{flag(name)} must be at least 1, got {given}.")
        if asked.shard and not is_group():
            raise ValueError(
                "--shard needs several processes: torchrun --nproc-per-node 2 -m neuropil "
                "train --shard …"
            )
        if not 0 <= asked.seed < 2**63:
            raise ValueError(f"--seed must be a whole number from 0, got {asked.seed}.")
        if asked.from_study is not None:
            check_study_options(asked)
        plain = cls.from_plain(vars(asked))
        return dataclasses.replace(
            plain,
            data=asked.data and os.path.realpath(asked.data),
            from_study=asked.from_study and os.path.realpath(asked.from_study),
            image_size=asked.image_size
            if asked.image_size in SIZES
            else image_size(asked.image_size),
            then=then(asked.then),
            class_weight=class_weight(asked.class_weight),
            threads=thread_count(asked.threads),
        )

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the settings among plain data, such as a run's; other keys are ignored."""
        known: dict[str, Any] = {each.name: plain.get(each.name) for each in FIELDS}
        return cls(**known)


FIELDS = dataclasses.fields(Settings)


def check_study_options(asked: TrainOptions) -> None:
    """Refuse options that do not suit a training with what a study found.

    Raises:
        ValueError: If there is one.
    """
    for name in ("weights", "freeze", "then"):
        if getattr(asked, name) is not None:
            raise ValueError(
                f"{flag(name)} does not suit --from-study: a study trains a whole network from "
                "newly drawn weights."
            )


def check_names(asked: TrainOptions) -> None:
    """Refuse an unknown name, and suggest the option that it belongs to.

    Raises:
        ValueError: When a name is unknown.
    """
    for name, look_up in (
        ("optimizer", optim.by_name),
        ("schedule", schedules.by_name),
        ("loss", losses.by_name),
        ("augment", augmentation_text.parse),
    ):
        given = getattr(asked, name)
        if given in (None, NONE):
            continue
        try:
            look_up(given)
        except ValueError as error:
            raise ValueError(f"{error}{elsewhere(given, flag(name))}") from None


def image_size(text: str | None, option: str = IMAGE_SIZE) -> int | tuple[int, int] | None:
    """Return ``"28"`` as 28 and ``"28x32"`` as (28, 32), height first.

    Raises:
        ValueError: When the text is neither.
    """
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,6})(?:[x×,](\d{1,6}))?", text.replace(" ", ""))
    if found is None or "0" in (found[1], found[2]):
        raise ValueError(
            f"{option} must be a number such as 32, or HEIGHTxWIDTH"
            f"{', or buckets or native' * (option == IMAGE_SIZE)}, got {text!r}."
        )
    return int(found[1]) if found[2] is None else (int(found[1]), int(found[2]))


def then(text: str | None) -> tuple[int | tuple[int, int], int] | None:
    """Return ``"64:5"`` as the size 64 and 5 epochs.

    Raises:
        ValueError: When the text is not a size and a number of epochs.
    """
    if text is None:
        return None
    size, _, epochs = text.partition(":")
    side = image_size(size, "the size of --then") if epochs.isdecimal() else None
    if side is None or not int(epochs):
        raise ValueError(f"--then must be SIZE:EPOCHS, such as 64:5, got {text!r}.")
    return side, int(epochs)


def class_weight(text: str | None) -> str | list[float] | None:
    """Return ``"balanced"``, one number per class, or None.

    Raises:
        ValueError: When the text is neither.
    """
    if text is None or text == "balanced":
        return text
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(
            f"--class-weight must be 'balanced' or one number per class, such as 1,2.5,1, got "
            f"{text!r}."
        ) from None


def thread_count(text: str) -> str | int:
    """Return ``"auto"`` or a number.

    Raises:
        ValueError: When the text is neither.
    """
    if text == "auto":
        return text
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"--threads must be 'auto' or an integer of at least 1, got {text!r}.")
    return int(text)
