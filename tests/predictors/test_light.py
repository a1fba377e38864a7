"""Encoding, decoding, reading and writing need no network, and so neither Keras nor its backend."""

import subprocess
import sys
from pathlib import Path

import rnnpipe

SCRIPT = """
import importlib, pkgutil, sys
import rnnpipe.predictors, rnnpipe.tasks
names = [f"rnnpipe.predictors.{module.name}" for module in pkgutil.iter_modules(
    rnnpipe.predictors.__path__)]
names += [f"rnnpipe.tasks.{task}.predictor" for task in rnnpipe.tasks.find_tasks()
          if rnnpipe.tasks.find_tasks()[task].module.startswith("rnnpipe.")]
assert len(names) > 12, names
for name in names:
    importlib.import_module(name)
heavy = {"keras", "tensorflow", "matplotlib", "sklearn", "apache_beam", "tensorflow_datasets"}
sys.exit(f"imported {heavy & set(sys.modules)}" if heavy & set(sys.modules) else 0)
"""


def test_predictors_import_neither_keras_nor_what_draws():
    root = Path(rnnpipe.__file__).parents[1]
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, cwd=root)
