import pytest

from rnnpipe.storage.store_path import StorePath
from rnnpipe.transforms.passes.scratch import remove_scratch, scratch_folder, write_lines


@pytest.fixture(params=["disk", "store"])
def folder(request, tmp_path):
    return tmp_path if request.param == "disk" else StorePath(f"memory://{tmp_path.name}")


def test_lines_appear_as_a_whole_or_not_at_all(folder):
    def cut_short():
        yield "one"
        assert not list(scratch_folder(folder, "counts").iterdir())
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_lines(folder, "counts", "1", cut_short())
    assert not list(scratch_folder(folder, "counts").iterdir())
    write_lines(folder, "counts", "1", ["one", "two"])
    (path,) = scratch_folder(folder, "counts").iterdir()
    assert path.read_text() == "one\ntwo\n"
    remove_scratch(folder)
    assert not list(folder.iterdir())


def test_a_folder_that_was_removed_is_not_created_again(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_lines(tmp_path / "gone", "counts", "1", ["one"])
    assert not (tmp_path / "gone").exists()
