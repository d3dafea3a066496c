"""Pictures and reports of networks, trainings and their results."""

from neuropil.plots.boltzmann_machine import machine_filters, samples
from neuropil.plots.calibration import Reliability, calibration, reliability
from neuropil.plots.capacity_curve import capacity_curves
from neuropil.runs.confidence_interval import bootstrap_interval, wilson_interval
from neuropil.plots.confusion import confusion_matrix
from neuropil.plots.curves import learning_curves
from neuropil.plots.decision_regions import decision_regions
from neuropil.plots.filters import filters
from neuropil.plots.gradient_flow import gradient_flow
from neuropil.plots.growing_gas import growing_gas
from neuropil.plots.hinton import hinton
from neuropil.plots.loss_against_time import loss_against_time
from neuropil.plots.map_pictures import cluster_map, component_planes, hit_map, u_matrix
from neuropil.plots.optimizer_paths import optimizer_paths
from neuropil.plots.recall_pictures import hopfield_recall
from neuropil.plots.regression import error_by_decile, predicted_against_true, residuals

__all__ = [
    "Reliability",
    "bootstrap_interval",
    "calibration",
    "capacity_curves",
    "cluster_map",
    "component_planes",
    "confusion_matrix",
    "decision_regions",
    "error_by_decile",
    "filters",
    "gradient_flow",
    "growing_gas",
    "hinton",
    "hit_map",
    "hopfield_recall",
    "learning_curves",
    "loss_against_time",
    "machine_filters",
    "optimizer_paths",
    "predicted_against_true",
    "reliability",
    "residuals",
    "samples",
    "u_matrix",
    "wilson_interval",
]
