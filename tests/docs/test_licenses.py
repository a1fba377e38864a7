"""The page of licenses."""

import re
from pathlib import Path

from tools.docs.licenses import pinned_packages

PAGE = Path(__file__).resolve().parents[2] / "docs" / "licenses.md"


def test_the_page_lists_each_package_that_is_pinned():
    """`python -m tools.docs.licenses >docs/licenses.md` writes it anew."""
    rows = re.findall(r"^\| ([\w.-]+) \| (\S+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    listed = {name: version for name, version, _ in rows if name != "package"}
    assert {name: version for name, version in listed.items() if name != "---"} == pinned_packages()
