"""Plots of networks, trainings and their results."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.plots.boltzmann_machine import machine_filters as machine_filters
    from neuropil.plots.boltzmann_machine import samples as samples
    from neuropil.plots.capacity_curve import capacity_curves as capacity_curves
    from neuropil.plots.classification.calibration import Reliability as Reliability
    from neuropil.plots.classification.calibration import calibration as calibration
    from neuropil.plots.classification.calibration import reliability as reliability
    from neuropil.plots.classification.confusion import confusion_matrix as confusion_matrix
    from neuropil.plots.classification.ranking_curves import (
        precision_recall_curve as precision_recall_curve,
    )
    from neuropil.plots.classification.ranking_curves import roc_curve as roc_curve
    from neuropil.plots.column_importance import column_importance as column_importance
    from neuropil.plots.curves import learning_curves as learning_curves
    from neuropil.plots.decision_regions import decision_regions as decision_regions
    from neuropil.plots.detection.box_curves import box_curves as box_curves
    from neuropil.plots.detection.drawn_boxes import boxes as boxes
    from neuropil.plots.filters import filters as filters
    from neuropil.plots.gradient_flow import gradient_flow as gradient_flow
    from neuropil.plots.growing_gas import growing_gas as growing_gas
    from neuropil.plots.hinton import hinton as hinton
    from neuropil.plots.landmarks.drawn_points import points as points
    from neuropil.plots.landmarks.error_curve import landmark_errors as landmark_errors
    from neuropil.plots.loss_against_time import loss_against_time as loss_against_time
    from neuropil.plots.map_pictures import cluster_map as cluster_map
    from neuropil.plots.map_pictures import component_planes as component_planes
    from neuropil.plots.map_pictures import hit_map as hit_map
    from neuropil.plots.map_pictures import u_matrix as u_matrix
    from neuropil.plots.optimizer_paths import optimizer_paths as optimizer_paths
    from neuropil.plots.recall_pictures import hopfield_recall as hopfield_recall
    from neuropil.plots.regression_errors import error_by_decile as error_by_decile
    from neuropil.plots.regression_errors import (
        predicted_against_true as predicted_against_true,
    )
    from neuropil.plots.regression_errors import residuals as residuals
    from neuropil.plots.run_curves import run_curves as run_curves
    from neuropil.plots.verification.distance_histogram import (
        distance_histogram as distance_histogram,
    )
    from neuropil.plots.verification.error_tradeoff import det_curve as det_curve
    from neuropil.plots.verification.error_tradeoff import verification_roc as verification_roc
    from neuropil.runs.figures.confidence_interval import (
        bootstrap_interval as bootstrap_interval,
    )
    from neuropil.runs.figures.confidence_interval import wilson_interval as wilson_interval

load_on_use(__name__, __file__)
