"""What the tests of parts share: settings of every kind, and what holds for all of them."""

import pickle
from dataclasses import fields
from typing import Any

import yaml

from rnnpipe.config.dump import dump_config
from rnnpipe.config.loader import load_settings
from rnnpipe.settings import Settings


def make_holder(family: type[Settings]) -> Any:
    """A section with one setting, of the family."""
    return type("Holder", (Settings,), {"__annotations__": {"part": family}, "__doc__": "…"})


def check_round_trip(family: type[Settings], options: Settings) -> None:
    """The options survive YAML and pickling."""
    holder = make_holder(family)
    written = yaml.safe_load(dump_config(holder(part=options)))
    assert load_settings(holder, written).part == options
    assert pickle.loads(pickle.dumps(options)) == options


def change_numbers(options: Settings, change: Any = lambda value: value + 1) -> dict[str, Any]:
    """Whole numbers that differ from the defaults, by name."""
    return {
        declared.name: change(declared.default)
        for declared in fields(options)
        if type(declared.default) is int
    }
