"""Names of PyTorch, Keras, scikit-learn and others, and what Neuropil calls the same."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from neuropil.text import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

# By kind: the name here, and the names elsewhere. Case and underscores do not matter, nor do
# the number of axes and "Lazy" at the beginning: "conv" includes "LazyConv2d".
FOREIGN = {
    "layer": {
        "Attention": "multihead_attention self_attention",
        "AveragePooling": "avg_pool",
        "BatchNorm": "batch_normalization sync_batch_norm",
        "Concatenate": "concat cat",
        "Convolution": "conv",
        "Deconvolution": "conv_transpose",
        "DepthwiseConvolution": "depthwise_conv",
        "Elementwise": "add multiply maximum average subtract",
        "Flatten": "view",
        "GaussianNoise": "noise",
        "GlobalPooling": "adaptive_avg_pool adaptive_max_pool global_average_pooling "
        "global_max_pooling global_avg_pool global_max_pool",
        "Dropout": "spatial_dropout",
        "GroupNorm": "group_normalization",
        "HardSigmoid": "hard_sigmoid",
        "Input": "input_layer normalization",
        "InstanceNorm": "instance_normalization",
        "LayerNorm": "layer_normalization",
        "Linear": "dense fully_connected",
        "LocalResponseNorm": "lrn cross_map_lrn",
        "MaskPadding": "masking",
        "MaxPooling": "max_pool",
        "Module": "lambda",
        "Relu": "rectifier",
        "Reshape": "unflatten",
        "RNN": "simple_rnn elman",
        "SeparableConvolution": "separable_conv",
        "SoftArgmax": "dsnt spatial_soft_argmax integral_regression",
        "Softmax": "log_softmax",
        "SpatialPyramidPooling": "spp",
        "SqueezeExcitation": "se_block se_layer",
        "StochasticDepth": "drop_path",
        "Swish": "silu",
        "Transpose": "permute",
        "UnitNorm": "unit_normalization l2_norm l2_normalize normalize",
        "Upscale": "upsample up_sampling upsampling_nearest upsampling_bilinear",
    },
    "activation": {"relu": "rectifier", "swish": "silu"},
    "initialiser": {
        "Constant": "zeros ones",
        "HeNormal": "kaiming_normal",
        "HeUniform": "kaiming_uniform",
        "Normal": "random_normal",
        "Uniform": "random_uniform",
        "XavierNormal": "glorot_normal",
        "XavierUniform": "glorot_uniform",
    },
    "loss": {
        "absolute_error": "mae mae_loss l1 l1_loss mean_absolute_error",
        "binary_cross_entropy": "bce bce_loss bce_with_logits_loss binary_crossentropy "
        "binary_cross_entropy_with_logits",
        "cross_entropy": "ce nll nll_loss log_loss cross_entropy_loss categorical_crossentropy "
        "sparse_categorical_crossentropy softmax_cross_entropy",
        "hinge": "hinge_loss categorical_hinge multi_margin_loss",
        "huber": "huber_loss smooth_l1 smooth_l1_loss",
        "kl_divergence": "kl kld kl_div kl_div_loss kullback_leibler_divergence",
        "squared_error": "mse mse_loss mean_squared_error l2 l2_loss",
    },
    "metric": {
        "accuracy": "acc accuracy_score binary_accuracy categorical_accuracy "
        "sparse_categorical_accuracy",
        "balanced_accuracy": "balanced_accuracy_score",
        "f1": "f1_score",
        "mean_absolute_error": "absolute_error",
        "mean_squared_error": "squared_error",
        "r2": "r2_score",
        "roc_auc": "auc auroc roc_auc_score",
        "root_mean_squared_error": "rmse rms_error",
        "top_k_accuracy": "top_k_accuracy_score top_k_categorical_accuracy top5",
    },
    "optimiser": {
        "ConjugateGradient": "cg nonlinear_cg",
        "GradientDescent": "sgd",
        "Hessian": "newton newton_cg",
        "IRPROPPlus": "irprop+ irprop",
        "LevenbergMarquardt": "lm",
        "Momentum": "nesterov nag sgd_momentum",
        "QuasiNewton": "lbfgs bfgs",
    },
    "schedule": {
        "cosine_decay": "cosine_annealing cosine_annealing_lr",
        "exponential_decay": "exponential_lr",
        "linear_decay": "linear_lr",
        "one_cycle": "one_cycle_lr",
        "polynomial_decay": "polynomial_lr poly",
        "step_decay": "step_lr multi_step_lr",
        "warmup": "linear_warmup sequential_lr",
    },
    "part of a training": {
        "BestWeights": "model_checkpoint",
        "find_lr": "lr_finder lr_find",
        "JsonLinesLog": "csv_logger",
        "Network": "sequential model functional",
        "NetworkClassifier": "mlp_classifier keras_classifier neural_net_classifier",
        "NetworkRegressor": "mlp_regressor keras_regressor neural_net_regressor",
        "TensorBoardLog": "tensorboard tensorboard_logger summary_writer",
    },
    "augmentation": {
        "RandomFlip": "random_horizontal_flip random_vertical_flip",
        "RandomShift": "random_translation",
    },
    "vision": {
        "complete_iou": "ciou complete_box_iou",
        "distance_iou": "diou distance_box_iou",
        "generalized_iou": "giou generalized_box_iou",
        "iou": "box_iou jaccard",
        "landmark_loss": "wing_loss",
        "non_max_suppression": "nms batched_nms",
        "normalized_mean_error": "nme",
        "soft_non_max_suppression": "soft_nms",
        "to_corners": "box_convert",
        "triplet_loss": "triplet_margin_loss",
    },
    "classic network": {
        "DiscreteHopfieldNetwork": "hopfield",
        "LVQ": "lvq1",
        "RBM": "bernoulli_rbm",
        "SOFM": "som mini_som self_organizing_map kohonen_map",
    },
}


def our_name(name: str, *kinds: str) -> str | None:
    """Return our name of a part that is called differently elsewhere, or None.

    Args:
        name: The name elsewhere, such as ``"torch.nn.Conv2d"``.
        *kinds: Keys of `FOREIGN`; none for all of them.

    Example:
        >>> our_name("torch.nn.Conv2d"), our_name("mse", "loss"), our_name("mse", "layer")
        ('Convolution', 'squared_error', None)
    """
    found = (by_name(kind).get(bare(name)) for kind in kinds or FOREIGN)
    return next((ours for ours in found if ours is not None), None)


def suggestion(name: str, known: Iterable[str], *kinds: str) -> str:
    """Return " Neuropil calls it 'x'." for a name from elsewhere, or the nearest known name.

    Args:
        name: The name that was given.
        known: The names that are taken, as they are written there.
        *kinds: Keys of `FOREIGN`.

    Example:
        >>> suggestion("Conv2d", ["Convolution", "Relu"], "layer")
        " Neuropil calls it 'Convolution'."
        >>> suggestion("Rellu", ["Convolution", "Relu"], "layer")
        " Did you mean 'Relu'?"
    """
    ours = our_name(name, *kinds)
    if ours is None:
        return nearest(name, known)
    taken = next((each for each in known if bare(each) == bare(ours)), ours)
    return f" Neuropil calls it {taken!r}."


@functools.cache
def by_name(kind: str) -> dict[str, str]:
    """Return the public names of a kind by their names elsewhere."""
    return {
        bare(name): ours
        for ours, names in FOREIGN.get(kind, {}).items()
        for name in names.split()
    }


def bare(name: str) -> str:
    """Return a name without package, case, underscores, "Lazy", and number of axes."""
    plain = name.rpartition(".")[2].lower().replace("_", "").replace("-", "").replace(" ", "")
    return re.sub(r"^lazy|[123]d", "", plain)
