"""Neuropil: the neural-network cheat sheet as working software.

Compose networks with ``>>``, see their shapes, cost and receptive field before anything runs,
train them, and measure which tricks help on your own data.
"""

from typing import TYPE_CHECKING

from neuropil.core.later import FUNCTIONS
from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil import analysis as analysis
    from neuropil import architectures as architectures
    from neuropil import classic as classic
    from neuropil import core as core
    from neuropil import datasets as datasets
    from neuropil import init as init
    from neuropil import layers as layers
    from neuropil import optim as optim
    from neuropil import plots as plots
    from neuropil import report as report
    from neuropil import runs as runs
    from neuropil import saving as saving
    from neuropil import store as store
    from neuropil import study as study
    from neuropil import training as training
    from neuropil import vision as vision
    from neuropil.core.composition import join as join
    from neuropil.core.composition import parallel as parallel
    from neuropil.core.composition import repeat as repeat
    from neuropil.core.composition import shared as shared
    from neuropil.core.layer import Layer as Layer
    from neuropil.core.network import Network as Network
    from neuropil.core.shape import ShapeError as ShapeError
    from neuropil.runs.run_folder import Run as Run
    from neuropil.training.estimators.network_classifier import (
        NetworkClassifier as NetworkClassifier,
    )
    from neuropil.training.estimators.network_regressor import (
        NetworkRegressor as NetworkRegressor,
    )
    from neuropil.training.trainer import Trainer as Trainer

__version__ = "0.1.0"

FUNCTIONS.update(
    summary="neuropil.analysis.summary.summary_table.summary",
    diagram="neuropil.analysis.diagram.diagrams.diagram",
    plot_history="neuropil.plots.curves.plot_history",
    save="neuropil.saving.network_files.save",
    load="neuropil.saving.network_files.load",
    parse="neuropil.saving.expression.parse",
    propose_boxes="neuropil.vision.regions.proposal_operator.propose_boxes",
    search_regions="neuropil.vision.regions.search_operator.search_regions",
)
load_on_use(__name__, __file__)
