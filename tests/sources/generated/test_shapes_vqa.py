import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from rnnpipe.errors import UserError
from rnnpipe.sources.generated import shapes, shapes_vqa
from rnnpipe.sources.generated.shapes import write_shapes
from rnnpipe.sources.generated.shapes_vqa import Shapes
from rnnpipe.sources.images.decoding import read_image
from tests.sources.reading import ignore_progress

SETTINGS = {
    "images": 10,
    "size": 32,
    "seed": 3,
    "questions_per_image": 4,
    "disagreement": 0.1,
}


def ignore(done: int, total: int) -> None: ...


def forbidden(folder: Path, **settings) -> None:
    pytest.fail("drawn again")


def test_images_are_generated_once_and_read(tmp_path, monkeypatch):
    calls = []
    source = Shapes(path=tmp_path / "new" / "shapes", **SETTINGS)
    source.prepare(lambda done, total: calls.append((done, total)))
    assert calls[-1] == (10, 10)
    monkeypatch.setattr(shapes, "write_shapes", forbidden)
    source = pickle.loads(pickle.dumps(Shapes(path=tmp_path / "new" / "shapes", **SETTINGS)))
    source.prepare(ignore_progress)
    assert (source.kind, source.split_names, source.settings) == ("shapes", {"train"}, SETTINGS)
    [partition] = source.partitions()
    references = list(source.read(partition))
    assert len(references) == len({reference.key for reference in references}) == 40
    assert len({reference.group for reference in references}) == 10
    assert all(len(reference.fields["answers"]) == 10 for reference in references)
    assert read_image(references[0].fields["image"], 32, "stretch").size == (32, 32)
    assert len(list(source.raw_files())) == 2 + 10


@pytest.mark.parametrize("changed", [{"seed": 4}, {"images": 11}, {"disagreement": 0.2}])
def test_other_settings_have_a_folder_of_their_own(tmp_path, changed):
    first, second = (
        Shapes(path=tmp_path, **SETTINGS),
        Shapes(path=tmp_path, **{**SETTINGS, **changed}),
    )
    first.prepare(ignore_progress)
    before = {path: path.read_bytes() for path in first.raw_files()}
    second.prepare(ignore_progress)
    assert second.folder != first.folder
    assert {path: path.read_bytes() for path in first.raw_files()} == before


def test_other_code_has_a_folder_of_its_own(tmp_path, monkeypatch):
    before = Shapes(path=tmp_path, **SETTINGS).folder
    assert Shapes(path=tmp_path, **SETTINGS).folder == before
    assert before.name.startswith("shapes-10x4-32px-0.1-seed3-")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "scene.py").write_text("SIDES = 7\n")
    monkeypatch.setattr(shapes_vqa, "_CODE", tmp_path / "code")
    assert Shapes(path=tmp_path, **SETTINGS).folder != before


def test_another_process_was_faster(tmp_path, monkeypatch):
    def write_late(folder: Path, **settings) -> None:
        write_shapes(source.folder, **settings)
        write_shapes(folder, **settings)

    monkeypatch.setattr(shapes, "write_shapes", write_late)
    source = Shapes(path=tmp_path, **SETTINGS)
    source.prepare(ignore_progress)
    assert len(list(source.read(source.partitions()[0]))) == 40


def test_an_interrupted_run_leaves_nothing(tmp_path):
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Shapes(path=tmp_path, **SETTINGS).prepare(interrupt)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_run_publishes_nothing_and_blocks_nothing(tmp_path):
    program = (
        "import os, sys; from rnnpipe.sources.generated.shapes_vqa import Shapes\n"
        f"Shapes(path=sys.argv[1], **{SETTINGS}).prepare(lambda done, total: os._exit(9))"
    )
    killed = subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert killed.returncode == 9
    (left,) = tmp_path.iterdir()
    source = Shapes(path=tmp_path, **SETTINGS)
    assert left.name.startswith(f"{source.folder.name}.incomplete-")
    source.prepare(ignore_progress)
    assert list(tmp_path.iterdir()) == [source.folder]
    left.mkdir()  # of another process that was killed while this one wrote
    Shapes(path=tmp_path, **SETTINGS).prepare(ignore_progress)
    assert list(tmp_path.iterdir()) == [source.folder]


def error_of(path: Path) -> str:
    with pytest.raises(UserError) as fault:
        Shapes(path=path, **SETTINGS).prepare(ignore_progress)
    return str(fault.value)


def test_foreign_folders_are_not_touched(tmp_path):
    (tmp_path / "photos").mkdir()
    expected = (
        "{}: expected a place for shapes: a folder that is empty or not there yet, got {}; "
        "name another folder as data.source.path"
    )
    assert error_of(tmp_path) == expected.format(tmp_path, "a folder with other files (photos)")
    (tmp_path / "photos" / "file").touch()
    assert error_of(tmp_path / "photos" / "file") == expected.format(
        tmp_path / "photos" / "file", "a file"
    )
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "photos"]


def test_an_unwritable_target_is_reported():
    assert error_of(Path("/proc/shapes")).startswith(
        f"/proc/shapes/{Shapes(path='/proc/shapes', **SETTINGS).folder.name}: "
        "expected a folder that can be written, got "
    )
