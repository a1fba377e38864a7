"""Families of settings, and the kinds that other packages add."""

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from rnnpipe import plugins
from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.parts.cells import CellOptions, LSTMOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.settings import Settings, setting


class IndyCell(CellOptions):
    kind: str = "indy"
    clip: float = setting(1.0, "largest recurrent weight", gt=0)


@pytest.fixture
def install(monkeypatch):
    """Makes entry points of other packages visible."""

    def install(*names, target=f"{__name__}:IndyCell"):
        entries = EntryPoints(EntryPoint(name, target, "rnnpipe.cells") for name in names)
        monkeypatch.setattr(plugins, "_entry_points", lambda: entries)

    return install


def test_another_package_adds_a_kind(install):
    install("indy")
    assert CellOptions.kinds.load()["indy"] is IndyCell


@pytest.mark.parametrize("names", [("lstm",), ("indy", "indy")])
def test_two_that_claim_one_name_are_refused(install, names):
    install(*names)
    with pytest.raises(UserError, match="expected one owner of the name, got two; uninstall one"):
        CellOptions.kinds.load()


def test_only_settings_classes_are_accepted(install):
    install("indy", target="json:dumps")
    with pytest.raises(UserError, match=r"entry point indy .*expected a subclass of rnnpipe.setti"):
        CellOptions.kinds.load()


def test_an_unknown_kind_is_refused():
    with pytest.raises(
        UserError, match=r'cell.kind: expected att2in, .* got "lstn"; did you mean lstm'
    ):
        load_settings(RecurrenceOptions, {"cell": {"kind": "lstn"}})


def test_keys_of_other_kinds_are_refused():
    with pytest.raises(UserError, match=r"cell.projection: expected a key of cell with kind: gru"):
        load_settings(RecurrenceOptions, {"cell": {"kind": "gru", "projection": 3}})


def test_another_kind_has_its_own_defaults():
    class Model(Settings):
        recurrence: RecurrenceOptions = RecurrenceOptions(
            cell=LSTMOptions(units=8, forget_bias=2.0), depth=3
        )

    kept = load_settings(Model, {"recurrence": {"cell": {"units": 9}}}).recurrence
    assert isinstance(kept.cell, LSTMOptions)
    assert (kept.cell.units, kept.cell.forget_bias, kept.depth) == (9, 2.0, 3)
    other = load_settings(Model, {"recurrence": {"cell": {"kind": "gru"}}}).recurrence
    assert (other.cell.units, other.depth) == (256, 3)
