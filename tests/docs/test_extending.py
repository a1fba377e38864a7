"""Installs the package that docs/extending.md consists of, and runs what it adds."""

import json
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise, product
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/extending.md"
_FILE = re.compile(r"```(?:toml|python|yaml)\n# (\S+)\n(.*?)```", re.DOTALL)

TEXTS = """
task: text_classification
data:
  source: {kind: bit_texts, path: bits.txt}
  text: {vocabulary: 8, max_tokens: 6}
model:
  embedding: {size: 4}
  recurrence: {cell: {kind: mgu, units: 4, forget_bias: 1.0}, depth: 2}
train: {epochs: 1, batch_size: 16}
evaluate: {metrics: [recall], report_items: [mistakes]}
"""
TRANSLATION = """
task: translation
data:
  source: {kind: translation_grammar, pairs: 200}
  text: {tokenizer: word, joint: false, vocabulary: 300, max_tokens: 20}
model:
  embedding: {size: 4}
  share_embedding: false
  encoder: {cell: {units: 4}}
  decoder: {cell: {kind: mgu, units: 4}, attention: {units: 4}}
train: {epochs: 1, batch_size: 32}
evaluate:
  search: {beam_width: 2, n_best: 1, max_length: 8, constraints: {rules: [{kind: alternating}]}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the package's files, the package installed in `site`, and bits."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "package/rnnpipe_parity").mkdir(parents=True)
    for name, content in _FILE.findall(PAGE.read_text(encoding="utf-8")):
        place = folder / (name if name.endswith(".yaml") else f"package/{name}")
        place.write_text(content, encoding="utf-8")
    (folder / "package/rnnpipe_parity/__init__.py").touch()
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--target", folder / "site"]
    command = [sys.executable, "-m", "pip", "install", *options, folder / "package"]
    subprocess.run(command, check=True)
    bits = ["".join(row) for length in range(1, 7) for row in product("01", repeat=length)]
    (folder / "bits.txt").write_text("\n".join([*bits, "012"]) + "\n")
    return folder


def run(folder, *arguments):
    """What `rnnpipe` prints with the package installed."""
    root = str(PAGE.parents[1])
    path = os.pathsep.join([str(folder / "site"), root])
    environment = {**os.environ, "PYTHONPATH": path, "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "rnnpipe.cli", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def newest(folder, name):
    return max((folder / "runs" / name).iterdir())


def test_a_task_with_its_own_records_runs_from_yaml_to_prediction(folder):
    printed = run(folder, "run", "parity.yaml")
    assert "1 x encode bits" not in printed
    scores = json.loads((newest(folder, "parity") / "metrics.json").read_text())["test"]
    assert set(scores) == {"accuracy", "recall"}
    rows = (newest(folder, "parity") / "predictions.jsonl").read_text().splitlines()
    labels = [json.loads(row) for row in rows]
    right = sum(row["label"] == row["prediction"] for row in labels)
    assert scores["accuracy"] == pytest.approx(right / len(labels))
    page = (newest(folder, "parity") / "report.html").read_text()
    assert f"Mistakes ({len(labels) - right} of {len(labels)})" in page
    shutil.copytree(newest(folder, "parity"), folder / "copy")
    printed = run(folder, "compare", "runs/parity", "copy")
    assert f"accuracy on test, {len(labels)} records" in printed
    assert "1.000" in printed  # the p of a run and its copy
    answer = run(folder, "predict", "runs/parity", "--bits", "0110")
    assert "even" in answer or "odd" in answer
    (folder / "rows.txt").write_text("0110\n1\n10101\n")
    lines = run(folder, "predict", "runs/parity", "--input", "rows.txt").splitlines()
    assert len(lines) == 3
    assert set(lines) <= {"even", "odd"}
    assert "--bits" in run(folder, "predict", "runs/parity", "--help")


def test_sources_cells_metrics_and_report_items_serve_the_tasks_that_are_here(folder):
    (folder / "texts.yaml").write_text(TEXTS)
    printed = run(folder, "run", "texts.yaml")
    assert "read bits" in printed  # the dead letter
    scores = json.loads((newest(folder, "texts") / "metrics.json").read_text())["test"]
    assert 0 <= scores["recall"] <= 1
    assert "Mistakes" in (newest(folder, "texts") / "report.html").read_text()


def test_constraints_hold_in_searches_of_tasks(folder):
    (folder / "pairs.yaml").write_text(TRANSLATION)
    run(folder, "run", "pairs.yaml")
    rows = (newest(folder, "pairs") / "predictions.jsonl").read_text().splitlines()
    words = [json.loads(row)["prediction"].split() for row in rows]
    assert all(one != other for row in words for one, other in pairwise(row))


def test_the_schema_includes_plugins(folder):
    schema = run(folder, "config", "--schema")
    for name in ("ParityConfig", "MinimalGatedOptions", "BitTexts", "AlternatingOptions"):
        assert name in schema
