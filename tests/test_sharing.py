"""Two learners on one machine do not starve each other."""

import subprocess
import sys
import time

TRAINING = """
import sys, time
from pathlib import Path
import deeplay as dl
import torch
from torch.nn import MSELoss, Sigmoid
from torch.optim import SGD
from helpers.config import Config
from helpers.data import load_mnist
from helpers.training import Classifier, Trainer, make_dataloader

me, folder = sys.argv[1], Path(sys.argv[2])
torch.set_num_threads(2)  # what a kernel on two cores starts with
images, digits = load_mnist("test")
config = (
    Config().model(dl.MultiLayerPerceptron).model.in_features(784).model.hidden_dims([32, 32])
    .model.out_features(10).model.out_activation(Sigmoid).num_classes(10)
    .make_targets_one_hot(True).loss(MSELoss).optimizer(SGD, lr=0.1)
)

def train():
    start = time.perf_counter()
    trainer = Trainer(max_epochs=1, enable_progress_bar=False, accelerator="cpu")
    trainer.fit(config.create(Classifier), make_dataloader(images[:6000], digits[:6000]))
    return time.perf_counter() - start

(folder / f"ready-{me}").touch()
while not (folder / "ready-a").exists() or not (folder / "ready-b").exists():
    time.sleep(0.01)
if me == "a":
    print(train())
    (folder / "alone-done").touch()
while not (folder / "alone-done").exists():
    time.sleep(0.01)
print(train())
"""


def test_two_kernels_train_side_by_side(tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", TRAINING, name, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "ab"
    ]
    deadline = time.monotonic() + 180
    printed = [
        process.communicate(timeout=deadline - time.monotonic())[0].split() for process in processes
    ]
    (alone, together), (other,) = ([float(word) for word in words] for words in printed)
    # With one thread each they share the cores. With the two threads each that torch starts with,
    # they wait for one another at every step: 10 to 40 times as long was seen.
    assert max(together, other) < 5 * alone
