"""The benchmarks: each measures what it says, on tiny sizes; the README's table is in step."""

import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from programs import load

from tools import ROOT

bench = load(ROOT / "benchmarks" / "bench.py")


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
        "training": bench.measure_training(*digits, {1: (20, 40), 16: (48, 100)}, 2),
        "growth": bench.measure_growth(*digits, (100, 200, 400), 2),
        "prediction": bench.measure_prediction(*digits, 50, 2),
        "loading": {"load_mnist": 0.1, "plt.imread": 3.0, "mnist_folder": 9.0},
        "imports": bench.measure_imports(("helpers.errors",), 2),
        "disturbing": bench.measure_disturbing(digits[0][:5], 2),
        "memory": bench.measure_memory(lesson),
    }


def test_every_way_is_measured(results):
    assert set(results["training"]) == set(bench.WAYS)
    for way in results["training"].values():
        assert set(way) == {"1", "16"}
        assert all(0 < steps < 1e6 for steps in way.values())
    assert all(seconds > 0 for seconds in results["prediction"].values())
    assert results["imports"]["helpers.errors"] < 5
    assert results["disturbing"] > 1
    # The kernel's own, not that of this process, which has loaded much more.
    assert 2**26 / 2**30 < results["memory"] < 0.3
    assert set(results["growth"]["seconds"]) == {"100", "200", "400"}


def test_all_ways_train_the_same_network(digits):
    weights = [bench.weights_of(way(*digits, 16)) for _, way in bench.WAYS.values()]
    for other in weights[1:]:
        torch.testing.assert_close(other, weights[0], rtol=0, atol=1e-6)


def test_different_weights_are_noticed(digits, monkeypatch):
    monkeypatch.setattr(bench, "way_2023", lambda *_: bench.make_parts()[0])
    with pytest.raises(AssertionError, match="batch size 16: .* differ"):
        bench.measure_training(*digits, {16: (48, 100)}, 1)


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
    steps = {"a": 300, "b": 3000, "c": 900, "d": 2000, "e": 2500}
    training = {name: {"1": steps[name[0]], "16": steps[name[0]]} for name in bench.WAYS}
    return {
        "training": training,
        "prediction": {"predict": 0.01, "one at a time": 3.0, "one at a time, trainer.test": 30.0},
        "loading": {"load_mnist": 0.2, "plt.imread": 5.0, "mnist_folder": 9.0},
        "memory": 1.0,
        "growth": {"largest distance from the line": 0.02},
    }


def test_met_figures_pass():
    assert bench.missed(good_results()) == []


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("training", "a", "1"), 502, r"batch size 1, \(b\) against \(a\): 5.98 x"),
        (("training", "a", "16"), 602, r"batch size 16, \(b\) against \(a\): 4.98 x"),
        (("training", "d", "1"), 3100, r"batch size 1, \(b\) against \(d\): 0.97 x"),
        (("training", "d", "16"), 3100, r"batch size 16, \(b\) against \(d\): 0.97 x"),
        (("prediction", "one at a time"), 0.9, "predictions: 90.00 x, promised at least 100"),
        (("loading", "plt.imread"), 3.8, "load_mnist: 19.00 x, promised at least 20"),
        (("memory",), 2.1, "peak memory: 2.10 GiB"),
        (("memory",), float("nan"), "peak memory"),
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
