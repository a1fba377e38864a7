"""The page on configuration: its tables are those of the schemas, its examples run."""

import re

import yaml

from rnnpipe.config.loader import load_settings
from rnnpipe.models.language_model import LanguageModelOptions
from rnnpipe.parts.cells import GRUOptions
from tools.docs.kinds import PAGE, make_tables, write_tables

TEXT = PAGE.read_text()


def test_the_tables_of_kinds_are_those_of_the_schemas():
    assert make_tables() in TEXT, "run python -m tools.docs.kinds --write"
    assert write_tables(TEXT) == TEXT


def test_the_example_prints_its_comments(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    exec(compile(example, str(PAGE), "exec"), {"__name__": "page"})
    printed = capsys.readouterr().out.splitlines()
    assert [f"# {line}" for line in printed] == example.splitlines()[-2:]


def test_the_yaml_examples_are_accepted():
    examples = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    models = [
        load_settings(LanguageModelOptions, yaml.safe_load(text)["model"]) for text in examples
    ]
    dropout, cell = models
    assert (dropout.embedding.size, dropout.embedding.dropout) == (128, 0.1)
    assert cell.recurrence.cell == GRUOptions(units=192, reset_after=False)
