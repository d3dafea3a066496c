"""``neuropil report``."""

from typing import TYPE_CHECKING

from neuropil.cli.command_options import RunFolder, open_trained

if TYPE_CHECKING:
    from neuropil.runs.run_folder import Run
    from neuropil.training import GradientWatch


def report(folder: RunFolder) -> None:
    """Write the report of a run again, for example after it was deleted."""
    run = open_trained(folder)
    from neuropil.cli.console import note, say
    from neuropil.cli.finish import report as write
    from neuropil.cli.run_data import open_again

    network, history, splits = run.network(), run.history(), open_again(run)
    if not run.was_trained_on(splits):
        note(f"the data in {splits.source} have changed since the training.")
    with run.lock():
        write(run, splits, network, history, watch_of(run))
    say(str(run.report))


def watch_of(run: "Run") -> "GradientWatch | None":
    """Return the gradient watch of the latest checkpoint, or None."""
    from neuropil.training import GradientWatch
    from neuropil.training.checkpoints.checkpoint import CheckpointError, Checkpoints

    try:
        state = Checkpoints(run.checkpoints).load()
    except CheckpointError:
        return None
    kept = {} if state is None else state["callbacks"].get(GradientWatch.__name__, {})
    if not kept:
        return None
    watch = GradientWatch()
    watch.load_state_dict(kept)
    return watch
