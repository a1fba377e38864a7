"""Lists the licenses of the packages that `rnnpipe[all]` installs, as they state them.

python -m tools.docs.licenses >docs/licenses.md
"""

import re
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[1] / "requirements" / "all.txt"
_PINNED = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)
_CLASSIFIER = "License :: "
_SHOWN = 60  # characters: some packages state the whole text
_HEAD = """# Licenses

rnnpipe is under the Apache License 2.0, and ships no code of others. `rnnpipe[all]` installs these
packages, in the versions of `tools/requirements/all.txt`, each under a license of its own, as its
metadata states it (`python -m tools.docs.licenses`, in an environment with these packages). A wheel
may hold libraries with licenses of theirs, e.g. FFmpeg in `av`: see the files beside its metadata.

| package | version | license |
| --- | --- | --- |
"""


def pinned_packages() -> dict[str, str]:
    """The versions of all packages by name."""
    return dict(_PINNED.findall(REQUIREMENTS.read_text(encoding="utf-8")))


def license_of(package: Distribution) -> str:
    """What a package states as its license: an expression, classifiers, a text, or its file."""
    metadata = package.metadata.json
    if expression := metadata.get("license_expression"):
        return str(expression)
    classifiers = (name for name in metadata.get("classifier", []) if name.startswith(_CLASSIFIER))
    names = [name.split(" :: ")[-1] for name in classifiers]
    if names := [name for name in names if name != "OSI Approved"]:
        return ", ".join(names)
    text = str(metadata.get("license", "")).strip()
    if text and text != "UNKNOWN":
        return text.splitlines()[0][:_SHOWN]
    for path in package.files or []:
        if path.name.upper().startswith(("LICENSE", "LICENCE", "COPYING")):
            return f"{path.read_text().strip().splitlines()[0].strip()[:_SHOWN]} (its file)"
    return "not stated"


def main() -> None:
    """Prints the page."""
    sys.stdout.write(_HEAD)
    for name, version in sorted(pinned_packages().items()):
        sys.stdout.write(f"| {name} | {version} | {license_of(distribution(name))} |\n")


if __name__ == "__main__":
    main()
