"""Whole files: what is read, and every message that a fault leads to."""

import json
from pathlib import Path

import pytest

from rnnpipe.config.loader import json_schema, load_config, load_settings
from rnnpipe.errors import Faults, UserError

GOOD = """\
task: run
encoder: {kind: lstm, units: 8}
data:
  path: some/where
train:
  rate: 1e-3
"""


def with_line(line, section="train"):
    return GOOD.replace(f"{section}:\n", f"{section}:\n  {line}\n")


def test_a_valid_file_becomes_the_config_of_its_task(load, schemas):
    config = load(GOOD)
    assert type(config) is schemas["run"]
    assert config.train.rate == 1e-3
    assert str(config.data.path) == "some/where"
    assert config.encoder.units == 8


def test_tuples_sets_enumerations_and_numbers_as_keys_are_read(load):
    config = load(with_line("colour: blue", "data").replace("lstm, units: 8", "cnn, channels: [1]"))
    assert config.encoder.channels == (1,)
    assert config.data.colour.value == "blue"
    config = load("{task: other, tags: [a, b], by_number: {1: .5e3}}")
    assert config.tags == {"a", "b"}
    assert config.by_number == {1: 500.0}


def test_all_mistakes_are_reported_in_the_order_of_lines(error_lines):
    text = """\
task: run
encoder: {kind: lstn}
data:
  sizes: [1, x]
  sizes: 2
  title: 010
trian: {}
train:
  epochs: no
  rate: !!float 3
"""
    lines = error_lines(text, "train.batch_size=7", "seed")
    assert [line.split(": expected")[0] for line in lines] == [
        "run.yaml:2: encoder.kind",
        "run.yaml:3: data.path",
        "run.yaml:4: data.sizes.1",
        "run.yaml:5: data.sizes",
        "run.yaml:6: data.title",
        "run.yaml:7: trian",
        "run.yaml:9: train.epochs",
        "run.yaml:10: train.rate",
        "--set train.batch_size=7",
        "--set seed",
    ]


MESSAGES = {
    "epochs: -3": "train.epochs: expected a positive integer, got -3; the default is 20",
    "epochs: 1e3": "train.epochs: expected a positive integer, got 1e3; write 1000",
    "epochs: 1.5": "train.epochs: expected a positive integer, got 1.5; the default is 20",
    'epochs: "5"': 'train.epochs: expected a positive integer, got "5"; write 5, without quotes',
    "epochs: 1_000": 'train.epochs: expected a positive integer, got "1_000"; '
    "write 1000, without quotes",
    "epochs: 0x1F": 'train.epochs: expected a positive integer, got "0x1F"; '
    "write 31, without quotes",
    "epochs: true": "train.epochs: expected a positive integer, got true; the default is 20",
    "epochs:": "train.epochs: expected a positive integer, got nothing; the default is 20",
    "epochs: [1]": "train.epochs: expected a positive integer, got a list of 1 item; "
    "the default is 20",
    "epochs: {}": "train.epochs: expected a positive integer, got an empty mapping; "
    "the default is 20",
    "epochs: 2000": "train.epochs: expected a value that fits, got 2000; "
    "that would take years; stop earlier",
    "batch_size: 9": "train.batch_size: expected an integer that is a multiple of 8, got 9; "
    "the default is 64",
    "keep: 1.5": "train.keep: expected a number from 0 to 1, got 1.5; the default is 0.5",
    "keep: .nan": "train.keep: expected a finite number, got .nan; the default is 0.5",
    "keep: 0,5": 'train.keep: expected a number from 0 to 1, got "0,5"; write 0.5, without quotes',
    "shuffle: no": 'train.shuffle: expected true or false, got "no"; write false, without quotes',
    "shuffle: True": 'train.shuffle: expected true or false, got "True"; '
    "write true, without quotes",
    "shuffle: 1": "train.shuffle: expected true or false, got 1; write true",
    "limit: 1.5": "train.limit: expected an integer, all or a list, each an integer, got 1.5; "
    'the default is "all"',
    "limit: al": 'train.limit: expected an integer, all or a list, each an integer, got "al"; '
    "did you mean all?",
    "limit: [1, b]": 'train.limit.1: expected an integer, got "b"; correct the value',
    "both: {kind: lstm}": "train.both.units: expected a positive integer, got nothing; "
    "add units: …",
    "both: 3": "train.both: expected a mapping with the keys kind, channels, kernel, a "
    "mapping with the keys kind, units, inner or null, got 3; indent its keys on the lines below",
    "epoch: 3": "train.epoch: expected a key of train (epochs, batch_size, rate, keep, shuffle, "
    "limit, both), got epoch; did you mean epochs?",
    "units: 3": "train.units: expected a key of train (epochs, batch_size, rate, keep, shuffle, "
    "limit, both), got units; units belongs at encoder.units or train.both.units",
    "xyz: 3": "train.xyz: expected a key of train (epochs, batch_size, rate, keep, shuffle, "
    "limit, both), got xyz; remove it",
    '"": 3': "train.: expected a key of train (epochs, batch_size, rate, keep, shuffle, "
    "limit, both), got an empty one; remove it",
}


@pytest.mark.parametrize("line", MESSAGES)
def test_errors_in_values_of_train_are_explained(error_lines, line):
    assert error_lines(with_line(line))[0] == f"run.yaml:6: {MESSAGES[line]}"


DATA_MESSAGES = {
    "title: 7": 'data.title: expected text of 1 to 9 characters, got 7; put it in quotes: "7"',
    'title: ""': 'data.title: expected text of 1 to 9 characters, got ""; the default is "t"',
    "sizes: []": "data.sizes: expected a list of 1 to 3 items, each an integer, got an empty list; "
    "the default is [1]",
    "sizes: [1, 2, 3, 4]": "data.sizes: expected a list of 1 to 3 items, each an integer, "
    "got a list of 4 items; the default is [1]",
    "sizes: 3": "data.sizes: expected a list of 1 to 3 items, each an integer, got 3; write [3]",
    "colour: rad": 'data.colour: expected red or blue, got "rad"; did you mean red?',
    "names: {c: 1}": 'data.names.c: expected a or b, got "c"; write one of these',
    "names: {a: x}": 'data.names.a: expected an integer, got "x"; correct the value',
    "image_size: 8": "data.image_size: expected an integer from 16 to 512, got 8; "
    "the default is 64",
}


@pytest.mark.parametrize("line", DATA_MESSAGES)
def test_errors_in_values_of_data_are_explained(error_lines, line):
    assert error_lines(with_line(line, "data")) == [f"run.yaml:4: {DATA_MESSAGES[line]}"]


ENCODER_MESSAGES = {
    "{kind: lstn, units: 8}": 'encoder.kind: expected cnn or lstm, got "lstn"; did you mean lstm?',
    "{units: 8}": "encoder.kind: expected cnn or lstm, got nothing; add kind: …",
    "{kind: 3}": "encoder.kind: expected cnn or lstm, got 3; write one of these",
    "{kind: lstm}": "encoder.units: expected a positive integer, got nothing; add units: …",
    "{kind: cnn, units: 8}": "encoder.units: expected a key of encoder with kind: cnn "
    "(kind, channels, kernel), got units; remove it, since only another kind has it",
    "{kind: cnn, kernel: [3]}": "encoder.kernel: expected a list of 2 items: an integer, "
    "an integer, got a list of 1 item; give every item",
    "{kind: cnn, kernel: [3, 3, 3]}": "encoder.kernel: expected a list of 2 items: an integer, "
    "an integer, got a list of 3 items; the default is [3, 3]",
    "{kind: lstm, units: 8, inner: {kind: lstm, units: 0}}": "encoder.inner.units: "
    "expected a positive integer, got 0; correct the value",
    "lstm": 'encoder: expected a mapping whose kind is cnn or lstm, got "lstm"; '
    "write {kind: lstm}, or its keys on lines of their own",
    "[3]": "encoder: expected a mapping whose kind is cnn or lstm, got a list of 1 item; "
    "correct the value",
}


@pytest.mark.parametrize("value", ENCODER_MESSAGES)
def test_errors_in_variants_are_explained(error_lines, value):
    text = GOOD.replace("{kind: lstm, units: 8}", value)
    assert error_lines(text) == [f"run.yaml:2: {ENCODER_MESSAGES[value]}"]


def test_a_key_in_a_union_that_is_named_like_a_kind_is_no_kind(error_lines):
    lines = error_lines(GOOD.replace("units: 8", "lstm: 3"))
    assert [line.split(": expected")[0] for line in lines] == [
        "run.yaml:2: encoder.units",
        "run.yaml:2: encoder.lstm",
    ]


def test_a_validator_may_raise_several_faults_about_keys_below_it(error_lines):
    assert error_lines(with_line("batch_size: 2048")) == [
        "run.yaml:5: train.epochs: expected a batch that fits, got 2048; write 8",
        "run.yaml:6: train.batch_size: expected a batch that fits, got 2048; write 8",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# nothing", "expected a mapping of keys to values, got an empty file; begin it with"),
        ("[1]", "1: expected a mapping of keys to values, got a list of 1 item; write"),
        ("no", '1: expected a mapping of keys to values, got "no"; write'),
        ("a: 1", "1: task: expected run or other, got nothing; add task: run"),
        ("task: rnu", '1: task: expected run or other, got "rnu"; did you mean run?'),
        ("task: 3", "1: task: expected run or other, got 3; write one of these"),
        ("task: [run]", "1: task: expected run or other, got a list of 1 item; write one"),
    ],
)
def test_a_file_without_a_task_is_refused(error_lines, text, message):
    (line,) = error_lines(text)
    assert line.startswith(f"run.yaml: {message}" if "empty" in message else f"run.yaml:{message}")


def test_a_single_error_is_caught_like_several(load):
    with pytest.raises(Faults) as raised:
        load(with_line("epochs: 0"))
    assert len(raised.value.faults) == 1
    assert raised.value.fix == "the default is 20"


def test_a_missing_key_is_reported_at_the_line_of_its_mapping(error_lines):
    text = GOOD.replace("  path: some/where", "  title: x")
    assert error_lines(text) == ["run.yaml:3: data.path: expected a path, got nothing; add path: …"]
    assert error_lines("\n\ntask: run\ndata: {path: a}")[0].startswith(
        "run.yaml:3: encoder: expected"
    )


def test_json_schema_picks_the_variant_by_task(schemas):
    document = json_schema(schemas)
    assert document["properties"]["task"] == {"enum": ["run", "other"]}
    picked = {
        rule["if"]["properties"]["task"]["const"]: rule["then"]["$ref"].split("/")[-1]
        for rule in document["allOf"]
    }
    assert {task: document["$defs"][name]["title"] for task, name in picked.items()} == {
        "run": "Run",
        "other": "Other",
    }
    assert json.loads(json.dumps(document)) == document


def test_an_unreadable_file_is_an_error(tmp_path, schemas):
    def message(path):
        with pytest.raises(UserError) as raised:
            load_config(path, schemas)
        return str(raised.value).replace(str(tmp_path), "")

    (tmp_path / "vqa.yaml").write_bytes(b"task: run\nname: caf\xe9\n")
    assert message(tmp_path) == ": expected a YAML file, got a folder; name a file inside it"
    assert "no such file; did you mean /vqa.yaml?" in message(tmp_path / "vqa.yml")
    assert "there is no folder /x: check the path" in message(tmp_path / "x" / "vqa.yaml")
    assert "got not a directory" in message(tmp_path / "vqa.yaml" / "x")
    assert message(tmp_path / "vqa.yaml") == (
        "/vqa.yaml:2: expected UTF-8 text, got the byte 0xe9; save the file as UTF-8"
    )


def test_a_byte_order_mark_is_accepted(tmp_path, schemas):
    file = tmp_path / "run.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_config(file, schemas).train.rate == 1e-3


def test_nested_mappings_are_checked_like_a_file(schemas):
    values = {
        "task": "run",
        "encoder": {"kind": "cnn", "channels": (8, 16)},
        "data": {"path": Path("some/where")},
        "train": {"rate": 1e-3},
    }
    config = load_settings(schemas["run"], values)
    assert config.encoder.channels == (8, 16)
    assert config.data.path == Path("some/where")
    assert config.train.epochs == 20
    wrong = {**values, "trian": {}, "train": {"epochs": "5", "shuffle": 1}}
    with pytest.raises(Faults) as raised:
        load_settings(schemas["run"], wrong)
    assert [str(fault).partition(": expected")[0] for fault in raised.value.faults] == [
        "settings: train.epochs",
        "settings: train.shuffle",
        "settings: trian",
    ]
