"""The tables of kinds by task in `docs/configuration.md`, from the schemas.

python -m tools.docs.kinds          # prints the tables
python -m tools.docs.kinds --write  # writes them into the page
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from rnnpipe.config.leaves import find_families
from rnnpipe.settings import Settings
from rnnpipe.tasks import find_schemas

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"

_TABLES = re.compile(r"(?<=<!-- kinds -->\n).*?(?=<!-- end of kinds -->)", re.DOTALL)


def make_tables() -> str:
    """A table for each family of settings: its kinds, and the key of each task that takes them."""
    keys: dict[type[Settings], dict[str, list[str]]] = {}
    for task, schema in find_schemas().items():
        for path, family in find_families(schema):
            keys.setdefault(family, {}).setdefault(task, []).append(".".join(path))
    families = sorted(keys, key=_group)
    return "\n".join(line for family in families for line in _make_table(family, keys[family]))


def _make_table(family: type[Settings], keys: dict[str, list[str]]) -> Iterator[str]:
    title = _group(family).removeprefix("rnnpipe.").replace("_", " ").capitalize()
    yield f"\n### {title}\n"
    yield "| kind | |\n| --- | --- |"
    assert family.kinds is not None
    for kind, member in family.kinds.load().items():
        yield f"| `{kind}` | {(member.__doc__ or '').splitlines()[0]} |"
    yield "\n| task | keys |\n| --- | --- |"
    for task, paths in keys.items():
        yield f"| `{task}` | {', '.join(f'`{path}`' for path in paths)} |"
    yield ""


def _group(family: type[Settings]) -> str:
    assert family.kinds is not None
    return family.kinds.group


def write_tables(page: str) -> str:
    """The page with the tables of now."""
    return _TABLES.sub(lambda _: make_tables(), page)


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(write_tables(PAGE.read_text()))
    else:
        print(make_tables())
