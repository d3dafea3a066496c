"""Which tricks help on your own data: the systematic evaluation."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.study.run_study import Study as Study
    from neuropil.study.run_study import run as run
    from neuropil.study.study_watch import StudyWatch as StudyWatch
    from neuropil.study.tricks.trick_table import TRICKS as TRICKS

load_on_use(__name__, __file__)
