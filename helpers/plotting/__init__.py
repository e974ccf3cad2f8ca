"""Every figure of the lessons.

Each function draws one figure, shows it with a text alternative made from the data, and returns
None. Arrays may come from numpy or torch. Nothing here touches matplotlib's global settings.
"""

from helpers.plotting.experiments import plot_comparison, plot_sweep
from helpers.plotting.images import (
    plot_batch,
    plot_digit_counts,
    plot_image_rows,
    plot_images,
    plot_mean_images,
    plot_pixels,
)
from helpers.plotting.networks import (
    plot_activations,
    plot_clouds,
    plot_connections,
    plot_followed,
    plot_network,
    plot_neuron,
    plot_outputs,
    plot_regions,
    plot_softmax,
    plot_strongest_images,
    plot_weights,
)
from helpers.plotting.results import (
    plot_confused_pairs,
    plot_confusion_matrix,
    plot_journey,
    plot_mistakes,
    plot_reliability,
    plot_robustness,
)
from helpers.plotting.training import (
    plot_batch_sizes,
    plot_history,
    plot_learning_curves,
    plot_optimizer_paths,
    plot_step_losses,
)

__all__ = [
    "plot_comparison",
    "plot_sweep",
    "plot_images",
    "plot_pixels",
    "plot_digit_counts",
    "plot_mean_images",
    "plot_batch",
    "plot_image_rows",
    "plot_neuron",
    "plot_network",
    "plot_activations",
    "plot_regions",
    "plot_outputs",
    "plot_softmax",
    "plot_weights",
    "plot_strongest_images",
    "plot_connections",
    "plot_followed",
    "plot_clouds",
    "plot_history",
    "plot_batch_sizes",
    "plot_step_losses",
    "plot_learning_curves",
    "plot_optimizer_paths",
    "plot_confusion_matrix",
    "plot_mistakes",
    "plot_confused_pairs",
    "plot_reliability",
    "plot_robustness",
    "plot_journey",
]
