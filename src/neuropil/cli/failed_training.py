"""The state of a training that is interrupted or fails, saved in its run folder."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from neuropil.cli import plan
from neuropil.cli.terminal.interruption import suggesting_resume
from neuropil.cli.terminal.process_group import resume_command, undisturbed
from neuropil.training.nonfinite import NonFiniteError
from neuropil.training.processes import ProcessLostError, join_processes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.core import Network
    from neuropil.runs.run_folder import Run
    from neuropil.training import Trainer


@contextlib.contextmanager
def saving_on_failure(run: Run, trainer: Trainer) -> Iterator[None]:
    """Save the current state of a training that is interrupted or fails.

    Raises:
        Interrupted: After an interruption, if the run can be resumed.
        KeyboardInterrupt: After an interruption, if it cannot.
        ProcessLostError: If another process has ended or does not answer.
        Exception: The error that ended the training.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        # An interruption between two steps is one of all processes, and has a message.
        whole = bool(error.args) or not plan.is_sharded(run)
        with undisturbed():
            network = trainer.gather_network() if whole else None
            save_state(run, trainer, "interrupted", network)
        if not run.resumable:
            raise
        with suggesting_resume(run.path, where=f" in epoch {trainer.epoch + 1}"):
            raise
    except Exception as error:
        # The first error is the one to report; saving may fail again on a full disk.
        with contextlib.suppress(OSError), undisturbed():
            # Sharded weights cannot be gathered any more: the checkpoint has them.
            network = None if plan.is_sharded(run) else trainer.gather_network()
            if network and isinstance(error, NonFiniteError | ProcessLostError):
                trainer.restore()
            save_state(run, trainer, "failed", network)
        if isinstance(error, ProcessLostError):
            raise ProcessLostError(f"{error}; {next_step(run)}") from None
        raise


def next_step(run: Run) -> str:
    """Return the advice for the user after another process was lost."""
    if join_processes().first and not run.resumable:
        return "nothing was saved: run the command again."
    return f"resume with: {resume_command(run.path)}"


def save_state(run: Run, trainer: Trainer, status: str, network: Network | None) -> None:
    """Save the weights, if any, and the history of a training that has a checkpoint."""
    if not run.resumable or not join_processes().first:
        return
    run.status = status
    if network is None:
        run.save()
    else:
        run.write_result(network, trainer.history)
