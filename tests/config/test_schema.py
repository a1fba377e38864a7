from pathlib import Path

import pytest

from rnnpipe.config.dump import dump_config
from rnnpipe.config.loader import load_config
from rnnpipe.config.schema import SCHEMAS
from rnnpipe.errors import UserError

CONFIGS = sorted((Path(__file__).resolve().parents[2] / "configs").rglob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=[path.stem for path in CONFIGS])
def test_every_shipped_config_survives_the_round_trip(path, tmp_path):
    config = load_config(path, SCHEMAS)
    (tmp_path / "again.yaml").write_text(dump_config(config))
    assert load_config(tmp_path / "again.yaml", SCHEMAS) == config


def test_home_is_expanded_and_unknown_users_are_told(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = next(p for p in CONFIGS if p.stem == "easy_vqa")
    config = load_config(path, SCHEMAS, ["data.source.path=~/raw"])
    assert config.data.source.path == tmp_path / "raw"
    with pytest.raises(UserError, match="whose user is not known; write the folder out"):
        load_config(path, SCHEMAS, ["data.source.path=~no-such-user/raw"])
