# %% [markdown]
# # Lesson 1: The data
#
# {{ badge }}
#
# This series teaches a computer to read handwritten digits. From lesson 2 on, a *neural network*
# does the reading: a program that learns from examples. In this lesson you meet the 70,000 digits,
# and read most of them with a method so plain that it needs no network at all.
#
# **You will learn**
#
# - where the digits come from, and how to read them from files;
# - what an image is to a computer;
# - how to look at a data set before you use it;
# - why some images are kept aside, and what for;
# - what a baseline is, and the number that our networks will have to beat.
#
# **Time:** about {{ minutes }} minutes to read. No cell makes you wait longer than a minute.
#
# You need to know some Python and have met NumPy's arrays; you need no machine learning. Run the
# cells from top to bottom: click on a cell and press Shift+Enter.
#
# A word in *italics* is explained where it stands and again in the
# [glossary](glossary.ipynb).

# %% tags=["setup"]
# {{ setup }}

# %% [markdown]
# ## Where the digits come from
#
# The digits are called *MNIST*. Employees of the United States Census Bureau and high-school
# students wrote them on paper, and the National Institute of Standards and Technology (NIST)
# scanned them. Yann LeCun, Corinna Cortes and Christopher J.C. Burges made the collection that you
# are going to use: they scaled all digits to the same size and put each into the middle of its
# image. You may use and share it under the license
# [CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/).
#
# The digits come with these lessons, so you need not download them. `mnist_folder` writes them to
# your disk, one file for each image, and returns the folder. The first time this takes a few
# seconds, or up to a minute; after that it finds the folder complete.

# %%
from helpers.data import mnist_folder

folder = mnist_folder()
print(folder)

# %% [markdown]
# The same files are kept in the repository
# [DeepTrackAI/MNIST_dataset](https://github.com/DeepTrackAI/MNIST_dataset) on GitHub. To copy them
# from there, which needs the internet and the program git, give the folder another name and say so:
#
# ```python
# folder = mnist_folder("MNIST_from_github", source="github")
# ```

# %% [markdown]
# ## Files on disk
#
# Inside are two folders, `train` and `test`. Let us list the files in each.

# %% tags=["check-output"]
train_files = sorted((folder / "mnist" / "train").glob("*.png"))
test_files = sorted((folder / "mnist" / "test").glob("*.png"))

print(f"{len(train_files):,} training files: {train_files[0].name} ... {train_files[-1].name}")
print(f"{len(test_files):,} test files: {test_files[0].name} ... {test_files[-1].name}")

# %% [markdown]
# Look at the names. The first character is the digit that the image shows. The number after it
# counts the images of this digit, from zero.
#
# Why `sorted`? A computer lists the files of a folder in whatever order suits it, and another
# computer in another order. Sorted, file number 20,000 is the same image everywhere, and what you
# see below is what we describe.

# %% [markdown]
# ## One image
#
# Matplotlib's `imread` reads an image file into a NumPy array. Here is file number 20,000.

# %% tags=["check-output"]
import matplotlib.pyplot as plt

image = plt.imread(train_files[20_000])

print(f"file {train_files[20_000].name}: an array of shape {image.shape}, type {image.dtype}")
print(f"smallest number {image.min():.1f}, largest number {image.max():.1f}")

# %% [markdown]
# The array has 28 rows of 28 numbers, one for each *pixel*: one of the small squares that an image
# is made of. Each number lies between 0 and 1 and says how much ink the pixel has. A *grayscale*
# image like this one needs one number a pixel; a color image needs three.

# %%
from helpers.plotting import plot_pixels

plot_pixels(image, digit=3)

# %% [markdown]
# On the right stand the same 28 × 28 = 784 numbers, over a pale copy of the image so that you find
# your way. To save room, each is cut down to its first decimal: 0.7 is written as 7. A computer has
# the numbers only, and whatever it finds out about the image, it finds out from them.
#
# Notice that most of the image is empty paper, and that along the edges of a stroke the numbers rise
# from 0 to 9 within a pixel or two.
#
# (If you open one of the files, you will see a white digit on black. Our figures show it the other
# way round, as ink on paper.)

# %% [markdown]
# ## All images
#
# Now we read all the files. `np.stack` lays the images on a pile and makes one array of them. This
# cell has 70,000 files to open, so give it some seconds.

# %% tags=["check-output"]
import numpy as np

train_images_from_files = np.stack([plt.imread(file) for file in train_files])
test_images_from_files = np.stack([plt.imread(file) for file in test_files])

print(f"training images: {train_images_from_files.shape}")
print(f"test images:     {test_images_from_files.shape}")

# %% [markdown]
# Read the first shape as "60,000 images of 28 rows of 28 pixels".
#
# All these numbers fit into the memory of your computer with ease (exercise 1 asks how many
# megabytes they are). Larger data sets do not: there, a program reads a few images from the disk
# when it needs them and forgets them afterwards.

# %% [markdown]
# ## The digits
#
# The name of each file begins with the digit that its image shows. We take this first character and
# make a number of it. Such a right answer is often called a *label*. In this series a label is
# always a digit, so we say "digit".

# %% tags=["check-output"]
train_digits_from_files = np.array([int(file.name[0]) for file in train_files])
test_digits_from_files = np.array([int(file.name[0]) for file in test_files])

print(f"training digits: {train_digits_from_files.shape}")
print(f"test digits:     {test_digits_from_files.shape}")

# %% [markdown]
# There are as many digits as images, and they are in the same order: digit number 20,000 belongs to
# image number 20,000.
#
# Shapes say little about what is in the images. So look at some: eighteen training
# images, evenly spread over all 60,000.

# %%
from helpers.plotting import plot_images

shown = np.linspace(0, 60_000, 18, endpoint=False, dtype=int)
plot_images(train_images_from_files[shown], captions=train_digits_from_files[shown])

# %% [markdown]
# Above each image stands its digit. Do you agree with all of them? Looking at the data by eye, and
# checking a few answers, is the first thing to do with any data set.
#
# Notice that the digits come in order, from 0 to 9. That is because we sorted the files, and each
# name begins with the digit. It will matter soon.

# %% [markdown]
# ## All at once
#
# Reading 70,000 files takes a while, and every lesson needs the digits. So from now on we use
# `load_mnist`, which reads all of them from one file.

# %% tags=["check-output"]
from helpers.data import load_mnist

train_images, train_digits = load_mnist("train")
test_images, test_digits = load_mnist("test")

print(f"training: {train_images.shape} images, {train_digits.shape} digits")
print(f"test:     {test_images.shape} images, {test_digits.shape} digits")
print(f"the first ten training digits: {train_digits[:10]}")

# %% [markdown]
# Here the digits are mixed: this is the order in which the authors of MNIST put them.
#
# Are these the same images? To compare, we bring them into the order of the files, grouped by
# digit. `np.argsort` gives the places of the images in this order. `kind="stable"` means that images
# of the same digit stay in the order in which they were.

# %% tags=["check-output"]
train_order = np.argsort(train_digits, kind="stable")
test_order = np.argsort(test_digits, kind="stable")

print(np.array_equal(train_images[train_order], train_images_from_files))
print(np.array_equal(test_images[test_order], test_images_from_files))
print(np.array_equal(train_digits[train_order], train_digits_from_files))

# %% [markdown]
# They are, down to every single pixel.

# %% [markdown]
# ## How many of each digit
#
# Before we use a data set, we want to know what is in it, and how much of each.

# %%
from helpers.plotting import plot_digit_counts

plot_digit_counts(train_digits)

# %% [markdown]
# The bars are about equally high, near 6,000, but not quite: the 1 is the most frequent digit and
# the 5 the rarest.
#
# That is good news. If nine images in ten showed a 1, a program that always answers "1" would be
# right nine times in ten, and would still not know a single digit. Here such a program would be
# right about once in ten.

# %% tags=["check-output"]
always_one = (test_digits == 1).mean()
print(f"always answering 1 reads {always_one:.1%} of the test images correctly")

# %% [markdown]
# The share of images read correctly is called the [*accuracy*](glossary.ipynb).
# (`test_digits == 1` is an array of true and false, which count as 1 and 0, so its mean is a share.)

# %% [markdown]
# ## The mean image of each digit
#
# What does a typical 3 look like? Take all images of a 3 and compute the mean of their first pixels,
# of their second pixels, and so on. The 784 means make an image again: the *mean image* of the 3.


# %% tags=["check-output"]
def mean_of_each_digit(images, digits):
    return np.stack([images[digits == digit].mean(axis=0) for digit in range(10)])


mean_images = mean_of_each_digit(train_images, train_digits)
print(mean_images.shape)

# %% [markdown]
# `images[digits == digit]` picks the images of one digit; `mean(axis=0)` takes the mean over these
# images, pixel by pixel. This gives ten mean images.

# %%
from helpers.plotting import plot_mean_images

plot_mean_images(mean_images)

# %% [markdown]
# You can read all ten. They are blurred, because no two people write alike: a pixel is dark where
# most people put ink, and gray where only some do.
#
# Notice the 1: dark in the middle and fanning out to both ends. Its strokes all pass through the
# middle of the image but lean at different angles. Notice also how much the 4 and the 9 have in
# common. Pairs like this one are easily confused.

# %% [markdown]
# ## Training, validation, test
#
# MNIST's authors divided the images in two, and made sure that nobody wrote for both parts.
#
# - The [*training images*](glossary.ipynb) are there to learn from. Our ten mean images are made of
#   them.
# - The [*test images*](glossary.ipynb) tell in the end how well it worked. They stand for all the
#   images that are still to come, so nothing may be learned from them. A program could know its
#   training images by heart and still not read a single new one; on the test images that would
#   show.
#
# There is a trap in it. Suppose you try twenty methods, look at the test accuracy of each, and keep
# the best. You have now chosen the method by the test images. Part of its success is luck with
# exactly these images, and its accuracy on new ones will likely be lower than you think.
#
# So whenever a lesson chooses between things, it keeps a third part, the
# [*validation images*](glossary.ipynb): 10,000 of the training images, kept aside to choose with.
# The test images are used at the end, once.
#
# Which 10,000? Not the first ones, as this look at our sorted files shows.

# %% tags=["check-output"]
print(f"digits in the first 10,000 files: {np.unique(train_digits_from_files[:10_000])}")

# %% [markdown]
# Only zeros and ones: choosing by them would say nothing about the other eight digits. So we draw
# the validation images at random. `permutation` shuffles the numbers from 0 to 59,999.
#
# A computer draws random numbers by a rule that starts from a number called the *seed*. With the
# same seed it draws the same numbers, so you can repeat what you did.

# %% tags=["check-output"]
shuffled = np.random.default_rng(seed=0).permutation(len(train_images))
remaining, validation = shuffled[:50_000], shuffled[50_000:]

validation_images, validation_digits = train_images[validation], train_digits[validation]
remaining_images, remaining_digits = train_images[remaining], train_digits[remaining]

print(f"{len(remaining_images):,} images to learn from")
print(f"{len(validation_images):,} images to choose with")
print(f"{len(test_images):,} images to test with")
print(f"digits among the validation images: {np.unique(validation_digits)}")

# %% [markdown]
# ## A baseline with no network
#
# A [*baseline*](glossary.ipynb) is a plain method to compare others with. Without one, you cannot
# tell whether a result is good: is reading 60% of the digits a lot?
#
# Ours compares an image with the ten mean images and answers with the digit of the most similar
# one, the *nearest mean image*. To say how similar two images are, we take the difference of each
# pixel $x_i$ of the image and the same pixel $m_i$ of the mean image, square it, and average over
# all 784 pixels:
#
# $$ \text{distance} = \frac{(x_1 - m_1)^2 + (x_2 - m_2)^2 + \dots + (x_{784} - m_{784})^2}{784} $$
#
# The smaller this distance, the more similar the images. Here it is for the first test image.

# %% tags=["check-output"]
distances = ((test_images[0] - mean_images) ** 2).mean(axis=(1, 2))

for digit, distance in enumerate(distances):
    print(f"distance from the mean {digit}: {distance:.3f}")
print(f"the nearest is the mean {distances.argmin()}; the image shows a {test_digits[0]}")

# %% [markdown]
# The right digit is the nearest here. The mean 9 comes second, and that is no surprise: a 7 and a 9
# share much of their ink.

# %% [markdown]
# ### Choose, with the validation images
#
# Why square the differences? One could as well drop their signs (`np.abs`). Both sound sensible, so
# this is a choice, and now we have images to make it with.
#
# `nearest_mean` does for many images at once what we did for one; `measure` says what it does with
# the differences. Its answer for each image is called its *prediction*.


# %%
def nearest_mean(images, mean_images, measure=np.square):
    distances = [measure(images - mean).mean(axis=(1, 2)) for mean in mean_images]
    return np.argmin(distances, axis=0)


remaining_means = mean_of_each_digit(remaining_images, remaining_digits)
validation_accuracy = {}
for measure in (np.square, np.abs):
    predictions = nearest_mean(validation_images, remaining_means, measure)
    validation_accuracy[measure] = (predictions == validation_digits).mean()
    print(f"{measure.__name__}: {validation_accuracy[measure]:.1%} of the validation images")

# %% tags=["check"]
assert validation_accuracy[np.square] > validation_accuracy[np.abs] + 0.1

# %% [markdown]
# Squares win, by far. In a square a large difference weighs more: a pixel with ink where this digit
# never has any counts heavily, and many small differences, like those along a blurred edge, count
# little.
#
# Notice that for this comparison the mean images were made of the 50,000 remaining images only.
# Otherwise each validation image would have been part of a mean that it is compared with.

# %% [markdown]
# ### Test, once
#
# The choice is made. Now we may use all 60,000 training images for the means again, and test.
# `record` prints the result beside the range that we expect, and keeps it for the end of the
# series.

# %%
from helpers.results import record

predictions = nearest_mean(test_images, mean_images)
record("nearest_mean", (predictions == test_digits).mean())

# %% [markdown]
# The ten mean images read {{ nearest_mean }} of the test images correctly, with a method that takes a
# few lines of code. **This is the number to beat.** A network that ends up below it is not worth
# its trouble.
#
# And here are the first twelve test images that it misread.

# %%
misread = np.flatnonzero(predictions != test_digits)[:12]
captions = [f"{test_digits[i]} read as {predictions[i]}" for i in misread]

plot_images(test_images[misread], captions)

# %% [markdown]
# Some of them would make you hesitate too. But most you read at a glance, so there is much left to
# win. There is one mean image for each digit, as if there were one way to write it. An upright 0 or a
# 1 that leans to the left is far from it. A network can learn more than one way.

# %% [markdown]
# ## What you learned
#
# - MNIST has 60,000 training images and 10,000 test images of handwritten digits, in files whose
#   names tell the digit. Sort file names, so that their order is the same everywhere.
# - To a computer, an image is an array of numbers, here 28 × 28 of them between 0 and 1.
# - Look at your data before you use them: some images, how many of each digit, their means.
# - Learn from training images, choose with validation images, and test on test images, once.
# - A baseline tells whether a result is good. Ours, the nearest mean image, reads
#   {{ nearest_mean }} of the test images with no network.

# %% [markdown]
# ## Exercises
#
# Write your answer in place of the dots and run the cell: it tells you at once how it went.

# %% [markdown]
# ### Exercise 1: predict
#
# How many megabytes of memory do the 60,000 training images take? Each pixel is stored as a
# `float32`, which takes 4 bytes, and a megabyte is a million bytes. Work it out on paper first; then
# compare with `train_images.nbytes`, which counts bytes.

# %% tags=["exercise"]
### BEGIN SOLUTION
megabytes = 60_000 * 28 * 28 * 4 / 1_000_000
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_megabytes

check_megabytes(megabytes)

# %% [markdown]
# ### Exercise 2: change and explain
#
# Move all test images three pixels to the right, with `np.roll(test_images, 3, axis=2)`. Look at a
# few of them with `plot_images`, and guess: how many of them will the nearest mean image read
# correctly? Then measure it, put the accuracy into `shifted_accuracy`, and say why it changed, as
# `reason = "a"`, `"b"` or `"c"`:
#
# - **a**: most of the digits have lost a part at the right edge;
# - **b**: pixels are compared with the pixels at the same place, and the ink is now elsewhere;
# - **c**: the mean images have moved too.

# %% tags=["exercise"]
### BEGIN SOLUTION
shifted_images = np.roll(test_images, 3, axis=2)
shifted_accuracy = (nearest_mean(shifted_images, mean_images) == test_digits).mean()
reason = "b"
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_shifted

check_shifted(shifted_accuracy, reason)

# %% [markdown]
# ### Exercise 3: build
#
# Write a function `strangest` that takes some images (an array of shape `(N, 28, 28)`) and one mean
# image (`(28, 28)`), and returns the place of the image that is farthest from the mean image: a
# whole number from 0 to N - 1.
#
# Then use it: pick the images of one digit with `train_images[train_digits == 4]`, find the
# strangest, and show it with `plot_images`, which takes a stack of images: for one image at `place`,
# write `images[place : place + 1]`. Would you have read it?


# %% tags=["exercise"]
### BEGIN SOLUTION
def strangest(images, mean_image):
    """Return the place of the image that is farthest from the mean image."""
    distances = ((images - mean_image) ** 2).mean(axis=(1, 2))
    return distances.argmax()


by_digit = [train_images[train_digits == digit] for digit in range(10)]
strange = [images[strangest(images, mean_images[digit])] for digit, images in enumerate(by_digit)]
plot_images(np.stack(strange), captions=range(10), columns=5)
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_strangest

check_strangest(strangest)

# %% [markdown]
# ## Next
#
# [Lesson 2: A first network](02_first_network.ipynb) builds a small neural network and trains it on
# these images.
