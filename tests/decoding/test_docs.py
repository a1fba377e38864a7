"""The documented examples run, one after another, and print what they say."""

import re
from pathlib import Path

import numpy as np
import tensorflow as tf

from rnnpipe.decoding import beam_search

PAGE = Path(__file__).resolve().parents[2] / "docs" / "decoding.md"


def test_the_examples_run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names = {}
    for example in examples:
        exec(compile(example, str(PAGE), "exec"), names)
    said = re.findall(r"^print\(.*\)  # (.*)$", "\n".join(examples), re.MULTILINE)
    printed = capsys.readouterr().out
    assert said
    assert all(line in printed for line in said)
    exported = tf.saved_model.load("decoder")
    assert exported.decode(names["state"]).keys() == {"ids"}
    np.testing.assert_array_equal(
        exported.decode(names["state"])["ids"],
        beam_search(names["step"], names["state"], beam_width=5, max_length=20).ids,
    )
