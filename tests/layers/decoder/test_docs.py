"""The documented example runs and prints what it says."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "decoder.md"


def test_the_example_runs(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(compile(example, str(PAGE), "exec"), {})
    assert capsys.readouterr().out.strip() in example
