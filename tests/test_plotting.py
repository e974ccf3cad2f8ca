"""Tests of helpers.plotting: what each figure shows, says, and how well it can be seen."""

import base64
import inspect
import io
import re
import subprocess
import sys
from functools import cache
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle, Rectangle
from matplotlib.text import Text
from PIL import Image

from helpers import plotting
from helpers.errors import LessonError
from helpers.experiments import Comparison
from helpers.plotting import experiments, page

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((60, 28, 28)).astype("float32")
DIGITS = np.arange(60) % 10
MATRIX = RANDOM.integers(1, 40, (10, 10)) + np.diag(np.full(10, 900))
HISTORY = {
    "epoch": [1, 2, 3],
    "train_loss": [0.09, 0.05, 0.04],
    "train_accuracy": [0.7, 0.9, 0.92],
    "validation_loss": [0.08, 0.05, 0.045],
    "validation_accuracy": [0.75, 0.88, 0.91],
    "step_losses": [0.1, 0.2],
}
ONE_EPOCH = {
    "epoch": [1],
    "train_loss": [0.09],
    "train_accuracy": [0.7],
    "step_losses": np.linspace(0.2, 0.1, 600).tolist(),
}
RESULTS = {
    1: {"seconds": 20.0, "accuracy": 0.93, "steps": 60000},
    16: {"seconds": 2.0, "accuracy": 0.87, "steps": 3750},
}
CURVES = {
    "shift (pixels)": {"levels": [0, 2, 4], "accuracies": {"clean": [0.9, 0.8, 0.4]}},
    "noise": {"levels": [0, 0.3], "accuracies": {"clean": [0.9, 0.7], "disturbed": [0.9, 0.8]}},
}
STEPS = [("baseline", 0.8, 0.84, 0.82), ("sigmoid", 0.6, 0.7, 0.75), ("softmax", 0.76, 0.83, None)]
COMPARISON = Comparison(
    ("no hidden layer", "two hidden layers of 32 neurons each, with ReLU", "diverged"),
    (0, 1, 2),
    np.array([[0.861, 0.859, 0.863], [0.94, 0.942, np.nan], [np.nan] * 3]),
)
SWEEPS = {
    "SGD": Comparison((10, 0.1, 1), (0, 1), np.array([[np.nan] * 2, [0.8, 0.82], [0.93, 0.95]])),
    "Adam": Comparison((0.001, 0.1), (0, 1), np.array([[0.94, 0.95], [0.5, 0.6]])),
}
WEIGHTS = RANDOM.normal(0, 0.3, (8, 28, 28))
WEIGHTS[3] *= 0.01  # a neuron whose weights have stayed small
LAYER = np.maximum(RANDOM.normal(0, 2, (60, 8)), 0)
LAYER[:, 3] = 0  # ... and which is off for all images
LAYER[5:, 4] = 0  # another that is on for five
TO_OUTPUTS = torch.from_numpy(RANDOM.normal(0, 0.5, (10, 32))).requires_grad_()
ONE_WAY = [LAYER[0].repeat(4), [0, 1.25, 12.5, 0.04], [0.05] * 9 + [0.55]]
CLOUDS = {"before": RANDOM.normal(0, 1, (60, 2)), "after": np.stack([DIGITS, DIGITS % 3], axis=1)}
OUTPUTS = RANDOM.dirichlet(np.full(10, 0.2), 60)
PATHS = {"SGD": np.array([[-4, 1], [-2, -1], [0.1, 0]]), "Adam": [[-4, 1], [-3, 0.5]]}
NONE = float("nan")
COMPARED = Comparison(
    ("SGD", "RMSprop, with a name that is long enough for two lines", "diverged"),
    (0, 1, 2),
    np.array([[0.80, 0.84, 0.82], [0.90, NONE, 0.94], [NONE, NONE, NONE]]),
)
SWEPT = {
    "SGD": Comparison((10, 0.1), (0, 1), np.array([[0.9, 0.8], [0.6, 0.7]])),
    "Adam": Comparison((0.1, 1.0), (0, 1), np.array([[0.9, NONE], [NONE, NONE]])),
}

CALLS = {
    "plot_images": (IMAGES[:18], DIGITS[:18]),
    "plot_pixels": (IMAGES[0], 5),
    "plot_digit_counts": (DIGITS,),
    "plot_mean_images": (IMAGES[:10],),
    "plot_neuron": (),
    "plot_network": ([784, 32, 32, 10],),
    "plot_activations": ({"sigmoid": torch.sigmoid, "ReLU": torch.relu},),
    "plot_regions": (
        {"one": torch.nn.Identity(), "other": torch.nn.Softmax(dim=1)},
        [[-1, 1], [1, -1], [0.5, 0.2], [0.1, 0.3]],
        [1, 0, 0, 0],
    ),
    "plot_outputs": (IMAGES[0], torch.linspace(0, 1, 10, requires_grad=True), 4),
    "plot_softmax": ([1.2, -3.1, 0.4, 2.2, -1.5, 0, -0.7, 4.1, 0.3, 2.9],),
    "plot_weights": ({"before": torch.from_numpy(WEIGHTS / 50), "after": WEIGHTS},),
    "plot_strongest_images": (IMAGES, DIGITS, LAYER, [0, 3, 4], WEIGHTS),
    "plot_connections": (TO_OUTPUTS,),
    "plot_followed": (IMAGES[0], ONE_WAY),
    "plot_clouds": (CLOUDS, DIGITS),
    "plot_history": (HISTORY,),
    "plot_confusion_matrix": (torch.from_numpy(MATRIX),),
    "plot_batch": (torch.from_numpy(IMAGES[:16]), torch.from_numpy(DIGITS[:16])),
    "plot_batch_sizes": (RESULTS,),
    "plot_step_losses": ({1: np.linspace(0.2, 0.1, 160), 16: [0.2] * 10},),
    "plot_learning_curves": ({"SGD": HISTORY, "Adam": HISTORY},),
    "plot_optimizer_paths": (PATHS, lambda x, y: x**2 / 2 + 10 * y**2),
    "plot_mistakes": (IMAGES, DIGITS, (DIGITS + DIGITS % 2) % 10),
    "plot_confused_pairs": (MATRIX,),
    "plot_image_rows": ({"as they are": IMAGES[:4], "shifted": IMAGES[4:10]},),
    "plot_reliability": (OUTPUTS, DIGITS),
    "plot_robustness": (CURVES,),
    "plot_journey": (STEPS,),
    "plot_comparison": (COMPARISON,),
    "plot_sweep": (SWEEPS, "learning rate"),
}
GRIDS = {  # along which axes a chart has lines to read values at
    "plot_activations": "xy",
    "plot_history": "y",
    "plot_learning_curves": "y",
    "plot_step_losses": "y",
    "plot_robustness": "y",
    "plot_reliability": "xy",
    "plot_journey": "x",
    "plot_comparison": "x",
    "plot_sweep": "xy",
}


@cache
def drawn(name):
    """The one figure of a call in `CALLS`, laid out, and its alternative text."""
    return show(name, *CALLS[name])


def show(name, *arguments, layout=True, **options):
    shown = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "show", lambda figure, alt: shown.append((figure, alt)))
        assert getattr(plotting, name)(*arguments, **options) is None
    [(figure, alt)] = shown
    if layout:
        figure.draw_without_rendering()
    else:
        figure.set_layout_engine("none")
    return figure, alt


@pytest.fixture
def displayed(monkeypatch):
    """What reaches the notebook."""
    shown = []
    monkeypatch.setattr(page, "display", shown.append)
    return shown


def texts(figure):
    """Every text that can be seen: ticks outside the axes' limits are not drawn."""
    ticks = [
        (axis.get_view_interval(), tick)
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
    ]
    unseen = {
        label
        for view, tick in ticks
        for label in (tick.label1, tick.label2)
        if not min(view) - 1e-9 <= tick.get_loc() <= max(view) + 1e-9
    }
    found = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    return [text for text in found if text not in unseen]


def settings():
    """Matplotlib's, read past its own lookup, which would settle on a backend."""
    return dict(dict.items(matplotlib.rcParams))


def words(figure):
    return [text.get_text() for text in texts(figure)]


def cell_texts(axes):
    """The text at each (column, row) of a matrix."""
    return {tuple(map(int, text.get_position())): text for text in axes.texts}


# ---------------------------------------------------------------- every figure


def test_every_public_function_is_tested_here():
    public = {name for name in vars(plotting) if name.startswith("plot_")}
    assert public == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_shows_one_picture_with_alternative_text(displayed, name):
    before = settings()
    assert getattr(plotting, name)(*CALLS[name]) is None
    assert settings() == before
    [picture] = displayed
    shown = picture._repr_html_()
    alt, width, data = re.fullmatch(
        r'<img alt="([^"<>]+)" width="(\d+)" style="max-width:100%;height:auto" '
        r'src="data:image/png;base64,([A-Za-z0-9+/=]+)">',
        shown,
    ).groups()
    assert 40 < len(alt) < 1000
    assert alt.endswith(".")
    assert len(data) < 200_000  # 150 kB before base64
    png = Image.open(io.BytesIO(base64.b64decode(data)))
    assert png.width == 2 * int(width), "two pixels for each pixel of the page"
    assert int(width) == 720
    corner = png.convert("RGBA").getpixel((1, png.height - 2))
    assert corner == (255, 255, 255, 255), "opaque white, so that dark mode stays readable"


@pytest.mark.parametrize("name", CALLS)
def test_text_is_nine_points_or_more_and_inside_the_figure(name):
    figure, _ = drawn(name)
    for text in texts(figure):
        assert text.get_fontsize() >= 9, text.get_text()
    frame = figure.bbox.padded(1)
    for text in texts(figure):
        box = text.get_window_extent()
        corners = frame.contains(box.x0, box.y0), frame.contains(box.x1, box.y1)
        assert all(corners), f"{text.get_text()!r} is cut off"


@pytest.mark.parametrize("name", CALLS)
def test_texts_do_not_overlap(name):
    figure, _ = drawn(name)
    boxes = [(t.get_text(), t.get_window_extent().padded(-1)) for t in texts(figure)]
    for index, (text, box) in enumerate(boxes):
        for other, other_box in boxes[index + 1 :]:
            assert not box.overlaps(other_box), f"{text!r} lies on {other!r}"


def grid(axes):
    axes_of = {"x": axes.xaxis, "y": axes.yaxis}
    lines = {name: axis.get_gridlines() for name, axis in axes_of.items()}
    return "".join(name for name in lines if any(line.get_visible() for line in lines[name]))


@pytest.mark.parametrize("name", CALLS)
def test_charts_have_lines_to_read_values_at(name):
    figure, _ = drawn(name)
    assert {grid(axes) for axes in figure.axes if axes.axison} <= {GRIDS.get(name, "")}


ROWS = {
    "plot_journey": lambda n: [(f"step {i}", 0.5, 0.6, 0.55) for i in range(n)],
    "plot_batch_sizes": lambda n: {2**i: RESULTS[1] for i in range(n)},
    "plot_comparison": lambda n: Comparison(
        tuple(f"recipe {i}" for i in range(n)), (0,), np.full((n, 1), 0.9)
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_has_room_for_its_text_however_many_there_are(name):
    heights = []
    for count in (2, 5, 12):
        figure, _ = show(name, ROWS[name](count))
        first, second = figure.axes[0].transData.transform([(0.5, 0), (0.5, 1)])[:, 1]
        heights.append(abs(second - first) / figure.dpi)
    assert 0.3 <= min(heights) <= max(heights) <= 0.8, "inches"


@pytest.mark.parametrize("name", CALLS)
def test_text_stands_out_from_white(name):
    """WCAG 2.1, 1.4.3: a contrast of 4.5 or more."""
    figure, _ = drawn(name)
    cells = figure.axes[0].texts if name == "plot_confusion_matrix" else []
    for text in set(texts(figure)) - set(cells):
        assert contrast(text.get_color(), "white") >= 4.5, text.get_text()


def test_counts_stand_out_from_their_cells():
    matrix = np.array([[share, 100 - share, *[0] * 8] for share in range(0, 100, 10)])
    for counts in (matrix, matrix + [3, -3, *[0] * 8], MATRIX):
        axes = show("plot_confusion_matrix", np.abs(counts))[0].axes[0]
        picture = axes.collections[0]
        colors = picture.to_rgba(picture.get_array())[..., :3]
        for (column, row), text in cell_texts(axes).items():
            assert contrast(text.get_color(), colors[row, column]) >= 4.5, text.get_text()


@pytest.mark.parametrize("name", CALLS)
def test_docstring_names_every_argument(name):
    function = getattr(plotting, name)
    for argument in inspect.signature(function).parameters:
        assert re.search(rf"^    {argument}: ", inspect.getdoc(function), re.M), argument


def test_settings_of_the_learner_do_not_reach_the_figures(displayed):
    plotting.plot_digit_counts(DIGITS)
    with matplotlib.style.context("dark_background"), matplotlib.rc_context({"font.size": 5}):
        plotting.plot_digit_counts(DIGITS)
    assert displayed[0].png == displayed[1].png


def test_seaborn_changes_neither_settings_nor_backend_and_leaves_no_figure_open():
    """What the learner set is what seaborn finds, and gives back with `reset_orig`."""
    code = """
import matplotlib, numpy as np
matplotlib.rcParams["font.size"] = 7.5
before = dict(dict.items(matplotlib.rcParams))
from helpers import plotting
plotting.page.display = lambda picture: None
plotting.plot_confusion_matrix(np.eye(10))
assert dict(dict.items(matplotlib.rcParams)) == before
import seaborn
seaborn.reset_orig()
reset = dict(dict.items(matplotlib.rcParams)) | {"backend": before["backend"]}
assert reset == before  # but for the backend, on which seaborn's own function settles
from matplotlib import pyplot
assert pyplot.get_fignums() == []
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_dollars_are_dollars():
    figure, _ = show("plot_images", IMAGES[:2], ["$5$", r"$\frac$"], title="$x")
    assert {"$5$", r"$\frac$", "$x"} <= set(words(figure))
    for text in texts(figure):
        assert not text.get_parse_math()


def test_import_changes_no_setting_and_loads_neither_torch_nor_pyplot():
    code = (
        "import sys, matplotlib; before = dict(dict.items(matplotlib.rcParams)); "
        "import helpers.plotting; assert dict(dict.items(matplotlib.rcParams)) == before; "
        "assert not {'torch', 'matplotlib.pyplot'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_alternative_text_is_escaped_and_stands_alone_without_html(displayed):
    plotting.plot_images(IMAGES[:1], title='a "b" <c> & d')
    [picture] = displayed
    assert 'alt="a &quot;b&quot; &lt;c&gt; &amp; d: 1 images' in picture._repr_html_()
    assert repr(picture).startswith('a "b" <c> & d: 1 images')


# ---------------------------------------------------------------- what they show


def test_images_are_all_there_in_reading_order():
    figure, alt = show("plot_images", IMAGES[:7], torch.arange(7), columns=3)
    pictures = figure.axes[0].images
    assert len(pictures) == 7
    for picture, image in zip(pictures, IMAGES, strict=False):
        np.testing.assert_array_equal(picture.get_array(), image)
    places = [(picture.get_extent()[3], picture.get_extent()[0]) for picture in pictures]
    assert places == sorted(places), "row by row, from left to right"
    assert [word for word in words(figure) if word.isdigit()] == list("0123456")
    assert "captions 0, 1, 2, 3, 4, 5, 6" in alt


def test_captions_of_two_lines_stand_above_their_images():
    captions = [f"{digit} as 7\n99.{digit}%" for digit in range(7)]
    figure, alt = show("plot_images", IMAGES[:7], captions)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in texts(figure) if " as 7" in text.get_text()]
    frames = [image.get_window_extent() for image in figure.axes[0].images]
    assert len(boxes) == len(frames) == 7
    for box, frame in zip(boxes, frames, strict=True):
        assert frame.x0 < box.x0 < box.x1 < frame.x1
        assert frame.y1 < box.y0
    assert boxes[6].y1 < frames[0].y0, "below the row above"
    assert "captions 0 as 7 99.0%, 1 as 7 99.1%" in alt


def test_image_is_upright():
    left, right, bottom, top = show("plot_images", IMAGES[:1])[0].axes[0].images[0].get_extent()
    assert left < right
    assert top < bottom  # y runs downward on this sheet: row 0 of the image is at the top


def test_pixels_show_the_first_decimal_of_each():
    image = np.zeros((28, 28))
    image[3, 5], image[4, 5], image[5, 5], image[6, 5] = 0.72, 1.0, 0.999, 0.05
    figure, alt = show("plot_pixels", image, 3)
    numbers = [word for word in words(figure) if len(word) == 1 and word.isdigit()]
    grid = np.array(numbers, int).reshape(28, 28)
    assert grid[3:7, 5].tolist() == [7, 9, 9, 0]
    assert grid.sum() == 25
    assert "digit 3" in alt
    assert "4 of the 784" in alt
    assert "What you see: a 3" in words(figure)
    plain, under = figure.axes[0].images
    np.testing.assert_array_equal(plain.get_array(), image)
    np.testing.assert_allclose(under.get_array(), image * 0.45)
    left, right, bottom, top = under.get_extent()
    pitch = (right - left) / 28
    places = [text.get_position() for text in texts(figure) if re.fullmatch(r"\d", text.get_text())]
    for (row, column), (x, y) in zip(np.ndindex(28, 28), places, strict=True):
        assert x == pytest.approx(left + (column + 0.5) * pitch)
        assert y == pytest.approx(top + (row + 0.5) * (bottom - top) / 28)


def test_mean_images_stand_under_their_digits():
    figure, alt = drawn("plot_mean_images")
    pictures = figure.axes[0].images
    captions = [text for text in texts(figure) if re.fullmatch(r"\d", text.get_text())]
    assert [text.get_text() for text in captions] == list("0123456789")
    for picture, image, caption in zip(pictures, IMAGES, captions, strict=False):
        np.testing.assert_array_equal(picture.get_array(), image)
        left, right, _, top = picture.get_extent()
        assert caption.get_position()[0] == pytest.approx((left + right) / 2)
        assert 0 < top - caption.get_position()[1] < 0.2
    assert len({picture.get_extent()[3] for picture in pictures}) == 2, "two rows of five"
    assert "The mean image of each digit" in words(figure)
    assert alt.startswith("The mean image of each digit, 0 to 9:")


def test_bars_are_the_counts_of_the_digits():
    digits = np.repeat([0, 1, 3, 9], [5, 1234, 2, 7])
    figure, alt = show("plot_digit_counts", digits)
    assert [bar.get_height() for bar in figure.axes[0].patches] == [5, 1234, 0, 2] + [0] * 5 + [7]
    middles = [bar.get_x() + bar.get_width() / 2 for bar in figure.axes[0].patches]
    assert middles == pytest.approx(range(10))
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == list("0123456789")
    assert "How many of each digit, in 1,248 images" in words(figure)
    assert "0: 5, 1: 1,234, 2: 0, 3: 2, " in alt
    assert "Fewest: 2;" in alt
    assert "mine" in words(show("plot_digit_counts", digits, title="mine")[0])
    assert "1,234" in words(figure)
    assert "most: 1." in alt


def test_network_counts_its_numbers():
    figure, alt = show("plot_network", [784, 32, 32, 10])
    assert "26,506 numbers to learn" in words(figure)
    assert "784 × 32 weights\n+ 32 biases" in words(figure)
    assert "32 × 10 = 320 weights" in alt
    assert alt.startswith("A dense network: 784 inputs, 32 neurons, 32 neurons, 10 outputs, each")
    circles = [patch.center for patch in figure.axes[0].patches if isinstance(patch, Circle)]
    columns = sorted({x for x, _ in circles})
    layers = [sorted(y for x, y in circles if x == column) for column in columns]
    assert [len(layer) for layer in layers] == [6, 6, 6, 10], "long layers are drawn in part"
    assert words(figure).count("⋮") == 3
    for column, layer in zip(columns, layers, strict=True):
        assert np.mean(layer) == pytest.approx(2.35)
        steps = np.diff(layer)
        assert steps.min() == pytest.approx(0.31)
        assert np.allclose(steps[[0, -1]], 0.31)
        assert steps.max() == pytest.approx(0.31 if column == columns[-1] else 0.93)
    heads = [text for text in texts(figure) if re.search("inputs|neurons|outputs", text.get_text())]
    assert [text.get_position()[0] for text in heads] == pytest.approx(columns)
    for lines, (left, right) in zip(figure.axes[0].collections, pairwise(range(4)), strict=True):
        ends = {tuple(map(tuple, segment)) for segment in lines.get_segments()}
        assert ends == {
            ((columns[left], a), (columns[right], b)) for a in layers[left] for b in layers[right]
        }
    digits = [text for text in texts(figure) if re.fullmatch(r"\d", text.get_text())]
    assert [text.get_text() for text in digits] == list("0123456789")
    assert [text.get_position()[1] for text in digits] == pytest.approx(layers[-1])


def test_a_network_of_few_neurons_is_drawn_whole():
    figure, _ = show("plot_network", [10, 11, 1])
    circles = [patch.center[0] for patch in figure.axes[0].patches if isinstance(patch, Circle)]
    assert [circles.count(x) for x in sorted(set(circles))] == [10, 6, 1]
    assert "133 numbers to learn" in words(figure)
    assert not [word for word in words(figure) if re.fullmatch(r"\d", word)]
    assert {"10\ninputs", "11\nneurons", "1\noutputs"} <= set(words(figure))
    assert {"10 × 11 weights\n+ 11 biases", "11 × 1 weights\n+ 1 biases"} <= set(words(figure))


def test_neuron_adds_up_what_it_shows():
    """The numbers of the picture, read as a learner reads them, and computed anew."""
    figure, alt = drawn("plot_neuron")
    said = [word.replace("−", "-") for word in words(figure)]
    products = [re.fullmatch(r"× (\S+) = (\S+)", word) for word in said]
    weights, terms = zip(*[map(float, found.groups()) for found in products if found], strict=True)
    [sums] = [word.split("\n") for word in said if "(bias)" in word]
    assert [float(term) for term in sums[:3]] == list(terms)
    bias = float(sums[3].removesuffix(" (bias)"))
    total = float(sums[4].removeprefix("= "))
    assert total == pytest.approx(sum(terms) + bias)
    assert bias != 0, "so that a wrong sign shows"
    axes = figure.axes[0]
    circles = [patch for patch in axes.patches if isinstance(patch, Circle)]
    *inputs, output = (
        float(text.get_text())
        for circle in circles
        for text in axes.texts
        if text.get_position() == circle.center
    )
    assert [i * w for i, w in zip(inputs, weights, strict=True)] == pytest.approx(terms, abs=0.005)
    assert output == pytest.approx(1 / (1 + np.exp(-total)), abs=0.005)
    numbers = f"{tuple(inputs)} are multiplied by its weights {weights}", f"bias {bias} add up to"
    for expected in (*numbers, f"{total:.2f}; the sigmoid", f"output {output:.2f}."):
        assert expected in alt
    curve, dot = axes.lines
    x, y = curve.get_xydata().T
    [[dot_x, dot_y]] = dot.get_xydata()
    assert np.interp(dot_x, x, y) == pytest.approx(dot_y, abs=0.002), "the dot is on the curve"
    share = (y[0] - dot_y) / (y[0] - y[-1])  # y runs downward
    assert share == pytest.approx(output, abs=0.01)
    assert (dot_x - x[0]) / (x[-1] - x[0]) == pytest.approx((total + 5) / 10)


def test_neuron_is_read_from_left_to_right():
    figure, _ = drawn("plot_neuron")
    headings = ["inputs", "times weights", "sum + bias", "activation", "output"]
    places = {text.get_text(): text.get_position() for text in texts(figure)}
    xs = [places[heading][0] for heading in headings]
    assert xs == sorted(xs)
    assert len({places[heading][1] for heading in headings}) == 1
    arrows = [text for text in figure.axes[0].texts if getattr(text, "arrow_patch", None)]
    assert len(arrows) == 5
    for arrow in arrows:
        assert arrow.xy[0] > arrow.get_position()[0], "to the right"
    starts = [arrow.get_position()[1] for arrow in arrows[:3]]
    assert starts == sorted(starts)
    middle = starts[1]
    assert [arrow.xy[1] for arrow in arrows[3:]] == [middle, middle]


def middle_of(box):
    return (box.y0 + box.y1) / 2


def test_what_is_written_in_a_shape_fits_in():
    figure, _ = drawn("plot_neuron")
    shapes = [patch.get_window_extent() for patch in figure.axes[0].patches]
    assert len(shapes) == 6
    for shape in shapes:
        inside = [text.get_window_extent() for text in texts(figure)]
        inside = [box for box in inside if shape.contains((box.x0 + box.x1) / 2, middle_of(box))]
        assert inside
        for box in inside:
            assert shape.x0 < box.x0 < box.x1 < shape.x1
            assert shape.y0 < box.y0 < box.y1 < shape.y1


def test_digits_are_level_with_what_they_stand_for():
    """Their ink is: a text's own middle is lower or higher, by what hangs below the line."""
    for name, size, level in (
        ("plot_confusion_matrix", 10, lambda axes, i: axes.transData.transform((0, i + 0.5))[1]),
        ("plot_network", 10, lambda axes, i: middle_of(axes.patches[-10 + i].get_window_extent())),
    ):
        figure, _ = show(name, *CALLS[name])
        figure.set_dpi(200)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[..., :3].min(axis=2)
        axes = figure.axes[0]
        found = axes.get_yticklabels() if "matrix" in name else axes.texts
        digits = [text for text in found if re.fullmatch(r"\d", text.get_text())]
        assert len(digits) == size
        for index, text in enumerate(digits):
            box = text.get_window_extent()
            top, bottom = (len(pixels) - round(y) for y in (box.y1, box.y0))
            rows = np.flatnonzero(
                (pixels[top:bottom, round(box.x0) : round(box.x1)] < 128).any(axis=1)
            )
            middle = len(pixels) - (top + rows.mean() + 0.5)
            assert middle == pytest.approx(level(axes, index), abs=2), text.get_text()


def test_activations_show_function_and_slope():
    figure, alt = show("plot_activations", {"sigmoid": torch.sigmoid})
    left, right = (axes.lines[0] for axes in figure.axes)
    x = left.get_xdata()
    np.testing.assert_allclose(left.get_ydata(), 1 / (1 + np.exp(-x)), atol=1e-6)
    y = left.get_ydata()
    np.testing.assert_allclose(right.get_ydata(), y * (1 - y), atol=1e-6)
    assert "its slope from 0.00 to 0.25" in alt
    assert "sigmoid goes from 0.00 to 1.00" in alt
    assert "and is 0.00 at input 6" in alt
    assert (x[0], x[-1]) == (-6, 6)


def test_activations_show_several_and_cut_off_what_grows_for_ever():
    figure, alt = drawn("plot_activations")
    left, right = figure.axes
    low, high = left.get_ylim()
    assert high == 2.3
    assert -0.5 < low < 0
    assert right.lines[1].get_ydata().max() == 1
    assert "ReLU goes from 0.00 to 6.00, its slope from 0.00 to 1.00, and is 1.00 at" in alt
    assert [line.get_label() for line in left.lines] == ["sigmoid", "ReLU"]
    assert {"sigmoid", "ReLU"} <= set(words(figure))
    assert left.lines[0].get_color() != left.lines[1].get_color()
    assert left.lines[0].get_markevery() != left.lines[1].get_markevery()
    figure, alt = show("plot_activations", {"minus": lambda x: -5 * x})
    assert figure.axes[0].get_ylim() == (-2.3, 2.3)
    assert "slope from −5.00 to −5.00" in alt


def test_outputs_show_ten_bars_and_the_largest():
    outputs = np.full(10, 0.1)
    outputs[7] = 0.2
    figure, alt = show("plot_outputs", IMAGES[0], outputs, 4)
    axes = figure.axes[1]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx(outputs)
    assert axes.get_xlim()[1] >= 1, "a bar of 0.2 must look small"
    colors = {to_rgb(bar.get_facecolor()) for i, bar in enumerate(axes.patches) if i != 7}
    assert len(colors) == 1
    assert to_rgb(axes.patches[7].get_facecolor()) not in colors
    assert alt.endswith("The largest: 7, wrong.")
    assert "Ten outputs. The largest: 7, wrong" in words(figure)
    assert "True digit: 4" in words(figure)
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), IMAGES[0])
    assert [text.get_text() for text in axes.texts] == ["0.10"] * 7 + ["0.20", "0.10", "0.10"]
    assert [label.get_text() for label in axes.get_yticklabels()] == list("0123456789")
    assert axes.get_xlim() == pytest.approx((-0.04, 1.2))
    assert "bars. 0: 0.10, 1: 0.10, 2: 0.10" in alt
    assert show("plot_outputs", IMAGES[0], outputs, 7)[1].endswith("The largest: 7, right.")


def test_bars_of_numbers_below_zero_and_above_one_fit_in():
    outputs = np.array([-3, 5, 0.5, 0, 0, 0, 0, 0, 0, -0.001])
    figure, alt = show("plot_outputs", IMAGES[0], outputs, 1)
    axes = figure.axes[1]
    assert axes.get_xlim() == pytest.approx((-3 - 0.04 * 8, 5 + 0.2 * 8))
    assert [text.xy[0] for text in axes.texts] == [0, 5, 0.5] + [0] * 7, "behind the bar, or zero"
    assert [text.get_text() for text in axes.texts][:2] == ["−3.00", "5.00"]
    assert axes.lines[0].get_xdata() == [0, 0], "the zero line"
    assert "0: −3.00, 1: 5.00" in alt
    axes = show("plot_outputs", IMAGES[0], -np.arange(1.0, 11), 1)[0].axes[1]
    assert axes.get_xlim() == pytest.approx((-10.4, 2))


def test_softmax_is_torchs():
    numbers = torch.tensor([1000.0, -3, 998, 0, 1, 2, 3, 4, 5, 6])
    figure, alt = show("plot_softmax", numbers)
    bars = [bar.get_width() for bar in figure.axes[1].patches]
    assert bars == pytest.approx(torch.softmax(numbers, 0).tolist())
    assert "−3.0" in words(figure)
    assert "between −3.0 and 1000.0 into ten probabilities" in alt
    assert "1000.0 for digit 0, becomes the largest probability, 0.88." in alt
    assert [bar.get_width() for bar in figure.axes[0].patches] == numbers.tolist()
    assert [text.get_text() for text in figure.axes[0].texts][:3] == ["1000.0", "−3.0", "998.0"]
    assert [text.get_text() for text in figure.axes[1].texts][:3] == ["0.88", "0.00", "0.12"]


def test_history_draws_training_and_validation():
    figure, alt = show("plot_history", HISTORY)
    loss, accuracy = figure.axes
    assert [line.get_ydata().tolist() for line in loss.lines] == [
        HISTORY["train_loss"],
        HISTORY["validation_loss"],
    ]
    assert accuracy.lines[1].get_ydata().tolist() == HISTORY["validation_accuracy"]
    assert "accuracy on validation images from 0.750 to 0.910" in alt
    assert {"training images", "validation images", "90%"} <= set(words(figure))


NAN = float("nan")
EVERY_SECOND = {
    "epoch": [1, 2, 3, 4, 5],
    "train_loss": [0.5, 0.4, 0.3, 0.2, 0.1],
    "train_accuracy": [0.5, 0.6, 0.7, 0.8, 0.9],
    "validation_loss": [NAN, 0.45, NAN, 0.25, NAN],
    "validation_accuracy": [NAN, 0.55, NAN, 0.75, NAN],
}
NEVER = EVERY_SECOND | {"validation_loss": [NAN] * 5, "validation_accuracy": [NAN] * 5}
ONCE = EVERY_SECOND | {
    "validation_loss": [0.45, *[NAN] * 4],
    "validation_accuracy": [0.55, *[NAN] * 4],
}
DIVERGED = EVERY_SECOND | {
    "train_loss": [0.5, float("inf"), NAN, NAN, NAN],
    "train_accuracy": [0.5, 0.1, 0.1, 0.1, 0.1],
    "validation_loss": [NAN] * 5,
    "validation_accuracy": [0.1] * 5,
}


def points(line):
    return [tuple(point) for point in line.get_xydata().tolist()]


def test_history_has_a_marker_at_each_epoch_that_was_measured():
    figure, alt = show("plot_history", EVERY_SECOND)
    for axes, measure in zip(figure.axes, ("loss", "accuracy"), strict=True):
        training, validation = axes.lines
        assert points(training) == list(
            zip(range(1, 6), EVERY_SECOND[f"train_{measure}"], strict=True)
        )
        expected = [(epoch, EVERY_SECOND[f"validation_{measure}"][epoch - 1]) for epoch in (2, 4)]
        assert points(validation) == expected
        assert validation.get_marker() not in ("", "None", None)
        assert validation.get_linestyle() == "-"
        assert training.get_linestyle() == "--"
    assert alt == (
        "Training over 5 epochs: loss on training images from 0.500 to 0.100; "
        "loss on validation images from 0.450 to 0.250 (measured after 2 of 5 epochs, the last "
        "time after epoch 4); accuracy on training images from 0.500 to 0.900; accuracy on "
        "validation images from 0.550 to 0.750 (measured after 2 of 5 epochs, the last time after "
        "epoch 4)."
    )


def test_history_that_was_never_measured_or_once():
    figure, alt = show("plot_history", NEVER)
    assert [len(axes.lines) for axes in figure.axes] == [1, 1]
    assert "validation images" not in words(figure)
    assert "; accuracy on validation images never measured." in alt
    figure, alt = show("plot_history", ONCE)
    assert points(figure.axes[1].lines[1]) == [(1, 0.55)]
    assert "from 0.550 to 0.550 (measured after 1 of 5 epochs, the last time after epoch 1)" in alt


def test_history_that_diverged_says_so_and_is_measured_all_the_same():
    figure, alt = show("plot_history", DIVERGED)
    loss, accuracy = figure.axes
    assert loss.lines[0].get_ydata()[0] == 0.5
    assert accuracy.lines[1].get_ydata().tolist() == [0.1] * 5
    assert "loss on training images from 0.500 to no finite number;" in alt
    assert "loss on validation images from no finite number to no finite number;" in alt
    assert "measured after" not in alt


def test_learning_curves_draw_what_was_measured():
    named = {"every second": EVERY_SECOND, "never": NEVER, "once": ONCE, "diverged": DIVERGED}
    figure, alt = show("plot_learning_curves", named)
    for axes, measure in zip(figure.axes, ("loss", "accuracy"), strict=True):
        lines = [line for line in axes.lines if len(line.get_xdata())]
        assert len(lines) == 7, "the one that was never measured has one line"
        expected = [(epoch, EVERY_SECOND[f"validation_{measure}"][epoch - 1]) for epoch in (2, 4)]
        assert points(lines[1]) == expected
        assert points(lines[4]) == [(1, ONCE[f"validation_{measure}"][0])]
        assert lines[1].get_color() == lines[0].get_color() != lines[2].get_color()
        assert to_rgb(lines[0].get_markerfacecolor()) == (1, 1, 1)
        assert to_rgb(lines[1].get_markerfacecolor()) == to_rgb(lines[1].get_color())
        assert lines[0].get_linewidth() < lines[1].get_linewidth()
    assert alt == (
        "Learning curves: loss and accuracy by epoch, training dashed, validation solid. "
        "every second ends at 90.0% on training images and 75.0% on validation images (epoch 4); "
        "never ends at 90.0% on training images; "
        "once ends at 90.0% on training images and 55.0% on validation images (epoch 1); "
        "diverged ends at 10.0% on training images and 10.0% on validation images."
    )
    assert set(named) <= set(words(figure))


def test_learning_curves_of_many_epochs_have_a_few_markers():
    epochs = list(range(1, 41))
    shares = np.linspace(0.1, 0.9, 40).tolist()
    history = dict.fromkeys(("train_loss", "train_accuracy", "validation_loss"), shares)
    history |= {"epoch": epochs, "validation_accuracy": [*shares[:16], *[NAN] * 24]}
    history["validation_loss"] = history["validation_accuracy"]
    figure, _ = show("plot_learning_curves", {"SGD": history})
    training, validation = figure.axes[1].lines
    assert (training.get_markevery(), validation.get_markevery()) == (5, 2)
    assert len(validation.get_xdata()) == 16


def test_charts_of_thirty_epochs_have_ticks_from_five_to_thirty():
    history = dict.fromkeys(("train_loss", "train_accuracy"), np.linspace(0, 1, 30))
    figure, _ = show("plot_history", history | {"epoch": range(1, 31)})
    for axes in figure.axes:
        low, high = axes.get_xlim()
        seen = [place for place in axes.get_xticks() if low <= place <= high]
        assert seen == [5, 10, 15, 20, 25, 30], "and none at 0, which is no epoch"


def test_charts_by_epoch_have_whole_epochs_and_percent():
    for name in ("plot_history", "plot_learning_curves"):
        figure, _ = drawn(name)
        loss, accuracy = figure.axes
        assert (loss.get_title(loc="left"), accuracy.get_title(loc="left")) == ("Loss", "Accuracy")
        for axes in figure.axes:
            assert axes.get_xlabel() == "epoch"
            assert all(tick == round(tick) for tick in axes.get_xticks())
            assert axes.yaxis.get_gridlines()[0].get_visible()
            assert not axes.xaxis.get_gridlines()[0].get_visible()
        assert accuracy.yaxis.get_major_formatter()(0.985, 0) == "98.5%"
        assert "%" not in loss.yaxis.get_major_formatter()(0.985, 0)


def test_history_of_one_epoch_shows_the_running_mean_of_its_steps():
    figure, alt = show("plot_history", ONE_EPOCH)
    [line] = figure.axes[0].lines
    assert line.get_xdata()[[0, -1]].tolist() == [10, 600]
    assert line.get_ydata()[0] == pytest.approx(np.mean(ONE_EPOCH["step_losses"][:10]))
    assert "600 steps" in alt
    means = [np.mean(ONE_EPOCH["step_losses"][n : n + 10]) for n in range(591)]
    assert line.get_ydata() == pytest.approx(means)
    axes = figure.axes[0]
    assert axes.get_xlim() == (0, 600)
    assert axes.get_ylim() == pytest.approx((0, 1.15 * means[0]))
    assert axes.get_title(loc="left") == "Loss along the epoch: mean of the last 10 steps"
    assert grid(axes) == "y"
    assert f"from {means[0]:.3f} at the beginning to {means[-1]:.3f} at the end" in alt


def test_an_earlier_training_is_drawn_in_gray_behind_one_epoch():
    earlier = np.linspace(0.3, 0.25, 900)
    figure, alt = show("plot_history", ONE_EPOCH, earlier)
    line, behind = figure.axes[0].lines
    assert behind.get_color() != line.get_color()
    assert behind.get_zorder() < line.get_zorder()
    assert behind.get_ydata()[0] == pytest.approx(np.mean(earlier[:10]))
    assert behind.get_xdata()[[0, -1]].tolist() == [10, 900]
    assert figure.axes[0].get_xlim() == (0, 600)
    assert figure.axes[0].get_ylim() == pytest.approx((0, 1.15 * behind.get_ydata()[0]))
    names = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert names == ["this training", "earlier training"]
    assert (
        "; of an earlier training, in gray, from 0.300 at the beginning to 0.250 at the end." in alt
    )
    assert not show("plot_history", ONE_EPOCH)[0].legends


def test_the_running_mean_is_over_a_round_number_of_steps():
    for steps, window in ((50_000, "800"), (60_000, "1,000"), (48_000, "800"), (20, "1")):
        figure, _ = show("plot_history", ONE_EPOCH | {"step_losses": np.linspace(1, 0, steps)})
        assert figure.axes[0].get_title(loc="left").endswith(f"the last {window} steps")


def test_history_of_one_epoch_without_its_steps_is_drawn_by_epoch():
    figure, alt = show("plot_history", {**ONE_EPOCH, "step_losses": []})
    assert len(figure.axes) == 2
    assert alt.startswith("Training over 1 epochs: loss on training images from 0.090 to 0.090;")


def test_history_of_a_training_that_diverged_is_drawn():
    losses = [0.1, 0.2, 5.0] + [float("nan")] * 57
    figure, alt = show("plot_history", ONE_EPOCH | {"step_losses": losses})
    assert figure.axes[0].get_ylim() == pytest.approx((0, 1.15 * 5))
    assert "to no finite number at the end" in alt
    figure, _ = show("plot_history", ONE_EPOCH | {"step_losses": [float("nan")] * 5})
    assert figure.axes[0].get_ylim() == pytest.approx((0, 1.15))
    figure, alt = show("plot_step_losses", {1: losses})
    assert (
        "mean loss of the last steps no finite number, nine in ten of them between no finite" in alt
    )


def test_confusion_matrix_has_true_digits_as_rows():
    matrix = np.diag(np.arange(10, 20))
    matrix[4, 9] = 31
    figure, alt = show("plot_confusion_matrix", matrix)
    axes = figure.axes[0]
    cells = cell_texts(axes)
    assert len(cells) == 100
    assert cells[9, 4].get_text() == "31"  # x = column 9, y = row 4
    assert cells[4, 9].get_text() == "0"
    assert axes.get_ylabel() == "true digit"
    assert axes.get_xlabel() == "predicted digit"
    assert axes.get_ylim() == (10, 0), "row 0 on top"
    assert axes.get_xlim() == (0, 10)
    [mesh] = axes.collections
    np.testing.assert_array_equal(mesh.get_coordinates()[4, 9], [9, 4])
    assert cells[9, 4].get_position() == (9.5, 4.5), "in the middle of its cell"
    for axis in (axes.xaxis, axes.yaxis):
        assert [label.get_text() for label in axis.get_ticklabels()] == list("0123456789")
        assert axis.get_ticklocs().tolist() == [digit + 0.5 for digit in range(10)]
        assert {label.get_rotation() for label in axis.get_ticklabels()} == {0}
    assert "Most confused: 4 read as 9, 31 times." in alt
    assert "145 on the diagonal (82%)" in alt


def test_confusion_matrix_cells_counts_and_recalls():
    axes = show("plot_confusion_matrix", MATRIX)[0].axes[0]
    cells = cell_texts(axes)
    for (row, column), count in np.ndenumerate(MATRIX):
        first, *rest = cells[column, row].get_text().split("\n")
        assert int(first.replace(",", "")) == count
        assert rest == ([f"{count / MATRIX[row].sum():.0%}"] if row == column else [])
    shares = MATRIX / MATRIX.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(axes.collections[0].get_array(), shares)


def test_confusion_matrix_hides_nothing():
    """Two shares that differ by a factor of two differ in color, at both ends of the scale."""
    axes = drawn("plot_confusion_matrix")[0].axes[0]
    picture = axes.collections[0]
    assert (picture.norm.vmin, picture.norm.vmax) == (0, 1)
    shares = np.array([0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1])
    lightness = lab(picture.to_rgba(shares)[:, :3])[:, 0]
    assert (np.diff(lightness) < -2).all()


def test_a_digit_that_never_occurs_has_no_recall():
    matrix = MATRIX.copy()
    matrix[3] = 0
    figure, _ = show("plot_confusion_matrix", matrix)
    cells = cell_texts(figure.axes[0])
    assert cells[3, 3].get_text() == "0\n–"
    assert cells[4, 4].get_text().endswith("%")


def test_confusion_matrix_of_no_images_is_drawn():
    figure, alt = show("plot_confusion_matrix", np.zeros((10, 10), int))
    assert "0 of 0 images read right: –" in words(figure)
    assert "No mistakes." in alt


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (0.004, "<1%"), (0.5, "50%"), (0.9961, ">99%"), (1, "100%"), (np.nan, "–")],
)
def test_percent_never_rounds_away(share, text):
    assert page.percent(share) == text


@pytest.mark.parametrize("count", [1, 16, 64])
def test_batch_shows_its_shape(count):
    images, digits = np.resize(IMAGES, (count, 28, 28)), np.arange(count) % 10
    figure, alt = show("plot_batch", images, digits)
    assert len(figure.axes[0].images) == min(count, 16)
    assert f"({count}, 28, 28)" in alt
    assert any(f"images ({count}, 28, 28), digits ({count},)" in word for word in words(figure))
    assert ("(the first 16 shown)" in alt) is (count > 16)
    pictures = figure.axes[0].images[::-1]  # drawn from the back to the front
    extents = [picture.get_extent() for picture in pictures]
    assert [extent[0] for extent in extents] == sorted(extent[0] for extent in extents)
    assert [extent[3] for extent in extents] == sorted((e[3] for e in extents), reverse=True)
    said = {text.get_position()[0]: text.get_text() for text in texts(figure)}
    for index, (picture, extent) in enumerate(zip(pictures, extents, strict=True)):
        np.testing.assert_array_equal(picture.get_array(), images[index])
        below = [text for x, text in said.items() if extent[0] < x < extent[1] and len(text) == 1]
        assert str(digits[index]) in below
    listed = ", ".join(map(str, digits[:16]))
    assert f"the digit of each image below: {listed}" in alt


def test_batch_sizes_are_bars():
    figure, alt = drawn("plot_batch_sizes")
    for axes, key in zip(figure.axes, ("steps", "seconds", "accuracy"), strict=True):
        assert [bar.get_width() for bar in axes.patches] == [RESULTS[s][key] for s in RESULTS]
    assert {"60,000", "3,750", "20.00 s", "93.0%"} <= set(words(figure))
    assert "batch size 16: 3,750 steps, 2.00 seconds, accuracy 87.0%" in alt
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Steps", "Seconds", "Accuracy"]
    assert figure.axes[0].get_ylabel() == "batch size"
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["1", "16"]
    for axes, highest in zip(figure.axes, (60000, 20, 0.93), strict=True):
        assert axes.get_xlim() == pytest.approx((0, 1.5 * highest))
        assert axes.yaxis_inverted()
        for bar, text in zip(axes.patches, axes.texts, strict=True):
            middle = bar.get_y() + bar.get_height() / 2
            assert text.xy == pytest.approx((bar.get_width(), middle)), "behind its bar"


def band(axes):
    """The lower and the upper edge of a panel's band, at each x."""
    [area] = axes.collections
    corners = area.get_paths()[0].vertices
    return {
        x: (corners[corners[:, 0] == x, 1].min(), corners[corners[:, 0] == x, 1].max())
        for x in axes.lines[0].get_xdata()
    }


def test_step_losses_are_means_and_bands_of_windows_at_the_images_seen():
    losses = np.random.default_rng(0).uniform(0.1, 0.2, 400)
    figure, alt = show("plot_step_losses", {1: losses, 16: losses[:25]})
    one, sixteen = figure.axes
    [line] = one.lines
    assert line.get_xdata()[[0, -1]].tolist() == [5, 395], "the middle of 40 windows of 10 steps"
    assert line.get_ydata() == pytest.approx(losses.reshape(40, 10).mean(axis=1))
    edges = np.quantile(losses.reshape(40, 10), (0.05, 0.95), axis=1).T
    assert np.array(list(band(one).values())) == pytest.approx(edges)
    assert sixteen.lines[0].get_xdata()[[0, -1]].tolist() == [8, 392], "a window for each step"
    assert sixteen.lines[0].get_ydata() == pytest.approx(losses[:25])
    assert one.get_ylim() == sixteen.get_ylim()
    assert one.get_xlim() == sixteen.get_xlim()
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["batch size 1", "batch size 16"]
    low, high = edges[-1]
    assert f"nine in ten of them between {low:.3f} and {high:.3f}; batch size 16" in alt


def test_a_single_high_loss_does_not_flatten_the_others():
    losses = np.full(4000, 0.1)
    losses[2000] = 1000
    axes = show("plot_step_losses", {1: losses})[0].axes[0]
    assert axes.get_ylim()[1] < 12


def test_regions_are_what_the_networks_answer():
    points = np.array([[-1, 0], [1, 0], [0.5, 0.5]])

    def right_half(inputs):
        return torch.stack([-inputs[:, 0], inputs[:, 0]], dim=1)

    figure, alt = show("plot_regions", {"half": right_half}, points, [0, 1, 0])
    answered = figure.axes[0].images[0].get_array()
    assert answered[:, :120].max() == 0
    assert answered[:, 121:].min() == 1
    zeros, ones = figure.axes[0].lines
    assert zeros.get_xydata().tolist() == [[-1, 0], [0.5, 0.5]]
    assert ones.get_xydata().tolist() == [[1, 0]]
    assert alt.endswith("with 3 points of two classes. half: 67% of the points right.")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (({}, [[0, 1]], [0]), "networks is empty"),
        (({"a": 3}, [[0, 1]], [0]), r"networks\['a'\] must be a function"),
        (({"a": torch.nn.Identity()}, [0, 1], [0, 1]), r"points must have shape \(n, 2\)"),
        (({"a": torch.nn.Identity()}, [[0, 1]], [2]), "classes must be 0 or 1"),
        (({"a": torch.nn.Identity()}, [[0, 1]], [0, 1]), "classes"),
        (({"a": torch.nn.Linear(3, 2)}, [[0, 1]], [0]), r"networks\['a'\] must compute outputs"),
        (({"a": torch.nn.Flatten(0)}, [[0, 1]], [0]), r"networks\['a'\] must give two outputs"),
    ],
)
def test_regions_say_what_is_wrong(arguments, says):
    with pytest.raises(LessonError, match=says) as caught:
        show("plot_regions", *arguments)
    assert "\n" not in str(caught.value)


def test_learning_curves_draw_training_dashed_and_validation_solid():
    figure, alt = show("plot_learning_curves", {"SGD": HISTORY})
    training, validation = figure.axes[1].lines
    assert training.get_linestyle() == "--"
    assert validation.get_linestyle() == "-"
    assert validation.get_ydata().tolist() == HISTORY["validation_accuracy"]
    assert "SGD ends at 92.0% on training images and 91.0% on validation images" in alt


def test_paths_have_a_panel_each_and_the_loss_reached():
    figure, alt = drawn("plot_optimizer_paths")
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "SGD: loss 0.005 after 2 steps",
        "Adam: loss 7 after 1 steps",
    ]
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xydata(), PATHS["SGD"])
    assert "where it is 18" in alt
    assert "SGD: loss 0.005 after 2 steps; Adam: loss 7 after 1 steps." in alt
    for axes, path in zip(figure.axes, PATHS.values(), strict=True):
        assert axes.texts[0].get_text() == "start"
        assert axes.texts[0].xy == pytest.approx(path[0])
        [contours] = axes.collections
        for level, curves in zip(contours.levels, contours.get_paths(), strict=True):
            x, y = curves.vertices.T
            if len(x):
                height = x**2 / 2 + 10 * y**2
                assert height == pytest.approx(level, abs=0.1), "on its contour line"
        assert len(contours.levels) == 11
        # All of all paths is inside, with a margin of 12% of their width and height.
        assert axes.get_xlim() == pytest.approx((-4 - 0.12 * 4.1, 0.1 + 0.12 * 4.1))
        assert axes.get_ylim() == pytest.approx((-1 - 0.12 * 2, 1 + 0.12 * 2))
    figure, _ = show("plot_optimizer_paths", PATHS | {"third": [[0, 0]]}, lambda x, y: x**2 + y**2)
    assert [axes.axison for axes in figure.axes] == [True, True, True, False]
    assert figure.axes[2].get_title(loc="left") == "third: loss below 0.001 after 0 steps"


def test_mistakes_stand_in_the_row_of_their_true_digit():
    predictions = DIGITS.copy()
    wrong = [4, 14, 24, 9]
    predictions[wrong] = [9, 9, 2, 4]
    figure, alt = show("plot_mistakes", IMAGES, DIGITS, predictions, per_digit=2)
    axes = figure.axes[0]
    pictures = axes.images
    assert len(pictures) == 3  # two of the three misread fours, one nine
    for picture, index in zip(pictures, [4, 14, 9], strict=True):
        np.testing.assert_array_equal(picture.get_array(), IMAGES[index])
    rows = {t.get_text(): t.get_position()[1] for t in axes.texts if t.get_fontsize() == 22}
    for picture, digit in zip(pictures, "449", strict=True):
        _, _, bottom, top = picture.get_extent()
        assert top < rows[digit] < bottom
    said = [t.get_text() for t in axes.texts if t.get_color() == page.VERMILION]
    assert said == ["9", "9", "4"]
    assert alt.startswith("4 of 60 images misread")
    assert "3 of\n6 misread" in words(figure)
    assert words(figure).count("none") == 8


def test_mistakes_of_a_missing_digit_and_of_a_perfect_network():
    some = DIGITS != 3
    figure, alt = show("plot_mistakes", IMAGES[some], DIGITS[some], DIGITS[some])
    assert words(figure).count("no image of it") == 1
    assert not figure.axes[0].images
    assert alt.startswith("0 of 54 images misread")


def test_a_confusion_matrix_of_mistakes_leaves_the_diagonal_empty():
    matrix = np.diag(np.full(10, 990))
    matrix[4, 9], matrix[7, 2] = 10, 5
    figure, alt = show("plot_confusion_matrix", matrix, mistakes_only=True)
    axes = figure.axes[0]
    cells = cell_texts(axes)
    assert [cells[digit, digit].get_text() for digit in range(10)] == [""] * 10
    assert cells[9, 4].get_text() == "10"
    [picture] = axes.collections
    assert picture.get_array()[4, 9] == pytest.approx(0.01)
    assert (np.diag(picture.get_array()) == 0).all()
    # The colors are there for the mistakes: the largest share has the darkest.
    assert (picture.norm.vmin, picture.norm.vmax) == (0, pytest.approx(0.01))
    half, whole = lab(picture.to_rgba([5 / 995, 0.01])[:, :3])[:, 0]
    assert half - whole > 30
    assert "15 mistakes in 9,915 images" in words(figure)
    assert "9,900 on the diagonal (>99%, left empty). Most confused: 4 read as 9, 10 times." in alt


def test_a_confusion_matrix_of_no_mistakes_is_drawn():
    for matrix in (np.diag(np.full(10, 50)), np.zeros((10, 10), int)):
        figure, alt = show("plot_confusion_matrix", matrix, mistakes_only=True)
        assert f"0 mistakes in {matrix.sum()} images" in words(figure)
        assert "No mistakes." in alt


def surely(*of_bins):
    """Outputs and digits: for each (confidence, images, right), images of which some are right."""
    outputs, digits = [], []
    for confidence, images, right in of_bins:
        row = np.full(10, (1 - confidence) / 9)
        row[0] = confidence
        outputs += [row] * images
        digits += [0] * right + [1] * (images - right)
    return np.array(outputs), np.array(digits)


def test_reliability_is_the_share_read_right_by_confidence():
    outputs, digits = surely((0.55, 10, 6), (0.62, 4, 4), (0.68, 16, 11), (0.95, 100, 90))
    figure, alt = show("plot_reliability", torch.from_numpy(outputs), digits)
    axes = figure.axes[0]
    diagonal, dots = axes.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    expected = [[0.55, 0.6], [(4 * 0.62 + 16 * 0.68) / 20, 0.75], [0.95, 0.9]]
    np.testing.assert_allclose(dots.get_xydata(), expected)
    assert {"10", "20", "100"} <= {text.get_text() for text in axes.texts}
    # Agresti and Coull: two right and two wrong answers more, then two standard errors.
    middle = (90 + 2) / 104
    reach = 2 * np.sqrt(middle * (1 - middle) / 104)
    [ranges] = axes.collections
    np.testing.assert_allclose(
        ranges.get_segments()[-1], [[0.95, middle - reach], [0.95, middle + reach]]
    )
    assert alt == (
        "Reliability diagram of 130 images. confidence 55.0%: 60.0% right of 10; "
        "confidence 66.8%: 75.0% right of 20; confidence 95.0%: 90.0% right of 100."
    )


def test_reliability_of_answers_that_are_certain_stays_in_the_picture():
    figure, alt = show("plot_reliability", *surely((1.0, 3, 3)))
    axes = figure.axes[0]
    assert axes.lines[1].get_xydata().tolist() == [[1, 1]]
    [[(_, low), (_, high)]] = axes.collections[0].get_segments()
    assert 0 < low < 1 == high
    assert "confidence 100.0%: 100.0% right of 3" in alt


def test_confused_pairs_are_sorted_bars():
    matrix = np.diag(np.full(10, 50))
    matrix[4, 9], matrix[7, 2], matrix[3, 5] = 31, 8, 12
    figure, alt = show("plot_confused_pairs", matrix, pairs=2)
    axes = figure.axes[0]
    assert [bar.get_width() for bar in axes.patches] == [31, 12]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["4 read as 9", "3 read as 5"]
    assert axes.yaxis_inverted(), "the worst on top"
    assert "2 pairs make up 43 of the 51 mistakes" in words(figure)
    assert ": 4 read as 9, 31; 3 read as 5, 12. 2 pairs" in alt


def test_confused_pairs_of_a_perfect_network():
    figure, alt = show("plot_confused_pairs", np.diag(np.full(10, 50)))
    assert not figure.axes[0].patches
    assert "No mistakes" in alt


def test_weights_are_tiles_on_one_scale_with_their_numbers():
    figure, alt = drawn("plot_weights")
    pictures = figure.axes[0].images
    assert len(pictures) == 16
    limit = np.quantile(np.abs(np.concatenate([WEIGHTS / 50, WEIGHTS])), 0.998)
    for picture, tile in zip(pictures, np.concatenate([WEIGHTS / 50, WEIGHTS]), strict=True):
        np.testing.assert_allclose(picture.get_array(), tile)
        assert picture.norm.vmax == pytest.approx(limit)
        assert picture.norm.vmin == -picture.norm.vmax
        assert picture.get_cmap() is page.SIGNED
    captions = [text for text in texts(figure) if re.fullmatch(r"[0-7]", text.get_text())]
    for index, picture in enumerate(pictures):
        left, right, bottom, _ = picture.get_extent()
        below = [
            text.get_text()
            for text in captions
            if left < text.get_position()[0] < right and 0 < text.get_position()[1] - bottom < 0.2
        ]
        assert below == [str(index % 8)]
    assert {"before", "after"} <= set(words(figure))
    assert "before: weights from −0.0" in alt
    assert "neurons that look blank: all" in alt
    assert alt.endswith("neurons that look blank: 3.")


def test_blank_neurons_are_none_where_all_have_weights():
    _, alt = show("plot_weights", {"after": WEIGHTS[:3].reshape(3, 784)})
    assert alt.endswith("neurons that look blank: none.")
    _, alt = show("plot_weights", {"nothing": np.zeros((2, 784))})
    assert alt.endswith("neurons that look blank: all.")


def test_strongest_images_stand_in_their_order_and_only_where_the_neuron_is_on():
    figure, alt = drawn("plot_strongest_images")
    tiles, pictures = [], []
    for picture in figure.axes[0].images:
        (tiles if picture.get_cmap() is page.SIGNED else pictures).append(picture)
    assert len(tiles) == 3
    np.testing.assert_allclose(tiles[1].get_array(), WEIGHTS[3])
    rows = [np.argsort(-LAYER[:, 0], kind="stable")[:16], np.argsort(-LAYER[:5, 4], kind="stable")]
    on = rows[1][LAYER[rows[1], 4] > 0]
    expected = [*rows[0], *on]
    assert len(pictures) == len(expected)
    for picture, index in zip(pictures, expected, strict=True):
        np.testing.assert_array_equal(picture.get_array(), IMAGES[index])
    lefts = [picture.get_extent()[0] for picture in pictures[:16]]
    assert lefts == sorted(lefts)
    assert "0 for each of the 60 images" in words(figure)
    ends = LAYER[rows[0][15], 0], LAYER[rows[0][0], 0]
    assert f"{ends[0]:.1f} to {ends[1]:.1f}" in words(figure)
    assert "neuron 3: 0 for all images" in alt
    shown = np.bincount(DIGITS[rows[0]])
    assert f"neuron 0: {shown.max()} × {shown.argmax()}" in alt


def test_strongest_images_without_weights_have_no_tiles():
    figure, _ = show("plot_strongest_images", IMAGES, DIGITS, torch.from_numpy(LAYER), range(2))
    assert all(picture.get_cmap() is not page.SIGNED for picture in figure.axes[0].images)
    assert "weights" not in words(figure)


def test_connections_are_sorted_by_the_digit_that_each_neuron_speaks_for():
    figure, alt = drawn("plot_connections")
    weights = TO_OUTPUTS.detach().numpy()
    [picture] = figure.axes[0].images
    drawn_weights = np.asarray(picture.get_array())
    assert (np.diff(drawn_weights.argmax(axis=0)) >= 0).all()
    bottom = picture.get_extent()[2]
    names = [t for t in texts(figure) if bottom < t.get_position()[1] < bottom + 0.2]
    left, right = picture.get_extent()[:2]
    for column, name in enumerate(sorted(names, key=lambda text: text.get_position()[0])):
        np.testing.assert_allclose(drawn_weights[:, column], weights[:, int(name.get_text())])
        assert name.get_position()[0] == pytest.approx(left + (column + 0.5) * (right - left) / 32)
    assert len(names) == 32
    positive = (weights[4] > 0).sum()
    assert f"4: {positive} for, {32 - positive} against" in alt


def test_followed_shows_every_number():
    figure, alt = drawn("plot_followed")
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), IMAGES[0])
    found = words(figure)
    for number in LAYER[0]:
        assert found.count(f"{number:.1f}" if number else "0") >= 4
    assert {"1.2", "12.5", "0.0", "0.55"} <= set(found)
    assert found.count("0.05") == 9
    assert "hidden layer 2: 3 of 4 neurons above 0, the highest, neuron 2, at 12.5" in alt
    assert alt.endswith("The highest of the ten outputs is 9, 0.55.")


def test_followed_keeps_to_the_page_whatever_the_network():
    layers = [np.ones(64), np.ones(200), np.arange(5.0), [0.1] * 10]
    figure, alt = show("plot_followed", IMAGES[0], layers)
    assert "hidden layer 2\n32 of 200, row by row" in words(figure)
    assert "hidden layer 3: 4 of 5 neurons" in alt
    assert "hidden layer 1" not in alt
    figure, alt = show("plot_followed", IMAGES[0], [[0.1] * 10])
    assert alt.startswith("The highest of the ten outputs is 0")


def test_clouds_draw_each_image_as_its_digit():
    figure, alt = drawn("plot_clouds")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["before", "after"]
    for axes, (_, places) in zip(figure.axes, CLOUDS.items(), strict=True):
        drawn_at = np.concatenate([points.get_offsets() for points in axes.collections])
        assert sorted(map(tuple, drawn_at)) == sorted(map(tuple, places))
    outlines = {}
    for number, points in enumerate(figure.axes[0].collections):
        digit = number % 10
        own = set(map(tuple, CLOUDS["before"][digit == DIGITS]))
        assert set(map(tuple, points.get_offsets())) <= own
        outlines.setdefault(digit, points.get_paths()[0].vertices)
    assert len({outline.tobytes() for outline in outlines.values()}) == 10
    assert alt.endswith("after: 50%.")  # of the ten nearest of six alike, five others are


def test_clouds_say_how_many_neighbors_are_alike():
    together = np.repeat(np.arange(10), 20)
    places = np.stack([together * 100.0 + np.tile(np.arange(20), 10), together], axis=1)
    _, alt = show("plot_clouds", {"apart": places}, together)
    assert alt.endswith("apart: 100%.")


@pytest.mark.parametrize("eye", ["all colors", "deuteranopia", "protanopia"])
def test_signed_colors_are_told_apart_and_white_is_zero(eye):
    low, middle, high = page.SIGNED(0.0)[:3], page.SIGNED(0.5)[:3], page.SIGNED(1.0)[:3]
    assert middle == pytest.approx((1, 1, 1), abs=0.02)
    assert nearest((low, middle, high), EYES[eye]) > 40
    assert nearest((page.SIGNED(0.25)[:3], page.SIGNED(0.75)[:3]), EYES[eye]) > 20


def test_image_rows_carry_their_labels():
    figure, alt = drawn("plot_image_rows")
    pictures = figure.axes[0].images
    assert len(pictures) == 10
    assert {"as they are", "shifted"} <= set(words(figure))
    assert len({picture.get_extent()[3] for picture in pictures}) == 2
    assert "shifted (6 images)" in alt
    for index, picture in enumerate(pictures):
        np.testing.assert_array_equal(picture.get_array(), IMAGES[index])
        left, right, bottom, top = picture.get_extent()
        label = "as they are" if index < 4 else "shifted"
        [text] = [text for text in texts(figure) if text.get_text() == label]
        assert top < text.get_position()[1] < bottom
        assert text.get_position()[0] < left
        assert right - left == pytest.approx(bottom - top)
    lefts = [picture.get_extent()[0] for picture in pictures]
    assert lefts[:4] == lefts[4:8], "the same place in each row has the same column"
    assert lefts[4:] == sorted(set(lefts))


def test_robustness_gives_each_network_one_line_style():
    figure, alt = drawn("plot_robustness")
    shift, noise = figure.axes
    assert list(shift.lines[0].get_ydata()) == [0.9, 0.8, 0.4]
    assert noise.lines[1].get_label() == "disturbed"
    assert shift.lines[0].get_color() == noise.lines[0].get_color()
    assert "shift (pixels) 0 to 4, clean: 90% to 40%" in alt
    assert {"clean", "disturbed", "guessing"} <= set(words(figure))
    assert list(shift.lines[0].get_xdata()) == [0, 2, 4]
    assert list(noise.lines[0].get_xdata()) == [0, 0.3]
    assert (shift.get_xlabel(), noise.get_xlabel()) == ("shift (pixels)", "noise")
    for axes in figure.axes:
        assert axes.get_ylim() == (0, 1.03)
        assert axes.lines[-1].get_ydata() == [0.1, 0.1], "one in ten is right by guessing"
    assert "noise 0 to 0.3, disturbed: 90% to 80%" in alt


def test_comparison_shows_each_run_and_the_mean():
    figure, alt = drawn("plot_comparison")
    axes = figure.axes[0]
    means, dots = axes.lines[0:4:2], axes.lines[1:4:2]
    assert [line.get_xdata()[0] for line in means] == pytest.approx([0.861, 0.941])
    assert [list(line.get_xdata()) for line in dots] == [[0.861, 0.859, 0.863], [0.94, 0.942]]
    # The same seed at the same height in its row, also where others have no result.
    first, second = (line.get_ydata() for line in dots)
    assert second - 1 == pytest.approx(first[:2])
    assert {"86.1%", "94.1%", "no result"} <= set(words(figure))
    assert "two hidden layers of 32\nneurons each, with ReLU" in words(figure)
    assert "no hidden layer: mean 86.1%, from 85.9% to 86.3%" in alt
    assert "diverged: no result" in alt
    one = Comparison(("a",), (0,), np.array([[0.5]]))
    assert "a: mean 50.0%" in show("plot_comparison", one)[1]


def test_sweep_shows_each_run_over_its_number():
    figure, alt = drawn("plot_sweep")
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert axes.get_xlabel() == "learning rate"
    sgd, adam = axes.lines[1], axes.lines[4]  # after each line's entry in the legend
    assert list(sgd.get_ydata()) == pytest.approx([0.81, 0.94])
    assert list(adam.get_ydata()) == pytest.approx([0.945, 0.55])
    assert list(sgd.get_xdata()) == sorted(sgd.get_xdata())
    assert np.log10(sgd.get_xdata()) == pytest.approx([-1.1, -0.1]), "beside that of the other"
    assert np.log10(adam.get_xdata()) == pytest.approx([-2.9, -0.9])
    assert len(axes.lines[2].get_xdata()) == 4
    assert {"SGD", "Adam", "0.001", "0.1", "1", "10"} <= set(words(figure))
    assert "SGD: 81.0% at 0.1, 94.0% at 1, no result at 10; Adam: 94.5% at 0.001" in alt


def test_journey_marks_what_is_out_of_range():
    figure, alt = drawn("plot_journey")
    axes = figure.axes[0]
    bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [(bar.get_x(), bar.get_width()) for bar in bars] == [
        (low, pytest.approx(high - low)) for _, low, high, _ in STEPS
    ]
    assert [line.get_xdata()[0] for line in axes.lines] == [0.82, 0.75]
    assert [line.get_ydata()[0] for line in axes.lines] == [0, 1]
    assert [bar.get_y() + bar.get_height() / 2 for bar in bars] == [0, 1, 2]
    assert [label.get_text() for label in axes.get_yticklabels()] == [label for label, *_ in STEPS]
    assert axes.yaxis_inverted(), "the first step on top"
    assert [text.xy for text in axes.texts] == [(0.84, 0), (0.75, 1)], "behind bar and dot"
    assert axes.get_xlim() == pytest.approx((0.58, 1.06))
    assert axes.get_xticks() == pytest.approx([0.6, 0.7, 0.8, 0.9, 1])
    inside, outside = axes.lines
    assert (inside.get_color(), outside.get_color()) == (page.BLUE, page.VERMILION)
    assert alt.startswith(
        "Accuracy after each step of the series. baseline: expected 80.0% to 84.0%, measured "
        "82.0%; sigmoid: expected 60.0% to 70.0%, measured 75.0% (out of range); "
    )
    assert axes.lines[0].get_marker() != axes.lines[1].get_marker()
    assert {"82.0%", "75.0% (out of range)"} <= set(words(figure))
    assert alt.endswith("softmax: expected 76.0% to 83.0%.")


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        (0.8, "80.0%"),
        (0.84, "84.0%"),
        (0.79, "79.0% (out of range)"),
        (0.85, "85.0% (out of range)"),
    ],
)
def test_the_ends_of_a_range_belong_to_it(measured, said):
    figure, _ = show("plot_journey", [("baseline", 0.8, 0.84, measured)])
    assert said in words(figure)
    assert (figure.axes[0].lines[0].get_marker() == "o") is ("out" not in said)
    assert figure.axes[0].get_xlim()[0] <= measured


def test_comparison_has_a_dot_for_each_training_and_a_line_at_the_mean():
    figure, alt = show("plot_comparison", COMPARED)
    axes = figure.axes[0]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [dot.get_xdata().tolist() for dot in dots] == [[0.80, 0.84, 0.82], [0.90, 0.94]]
    assert dots[0].get_ydata() == pytest.approx([-0.2, 0, 0.2])
    assert dots[1].get_ydata() == pytest.approx([0.8, 1.2]), "each seed at its height"
    means = [line for line in axes.lines if line.get_color() == page.VERMILION]
    assert [line.get_xdata() for line in means] == [pytest.approx([m, m]) for m in (0.82, 0.92)]
    assert [np.mean(line.get_ydata()) for line in means] == pytest.approx([0, 1])
    for line, dot in zip(means, dots, strict=True):
        assert min(line.get_ydata()) < min(dot.get_ydata()) <= max(dot.get_ydata())
        assert max(dot.get_ydata()) < max(line.get_ydata())
    assert {"82.0%", "92.0%", "no result"} <= set(words(figure))
    labels = [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()]
    assert labels == list(COMPARED.names)
    assert axes.yaxis_inverted(), "the first recipe on top"
    low, high = sorted(axes.get_ylim())
    assert low < -0.4 < 2.4 < high, "no row is cut off"
    between = [line for line in axes.lines if line.get_color() == page.RULE]
    assert [line.get_ydata()[0] for line in between] == [0.5, 1.5]
    assert alt == (
        "Accuracy on the validation images, a dot for each training. SGD: mean 82.0%, from 80.0% "
        f"to 84.0%; {COMPARED.names[1]}: mean 92.0%, from 90.0% to 94.0%; diverged: no result."
    )


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0.527, 0.931, ["60%", "70%", "80%", "90%"]), (0.9301, 0.943, ["93%", "93.5%", "94%"])],
)
def test_accuracies_of_a_comparison_stand_at_round_numbers(low, high, ticks):
    axes = show("plot_comparison", Comparison(("a",), (0, 1), np.array([[low, high]])))[0].axes[0]
    left, right = axes.get_xlim()
    labels = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    assert [label.get_text() for at, label in labels if left < at < right] == ticks


def test_a_single_training_lies_on_the_middle_of_its_row():
    figure, _ = show("plot_comparison", Comparison(("a",), (0,), np.array([[0.5]])))
    [dot] = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert (dot.get_xdata().tolist(), list(dot.get_ydata())) == ([0.5], [0])


def test_sweep_orders_the_numbers_and_leaves_out_what_has_no_result():
    figure, alt = show("plot_sweep", SWEPT, "learning rate")
    [axes] = figure.axes
    assert axes.get_xscale() == "log"
    assert axes.get_xlabel() == "learning rate"
    assert axes.get_xticks().tolist() == [0.1, 1, 10]
    lines = [
        line for line in axes.lines if line.get_linestyle() != "None" and len(line.get_xdata())
    ]
    assert [line.get_ydata().tolist() for line in lines] == [
        [pytest.approx(0.65), pytest.approx(0.85)],
        [0.9],
    ]
    marks = [line for line in axes.lines if line.get_linestyle() == "None"]
    assert [line.get_ydata().tolist() for line in marks] == [[0.6, 0.7, 0.9, 0.8], [0.9]]
    for line, places in zip(marks, ([-1.15, -1.05, 0.85, 0.95], [-0.95]), strict=True):
        assert np.log10(line.get_xdata()) == pytest.approx(places), "each seed beside the others"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["SGD", "Adam"]
    assert alt == (
        "Mean accuracy by learning rate, a mark for each training. SGD: 65.0% at 0.1, 85.0% at 10; "
        "Adam: 90.0% at 0.1, no result at 1."
    )


def test_the_marks_of_a_sweep_of_many_lines_stay_with_their_number():
    places, seeds = (1, 10), tuple(range(8))
    swept = Comparison(places, seeds, np.full((2, 8), 0.5))
    figure, _ = show("plot_sweep", dict.fromkeys("abcd", swept), "size")
    marks = [line for line in figure.axes[0].lines if line.get_linestyle() == "None"]
    x = np.log10([line.get_xdata() for line in marks])  # (lines, 2 places of 8 seeds)
    assert np.abs(x - np.repeat([0, 1], 8)).max() < 0.3
    assert np.diff(x[:, :8].ravel()).min() > 0.018, "no mark on another"


def test_a_sweep_of_many_numbers_has_ticks_of_its_own():
    count = experiments.MOST_PLACES
    for numbers, named in ((count, True), (count + 1, False)):
        places = tuple(2.0**n for n in range(numbers))
        figure, _ = show(
            "plot_sweep", {"a": Comparison(places, (0,), np.full((numbers, 1), 0.5))}, "size"
        )
        assert (figure.axes[0].get_xticks().tolist() == list(places)) is named


# ---------------------------------------------------------------- as pictures
#
# What pytest-mpl compares with tests/baseline/. Only what no font and no version of matplotlib
# changes: no text (the other tests read it), no layout around the text, images of one gray each.
# matplotlib 3.9 to 3.11 draw these alike, so that a small tolerance notices a thin line.


def of_one_gray(argument):
    """The argument with each image in it replaced by one whose pixels are all alike."""
    if isinstance(argument, dict):
        return {key: of_one_gray(value) for key, value in argument.items()}
    if isinstance(argument, list):  # no images
        return argument
    shape = np.shape(argument)
    if shape[-2:] != (28, 28):
        return argument
    grays = (np.arange(np.prod(shape[:-2], dtype=int)) % 5 + 1) / 40
    return np.broadcast_to(grays.reshape(*shape[:-2], 1, 1), shape)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.mpl_image_compare(style="default", tolerance=1.5, savefig_kwargs={"dpi": 48})
def test_looks_as_before(name):
    figure, _ = show(name, *map(of_one_gray, CALLS[name]), layout=False)
    for artist in [*figure.findobj(Text), *figure.legends]:
        artist.set_visible(getattr(artist, "arrow_patch", None) is not None)  # an arrow is kept
    return figure


def test_pictures_are_compared(request):
    assert request.config.getoption("--mpl"), "without --mpl, test_looks_as_before compares nothing"


# ---------------------------------------------------------------- colors
#
# Color vision deficiencies at full severity: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes,
# "A Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE Transactions on
# Visualization and Computer Graphics 15 (2009) 1291-1298; the matrices act on linear RGB.

DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)
PROTANOPIA = np.array(
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]
)
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
GRAYSCALE = np.tile(TO_XYZ[1], (3, 1))
EYES = {
    "all colors": np.eye(3),
    "deuteranopia": DEUTERANOPIA,
    "protanopia": PROTANOPIA,
    "grayscale": GRAYSCALE,
}


def linear(colors):
    colors = np.asarray(colors, float)
    return np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)


def lab(colors, eye=EYES["all colors"]):
    """CIELAB (D65) of sRGB colors as an eye sees them."""
    seen = np.clip(linear(colors) @ eye.T, 0, 1)
    xyz = seen @ TO_XYZ.T / TO_XYZ.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def contrast(color, ground):
    """WCAG 2.1's ratio, 1 to 21."""
    dark, light = sorted(linear([to_rgb(color), to_rgb(ground)]) @ TO_XYZ[1])
    return (light + 0.05) / (dark + 0.05)


def nearest(colors, eye):
    """The smallest distance (CIE 1976) between any two of the colors."""
    seen = lab([to_rgb(color) for color in colors], eye)
    distances = np.linalg.norm(seen[:, None] - seen[None], axis=-1)
    return distances[np.triu_indices(len(colors), 1)].min()


def test_the_simulation_itself():
    """Red and green are far apart to most people, much nearer to those who miss a cone."""
    pair = ["#D00000", "#608000"]
    assert nearest(pair, EYES["all colors"]) > 90
    assert nearest(pair, DEUTERANOPIA) < 30
    assert lab([[1, 1, 1]])[0] == pytest.approx([100, 0, 0], abs=0.01)
    assert contrast("black", "white") == pytest.approx(21, abs=0.01)


@pytest.mark.parametrize("eye", EYES)
def test_line_colors_are_told_apart(eye):
    # 2.3 is a difference that is barely noticed side by side; lines lie apart.
    smallest = 10 if eye == "grayscale" else 20
    assert nearest(page.LINE_COLORS, EYES[eye]) > smallest


@pytest.mark.parametrize("eye", EYES)
def test_filled_bars_and_highlights_are_told_apart(eye):
    assert nearest((page.BLUE, page.PALE), EYES[eye]) > 20
    assert nearest((page.BLUE, page.VERMILION), EYES[eye]) > 10


def test_lines_stand_out_from_white():
    """WCAG 2.1, 1.4.11: graphics have a contrast of 3 or more."""
    for color in page.LINE_COLORS:
        assert contrast(color, "white") >= 3, color


def test_lines_differ_in_marker_and_dashes_too():
    styles = [page.line(index) for index in range(4)]
    for key in ("color", "marker", "linestyle"):
        assert len({style[key] for style in styles}) == 4
    assert len({page.line(index)["marker"] for index in range(8)}) == 8


@pytest.mark.parametrize("eye", EYES)
def test_heat_map_gets_darker_all_the_way(eye):
    colors = page.HEAT_MAP(np.linspace(0, 1, 256))[:, :3]
    lightness = lab(colors, EYES[eye])[:, 0]
    steps = -np.diff(lightness)
    assert steps.min() > 0.1, "no two shares look alike"
    assert steps.max() < 4 * steps.mean(), "no step pretends to be an edge"
    assert lightness[0] - lightness[-1] > 60


# ---------------------------------------------------------------- what they refuse

BROKEN = IMAGES[:3].copy()
BROKEN[1, 5, 5] = np.nan
NEGATIVE = MATRIX.copy()
NEGATIVE[2, 3] = -4


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        (
            "plot_images",
            (IMAGES[0],),
            r"images must have shape \(N, 28, 28\), got \(28, 28\)\. F",
        ),
        ("plot_images", (IMAGES.reshape(60, 784),), r"images must have .* got \(60, 784\)\."),
        ("plot_images", (IMAGES[:0],), "images is empty"),
        ("plot_images", (BROKEN,), r"images has pixels .*NaN.* in 1 of 3 .* images\[1\]"),
        (
            "plot_images",
            ((IMAGES[:2] * 255).astype("uint8"),),
            r"whole numbers from 0 to 25\d \(uint8\)\. Divide by 255",
        ),
        ("plot_images", (np.resize(IMAGES, (500, 28, 28)),), r"up to 120 images, got 500.*\[:18\]"),
        ("plot_images", (IMAGES[:3], [1, 2]), "captions must be 3, one an image, got 2"),
        (
            "plot_images",
            (IMAGES[:3], None, 0),
            r"columns must be a whole number, 1 or more, got 0\.",
        ),
        ("plot_images", (["a", "b"],), r"images must be numbers, got a list of text\."),
        ("plot_images", ([IMAGES[0], IMAGES[0][:5]],), "images must all have the same shape"),
        ("plot_pixels", (IMAGES[:1], 5), r"image must have shape \(28, 28\), got \(1, 28, 28\)"),
        ("plot_pixels", (IMAGES[0], 10), r"digit must be a whole number, 0 to 9, got 10\."),
        ("plot_digit_counts", ([1, 2.5],), "digits must be whole numbers from 0 to 9, got 2.5"),
        ("plot_digit_counts", ([],), "digits is empty"),
        ("plot_digit_counts", ([[1]],), r"digits must have shape \(N,\), got \(1, 1\)"),
        ("plot_mean_images", (IMAGES[:9],), "mean_images must be ten, one a digit, got 9"),
        ("plot_network", ([784],), r"layer_sizes must be two to six .* got \[784\]"),
        ("plot_network", ([784, 0, 10],), "layer_sizes must be two to six"),
        ("plot_activations", ({},), "functions is empty"),
        ("plot_activations", ({"sum": torch.sum},), r"functions\['sum'\] must return a tensor"),
        ("plot_outputs", (IMAGES[0], [1, 2], 3), r"outputs must be ten numbers.* got \(2,\)"),
        ("plot_softmax", ([np.inf] * 10,), "numbers must be finite numbers, got inf"),
        ("plot_history", ({},), "history has no 'epoch'. Pass trainer.history"),
        ("plot_history", ({"epoch": []},), "history has no 'epoch'"),
        ("plot_confusion_matrix", (MATRIX[:9],), r"must have shape \(10, 10\), got \(9, 10\)"),
        ("plot_confusion_matrix", (NEGATIVE,), r"must hold counts \(0, 1, 2, ...\), got -4"),
        ("plot_confusion_matrix", (MATRIX / 7,), "must hold counts"),
        ("plot_batch", (IMAGES[:3], [1, 2]), "digits must be as many as the images, 3, got 2"),
        ("plot_batch_sizes", ({},), "results is empty"),
        ("plot_batch_sizes", ({1: {"steps": 1}},), r"results\[1\] has no 'seconds', only \['st"),
        (
            "plot_step_losses",
            ({"one": [1.0]},),
            "each key of step_losses, a batch size, must be .* got 'one'",
        ),
        (
            "plot_step_losses",
            ({1: []},),
            r"step_losses\[1\] must be a list of numbers, got shape \(0,\)",
        ),
        ("plot_learning_curves", ({"SGD": {}},), r"histories\['SGD'\] has no 'epoch'"),
        ("plot_optimizer_paths", ({"a": [1]}, max), r"paths\['a'\] must have shape \(n, 2\)"),
        ("plot_optimizer_paths", ({"a": [[1, np.inf]]}, max), "smaller learning rate"),
        ("plot_mistakes", (IMAGES, DIGITS, DIGITS[:5]), "predictions must be .* 60, got 5"),
        (
            "plot_mistakes",
            (IMAGES, DIGITS, DIGITS, 11),
            r"per_digit must be a whole number, 1 to 10, got 11\.",
        ),
        ("plot_confused_pairs", (MATRIX, 0), r"pairs must be a whole number, 1 to 30, got 0\."),
        ("plot_image_rows", ({"a": IMAGES[:11]},), "up to 10 images in a row, got 11"),
        ("plot_reliability", (OUTPUTS[:, :9], DIGITS), r"shape \(N, 10\), got \(60, 9\)"),
        ("plot_reliability", (OUTPUTS[:0], DIGITS[:0]), r"shape \(N, 10\), got \(0, 10\)"),
        ("plot_reliability", (OUTPUTS * 7, DIGITS), "outputs must be from 0 to 1, got .* softmax"),
        ("plot_reliability", (OUTPUTS * np.nan, DIGITS), "outputs must be finite numbers"),
        ("plot_reliability", (OUTPUTS, DIGITS[:5]), "60"),
        ("plot_robustness", ({"a": {}},), r"curves\['a'\] has no 'levels'"),
        (
            "plot_robustness",
            ({"a": {"levels": [1], "accuracies": {"b": [1, 2]}}},),
            r"curves\['a'\]\['accuracies'\]\['b'\] must be as many as the levels, 1, got 2",
        ),
        ("plot_journey", ([("a", 0.9, 0.8, None)],), "'a' must have 0 <= low <= high <= 1"),
        ("plot_journey", ([("a", 0.9, 1.1, None)],), "'a' must have 0 <= low <= high <= 1"),
        ("plot_journey", ([],), "steps is empty"),
        ("plot_comparison", ({},), "comparison must be what compare returned, got a dict"),
        (
            "plot_comparison",
            (Comparison(("a",), (0,), np.array([[np.nan]])),),
            "comparison has no result to draw: run compare again",
        ),
        ("plot_sweep", ({}, "rate"), "comparisons is empty"),
        ("plot_sweep", (COMPARISON, "rate"), "comparisons must be a dictionary, .* got a Comparis"),
        ("plot_sweep", ({"a": 1}, "rate"), r"comparisons\['a'\] must be what compare returned"),
        (
            "plot_sweep",
            ({"a": COMPARISON}, "rate"),
            "names must be numbers more than 0, got 'no hidden layer'",
        ),
        (
            "plot_sweep",
            ({"a": Comparison((0, 1), (0,), np.ones((2, 1)))}, "rate"),
            "names must be numbers more than 0, got 0",
        ),
        ("plot_journey", ([("a", 0.9)],), r"steps\[0\] must be \(label, low, high, measured\)"),
        ("plot_journey", ([("a", 0.1, 0.2, "x")],), "'a' must have numbers"),
        ("plot_images", (IMAGES[:3] * 255,), "images must go from 0 to 1, got .* to 25.*usual cau"),
        ("plot_images", (IMAGES[:3] - 5,), "images must go from 0 to 1, got -5 to -4.*usual caus"),
        ("plot_images", (IMAGES[:3], 5), "captions must be 3, one an image, got an int"),
        ("plot_images", (IMAGES[:3], None, 2.5), "columns must be a whole number, .* got 2.5"),
        ("plot_batch", (DIGITS, IMAGES), "images and digits are swapped"),
        ("plot_mistakes", (DIGITS, IMAGES, DIGITS), "images and digits are swapped"),
        ("plot_mistakes", (IMAGES, DIGITS, np.eye(10)[DIGITS]), "predictions.*argmax"),
        ("plot_mistakes", (IMAGES, DIGITS, DIGITS, 0), "per_digit must be .*, 1 to 10, got 0"),
        ("plot_confused_pairs", (MATRIX, 31), "pairs must be a whole number, 1 to 30, got 31"),
        ("plot_confusion_matrix", (MATRIX + 0.5,), "must hold counts"),
        ("plot_confusion_matrix", (MATRIX * np.inf,), "must hold counts .* got inf"),
        ("plot_outputs", (IMAGES[0], [0.1] * 10, 2.0), "digit must be a whole number, 0 to 9, got"),
        ("plot_network", ([784] * 7,), "layer_sizes must be two to six"),
        ("plot_network", (["a", "b"],), r"layer_sizes must be .* got \['a', 'b'\]"),
        ("plot_network", (784,), "layer_sizes must be two to six .* got 784"),
        ("plot_network", ([784, 2.5, 10],), "layer_sizes must be two to six"),
        ("plot_activations", ([torch.relu],), "functions must be a dictionary, .* got a list"),
        ("plot_activations", ({"a": 5},), r"functions\['a'\] must be a function, got an int"),
        ("plot_activations", ({"a": np.sign},), r"functions\['a'\] must .* torch tensor"),
        ("plot_activations", ({"a": torch.ones_like},), r"functions\['a'\] must .* torch tensor"),
        ("plot_history", (None,), r"history must be trainer\.history, got None"),
        ("plot_history", ([0.1],), r"history must be trainer\.history, got a list"),
        (
            "plot_history",
            (HISTORY | {"train_loss": [1, 2]},),
            r"history\['train_loss'\] must be as many as the epochs, 3, got 2",
        ),
        (
            "plot_history",
            (HISTORY | {"validation_accuracy": [1] * 4},),
            r"history\['validation_accuracy'\] must be as many as the epochs, 3, got 4",
        ),
        ("plot_history", (HISTORY | {"train_loss": [None] * 3},), "must be numbers, got a list of"),
        (
            "plot_history",
            (HISTORY | {"epoch": [[1, 2, 3]]},),
            "must be a list of numbers, got shap",
        ),
        (
            "plot_history",
            (HISTORY | {"train_loss": [[1], [2, 3]]},),
            "must all have the same shape",
        ),
        ("plot_history", (ONE_EPOCH | {"step_losses": "x"},), "must be numbers, got a str"),
        ("plot_history", (ONE_EPOCH, "x"), "earlier must be numbers, got a str"),
        ("plot_history", (HISTORY, [0.1]), "earlier is drawn behind the steps of one epoch"),
        (
            "plot_learning_curves",
            ({"SGD": HISTORY | {"validation_loss": [1, 2]}},),
            r"histories\['SGD'\]\['validation_loss'\] must be as many as the epochs, 3, got 2",
        ),
        ("plot_learning_curves", (HISTORY,), r"histories\['epoch'\] must be trainer\.history, got"),
        ("plot_learning_curves", ({},), "histories is empty"),
        ("plot_batch_sizes", ({1: 5},), r"results\[1\] must be a dictionary with \['steps', "),
        (
            "plot_batch_sizes",
            ({1: {"steps": 1, "seconds": "x", "accuracy": 1}},),
            r"results\[1\] must be numbers",
        ),
        ("plot_step_losses", ({0: [1.0]},), "each key of step_losses, .* 1 or more, got 0"),
        ("plot_step_losses", ([1.0],), "step_losses must be a dictionary, .* got a list"),
        ("plot_optimizer_paths", (PATHS, 5), "loss must be a function, got an int"),
        ("plot_weights", ({},), "weights is empty"),
        ("plot_weights", (WEIGHTS,), "weights must be a dictionary, stage"),
        ("plot_weights", ({"a": WEIGHTS[:, :5]},), r"weights\['a'\] must have shape \(n, 784\)"),
        ("plot_weights", ({"a": WEIGHTS * np.nan},), r"weights\['a'\] must be finite numbers"),
        ("plot_weights", ({"a": np.ones((129, 784))},), "n up to 128, got"),
        (
            "plot_strongest_images",
            (IMAGES, DIGITS, LAYER[:5], [0]),
            r"activations must have shape \(60, n\), .* got \(5, 8\)",
        ),
        ("plot_strongest_images", (IMAGES, DIGITS, LAYER, [8]), "neurons must be .* 0 to 7, got 8"),
        ("plot_strongest_images", (IMAGES, DIGITS, LAYER, [0] * 13), "up to twelve, got 13"),
        ("plot_strongest_images", (IMAGES, DIGITS, LAYER, ["a"]), "neurons must be numbers"),
        ("plot_strongest_images", (IMAGES, DIGITS, LAYER, [0.5]), "neurons must be .* got 0.5"),
        (
            "plot_strongest_images",
            (IMAGES, DIGITS, LAYER, [0], WEIGHTS[:4]),
            "weights must be as many as the neurons, 8, got 4",
        ),
        ("plot_connections", (TO_OUTPUTS.T,), r"weights must have shape \(10, n\)"),
        ("plot_connections", (TO_OUTPUTS * np.inf,), "weights must be finite numbers"),
        ("plot_followed", (IMAGES[0], LAYER), "layers must be a list, one row of numbers a layer"),
        ("plot_followed", (IMAGES[0], []), "layers must be a list"),
        ("plot_followed", (IMAGES[0], [[1.0]]), r"layers\[0\] must be ten numbers"),
        ("plot_clouds", (CLOUDS, DIGITS[:5]), r"points\['before'\] must have shape \(5, 2\)"),
        ("plot_clouds", ({}, DIGITS), "points is empty"),
        ("plot_clouds", ({"a": CLOUDS["before"] * np.nan}, DIGITS), "must be finite numbers"),
        ("plot_image_rows", (IMAGES,), "images must be a dictionary, .* got an ndarray of shape"),
        ("plot_robustness", ([1],), "curves must be a dictionary, .* got a list"),
        (
            "plot_robustness",
            ({"a": {"levels": [1], "accuracies": [1]}},),
            r"curves\['a'\]\['accuracies'\] must be a dictionary, .* got a list",
        ),
    ],
)
def test_says_what_is_wrong(displayed, name, arguments, message):
    with pytest.raises(LessonError, match=message):
        getattr(plotting, name)(*arguments)
    assert not displayed
