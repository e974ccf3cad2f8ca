# %% [markdown]
# # Glossary and notation
#
# One page to come back to. The number in brackets is the lesson in which a word first appears. The
# lessons begin with [lesson 1](01_data.ipynb).
#
# ## Words
#
# **Accuracy** (1): the share of images that are read correctly.
#
# **Activation** (2): the function that a neuron applies to its weighted sum, such as sigmoid,
# ReLU or softmax; also (7) the number that comes out of it for an image.
#
# **Adam** (5): an optimizer that combines momentum with RMSprop's step sizes.
#
# **Backpropagation** (3): the way from the loss back through the layers, slope by slope, by which
# training finds out how each parameter changes the loss.
#
# **Baseline** (1): a plain method to compare others with. Ours is the nearest mean image.
#
# **Batch, mini-batch** (2): the images that the network looks at before it takes one step.
#
# **Batch size** (2): the number of images in a batch.
#
# **Bias** (2): the number that a neuron adds to the sum of its weighted inputs.
#
# **Calibrated** (6): as sure as it should be: of the answers with a confidence of 0.9, nine in ten
# are right.
#
# **Chain rule** (3): when a change passes through several functions in a row, their slopes
# multiply. Backpropagation is built on it.
#
# **Classifier** (2): a network together with all that its training takes, such as loss and
# optimizer.
#
# **Confidence** (6): the highest of the ten outputs: how sure the network is of its answer.
#
# **Confusion matrix** (2): a table that counts, for each true digit (row), what was predicted
# (column).
#
# **Control** (3): what is treated in the same way but for the one thing whose effect is to be
# measured.
#
# **Convolutional network** (6): a network that slides small patterns of weights over the image, so
# that it recognizes a stroke wherever it stands.
#
# **Core** (8): a part of a processor that can run a program at the same time as the other cores.
#
# **Cross-entropy** (3): a loss that looks only at the probability given to the right digit, and takes
# minus its logarithm. A mistake that the network is sure of costs most.
#
# **Data augmentation** (6): making new training images out of those that one has, for example by
# turning and shifting them.
#
# **Data-parallel training** (8): several processes train copies of one network, each on its share
# of the images, and average their gradients.
#
# **Dataloader** (2): hands images and digits to the training, batch by batch.
#
# **DDP, distributed data parallel** (8): PyTorch's name for data-parallel training.
#
# **Dead neuron** (3): a ReLU neuron that no image switches on, so that it learns nothing while
# that is so.
#
# **Dense network, multi-layer perceptron, MLP** (2): layers of neurons, in which each neuron is
# connected to all outputs of the layer before.
#
# **Digit** (1): what an image shows, a number from 0 to 9; see *label*.
#
# **Distributed sampler** (8): deals the images out to the processes, one to each in turn.
#
# **Effective batch size** (8): the number of processes times the batch size of each.
#
# **Effective learning rate** (5): with momentum, the learning rate times the number that the sum of
# equal gradients grows to: ten times the learning rate for momentum 0.9.
#
# **Ensemble** (6): several networks that vote on the answer.
#
# **Epoch** (2): one pass over all training images.
#
# **Failure analysis** (6): a close look at the mistakes, to find out what they have in common.
#
# **Flatten** (2): to put the rows of an image one after the other, so that it becomes one row of 784
# numbers.
#
# **Gradient** (3): the slopes of the loss for all parameters at once; against it the loss falls
# fastest.
#
# **Grayscale** (1): with one number a pixel, from light to dark, and no color.
#
# **He initialization** (7): drawing the first weights of a layer at random, neither so small nor so
# large that signals die away or grow from layer to layer; made for ReLU.
#
# **Hidden layer** (2): a layer between the inputs and the output layer.
#
# **Hyperbolic tangent, tanh** (3): an activation like the sigmoid, but from -1 to 1 and steeper.
#
# **Hyperparameter** (4): a number that you choose and that training does not change, such as the
# batch size.
#
# **Image** (1): 28 × 28 gray values between 0 (paper) and 1 (ink).
#
# **Kernel** (8): the program that runs the cells of a notebook.
#
# **Label** (1): the right answer for an image. Here it is always a digit; elsewhere it is also
# called *class* or *ground truth*.
#
# **Layer** (2): a row of neurons that look at the same inputs.
#
# **LeakyReLU** (7): like ReLU, but a negative number is multiplied by a small one, 0.01, and not by
# 0.
#
# **Learning curve** (5): loss or accuracy drawn against the epochs.
#
# **Learning rate** (2): how far the optimizer moves the parameters in one step.
#
# **Lightning** (2): the library that runs the training of PyTorch networks; deeplay's trainer is
# made from its trainer.
#
# **Linear scaling rule** (8): for a batch that is k times as large, a learning rate that is k times
# as large.
#
# **Loss** (2): one number that says how wrong the network is; training makes it smaller.
#
# **Mean image** (1): the mean of many images, pixel by pixel.
#
# **Mean squared error** (2): the mean of the squared differences between outputs and targets.
#
# **Median** (1): the number in the middle when numbers are put in order. A *median image* is made of
# the median of each pixel.
#
# **Metric** (2): what is measured beside the loss, such as the accuracy.
#
# **MNIST** (1): the collection of 70,000 handwritten digits that these lessons use.
#
# **Momentum** (5): lets an optimizer keep part of its last step, so that it gathers speed in a
# steady direction.
#
# **Nearest mean image** (1): our baseline; it answers with the digit whose mean image is most
# similar.
#
# **Nearest neighbor** (1): a method that answers with the digit of the most similar training image.
#
# **Neural network** (1): a program that learns from examples, made of neurons in layers.
#
# **Neuron** (2): multiplies its inputs by weights, adds them up with a bias, and applies an
# activation.
#
# **Node** (8): one computer among several that work together.
#
# **Noise** (4): the jumping up and down of a number from one step to the next, by chance. In an
# image (6): random numbers added to the pixels.
#
# **One-hot** (2): a digit written as ten numbers, a 1 at its place and zeros elsewhere.
#
# **Optimizer** (2): the rule by which the parameters change so that the loss falls.
#
# **Output** (2): one of the ten numbers that the network gives for an image.
#
# **Output layer** (2): the last layer; here ten neurons, one for each digit.
#
# **Overfitting** (5): getting better on the training images without getting better on others.
#
# **Paired** (3): of runs, with the same seed, so that they can be compared one by one.
#
# **Parameters** (2): the weights and biases of a network: what training changes.
#
# **Pipeline** (6): operations that are applied to an image one after another.
#
# **Pixel** (1): one of the small squares that an image is made of.
#
# **Prediction** (1): the digit that a method or a network answers for an image.
#
# **Principal component analysis, PCA** (7): finds the directions in which points of many dimensions
# spread the most, so that two of them make a picture.
#
# **Probability** (2): a number between 0 and 1 that says how likely something is; those of all
# ten digits add up to 1.
#
# **Process** (8): a running program with a memory of its own.
#
# **Recall** (2): the share of the images of one digit that are read correctly.
#
# **Recipe** (2): a `Config`; says what network or classifier to make.
#
# **Reliability diagram** (6): shows, for each range of confidence, the share of answers that is
# right.
#
# **ReLU, rectified linear unit** (3): the activation $\max(0, z)$: negative numbers become 0,
# others stay.
#
# **RMSprop** (5): an optimizer that gives each parameter its own step size, by the recent size of
# its slopes.
#
# **Robustness** (6): how well a network still reads images that are shifted, turned or noisy.
#
# **Seed** (1): the number that random numbers start from. The same seed gives the same numbers.
#
# **SGD, stochastic gradient descent** (2): moves each parameter a little in the direction in
# which the loss of the present batch falls.
#
# **Sigmoid** (2): the activation $1 / (1 + e^{-z})$; any number becomes one between 0 and 1.
#
# **Signal** (3): how much the loss changes with the weighted sums of a layer: what comes back to it
# from the loss to learn from.
#
# **Slope** (2): how steep a curve is: how much the output changes when the input changes a
# little.
#
# **Softmax** (3): turns ten numbers into ten positive ones that sum to 1.
#
# **Standard deviation** (2): how far numbers typically lie from their mean.
#
# **Step** (2): one change of the parameters by the optimizer.
#
# **Sweep** (5): the same training with several values of one hyperparameter, such as the learning
# rate.
#
# **Target** (2): what the outputs should be for an image.
#
# **Temperature** (6): a number by which the sums before a softmax are divided, so that the outputs
# become more alike (above 1) or less (below 1).
#
# **Tensor** (2): PyTorch's array.
#
# **Test images** (1): images that are neither learned from nor used to choose anything; they
# measure the result.
#
# **Test loss** (2): the loss on the test images.
#
# **Trainer** (2): runs the training and the test.
#
# **Training images** (1): the images to learn from.
#
# **Validation images** (1): training images kept aside to choose between methods with.
#
# **Warm-up** (8): smaller steps in the first epochs, so that a large learning rate does no harm.
#
# **Weight** (2): the number by which a neuron multiplies an input.
#
# **Weighted sum** (2): what a neuron makes of its inputs before its activation: each input times
# its weight, all added up, bias included.

# %% [markdown]
# ## Notation
#
# | symbol | meaning |
# | --- | --- |
# | $x_1, \dots, x_n$ | inputs of a neuron, such as the 784 pixels |
# | $w_1, \dots, w_n$, $b$ | its weights and its bias |
# | $W$ | the weights of a layer as a table, a row for each of its neurons |
# | $z$ | the weighted sum, bias included |
# | $f$, $\sigma$ | an activation; the sigmoid |
# | $p_0, \dots, p_9$ | the ten outputs of softmax |
# | $L$ | the loss |
# | $B$ | the batch size |
# | $w$ (alone), $g$ | a parameter; the slope of the loss for it |
# | $\eta$ ("eta") | the learning rate |
# | $m$, $v$ | running sum or average of the slopes; running average of their squares |
# | $\mu$ ("mu"), $\beta_1$ ("beta") | how much of $m$ survives a step |
# | $\alpha$ ("alpha"), $\beta_2$ | how much of $v$ survives a step |
# | $t$ | the number of steps so far |
# | $T$ | a temperature |
# | $k$ | the number of processes |
# | $\leftarrow$ | becomes |
# | $(N, 28, 28)$ | the shape of an array of $N$ images |

# %% [markdown]
# ## Names in the code
#
# | name | what it holds |
# | --- | --- |
# | `train_images`, `test_images`, `validation_images` | images, `float32`, shape `(N, 28, 28)` |
# | `train_digits`, `test_digits`, `validation_digits` | their digits, `int64`, shape `(N,)` |
# | `train_dataloader`, `test_dataloader` | what hands them over in batches |
# | `validation_dataloader` | the same for the validation images |
# | `mlp_config`, `classifier_config` | the recipe of a network, of a classifier |
# | `mlp_model`, `classifier` | what the recipes make |
# | `trainer` | runs training and testing |
# | `outputs`, `predictions` | ten numbers per image; the digit of the highest |
# | `confusion_matrix` | counts: rows true digits, columns predictions |
