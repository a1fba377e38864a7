import pytest

GOOD = """\
task: run
encoder: {kind: lstm, units: 8}
data: {path: a, sizes: [1, 2]}
"""


def test_values_are_set_made_and_replaced_in_order(load):
    config = load(
        GOOD,
        "data.sizes.1=5",
        "train.rate=1e-5",
        "train.epochs=3",
        "train.epochs = 4",
        "data.names={a: 1}",
        "data.names.b=2",
        "data.title=a=b",
        "seed=",
    )
    assert config.data.sizes == [1, 5]
    assert (config.train.rate, config.train.epochs) == (1e-5, 4)
    assert config.data.names == {"a": 1, "b": 2}
    assert config.data.title == "a=b"
    assert config.seed is None
    assert load(GOOD, "data.sizes=[3]").data.sizes == [3]


def test_another_kind_keeps_the_other_keys_and_reports_those_that_do_not_fit(load, error_lines):
    assert error_lines(GOOD, "encoder.kind=cnn") == [
        "run.yaml:2: encoder.units: expected a key of encoder with kind: cnn (kind, channels, "
        "kernel), got units; remove it, since only another kind has it"
    ]
    cnn = GOOD.replace("lstm, units: 8", "cnn")
    assert load(cnn, "encoder.units=4", "encoder.kind=lstm").encoder.units == 4


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.epochs", "expected key.path=value, got no equals sign; write e.g. --set"),
        ("=3", "expected key.path=value, got no key; write"),
        ("a..b=3", "expected key.path=value, got a..b; write"),
        (".".join("a" * 60) + "=3", "expected key.path=value, got a.a.a"),
        ("encoder.units.x=3", "expected a mapping or list at encoder.units, got 8; set encoder."),
        ("data.sizes.2=3", "expected an index from 0 to 1 in data.sizes, got 2; set the whole"),
        ("data.sizes.x=3", "expected an index from 0 to 1 in data.sizes, got x; set the whole"),
        ("data.sizes.-1=3", "expected an index from 0 to 1 in data.sizes, got -1; set the whole"),
        ("train.epochs=[1", "expected well-formed YAML, got expected ',' or ']', but got '<stream"),
        ("train.epochs=010", "expected a number without leading zeros, got 010; write 10 or 8"),
        ("train.epochs=*x", "expected a plain value, got the alias *x; write the value itself"),
        ("train.epochs=no", 'expected a positive integer, got "no"; the default is 20'),
        ("train.epoch=3", "expected a key of train (epochs, batch_size, rate, keep, shuffle, "),
        ("data.sizes.0=x", 'expected an integer, got "x"; correct the value'),
        ("train={epochs: 0}", "train.epochs: expected a positive integer, got 0; the default"),
        ("data={sizes: [1], sizes: [2], path: a}", "data.sizes: expected each key once, got it "),
        ("task=rnu", 'expected run or other, got "rnu"; did you mean run?'),
        ("encoder={}", "encoder.kind: expected cnn or lstm, got nothing; add kind: …"),
    ],
)
def test_errors_in_overrides_are_explained(error_lines, override, message):
    (line,) = error_lines(GOOD, override)
    shown = override if len(override) <= 60 else override[:59] + "…"
    assert line.startswith(f"--set {shown}: {message}")


def test_an_error_of_a_setting_that_an_override_replaces_is_still_reported(error_lines):
    lines = error_lines(GOOD + "seed: 010", "seed=3", "train.epochs=0")
    assert [line.split(": expected")[0] for line in lines] == [
        "run.yaml:4: seed",
        "--set train.epochs=0",
    ]
