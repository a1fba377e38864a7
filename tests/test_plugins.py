"""Entry points of other packages, whatever they lead to."""

from importlib.metadata import EntryPoint

import pytest

from rnnpipe import plugins
from rnnpipe.errors import UserError
from rnnpipe.plugins import find_plugins, load_plugin

BROKEN = {
    "a SyntaxError": ("x = (", "SyntaxError: "),
    "an error": ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
    "no such name": ("", "has no attribute 'make'"),
}


@pytest.mark.parametrize(("source", "got"), BROKEN.values(), ids=BROKEN)
def test_a_module_that_cannot_be_imported_is_named(source, got, tmp_path, monkeypatch):
    (tmp_path / "broken_plugin.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("mine", "broken_plugin:make", "rnnpipe.metrics")
    expected = "entry point mine of rnnpipe.metrics: expected broken_plugin:make to import, got .*"
    with pytest.raises(UserError, match=f"{expected}{got}"):
        load_plugin(entry)


@pytest.mark.parametrize("value", ["", ":", "..x:y", "a b", "json:", "json.none", "\0"])
def test_an_entry_point_that_names_nothing_is_refused(value):
    with pytest.raises(UserError, match=r"entry point a of g: expected .* to import, got "):
        load_plugin(EntryPoint("a", value, "g"))


def test_damaged_entry_points_of_a_package_are_reported(monkeypatch):
    def fail():
        raise TypeError("missing value")

    monkeypatch.setattr(plugins, "entry_points", fail)
    plugins._entry_points.cache_clear()
    with pytest.raises(UserError, match=r"entry points: expected packages .* got TypeError: "):
        find_plugins("rnnpipe.metrics")
    plugins._entry_points.cache_clear()
