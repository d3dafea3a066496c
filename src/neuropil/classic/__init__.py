"""Classic networks as scikit-learn estimators: maps, memories, prototypes and more."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.classic.boltzmann.deep_belief import DeepBeliefNetwork as DeepBeliefNetwork
    from neuropil.classic.boltzmann.rbm import RBM as RBM
    from neuropil.classic.competitive.art.art1 import ART1 as ART1
    from neuropil.classic.competitive.art.fuzzy_art import FuzzyART as FuzzyART
    from neuropil.classic.competitive.gas.growing_neural_gas import (
        GrowingNeuralGas as GrowingNeuralGas,
    )
    from neuropil.classic.competitive.lvq.glvq import GLVQ as GLVQ
    from neuropil.classic.competitive.lvq.gmlvq import GMLVQ as GMLVQ
    from neuropil.classic.competitive.lvq.lvq import LVQ as LVQ
    from neuropil.classic.competitive.lvq.lvq import LVQ2 as LVQ2
    from neuropil.classic.competitive.lvq.lvq import LVQ3 as LVQ3
    from neuropil.classic.competitive.lvq.lvq import LVQ21 as LVQ21
    from neuropil.classic.competitive.som.sofm import SOFM as SOFM
    from neuropil.classic.hebbian.hebb import HebbRule as HebbRule
    from neuropil.classic.hebbian.instar import Instar as Instar
    from neuropil.classic.hebbian.kohonen import Kohonen as Kohonen
    from neuropil.classic.hebbian.oja import Oja as Oja
    from neuropil.classic.memory.bam import DiscreteBAM as DiscreteBAM
    from neuropil.classic.memory.cmac import CMAC as CMAC
    from neuropil.classic.memory.hopfield import (
        DiscreteHopfieldNetwork as DiscreteHopfieldNetwork,
    )
    from neuropil.classic.memory.modern_hopfield import (
        ModernHopfieldNetwork as ModernHopfieldNetwork,
    )
    from neuropil.classic.rbf.grnn import GRNN as GRNN
    from neuropil.classic.rbf.pnn import PNN as PNN

load_on_use(__name__, __file__)
