"""The shipped configs are found by name."""

from pathlib import Path

import pytest

from rnnpipe import cli, shipped
from rnnpipe.config.loader import load_config
from rnnpipe.errors import UserError
from rnnpipe.tasks import find_schemas

CONFIGS = Path(__file__).parents[1] / "configs"


def test_the_package_ships_the_configs_of_the_repository():
    here = {
        path.relative_to(CONFIGS).with_suffix("").as_posix() for path in CONFIGS.rglob("*.yaml")
    }
    assert set(shipped.list_configs()) == here


def test_a_file_takes_precedence_over_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shipped.find_config(Path("vqa")).samefile(CONFIGS / "vqa.yaml")
    assert shipped.find_config(Path("real/easy_vqa")).samefile(CONFIGS / "real" / "easy_vqa.yaml")
    Path("vqa").mkdir()  # a folder is no config
    assert shipped.find_config(Path("vqa")).samefile(CONFIGS / "vqa.yaml")
    Path("translation").write_text("task: translation\n")
    assert shipped.find_config(Path("translation")) == Path("translation")


def test_an_unknown_name_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        shipped.find_config(Path("vqaa"))
    assert str(caught.value) == (
        "vqaa: expected a YAML file or the name of a shipped config, got neither; did you mean vqa?"
    )
    assert shipped.find_config(Path("missing.yaml")) == Path("missing.yaml")


def test_init_prints_a_config_as_it_is_shipped(tmp_path, capsys):
    assert cli.main(["init", "real/trec"]) == 0
    mine = tmp_path / "mine.yaml"
    mine.write_text(capsys.readouterr().out)
    assert mine.read_bytes() == (CONFIGS / "real" / "trec.yaml").read_bytes()
    options = [f"data.source.path={tmp_path}"]
    assert load_config(mine, find_schemas(), options).train.epochs > 0


def test_init_lists_every_config_on_a_line(capsys):
    assert cli.main(["init"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == shipped.list_configs()
    assert lines[0].split(maxsplit=1)[1] == shipped.summarize_config(shipped.list_configs()[0])
    assert all(len(line.split(maxsplit=1)[1]) > 5 for line in lines)


def test_init_refuses_an_unknown_name(capsys):
    assert cli.main(["init", "real/trek"]) == 2
    assert capsys.readouterr().err == (
        "rnnpipe: rnnpipe init real/trek: expected the name of a shipped config, got none; "
        "did you mean real/trec?\n"
    )
