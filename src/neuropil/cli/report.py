"""``neuropil report``."""

from typing import TYPE_CHECKING

from neuropil.cli.common import RunFolder, open_trained

if TYPE_CHECKING:
    from neuropil.training import GradientWatch
    from neuropil.training.run import Run


def report(folder: RunFolder) -> None:
    """Write the report of a run again, such as after it was lost."""
    from neuropil.cli.console import note, say
    from neuropil.cli.finish import report as write
    from neuropil.cli.opening import open_again
    from neuropil.training.digest import fingerprint

    run = open_trained(folder)
    network, history, splits = run.network(), run.history(), open_again(run)
    if fingerprint(splits, run.settings["data"]) != run.data.get("fingerprint"):
        note(f"the data in {splits.source} have changed since the training.")
    with run.held():
        write(run, splits, network, history, watch_of(run))
    say(str(run.report))


def watch_of(run: "Run") -> "GradientWatch | None":
    """Return what watched the gradients, as the latest checkpoint remembers it."""
    from neuropil.training import GradientWatch
    from neuropil.training.checkpoint import CheckpointError, Checkpoints

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
