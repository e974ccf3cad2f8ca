"""The benchmarks: each measures what it says, on tiny sizes; the README's table is in step."""

import json
import re
from pathlib import Path

import bench
import nbformat
import numpy as np
import pytest
import torch

from tools import ROOT

COLUMNS = {
    "one": bench.Column(1, 20, 40),
    "several": bench.Column(16, 48, 100),
    "Adam": bench.Column(16, 48, 100, "Adam"),
}


@pytest.fixture(scope="module")
def digits():
    images, digits = bench.load_mnist("test")
    return images[:400], digits[:400]


@pytest.fixture(scope="module")
def results(digits, tmp_path_factory):
    """What `make bench` measures, on as little as possible."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = b'x' * 2**26")])
    lesson = tmp_path_factory.mktemp("lesson") / "lesson.ipynb"
    nbformat.write(notebook, lesson)
    return {
        "machine": "a machine",
        "repetitions": 2,
        "training": bench.measure_training(*digits, COLUMNS, 2),
        "start": bench.measure_start(*digits, 2),
        "growth": bench.measure_growth(*digits, (100, 200, 400), 2),
        "prediction": bench.measure_prediction(*digits, 50, 2),
        "loading": {"load_mnist": 0.1, "plt.imread": 3.0, "mnist_folder": 9.0},
        "imports": bench.measure_imports(("helpers.errors",), 2),
        "disturbing": bench.measure_disturbing(digits[0][:5], 2),
        "memory": {"lesson": bench.measure_memory(lesson)},
    }


def test_every_way_is_measured(results):
    assert set(results["training"]) == set(bench.WAYS)
    for way in results["training"].values():
        assert set(way) == set(COLUMNS)
        assert all(0 < steps < 1e6 for steps in way.values())
    assert all(seconds > 0 for seconds in results["prediction"].values())
    assert results["imports"]["helpers.errors"] < 5
    assert results["disturbing"] > 1
    # The kernel's own, not that of this process, which has loaded much more.
    assert 2**26 / 2**30 < results["memory"]["lesson"] < 0.3
    assert 0 < results["start"] < 5
    assert set(results["growth"]["seconds"]) == {"100", "200", "400"}


@pytest.mark.parametrize("optimizer", bench.OPTIMIZERS)
def test_all_ways_train_the_same_network(optimizer, digits):
    weights = [bench.weights_of(way(*digits, 16, optimizer)) for _, way in bench.WAYS.values()]
    for name, other in zip(bench.WAYS, weights, strict=True):
        # NumPy's sums are rounded in another order, and Adam's first steps divide by little.
        exact = {"rtol": 0, "atol": 1e-6} if name != "f" else {"rtol": 0, "atol": 1e-4}
        torch.testing.assert_close(other, weights[0], **exact)
    untrained = bench.weights_of(bench.make_parts()[1])
    assert (weights[-1] - untrained).abs().max() > 0.01


def test_different_weights_are_noticed(digits, monkeypatch):
    monkeypatch.setattr(bench, "way_2023", lambda *_: bench.make_parts()[0])
    with pytest.raises(AssertionError, match="several: .* differ"):
        bench.measure_training(*digits, {"several": COLUMNS["several"]}, 1)


def test_loading_compares_the_same_images(monkeypatch, tmp_path):
    def folder_of_three(path):
        (Path(path) / "mnist" / "test").mkdir(parents=True)
        for number in range(3):
            bench.plt.imsave(Path(path) / "mnist" / "test" / f"{number}_000000.png", np.eye(28))

    monkeypatch.setattr(bench, "mnist_folder", folder_of_three)
    with pytest.raises(AssertionError):  # 10,000 in the array file
        bench.measure_loading("test", 1)
    monkeypatch.setattr(bench, "load_mnist", lambda split: (np.zeros((3, 28, 28)), np.arange(3)))
    assert set(bench.measure_loading("test", 1)) == {"load_mnist", "plt.imread", "mnist_folder"}


def good_results():
    steps = {"a": 300, "b": 9000, "c": 900, "d": 2000, "e": 2500, "f": 8000}
    training = {name: dict.fromkeys(bench.COLUMNS, steps[name[0]]) for name in bench.WAYS}
    return {
        "training": training,
        "start": 0.01,
        "prediction": {"predict": 0.01, "one at a time": 3.0, "one at a time, trainer.test": 30.0},
        "loading": {"load_mnist": 0.2, "plt.imread": 5.0, "mnist_folder": 9.0},
        "memory": {"05_optimizers": 1.2, "06_failure_analysis": 1.4},
        "growth": {"largest distance from the line": 0.02},
    }


def test_met_figures_pass():
    assert bench.missed(good_results()) == []


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("training", "a", "batch size 1"), 451, r"batch size 1, \(b\) against \(a\): 19.96 x"),
        (("training", "a", "batch size 16"), 751, r"batch size 16, \(b\) against \(a\): 11.98 x"),
        (("training", "a", "batch size 256"), 3001, r"size 256, \(b\) against \(a\): 3.00 x"),
        (("training", "c", "batch size 1"), 9100, r"batch size 1, \(b\) against \(c\): 0.99 x"),
        (("training", "d", "16, Adam"), 9100, r"16, Adam, \(b\) against \(d\): 0.99 x"),
        (("training", "d, plain", "16, RMSprop"), 9100, r"RMSprop, \(b\) against \(d, plain\)"),
        (("training", "e", "batch size 16"), 9100, r"batch size 16, \(b\) against \(e\): 0.99 x"),
        (("training", "e, plain", "batch size 256"), 9100, r"size 256, \(b\) against \(e, plain\)"),
        (("training", "f", "batch size 1"), 11_700, r"batch size 1, \(b\) against \(f\): 0.77 x"),
        (("training", "f", "batch size 16"), 18_300, r"size 16, \(b\) against \(f\): 0.49 x"),
        (("training", "f", "batch size 256"), 16_600, r"size 256, \(b\) against \(f\): 0.54 x"),
        (("start",), 0.06, r"start of a fit: 0.060 s, promised 0.05 s"),
        (("prediction", "one at a time"), 0.9, "predictions: 90.00 x, promised at least 100"),
        (("loading", "plt.imread"), 3.8, "load_mnist: 19.00 x, promised at least 20"),
        (("memory", "05_optimizers"), 1.31, "peak memory of 05_optimizers: 1.31 GiB, promised 1.3"),
        (("memory", "06_failure_analysis"), 1.43, "06_failure_analysis: 1.43 GiB, promised 1.42"),
        (("memory", "05_optimizers"), float("nan"), "peak memory"),
        (("growth", "largest distance from the line"), 0.2, "growth: 20%"),
    ],
)
def test_missed_figure_is_named(place, value, message):
    results = good_results()
    inner = results
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    (sentence,) = bench.missed(results)
    assert re.search(message, sentence)


def test_table_goes_between_the_markers(results):
    readme = "before\n<!-- bench -->\nan earlier table\n<!-- /bench -->\nafter\n"
    written = bench.with_table(readme, results)
    assert "an earlier table" not in written
    assert written.startswith("before\n<!-- bench -->\n")
    assert written.endswith("\n<!-- /bench -->\nafter\n")
    assert all(written.count(f"\n| ({name}) ") == 1 for name in bench.WAYS)
    assert bench.with_table(written, results) == written
    assert bench.with_table("no markers", results) == "no markers"


def test_readme_is_in_step_with_the_results():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    if "<!-- bench -->" not in readme or not bench.RESULTS.exists():
        pytest.skip("no place for the table in the README, or no results: `make bench` makes them")
    results = json.loads(bench.RESULTS.read_text(encoding="utf-8"))
    assert bench.with_table(readme, results) == readme, "run `make bench`"
    assert bench.missed(results) == []


def test_teachers_are_told_the_memory_that_was_measured():
    text = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    said = re.search(r"Lesson 6 takes up to ([\d.]+) GB .*\nthe others less than ([\d.]+) GB", text)
    memory = json.loads(bench.RESULTS.read_text(encoding="utf-8"))["memory"]
    gigabytes = {lesson: gib * 2**30 / 1e9 for lesson, gib in memory.items()}
    assert gigabytes.pop("06_failure_analysis") <= float(said[1])
    assert max(gigabytes.values()) < float(said[2])
