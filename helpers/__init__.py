"""What the lessons import: the digits, the recipes, the training, the figures and the checks.

Importing it filters a few messages that a learner can do nothing about, each by its exact text.
"""

import logging
import warnings

for message in (
    # DeepTrack and deeplay work without OpenCV, which these lessons do not use.
    r".*\(cv2\) is not installed.*",
    # A dependency's own use of a deprecated torch function.
    ".*torch.jit.script.* is deprecated.*",
    ".*treespec.*",
    # The digits are in memory: worker processes would only slow the dataloaders down.
    ".*does not have many workers.*",
    # A lesson validates when it chooses between things, and says so; otherwise it does not.
    ".*You defined a `validation_step` but have no `val_dataloader`.*",
    # tqdm falls back to a text bar by itself.
    ".*IProgress not found.*",
):
    warnings.filterwarnings("ignore", message=message)

# "GPU available: ..." and the like: the lessons say in words which hardware they use.
logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)
# "Initializing distributed: ...": lesson 8 says so itself.
logging.getLogger("lightning.fabric.utilities.distributed").setLevel(logging.WARNING)
