"""The command line under ``torchrun``: one process speaks for all."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# The commands that all processes carry out together; the others are for the first one alone.
TOGETHER = ("train", "resume")
# Seconds to wait for the message of the first process, which knows best what happened.
PATIENCE = 10.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def is_group() -> bool:
    """Return whether this process was started as one of several, as by ``torchrun``."""
    return "RANK" in os.environ and os.environ.get("WORLD_SIZE", "1") not in ("", "1")


def rank() -> int:
    """Return the rank of this process, from 0.

    Raises:
        ValueError: If the environment gives no rank of a group; waiting for it would not end.
    """
    if not is_group():
        return 0
    own, count = os.environ["RANK"], os.environ["WORLD_SIZE"]
    if not (own.isdecimal() and count.isdecimal() and int(own) < int(count)):
        raise ValueError(
            f"the environment has RANK={own} and WORLD_SIZE={count}: the first must be a whole "
            "number from 0, below the second; torchrun sets both."
        )
    return int(own)


def takes_part(arguments: Sequence[str]) -> bool:
    """Return whether this process has something to do for a command."""
    return rank() == 0 or command_of(arguments) in TOGETHER


def join_group(arguments: Sequence[str]) -> None:
    """Join the other processes if the command is for all of them."""
    if is_group() and command_of(arguments) in TOGETHER:
        from neuropil.training.processes import join_processes

        join_processes()


def command_of(arguments: Sequence[str]) -> str:
    """Return the command among the arguments; empty if there is none."""
    return next((each for each in arguments if not each.startswith("-")), "")


@contextlib.contextmanager
def speaking_alone() -> Iterator[None]:
    """Discard what all processes but the first print inside the context."""
    if rank() == 0:
        yield
        return
    with (
        open(os.devnull, "w", encoding="utf-8") as nowhere,  # noqa: PTH123 - not a file of ours
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore the signals by which ``torchrun`` ends all processes after one has failed."""
    if not is_group():
        yield
        return
    before = [signal.signal(number, signal.SIG_IGN) for number in SIGNALS]
    try:
        yield
    finally:
        for number, handler in zip(SIGNALS, before, strict=True):
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def report_failure(
    code: int, line: str, *, foreseen: bool = True, second_hand: bool = False
) -> int | None:
    """Print why the command failed, once for all processes of a machine.

    Args:
        code: The exit code.
        line: The message, printed unless another process has reported its own.
        foreseen: Whether the message is for the user; otherwise it is not printed here.
        second_hand: Whether the cause is in another process, or common to all.

    Returns:
        The exit code; None if the error is not foreseen, and this process has to raise it.
    """
    group = joined_group()
    with undisturbed():
        first = group and claim(group, code, line, second_hand=second_hand)
        if first:
            if group.first_here and first["host"] != platform.node():
                sys.stderr.write(f"{first['line']} (on {first['host']})\n")
            return first["code"]
        if foreseen:
            sys.stderr.write(f"{line}\n")
    return code if foreseen else None


def claim(group: Any, code: int, line: str, *, second_hand: bool) -> dict[str, Any] | None:
    """Report a failure to all processes; return the report of an earlier one, if any."""
    # The first process knows best what happened, unless it is the one that ended.
    if second_hand and not group.first:
        end = time.monotonic() + PATIENCE
        while not group.has_failed() and time.monotonic() < end:
            time.sleep(0.02)
    return group.claim_failure(code, line)


def joined_group() -> Any:
    """Return the group of processes if this process has joined one, else None."""
    module = sys.modules.get("neuropil.training.processes")
    return module.joined[0] if is_group() and module is not None and module.joined else None


def resume_command(run: object) -> str:
    """Return the command that resumes a run with as many processes.

    Args:
        run: Path of the run folder.
    """
    if not is_group():
        return f"neuropil resume {run}"
    count, local = os.environ["WORLD_SIZE"], os.environ.get("LOCAL_WORLD_SIZE", "1")
    options = f"--nproc-per-node {local}" if count == local else "…"
    return f"torchrun {options} -m neuropil resume {run}"
