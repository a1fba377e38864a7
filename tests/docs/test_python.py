"""The page on the Python API: its examples run, one after another, and print what they say."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/python.md"


def test_the_examples_print_their_comments(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names = {"__name__": "page"}
    for example in examples:
        exec(compile(example, str(PAGE), "exec"), names)
        printed = capsys.readouterr().out.splitlines()
        said = re.findall(r"^ *print\(.*\)  # (.*)$", example, re.MULTILINE)
        assert said
        assert [line for line in said if line not in printed] == []


def test_every_name_of_the_package_is_on_the_page():
    import rnnpipe

    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in rnnpipe.__all__ if name not in text] == []
