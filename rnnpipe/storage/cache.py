"""Where data goes that can always be made again."""

from pathlib import Path

from platformdirs import user_cache_path


def cache_folder(name: str) -> Path:
    """A folder below the user's cache folder (`$XDG_CACHE_HOME/rnnpipe` on Linux)."""
    return user_cache_path("rnnpipe") / name
