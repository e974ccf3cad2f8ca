# %% [markdown]
# # Lesson 1: The data
#
# {{ badge }}
#
# This series teaches a computer to read handwritten digits. From lesson 2 on, a *neural network*
# does the reading: a program that learns from examples. In this lesson you meet the 70,000 digits,
# and you read digits that nobody showed you before with two methods so plain that they need no
# network at all.
#
# **You will learn**
#
# - where the digits come from, and how to read them from files;
# - what an image is to a computer;
# - how to look at a data set before you use it;
# - why some images are kept aside, and what for;
# - what a baseline is, and the two numbers that our networks will have to stand beside.
#
# **Time:** about {{ minutes }} minutes to read. No cell makes you wait longer than a minute.
#
# You need to know some Python and have met NumPy's arrays; you need no machine learning. Run the
# cells from top to bottom: click on a cell and press Shift+Enter.
#
# A word in *italics* is explained where it stands and again in the
# [glossary](glossary.ipynb). Where you see dots, it is your turn: write your answer in their place,
# run the cell, and then the cell below, which tells you how it went.

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

# %% tags=["check"]
assert int(10 * 0.7) == 7

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
# Do so many numbers fit into the memory of your computer? Work it out.

# %% [markdown]
# ### Exercise 1: predict
#
# How many megabytes of memory do the 60,000 training images take? Each pixel is stored as a
# `float32`, which takes 4 bytes, and a megabyte is a million bytes. Work it out on paper first; then
# compare with `train_images_from_files.nbytes`, which counts bytes.

# %% tags=["exercise"]
### BEGIN SOLUTION
megabytes = 60_000 * 28 * 28 * 4 / 1_000_000
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_megabytes

check_megabytes(megabytes)

# %% [markdown]
# They fit with ease. Larger data sets do not: there, a program reads a few images from the disk when
# it needs them and forgets them afterwards.

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
# the validation images at random. (`load_mnist` happens to give us mixed images, but never count on
# that.) `permutation` shuffles the numbers from 0 to 59,999.
#
# A computer draws random numbers by a rule that starts from a number called the *seed*. With the
# same seed it draws the same numbers, so you can repeat what you did; with another seed it draws
# others.


# %% tags=["check-output"]
def split(seed):
    shuffled = np.random.default_rng(seed).permutation(60_000)
    return shuffled[:50_000], shuffled[50_000:]


remaining, validation = split(seed=0)

print(f"{len(remaining):,} images to learn from")
print(f"{len(validation):,} images to choose with")
print(f"{len(test_images):,} images to test with")
print(f"digits among the validation images: {np.unique(train_digits[validation])}")

# %% tags=["check"]
assert max(remaining.max(), validation.max()) == 59_999

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
# ### Exercise 2: build
#
# The same distance also finds the images that are least like the others. Write a function
# `strangest` that takes some images (an array of shape `(N, 28, 28)`) and one mean image
# (`(28, 28)`), and returns the place of the image that is farthest from the mean image: a whole
# number from 0 to N - 1.
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
# ### Choose, with the validation images
#
# Why square the differences? One could as well drop their signs (`np.abs`). Both sound sensible, so
# this is a choice, and now we have images to make it with.
#
# To be fair to both, one more thing. The mean of some numbers is the number from which their squared
# differences are smallest. Without the squares, it is the *median*: the number in the middle when
# they are put in order. So squares go with mean images, and absolute differences with *median
# images*, made of the median of each pixel.


# %%
def median_of_each_digit(images, digits):
    return np.stack([np.median(images[digits == digit], axis=0) for digit in range(10)])


medians = median_of_each_digit(train_images, train_digits)
plot_images(medians, captions=range(10), columns=5, title="The median image of each digit")

# %% [markdown]
# The median images are less blurred than the mean images: a pixel is dark only where at least half of
# the images have ink.
#
# Which reads more digits? Guess before you measure. Put your letter, in quotes, in place of the dots.
# Nothing tells you yet whether you are right.
#
# - **a**: squares with the mean images;
# - **b**: absolute differences with the median images, because they are sharper;
# - **c**: both about the same, within one image in a hundred.

# %%
from helpers.guesses import guess, reveal

guess("squares or not", ...)  # your letter, in quotes, in place of the dots

# %% [markdown]
# `nearest` does for many images at once what we did for one: `centers` are the ten images to compare
# with, and `measure` says what is done with the differences. Its answer for each image is called its
# *prediction*.
#
# One comparison could come out as it does by the luck of the draw. So we draw the validation images
# three times, with three seeds, and compare the same methods each time. (This takes some seconds.)


# %%
def nearest(images, centers, measure=np.square):
    distances = [measure(images - center).mean(axis=(1, 2)) for center in centers]
    return np.argmin(distances, axis=0)


methods = {
    "squares, mean images": (np.square, mean_of_each_digit),
    "absolute differences, mean images": (np.abs, mean_of_each_digit),
    "absolute differences, median images": (np.abs, median_of_each_digit),
}
accuracies = {method: [] for method in methods}
for seed in range(3):
    remaining, validation = split(seed)
    for method, (measure, make_centers) in methods.items():
        centers = make_centers(train_images[remaining], train_digits[remaining])
        predictions = nearest(train_images[validation], centers, measure)
        accuracies[method].append((predictions == train_digits[validation]).mean())

# %%
print(f"{'read correctly of':36} draw 1  draw 2  draw 3")
for method, shares in accuracies.items():
    print(f"{method:36}", "   ".join(f"{share:.1%}" for share in shares))

ahead = np.subtract(*[accuracies[method] for method in (list(methods)[0], list(methods)[2])])
reveal("squares or not", a=min(ahead) > 0.01, b=max(ahead) < -0.01, c=max(abs(ahead)) <= 0.01)

# %% tags=["check"]
squares, unfair, absolute = accuracies.values()
assert all(0.05 < share < 0.08 for share in np.subtract(squares, absolute))
assert all(0.13 < share < 0.18 for share in np.subtract(squares, unfair))
assert 0.005 < max(squares) - min(squares) < 0.015

# %% [markdown]
# Squares with mean images win each time. Compare the first line with the last: of a hundred images,
# six or seven more are read correctly. The line between them compares absolute differences with the
# wrong partner, the mean images. Had we looked at that one only, we would have thought the gap more
# than twice as wide. Give each method what suits it before you compare.
#
# What the squares change: a pixel that is off by 0.9 counts 81 times as much as one that is off by
# 0.1, and without the squares only 9 times. So ink where this digit never has any weighs heavily, and
# many small differences, like those along a blurred edge, weigh little.
#
# Notice that in each draw the mean and median images were made of the 50,000 remaining images only.
# Otherwise each validation image would have been part of an image that it is compared with.

# %% tags=["check"]
assert round(0.9**2 / 0.1**2) == 81

# %% [markdown]
# ### Test, once
#
# The choice is made: squares and mean images. Now we may use all 60,000 training images for the means
# again, and test. `record` prints the result beside what we expect, and keeps it for the end of the
# series.

# %%
from helpers.results import record

predictions = nearest(test_images, mean_images)
record("nearest_mean", (predictions == test_digits).mean())

fewer = nearest(test_images, mean_of_each_digit(train_images[remaining], train_digits[remaining]))
print(f"with the means of 50,000 images: {(fewer == test_digits).mean():.1%}")

# %% tags=["check"]
assert abs((fewer == test_digits).mean() - (predictions == test_digits).mean()) < 0.004
assert (predictions == test_digits).mean() > max(accuracies["squares, mean images"])

# %% [markdown]
# The ten mean images read {{ nearest_mean }} of the test images correctly, with a method that takes a
# few lines of code. **This is the number to beat.** A network that ends up below it is not worth
# its trouble.
#
# That is more than with any of the three draws of validation images. Not because the means now come
# from 60,000 images instead of 50,000: with the means of the last draw, it is much the same. The test
# images were written by other people, and happen to be a little easier for this method. Even the
# three draws, of the same people's digits, differ by about one image in a hundred. So compare two
# methods on the same images, or not at all.
#
# And here are the first twelve test images that it misread.

# %%
misread = np.flatnonzero(predictions != test_digits)[:12]
captions = [f"{test_digits[i]} read as {predictions[i]}" for i in misread]

plot_images(test_images[misread], captions)

# %% [markdown]
# Some of them would make you hesitate too. But most you read at a glance, so there is much left to
# win. There is one mean image for each digit, as if there were one way to write it.

# %% [markdown]
# ### Exercise 3: change and explain
#
# Move all test images three pixels to the right, with `np.roll(test_images, 3, axis=2)`. Look at a
# few of them with `plot_images`, and guess: how many of them will the nearest mean image read
# correctly? Then measure it, put the accuracy into `shifted_accuracy`, and say why it changed, as
# `reason = "a"`, `"b"` or `"c"`:
#
# - **a**: most of the digits have lost a part at the right edge;
# - **b**: pixels are compared with the pixels at the same place, and the ink is now elsewhere;
# - **c**: the mean images have moved too.
#
# (By its accuracy you choose nothing, so the test images may serve once more.)

# %% tags=["exercise"]
### BEGIN SOLUTION
shifted_images = np.roll(test_images, 3, axis=2)
shifted_accuracy = (nearest(shifted_images, mean_images) == test_digits).mean()
reason = "b"
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_shifted

check_shifted(shifted_accuracy, reason)

# %% [markdown]
# ## A baseline that forgets nothing
#
# A mean image forgets nearly everything: some 6,000 images of a 3 become one. What if we keep them
# all? We compare an image with each of the 60,000 training images, and answer with the digit of the
# most similar one. This method is called the [*nearest neighbor*](glossary.ipynb).
#
# How well will it do? Guess once more.
#
# - **a**: worse than the mean images, because every single image has its oddities;
# - **b**: about as well, because it learns from the same images;
# - **c**: clearly better: of a hundred images, it reads at least five more.

# %%
guess("nearest neighbor", ...)  # your letter, in quotes, in place of the dots

# %% tags=["check"]
assert abs((train_digits == 3).sum() - 6_000) < 500

# %% [markdown]
# For one image, that makes 60,000 distances. For all test images it would take a while, so we take
# every tenth of them, which makes 1,000. (We measure on test images once more, but choose nothing by
# them.)
#
# A little algebra spares most of the work. Each squared difference between a pixel $x$ of the image
# and a pixel $m$ of a training image is $(x - m)^2 = x^2 - 2xm + m^2$. Added up over the pixels,
# $x^2$ is the same for all training images, so it cannot decide which of them is nearest. The sums of
# $m^2$ do not depend on the image, so once is enough. And the sums of $xm$, for many images at a
# time, are a product of matrices (`@`), at which NumPy is very quick.


# %%
neighbors = train_images.reshape(60_000, 28 * 28)
sums_of_squares = (neighbors**2).sum(axis=1)


def nearest_neighbor(images):
    pixels = images.reshape(len(images), 28 * 28)
    return train_digits[(sums_of_squares - 2 * pixels @ neighbors.T).argmin(axis=1)]


few_images, few_digits = test_images[::10], test_digits[::10]
hundreds = np.array_split(few_images, 10)  # all at once would take ten times the memory
neighbor_predictions = np.concatenate([nearest_neighbor(images) for images in hundreds])

# %%
neighbor_share = (neighbor_predictions == few_digits).mean()
mean_share = (nearest(few_images, mean_images) == few_digits).mean()

print(f"nearest mean image, the same {len(few_images):,} test images: {mean_share:.1%} right")
record("nearest_neighbor", neighbor_share)
gain = neighbor_share - mean_share
reveal("nearest neighbor", a=gain < -0.02, b=abs(gain) <= 0.02, c=gain >= 0.05)

# %% tags=["check"]
assert gain > 0.1

# %% [markdown]
# The nearest neighbor reads {{ nearest_neighbor }} of these images, and nothing was trained for it.
# For nearly every digit, somebody has written one much like it before. (The mean images read fewer of
# these 1,000 than of all 10,000: with other images comes another number. That is why both methods
# were measured on the same ones.)
#
# So is there any use for a network? Look at what each method has to keep.

# %% tags=["check-output"]
print(f"numbers kept by the nearest neighbor: {neighbors.size:11,}")
print(f"numbers kept by ten mean images:      {mean_images.size:11,}")
print(f"numbers kept by lesson 2's network:   {26_506:11,}")

# %% [markdown]
# The nearest neighbor keeps all 60,000 images and goes through all of them for every single answer;
# with twice as many examples, each answer would take twice as long. The network that you will have in
# [lesson 5](05_optimizers.ipynb) is as large as lesson 2's. We expect it to read {{ rmsprop }} of all
# 10,000 test images (no fair comparison with our 1,000, but the two are close). All that it keeps of
# the training images are those 26,506 numbers.
#
# So you have two marks now: {{ nearest_mean }} is the number to beat, and {{ nearest_neighbor }} shows
# that the training images have at least so much to tell.

# %% [markdown]
# ## What you learned
#
# - MNIST has 60,000 training images and 10,000 test images of handwritten digits, in files whose
#   names tell the digit. Sort file names, so that their order is the same everywhere.
# - To a computer, an image is an array of numbers, here 28 × 28 of them between 0 and 1.
# - Look at your data before you use them: some images, how many of each digit, their means.
# - Learn from training images, choose with validation images, and test on test images, once. Compare
#   methods on the same images, and more than once.
# - A baseline tells whether a result is good. Ours, the nearest mean image, reads
#   {{ nearest_mean }} of the test images with no network. The nearest neighbor reads
#   {{ nearest_neighbor }}, and has to keep all training images for it.

# %% [markdown]
# ## Next
#
# [Lesson 2: A first network](02_first_network.ipynb) builds a small neural network and trains it on
# these images.
