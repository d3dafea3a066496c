"""What a network is before anything runs, and how well gradients flow once it does."""

from neuropil.analysis.architecture_table import ZooRow, zoo
from neuropil.analysis.cost.costs import Cost, LayerCost, cost
from neuropil.analysis.cost.parameters import count_parameters
from neuropil.analysis.cost.peak_memory import PeakMemory, peak_memory
from neuropil.analysis.diagram.diagrams import Diagram, diagram
from neuropil.analysis.health.gradient_health import GradientHealth, gradient_health
from neuropil.analysis.health.health_rows import LayerHealth
from neuropil.analysis.health.health_verdicts import Verdict
from neuropil.analysis.receptive_field.effective_receptive_fields import (
    EffectiveReceptiveField,
    effective_receptive_field,
)
from neuropil.analysis.receptive_field.receptive_fields import ReceptiveField, receptive_field
from neuropil.analysis.sizes.output_sizes import OutputSize, output_size
from neuropil.analysis.sizes.size_search import Fit
from neuropil.analysis.summary.summary_rows import Row
from neuropil.analysis.summary.summary_table import Summary, Totals, summary

__all__ = [
    "Cost",
    "Diagram",
    "EffectiveReceptiveField",
    "Fit",
    "GradientHealth",
    "LayerCost",
    "LayerHealth",
    "OutputSize",
    "PeakMemory",
    "ReceptiveField",
    "Row",
    "Summary",
    "Totals",
    "Verdict",
    "ZooRow",
    "cost",
    "count_parameters",
    "diagram",
    "effective_receptive_field",
    "gradient_health",
    "output_size",
    "peak_memory",
    "receptive_field",
    "summary",
    "zoo",
]
