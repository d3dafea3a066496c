"""Run folders, the results of a training, and the tasks that networks are trained for."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.runs.exporting.run_export import export as export
    from neuropil.runs.figures.importance import Importance as Importance
    from neuropil.runs.figures.importance import (
        permutation_importance as permutation_importance,
    )
    from neuropil.runs.run_folder import Run as Run

load_on_use(__name__, __file__)
