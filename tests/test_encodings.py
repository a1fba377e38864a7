"""Files are UTF-8 in every locale: whatever reads or writes text says so."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "rnnpipe"

TEXT_MODES = {"r", "w", "a", "x", "r+", "w+", "rt", "wt"}
NO_FILES = {
    "runner",
    "self",
    "RecordsDirectory",
    "Copy",
    "Image",
    "av",
    "os",
    "store",
    "gzip",
    "seal",
}


def opens_text(call: ast.Call) -> bool:
    """Whether a call opens, reads or writes a file as text."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if getattr(owner, "id", getattr(owner, "attr", "")) in NO_FILES:
        return False
    if name in ("read_text", "write_text"):
        return owner is not None
    if name != "open":
        return False
    mode = call.args[0 if owner else 1 :][:1]
    return not mode or (isinstance(mode[0], ast.Constant) and mode[0].value in TEXT_MODES)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("path.read_text()", True),
        ("path.open()", True),
        ("open(path)", True),
        ("open(path, 'w')", True),
        ("path.open('rb')", False),
        ("Image.open(path)", False),
        ("run.seal.read_text(path)", False),
        ("write_text(path, text)", False),
    ],
)
def test_what_opens_text_is_known(source, expected):
    call = ast.parse(source, mode="eval").body
    assert isinstance(call, ast.Call)
    assert opens_text(call) is expected


def test_every_text_file_has_its_encoding():
    without = [
        f"{path.relative_to(PACKAGE)}:{call.lineno}"
        for path in PACKAGE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and opens_text(call)
        if "encoding" not in {keyword.arg for keyword in call.keywords}
    ]
    assert without == []
