"""Train lesson 5's recipe in several processes, on one machine or on many.

    python train_distributed.py
        one process
    torchrun --nproc-per-node 2 train_distributed.py --accelerator cpu
        two processes on this machine, on two processor cores; without --accelerator, on two GPUs
    torchrun --nnodes 2 --nproc-per-node 4 --rdzv-backend c10d --rdzv-endpoint FIRST:29500 \
        train_distributed.py
        four processes on each of two machines: the same line on both, FIRST is the name of one

torchrun starts the processes and tells each one its number; Lightning's strategy "ddp" hands each
one its share of the images and averages their gradients at every step. Lesson 8 explains it.
"""

import argparse
import hashlib
import os

import helpers  # noqa: F401  (first: it filters messages that nobody can do anything about)

# isort: split
import deeplay as dl
import torch
from lightning import seed_everything
from torch.nn import MSELoss, ReLU, Softmax
from torch.optim import RMSprop

from helpers.config import Config
from helpers.data import load_mnist
from helpers.training import Classifier, Trainer, make_dataloader, predict

# One thread a process: the processes would only be in each other's way.
torch.set_num_threads(1)

mlp_config = (
    Config()
    .in_features(28 * 28)
    .hidden_dims([32, 32])
    .out_features(10)
    .blocks.activation(ReLU)
    .out_activation(Softmax, dim=1)
)
classifier_config = (
    Config()
    .model(dl.MultiLayerPerceptron, mlp_config)
    .num_classes(10)
    .make_targets_one_hot(True)
    .loss(MSELoss)
    .optimizer(RMSprop, lr=0.001)
)


def fingerprint(classifier: Classifier) -> str:
    """Return eight characters that are the same only for the same weights, bit for bit."""
    weights = torch.cat([parameter.detach().flatten() for parameter in classifier.parameters()])
    return hashlib.sha256(weights.cpu().numpy().tobytes()).hexdigest()[:8]


def train(
    images: int, epochs: int, batch_size: int, learning_rate: float, accelerator: str = "auto"
) -> float | None:
    """Train and test the recipe, in as many processes as torchrun has started.

    Args:
        images: How many of the 60,000 training images to use.
        epochs: How many times to go through them.
        batch_size: Images in the batch of one process; a step sees that many from each process.
        learning_rate: The learning rate of RMSprop.
        accelerator: What to compute on: "cpu", "gpu", or "auto", a GPU for each process if there
            is one.

    Returns:
        The share of the test images read correctly; None in all processes but the first.
    """
    train_images, train_digits = load_mnist("train")
    train_dataloader = make_dataloader(
        train_images[:images], train_digits[:images], batch_size, shuffle=True
    )

    seed_everything(0, verbose=False)
    classifier = classifier_config.optimizer.lr(learning_rate).create(Classifier)
    trainer = Trainer(
        max_epochs=epochs,
        strategy="ddp" if "LOCAL_WORLD_SIZE" in os.environ else "auto",
        devices=int(os.environ.get("LOCAL_WORLD_SIZE", 1)),
        num_nodes=int(os.environ.get("GROUP_WORLD_SIZE", 1)),
        accelerator=accelerator,
    )
    trainer.fit(classifier, train_dataloader)
    # The line and its end in one piece: torchrun's processes share a screen, and write unbuffered.
    print(
        f"process {trainer.global_rank} of {trainer.world_size}: "
        f"{trainer.global_step:,} steps, weights {fingerprint(classifier)}\n",
        end="",
        flush=True,
    )

    if not trainer.is_global_zero:  # testing is quick: the first process does it alone
        return None
    outputs, digits = predict(classifier, make_dataloader(*load_mnist("test"), batch_size=1000))
    test_accuracy = (outputs.argmax(dim=1) == digits).float().mean().item()
    print(f"test accuracy {test_accuracy:.4f}\n", end="", flush=True)
    return test_accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=16, help="of each process")
    parser.add_argument("--learning-rate", type=float, default=0.001)
    parser.add_argument("--accelerator", default="auto", help="cpu, gpu, or auto")
    train(**vars(parser.parse_args()))
