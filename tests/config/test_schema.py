from pathlib import Path

import pytest

from rnnpipe.config.dump import dump_config
from rnnpipe.config.loader import load_config
from rnnpipe.errors import UserError
from rnnpipe.sources.vqa.easy_vqa import EasyVqa
from rnnpipe.tasks import find_schemas

CONFIGS = sorted((Path(__file__).resolve().parents[2] / "configs").rglob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=[path.stem for path in CONFIGS])
def test_every_shipped_config_survives_the_round_trip(path, tmp_path):
    config = load_config(path, find_schemas())
    (tmp_path / "again.yaml").write_text(dump_config(config))
    assert load_config(tmp_path / "again.yaml", find_schemas()) == config


@pytest.mark.parametrize("path", CONFIGS, ids=[path.stem for path in CONFIGS])
def test_shares_that_leave_nothing_to_train_on_are_refused(path):
    shares = "data.splits={validation: 0.6, test: %s}"
    message = (
        r"data\.splits.*: expected shares of less than 1 together, got 0\.6 and 0\.4; make them"
    )
    with pytest.raises(UserError, match=message):
        load_config(path, find_schemas(), [shares % 0.4])
    assert load_config(path, find_schemas(), [shares % 0.3]).data.splits.test == 0.3


def test_home_is_expanded_and_unknown_users_are_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = next(p for p in CONFIGS if p.stem == "easy_vqa")
    config = load_config(path, find_schemas(), ["data.source.path=~/raw"])
    assert isinstance(config.data.source, EasyVqa)
    assert config.data.source.path == tmp_path / "raw"
    with pytest.raises(UserError, match="of an unknown user; write it out"):
        load_config(path, find_schemas(), ["data.source.path=~no-such-user/raw"])
