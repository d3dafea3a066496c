"""Optimizers for any PyTorch loop, learning-rate schedules, and regularisers."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.optim.batch_size_rule import scale_lr as scale_lr
    from neuropil.optim.bound_regularizer import Bound as Bound
    from neuropil.optim.expert_balance import balance as balance
    from neuropil.optim.first_order.adam import Adam as Adam
    from neuropil.optim.first_order.adam import Adamax as Adamax
    from neuropil.optim.first_order.adam import AdamW as AdamW
    from neuropil.optim.first_order.adaptive import Adadelta as Adadelta
    from neuropil.optim.first_order.adaptive import Adagrad as Adagrad
    from neuropil.optim.first_order.adaptive import RMSProp as RMSProp
    from neuropil.optim.first_order.rprop import RPROP as RPROP
    from neuropil.optim.first_order.rprop import IRPROPPlus as IRPROPPlus
    from neuropil.optim.first_order.sgd import GradientDescent as GradientDescent
    from neuropil.optim.first_order.sgd import Momentum as Momentum
    from neuropil.optim.least_squares.levenberg_marquardt import (
        LevenbergMarquardt as LevenbergMarquardt,
    )
    from neuropil.optim.optimizer_table import by_name as by_name
    from neuropil.optim.regularizers import Regularizer as Regularizer
    from neuropil.optim.regularizers import l1 as l1
    from neuropil.optim.regularizers import l2 as l2
    from neuropil.optim.regularizers import maxnorm as maxnorm
    from neuropil.optim.schedules import cosine_decay as cosine_decay
    from neuropil.optim.schedules import exponential_decay as exponential_decay
    from neuropil.optim.schedules import linear_decay as linear_decay
    from neuropil.optim.schedules import one_cycle as one_cycle
    from neuropil.optim.schedules import polynomial_decay as polynomial_decay
    from neuropil.optim.schedules import step_decay as step_decay
    from neuropil.optim.schedules import warmup as warmup
    from neuropil.optim.second_order.conjugate_gradient import (
        ConjugateGradient as ConjugateGradient,
    )
    from neuropil.optim.second_order.hessian_diagonal import HessianDiagonal as HessianDiagonal
    from neuropil.optim.second_order.newton import Hessian as Hessian
    from neuropil.optim.second_order.quasi_newton import QuasiNewton as QuasiNewton

load_on_use(__name__, __file__)
