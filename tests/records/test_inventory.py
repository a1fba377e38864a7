"""Files are compared with their manifest, each of them once until it changes."""

import os

import pytest

from rnnpipe.records import inventory as inventory_module
from rnnpipe.records.inventory import DamagedRecords, Inventory
from rnnpipe.records.manifest import Manifest, StoredFile


@pytest.fixture
def folder(tmp_path):
    for number in range(8):
        (tmp_path / f"file{number}").write_text(f"content {number}")
    return tmp_path


def inventory_of(folder):
    return Inventory(folder, Manifest.of(folder).files)


@pytest.fixture
def reads(monkeypatch):
    """The names of the files that are read in full from now on."""
    names, plain = [], StoredFile.of

    def read(path):
        names.append(path.name)
        return plain(path)

    monkeypatch.setattr(StoredFile, "of", staticmethod(read))
    return names


def test_a_file_is_read_once_until_it_is_written(folder, reads, monkeypatch):
    monkeypatch.setattr(inventory_module, "_STEADY_NS", -(10**18))
    inventory = inventory_of(folder)
    files = sorted(inventory.files)
    reads.clear()
    for other in (
        inventory,
        inventory,
        Inventory(folder, inventory.files),
    ):  # in another process too
        other.check(files)
    assert sorted(reads) == files
    status = (folder / "file3").stat()
    (folder / "file3").write_text("CONTENT 3")
    os.utime(folder / "file3", ns=(status.st_atime_ns, status.st_mtime_ns))
    for other in (inventory, Inventory(folder, inventory.files)):
        with pytest.raises(DamagedRecords, match="file3: expected 9 bytes with the checksum"):
            other.check(files)
    assert sorted(reads) == sorted([*files, "file3", "file3"])
    assert inventory.find_fault("file3", in_full=False) is None


def test_what_was_written_just_now_is_read_again(folder, reads):
    inventory = inventory_of(folder)
    reads.clear()
    for _ in range(2):
        inventory.check(["file1"])
    assert reads == ["file1", "file1"]


def test_what_is_remembered_holds_for_its_manifest_alone(folder, monkeypatch):
    monkeypatch.setattr(inventory_module, "_STEADY_NS", -(10**18))
    first = inventory_of(folder)
    first.check(first.files)
    other = Inventory(folder, {**first.files, "file1": first.files["file2"]})
    with pytest.raises(DamagedRecords, match="file1: "):
        other.check(other.files)


@pytest.mark.parametrize("memory", ["", "{", "[]", '{"file0": 3, "file1": null}'])
def test_a_damaged_memory_is_written_anew(folder, reads, memory, monkeypatch):
    monkeypatch.setattr(inventory_module, "_STEADY_NS", -(10**18))
    inventory = inventory_of(folder)
    inventory._memory.parent.mkdir(parents=True, exist_ok=True)
    inventory._memory.write_text(memory)
    reads.clear()
    for _ in range(2):
        Inventory(folder, inventory.files).check(inventory.files)
    assert sorted(reads) == sorted(inventory.files)


def test_a_memory_that_cannot_be_written_costs_a_reading(folder, reads, monkeypatch):
    monkeypatch.setattr(inventory_module, "_STEADY_NS", -(10**18))
    inventory = inventory_of(folder)
    inventory._memory.parent.parent.mkdir(parents=True, exist_ok=True)
    inventory._memory.parent.write_text("in the way")
    reads.clear()
    for _ in range(2):
        Inventory(folder, inventory.files).check(["file1"])
    assert reads == ["file1", "file1"]


def test_files_are_counted_where_one_of_them_is_read(folder, monkeypatch):
    monkeypatch.setattr(inventory_module, "_STEADY_NS", -(10**18))
    files = inventory_of(folder).files
    (folder / "file3").unlink()
    calls: list[tuple[int, int]] = []

    def count(done, total):
        calls.append((done, total))

    for in_full in (False, True, True):
        Inventory(folder, files).find_faults(["file0", "file3"], in_full=in_full, progress=count)
        assert calls == ([(1, 2), (2, 2)] if in_full else [])


def test_many_faults_are_summed_up(folder):
    inventory = inventory_of(folder)
    for path in folder.glob("file*"):
        path.unlink()
    with pytest.raises(DamagedRecords) as fault:
        inventory.check(sorted(inventory.files))
    lines = str(fault.value).splitlines()
    assert [line.partition(":")[0] for line in lines[:4]] == [
        str(folder / f"file{number}") for number in range(4)
    ]
    fix = "build the records again with `rnnpipe build`"
    rest = f"{folder}: expected files as they were built, got 4 more that are not; {fix}"
    assert lines[4:] == [rest]
