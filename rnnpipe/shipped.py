"""The configs that the package ships, by name."""

import re
from difflib import get_close_matches
from pathlib import Path

from rnnpipe.errors import UserError

FOLDER = Path(__file__).with_name("configs")

_SENTENCE = re.compile(r".+?(?<!et al)[.:](?= |$)")


def list_configs() -> list[str]:
    """The names of the shipped configs: those that need no data first, then `real/…`."""
    names = [path.relative_to(FOLDER).with_suffix("").as_posix() for path in _files()]
    return sorted(names, key=lambda name: ("/" in name, name))


def find_config(config: Path) -> Path:
    """The file of a config: the file itself, or the shipped config of this name.

    Args:
        config: the path of a file, or a name such as `vqa` or `real/easy_vqa`. Where both exist,
            the file is meant.

    Raises:
        UserError: neither exists.

    Example:
        >>> find_config(Path("vqa")).name
        'vqa.yaml'
    """
    if config.is_file():
        return config
    name = config.as_posix()
    if name in list_configs():
        return shipped_config(name)
    if config.suffix or config.exists():
        return config  # reading it raises the error
    expected = "a YAML file or the name of a shipped config"
    raise UserError(str(config), expected, "neither", _suggest(name))


def shipped_config(name: str) -> Path:
    """The file of a shipped config.

    Args:
        name: one of `list_configs`.

    Raises:
        UserError: there is none of this name.
    """
    if name not in list_configs():
        expected = "the name of a shipped config"
        raise UserError(f"rnnpipe init {name}", expected, "none", _suggest(name))
    return FOLDER / f"{name}.yaml"


def summarize_config(name: str) -> str:
    """The opening comment of a shipped config, up to its first full stop or colon.

    Example:
        >>> summarize_config("vqa")
        'Answer questions about images'
    """
    lines = []
    for line in shipped_config(name).read_text(encoding="utf-8").splitlines():
        if not line.removeprefix("#").strip() or not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    text = " ".join(lines)
    sentence = _SENTENCE.match(text)
    return (sentence.group() if sentence else text).rstrip(".:")


def _suggest(name: str) -> str:
    close = get_close_matches(name, list_configs(), n=1)
    return f"did you mean {close[0]}?" if close else "`rnnpipe init` lists the names"


def _files() -> list[Path]:
    return [path for folder in (FOLDER, FOLDER / "real") for path in folder.glob("*.yaml")]
