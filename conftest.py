"""What the examples in docstrings share, which are tests too."""

from importlib.util import find_spec

import pytest

collect_ignore = [] if find_spec("torch") else ["rnnpipe/layers/kernels/torch"]


@pytest.fixture(autouse=True)
def _folder_of_its_own(request, monkeypatch, tmp_path):
    """An example writes its files where nobody minds."""
    if isinstance(request.node, pytest.DoctestItem):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
