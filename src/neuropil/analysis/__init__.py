"""Analysis of networks: costs, shapes and receptive fields, and gradients in training."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.analysis.architecture_table import ZooRow as ZooRow
    from neuropil.analysis.architecture_table import zoo as zoo
    from neuropil.analysis.cost.costs import Cost as Cost
    from neuropil.analysis.cost.costs import LayerCost as LayerCost
    from neuropil.analysis.cost.costs import cost as cost
    from neuropil.analysis.cost.parameters import count_parameters as count_parameters
    from neuropil.analysis.cost.peak_memory import PeakMemory as PeakMemory
    from neuropil.analysis.cost.peak_memory import peak_memory as peak_memory
    from neuropil.analysis.diagram.diagrams import Diagram as Diagram
    from neuropil.analysis.diagram.diagrams import diagram as diagram
    from neuropil.analysis.health.gradient_health import GradientHealth as GradientHealth
    from neuropil.analysis.health.gradient_health import gradient_health as gradient_health
    from neuropil.analysis.health.health_rows import LayerHealth as LayerHealth
    from neuropil.analysis.health.health_verdicts import Verdict as Verdict
    from neuropil.analysis.receptive_field.effective_receptive_fields import (
        EffectiveReceptiveField as EffectiveReceptiveField,
    )
    from neuropil.analysis.receptive_field.effective_receptive_fields import (
        effective_receptive_field as effective_receptive_field,
    )
    from neuropil.analysis.receptive_field.receptive_fields import (
        ReceptiveField as ReceptiveField,
    )
    from neuropil.analysis.receptive_field.receptive_fields import (
        receptive_field as receptive_field,
    )
    from neuropil.analysis.sizes.output_sizes import OutputSize as OutputSize
    from neuropil.analysis.sizes.output_sizes import output_size as output_size
    from neuropil.analysis.sizes.size_search import Fit as Fit
    from neuropil.analysis.summary.summary_rows import Row as Row
    from neuropil.analysis.summary.summary_rows import Totals as Totals
    from neuropil.analysis.summary.summary_table import Summary as Summary
    from neuropil.analysis.summary.summary_table import summary as summary

load_on_use(__name__, __file__)
