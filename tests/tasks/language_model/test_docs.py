"""The documented example runs and prints what it says."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "language_model.md"


def test_a_network_learns_hello(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(compile(example, str(PAGE), "exec"), {})
    assert capsys.readouterr().out == "hello\n"
    assert example.endswith("# hello\n")
