"""Answers to lesson 1's exercises: right ones, and wrong ones with a part of their hint."""

import numpy as np
import torch


def distances(images, mean_image):
    return ((images - mean_image) ** 2).mean(axis=(1, 2))


RIGHT = {
    "check_megabytes": [
        (188.16,),
        (188,),
        (np.float32(188.16),),
        (60_000 * 28 * 28 * 4 / 1e6,),
        (187.67,),
        (188.65,),
    ],
    "check_shifted": [
        (0.4066, "b"),
        (np.float64(0.4066), "B"),
        (np.float64(0.4066), " b "),
        (0.395, "b"),
        (0.4, "b"),
        (0.42, "b"),
    ],
    "check_strangest": [
        (lambda images, mean_image: distances(images, mean_image).argmax(),),
        (lambda images, mean_image: int(np.argsort(distances(images, mean_image))[-1]),),
        (
            lambda images, mean_image: max(
                range(len(images)), key=lambda place: np.linalg.norm(images[place] - mean_image)
            ),
        ),
        (lambda images, mean_image: float(distances(images, mean_image).argmax()),),
        (lambda images, mean_image: distances(images, mean_image).argmax(keepdims=True),),
        (lambda images, mean_image: torch.tensor(distances(images, mean_image)).argmax(),),
    ],
}

WRONG = {
    "check_megabytes": [
        (..., "replace the dots"),
        (60_000 * 28 * 28 / 1e6, "each of them takes 4 bytes"),
        (60_000 * 28 * 28 * 4, "those are bytes"),
        (60_000 * 28 * 28 * 4 / 1e3, "kilobytes"),
        (60_000 * 28 * 28 * 4 / 1e9, "gigabytes"),
        (60_000 * 28 * 28 * 4 / 2**20, "1024"),
        (10_000 * 28 * 28 * 4 / 1e6, "test images"),
        (70_000 * 28 * 28 * 4 / 1e6, "all 70,000"),
        (60_000 * 4 / 1e6, "not one"),
        (60_000 * 28 * 4 / 1e6, "rows and 28 columns"),
        (60_000 * 28 * 28 * 8 / 1e6, "8 bytes"),
        (60_000 * 28 * 28 * 32 / 1e6, "bits"),
        (100, "100 is too low. Multiply"),
        (250, "250 is too high. Multiply"),
        ("188.16", "expected one number, got '188.16'"),
        (None, "expected one number, got None"),
        (True, "expected one number, got True"),
        (float("nan"), "expected one number, got nan"),
        ([188.16], "expected one number"),
        (187.65, "Multiply images"),
        (188.67, "Multiply images"),
        (0.9951 * 47.04, "each of them takes 4 bytes"),
        (1.0049 * 47.04, "each of them takes 4 bytes"),
        (0.9949 * 47.04, "Multiply images"),
        (1.0051 * 47.04, "Multiply images"),
        (0.9951 * 188_160_000, "those are bytes"),
        (1.0049 * 188_160_000, "those are bytes"),
        (0.9949 * 188_160_000, "Multiply images"),
        (1.0051 * 188_160_000, "Multiply images"),
        (0.9951 * 31.36, "test images"),
        (1.0049 * 31.36, "test images"),
        (0.9949 * 31.36, "Multiply images"),
        (1.0051 * 31.36, "Multiply images"),
        (0.9951 * 1505.28, "bits"),
        (1.0049 * 1505.28, "bits"),
        (0.9949 * 1505.28, "Multiply images"),
        (1.0051 * 1505.28, "Multiply images"),
    ],
    "check_shifted": [
        (..., "b", "replace the dots"),
        (0.4066, ..., "replace the dots"),
        (0.8203, "b", "where they were"),  # not moved, or the means moved as well
        (0.6323, "b", "too much: move the images by three"),  # by two pixels
        (0.2797, "b", "to the right"),  # to the left, or the means moved and the images not
        (0.2749, "b", "to the right"),  # down
        (0.3074, "b", "the squares as they are"),  # absolute differences
        (0.37, "b", "move the test images"),  # the training images
        (1.0, "b", "where they were"),
        (0.7801, "b", "where they were"),
        (0.78, "b", "too much: move the images by three"),
        (0.4201, "b", "too much: move the images by three"),
        (0.3949, "b", "the squares as they are"),
        (0.2, "b", "the squares as they are"),
        (0.1999, "b", "columns"),
        (0.0883, "b", "columns"),  # axis=0 gives each image another one's digit
        (0.0, "b", "compare with `test_digits`"),
        (40.66, "b", "a share between 0 and 1"),
        (4066, "b", "a share between 0 and 1"),
        (None, "b", "`shifted_accuracy`: expected one number, got None"),
        (np.ones(10_000, dtype=bool), "b", "take the mean of (predictions == test_digits)"),
        (0.4066, "a", "still whole"),
        (0.4066, "c", "stayed where they were"),
        (0.4066, "d", "expected 'a', 'b' or 'c'"),
        (0.4066, 2, "expected 'a', 'b' or 'c'"),
    ],
    "check_strangest": [
        (..., "replace the dots"),
        (lambda images, mean_image: ..., "returns nothing yet"),
        (lambda images, mean_image: None, "returns nothing yet"),
        (lambda images, mean_image: distances(images, mean_image).argmin(), "nearest"),
        (lambda images, mean_image: distances(images, mean_image).max(), "distance itself"),
        (lambda images, mean_image: distances(images, mean_image), "one number an image"),
        (lambda images, mean_image: np.argsort(distances(images, mean_image)), "one number an"),
        (
            lambda images, mean_image: images[distances(images, mean_image).argmax()],
            "returns an image",
        ),
        (
            lambda images, mean_image: (images - mean_image).mean(axis=(1, 2)).argmax(),
            "cancel out",
        ),
        (
            lambda images, mean_image: np.abs((images - mean_image).mean(axis=(1, 2))).argmax(),
            "cancel out",
        ),
        (
            lambda images, mean_image: np.abs(images - mean_image).mean(axis=(1, 2)).argmax(),
            "without their signs",
        ),
        (lambda images, mean_image: ((images - mean_image) ** 2).argmax(), "no place"),
        (
            lambda images, mean_image: (mean_image - images).mean(axis=(1, 2)).argmax(),
            "cancel out",
        ),
        (
            lambda images, mean_image: (np.abs(images - mean_image) ** 3).sum(axis=(1, 2)).argmax(),
            "a few large differences",
        ),
        (
            lambda images, mean_image: np.abs(images - mean_image).max(axis=(1, 2)).argmax(),
            "a few large differences",
        ),
        (lambda images, mean_image: distances(images, mean_image).argmax() - 6, "no place"),
        (lambda images, mean_image: 2.5, "no place"),
        (lambda images, mean_image: "3", "one whole number, and returns '3'"),
        (
            lambda images, mean_image: np.where(distances(images, mean_image) > 0.057),
            "one whole number",
        ),
        (lambda images, mean_image: 3, "among three other images the strangest has place 2"),
        (
            lambda images, mean_image: max(1, distances(images, mean_image).argmax()),
            "among one image the strangest has place 0, and yours says ",
        ),
        (
            lambda images, mean_image: (
                max(1, distances(images, mean_image).argmax()) if len(images) > 1 else 0
            ),
            "among the images in another order",
        ),
        (
            lambda images, mean_image: distances(images, mean_image)[:6].argmax(),
            "among thirty images the strangest has place 27",
        ),
        (
            lambda images, mean_image: (
                str(distances(images, mean_image).argmax())
                if len(images) == 3
                else distances(images, mean_image).argmax()
            ),
            "yours says '2'",
        ),
        (lambda images, mean_image: images.argmax(axis=3), "AxisError"),
        (lambda images: 3, "TypeError"),
        (3, "should be a function"),
    ],
}
