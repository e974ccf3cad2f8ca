# %% [markdown]
# # Glossary and notation
#
# One page to come back to. The number in brackets is the lesson in which a word first appears.
#
# ## Words
#
# **Accuracy** (1): the share of images that are read correctly.
#
# **Activation** (2): the function that a neuron applies to its weighted sum, such as sigmoid, ReLU or
# softmax.
#
# **Adam** (5): an optimizer that combines momentum with RMSprop's step sizes.
#
# **Backpropagation** (3): the way from the loss back through the layers, slope by slope, by which
# training finds out how each parameter changes the loss.
#
# **Baseline** (1): a plain method to compare others with. Ours is the nearest mean image.
#
# **Batch, mini-batch** (4): the images that the network looks at before it takes one step.
#
# **Batch size** (4): the number of images in a batch.
#
# **Bias** (2): the number that a neuron adds to its weighted sum.
#
# **Classifier** (2): a network together with all that its training takes: loss, optimizer, metrics.
#
# **Confusion matrix** (2): a table that counts, for each true digit (row), what was predicted
# (column).
#
# **Dataloader** (2): hands images and digits to the training, batch by batch.
#
# **Dense network, multi-layer perceptron, MLP** (2): layers of neurons, in which each neuron is
# connected to all outputs of the layer before.
#
# **Digit** (1): what an image shows, a number from 0 to 9. Elsewhere often called *label*, *class*
# or *ground truth*.
#
# **Epoch** (2): one pass over all training images.
#
# **Gradient** (4): the slopes of the loss for all parameters at once; against it the loss falls
# fastest.
#
# **Hidden layer** (2): a layer between the inputs and the output layer.
#
# **Image** (1): 28 × 28 gray values between 0 (paper) and 1 (ink).
#
# **Layer** (2): a row of neurons that look at the same inputs.
#
# **Learning curve** (5): loss or accuracy drawn against the epochs.
#
# **Learning rate** (2): how far the optimizer moves the parameters in one step.
#
# **Loss** (2): one number that says how wrong the network is; training makes it smaller.
#
# **Mean image** (1): the mean of many images, pixel by pixel.
#
# **Mean squared error** (2): the mean of the squared differences between outputs and targets.
#
# **Momentum** (5): lets an optimizer keep part of its last step, so that it gathers speed in a
# steady direction.
#
# **Neuron** (2): multiplies its inputs by weights, adds them up with a bias, and applies an
# activation.
#
# **One-hot** (2): a digit written as ten numbers, a 1 at its place and zeros elsewhere.
#
# **Optimizer** (2): the rule by which the parameters change so that the loss falls.
#
# **Output** (2): one of the ten numbers that the network gives for an image.
#
# **Overfitting** (5): getting better on the training images without getting better on others.
#
# **Parameters** (2): the weights and biases of a network: what training changes.
#
# **Pixel** (1): one of the small squares that an image is made of.
#
# **Prediction** (1): the digit that a method or a network answers for an image.
#
# **Recall** (2): the share of the images of one digit that are read correctly.
#
# **Recipe** (2): a `Config`; says what network or classifier to make.
#
# **ReLU** (3): the activation $\max(0, z)$: negative numbers become 0, others stay.
#
# **RMSprop** (5): an optimizer that gives each parameter its own step size, by the recent size of its
# slopes.
#
# **Seed** (1): the number that random numbers start from. The same seed gives the same numbers.
#
# **SGD, stochastic gradient descent** (2): moves each parameter a little in the direction in which
# the loss of the present batch falls.
#
# **Sigmoid** (2): the activation $1 / (1 + e^{-z})$; any number becomes one between 0 and 1.
#
# **Softmax** (3): turns ten numbers into ten positive ones that sum to 1.
#
# **Step** (2): one change of the parameters by the optimizer.
#
# **Target** (2): what the outputs should be for an image.
#
# **Tensor** (2): PyTorch's array.
#
# **Test images** (1): images that are neither learned from nor used to choose anything; they measure
# the result.
#
# **Training images** (1): the images to learn from.
#
# **Validation images** (1): training images kept aside to choose between methods with.
#
# **Weight** (2): the number by which a neuron multiplies an input.

# %% [markdown]
# ## Notation
#
# | symbol | meaning |
# | --- | --- |
# | $x_1, \dots, x_n$ | inputs of a neuron, such as the 784 pixels |
# | $w_1, \dots, w_n$, $b$ | its weights and its bias |
# | $z$ | the weighted sum, bias included |
# | $f$, $\sigma$ | an activation; the sigmoid |
# | $L$ | the loss |
# | $w$ (alone), $g$ | a parameter; the slope of the loss for it |
# | $\eta$ ("eta") | the learning rate |
# | $(N, 28, 28)$ | the shape of an array of $N$ images |

# %% [markdown]
# ## Names in the code
#
# | name | what it holds |
# | --- | --- |
# | `train_images`, `test_images`, `validation_images` | images, `float32`, shape `(N, 28, 28)` |
# | `train_digits`, `test_digits`, `validation_digits` | their digits, `int64`, shape `(N,)` |
# | `train_dataloader`, `test_dataloader` | what hands them over in batches |
# | `mlp_config`, `classifier_config` | the recipe of a network, of a classifier |
# | `mlp_model`, `classifier` | what the recipes make |
# | `trainer` | runs training and testing |
# | `outputs`, `predictions` | ten numbers per image; the digit of the highest |
# | `confusion_matrix` | counts: rows true digits, columns predictions |
