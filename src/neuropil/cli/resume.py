"""``neuropil resume``."""

from neuropil.cli.common import Quiet, RunFolder


def resume(folder: RunFolder, *, quiet: Quiet = False) -> None:
    """Go on with an interrupted training; it ends as if nothing had happened."""
    from neuropil.cli.console import say
    from neuropil.cli.training import go_on
    from neuropil.training.run import Run

    run = Run.open(folder)
    if run.status == "finished":
        say(f"the training in {folder} is finished: there is nothing to resume.")
        return
    go_on(run, quiet=quiet)
