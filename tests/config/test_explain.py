"""Whatever a user writes leads to a configuration or to a `UserError`, and never to a traceback."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnpipe.config.dump import dump_config
from rnnpipe.config.loader import load_config
from rnnpipe.errors import UserError

LINES = [
    "task: run",
    "task: other",
    "encoder: {kind: lstm, units: 8}",
    "encoder: {kind: cnn, channels: [1, 2]}",
    "data:",
    "  path: a",
    "  sizes: [1, 2]",
    "  names: {a: 1}",
    "train:",
    "  rate: 1e-3",
    "  limit: all",
    "  both: {kind: cnn}",
    "anything: {a: [1, {b: c}]}",
    "by_number: {1: 2.5}",
]
WORDS = ["kind", "cnn", "lstm", "units", "inner", "010", "1e400", "no", "null", ".nan", "*a", "&a"]
WORDS += [
    "<<",
    "!t",
    "{",
    "}",
    "[",
    "]",
    ": ",
    ", ",
    "- ",
    "? ",
    "\n",
    "\t",
    "#",
    '"',
    "'",
    "|",
    "%",
]
WORDS += [
    "0",
    "-1",
    "1e3",
    "x",
    "channels",
    "---",
    "\\ud800",
    "\x00",
    "é",
    "\u2028",
    "\r",
    "=",
    ".",
]

words = st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=6).map("".join)
overrides = st.lists(
    st.builds(
        "{}={}".format,
        st.lists(st.sampled_from(["task", "data", "sizes", "encoder", "kind", "0", "x"])).map(
            ".".join
        ),
        words,
    )
    | words,
    max_size=3,
)


@st.composite
def mutated(draw):
    """A likely configuration with words put in, cut out and lines moved."""
    text = "\n".join(draw(st.lists(st.sampled_from(LINES), max_size=12)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 5)))
        text = text[:start] + draw(words) + text[end:]
    return text


def attempt(file, schemas, text, changes):
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    try:
        config = load_config(file, schemas, changes)
    except UserError as error:
        for line in str(error).splitlines():
            assert line.isprintable()
            assert ": expected " in line
        return
    file.write_text(dump_config(config), encoding="utf-8")
    assert dump_config(load_config(file, schemas)) == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("texts", [mutated(), st.text(), words, st.binary()], ids=str)
def test_any_config_raises_only_user_errors(tmp_path, schemas, texts):
    @settings(
        max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(texts, overrides)
    def run(text, changes):
        attempt(tmp_path / "f.yaml", schemas, text, changes)

    run()
