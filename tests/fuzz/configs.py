"""Readers of configs, options and other words of users."""

import math
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from rnnpipe.config.loader import change_settings, load_config, load_flags, load_settings
from rnnpipe.config.nodes import FaultList
from rnnpipe.config.reader import read_text, read_tree
from rnnpipe.config.scalars import Refused, as_number, read_scalar
from rnnpipe.parts.search import BeamSearchOptions, ConstraintOptions, SamplingOptions
from rnnpipe.plugins import load_plugin
from rnnpipe.sources.captions.coco_files import CaptionFiles
from rnnpipe.storage.paths import as_path, local_path
from rnnpipe.tasks import find_schemas
from rnnpipe.tasks.inputs import Input, integer, parse_inputs, setting_inputs, split_phrases
from tests.fuzz.cases import ODD, TOKENS, Reader, mutated, put

_CONFIG = b"""\
task: text_classification
data:
  directory: records
  source: {kind: opinions, sentences: 100}
  text: {kind: bpe, vocabulary: 200}
model:
  embedding: {size: 8}
  recurrence: {cell: {kind: gru, units: 4}}
train: {epochs: 1, batch_size: 8}
evaluate: {splits: [test]}
"""
_YAML = (b"- a\n", b"? b\n", b"%YAML 1.1\n", b"---\n", b"...\n", b"|\n  ", b">-\n", b"!!int ")
_NUMBERS = (b"1e-3", b"010", b"0x1F", b"1_000", b".inf", b"1" * 3000 + b"x", b"1." * 800)
_WORDS = st.sampled_from([token.decode(errors="replace") for token in (*TOKENS, *_YAML, *_NUMBERS)])
_SCALARS = st.lists(_WORDS, max_size=3).map("".join)


def _load(case: bytes, folder: Path) -> None:
    config = load_config(put(folder / "config.yaml", case), find_schemas())
    assert change_settings(config, {}) == config


def _read_tree(case: bytes, folder: Path) -> None:
    path, faults = put(folder / "config.yaml", case), FaultList()
    tree = read_tree(read_text(path), str(path), faults)
    if tree is not None and case == _CONFIG:
        assert tree.plain() == yaml.safe_load(case)


def _read_scalar(case: str, folder: Path) -> None:
    value = read_scalar(case)
    if isinstance(value, Refused):
        assert value.expected
        assert value.fix
    elif isinstance(value, bool) or value is None or isinstance(value, str):
        assert value in (True, False, None, case)
    else:
        number = float(case.replace(".inf", "inf").replace(".nan", "nan"))
        assert math.isnan(number) or (value == int(case) if type(value) is int else value == number)
    as_number(case)


def _override(case: Any, folder: Path) -> None:
    key, value = case
    load_flags(ConstraintOptions if "b" in key else SamplingOptions, [f"{key}={value}"])


def _constrain(case: Any, folder: Path) -> None:
    options = load_settings(BeamSearchOptions, case)
    assert change_settings(options, {}) == options


def _parse(case: str, folder: Path) -> None:
    inputs = [
        Input("text", "a text"),
        Input("count", "a number", integer(1), default=1),
        Input("require", "phrases", split_phrases, ()),
        *setting_inputs(SamplingOptions()),
    ]
    names = ("count", "require", "temperature", "top-k", "top-p")
    for name in names:
        values = parse_inputs("a task", inputs, {"text": case, name: case})
        assert values["text"] == case


def _load_plugin(case: str, folder: Path) -> None:
    load_plugin(EntryPoint("a", case, "rnnpipe.fuzz"))


def _find_path(case: str, folder: Path) -> None:
    path = load_settings(CaptionFiles, {"annotations": case, "images": "."}).annotations
    for look in (path.is_file, path.is_dir, path.exists):
        look()
    assert as_path(str(path)) == path
    local_path("--output", case)


_KEYS = st.sampled_from(
    (
        *(
            "temperature",
            "top_k",
            "top_p",
            "min_length",
            "banned_tokens",
            "banned_tokens.0",
            "rules",
        ),
        *("rules.0.kind", "a" * 5000, "a." * 60, "", ".", "top_k.x", "é", "\ud800", "top_k="),
    )
)
_CONSTRAINTS = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(st.sampled_from(ODD), st.integers(-2, 9), st.just(["a"]))
        for name in ("min_length", "no_repeat_ngram", "banned_tokens")
    }
    | {
        "rules": st.lists(
            st.fixed_dictionaries(
                {"kind": st.sampled_from(("no_immediate_repeat", "bad_endings", "", 3))},
                optional={"tokens": st.one_of(st.sampled_from(ODD), st.just(["a"]))},
            ),
            max_size=3,
        )
    },
)
_SEARCHES = st.fixed_dictionaries(
    {},
    optional={
        "constraints": st.one_of(_CONSTRAINTS, st.sampled_from(ODD)),
        "beam_width": st.one_of(st.sampled_from(ODD), st.integers(-1, 5)),
        "groups": st.one_of(st.sampled_from(ODD), st.integers(-1, 5)),
        "max_length": st.one_of(st.sampled_from(ODD), st.integers(-1, 5)),
    },
)
_MODULES = (
    "json:loads",
    "json",
    ":loads",
    "json:",
    "json:no",
    "json.no:x",
    "..json:loads",
    "a b:c",
)
_SCHEMES = (
    "memory://a",
    "file:///nowhere",
    "local://x",
    "no-such://a/b",
    "://a",
    "memory:///",
    "a/b",
)

READERS = (
    Reader("configs", mutated(_CONFIG, _YAML), _load, 100),
    Reader("trees of YAML", mutated(_CONFIG, (*_YAML, *_NUMBERS)), _read_tree, 200),
    Reader("scalars of YAML", _SCALARS, _read_scalar, 200),
    Reader("overrides", st.tuples(_KEYS, _SCALARS), _override, 100),
    Reader("constraints of searches", _SEARCHES, _constrain, 150),
    Reader("inputs of tasks", _SCALARS, _parse, 200),
    Reader(
        "entry points",
        st.sampled_from(_MODULES).flatmap(
            lambda text: mutated(text.encode()).map(lambda data: data.decode(errors="replace"))
        ),
        _load_plugin,
        150,
    ),
    Reader(
        "paths",
        st.sampled_from(_SCHEMES).flatmap(
            lambda text: mutated(text.encode()).map(
                lambda data: data.decode(errors="surrogateescape")
            )
        ),
        _find_path,
        200,
    ),
)
