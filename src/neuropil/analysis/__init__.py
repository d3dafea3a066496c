"""What a network is before anything runs, and how well gradients flow once it does."""

from neuropil.analysis.costs import Cost, LayerCost, cost
from neuropil.analysis.diagrams import Diagram, diagram
from neuropil.analysis.effective_receptive_fields import (
    EffectiveReceptiveField,
    effective_receptive_field,
)
from neuropil.analysis.health import GradientHealth, gradient_health
from neuropil.analysis.health_rows import LayerHealth
from neuropil.analysis.health_verdicts import Verdict
from neuropil.analysis.output_sizes import OutputSize, output_size
from neuropil.analysis.parameters import count_parameters
from neuropil.analysis.peaks import PeakMemory, peak_memory
from neuropil.analysis.receptive_fields import ReceptiveField, receptive_field
from neuropil.analysis.rows import Row
from neuropil.analysis.size_search import Fit
from neuropil.analysis.summaries import Summary, Totals, summary
from neuropil.analysis.zoo import ZooRow, zoo

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
