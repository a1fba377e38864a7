"""The documented examples run, one after the other, and print what they say."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "attention.md"


def test_the_examples_run(capsys):
    names = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(example, str(PAGE), "exec"), names)
        printed = capsys.readouterr().out.split("\n")[:-1]
        assert printed == re.findall(r"^print\(.*\)  # (.*)$", example, re.MULTILINE)
