from dataclasses import fields
from pathlib import Path

import pytest

from rnnpipe.setting_paths import make_paths_absolute
from rnnpipe.settings import FilePath, InnerPath, Settings, setting
from rnnpipe.tasks import find_schemas


class Files(Settings):
    images: InnerPath
    names: dict[str, InnerPath] = setting({})


class Raw(Settings):
    path: FilePath
    files: Files
    weights: FilePath | None = None


def test_paths_are_those_of_this_folder_but_for_inner_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = Files(images=Path("images"), names={"train": Path("a.txt")})
    raw = make_paths_absolute(Raw(path=Path("data"), files=files, weights=Path("w.keras")))
    assert (raw.path, raw.weights) == (tmp_path / "data", tmp_path / "w.keras")
    assert raw.files == files


@pytest.mark.parametrize("task", find_schemas())
def test_sources_whose_defaults_are_relative_keep_them(task):
    family = find_schemas()[task].__dataclass_fields__["data"].type.__dataclass_fields__["source"]
    for kind in family.type.kinds.load().values():
        for declared in fields(kind):
            if isinstance(declared.default, Path) and not declared.default.is_absolute():
                options = {f.name: Path("raw") for f in fields(kind) if f.name == "path"}
                made = kind(**options)
                assert getattr(make_paths_absolute(made), declared.name) == declared.default
