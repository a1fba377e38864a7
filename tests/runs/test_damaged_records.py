"""Every file of a records directory, damaged in every way, before every verb."""

import json
import shutil

import pytest
import tensorflow as tf

import rnnpipe
from rnnpipe.errors import UserError
from rnnpipe.inputs.batches import make_batches
from rnnpipe.records import inventory
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.inventory import DamagedRecords
from rnnpipe.records.manifest import MANIFEST, Manifest
from rnnpipe.records.publication import publishing
from rnnpipe.records.tfrecord import read_tfrecord, write_tfrecord
from rnnpipe.runs.callbacks import TrainingProgress
from rnnpipe.runs.console import make_console
from rnnpipe.runs.holding import RecordsCheck, holding_records
from rnnpipe.storage.leftovers import unfinished_folder
from rnnpipe.transforms.build import Build
from tests.runs.handmade import make_run
from tests.runs.trainings import CONFIGS, call, the_run_in

MODEL = ["model.embedding.size=4", "model.recurrence.cell.units=3"]
SHARDS = [f"text_class-{split}.tfrecord-00000-of-00001" for split in ("train", "validation")]
FILES = [
    *(*SHARDS, MANIFEST, "dataset_info.json", "features.json", "fingerprint.json", "stats.json"),
    *("dead_letters-00000.jsonl", "labels.json", "tokenizer.json"),
]


def flip(raw):
    changed = bytearray(raw)
    changed[len(raw) // 2] ^= 1
    return bytes(changed)


DAMAGES = {
    "cut": lambda raw, other: raw[:-1],
    "flipped": lambda raw, other: flip(raw),
    "emptied": lambda raw, other: b"",
    "swapped": lambda raw, other: other,
    "reversed": lambda raw, other: raw[::-1],
    "lengthened": lambda raw, other: raw + b"\0",
    "missing": lambda raw, other: None,
}


def settings(folder, sentences=120):
    options = [f"data.directory={folder / 'records'}", f"data.source.sentences={sentences}"]
    return [*options, "train.epochs=2", "train.batch_size=16", *MODEL]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with records, a copy of them, other records, a finished run and an interrupted one.

    The cache is that of the module, so that raw data is written once.
    """
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        rnnpipe.build("sentiment", settings(folder, sentences=100), verbose=False)
        (folder / "records").rename(folder / "others")
        config = rnnpipe.load_config("sentiment", settings(folder))
        records = rnnpipe.build(config, verbose=False)
        shutil.copytree(folder / "records", folder / "whole")
        make_run(folder / "runs" / "trained", config, records, seed=1)
        shutil.copytree(folder / "runs" / "trained", folder / "runs" / "interrupted")
        (folder / "runs" / "interrupted" / "model.keras").unlink()
        yield folder


@pytest.fixture
def records(place):
    """The records directory, which is whole again before each test."""
    shutil.rmtree(place / "records", ignore_errors=True)
    return shutil.copytree(place / "whole", place / "records")


def damage(place, name, kind):
    """Damages a file of the records; returns whether it is another file now."""
    path, other = place / "records" / name, place / "others" / name
    raw = path.read_bytes()
    if kind == "missing":
        path.unlink()
        return True
    changed = DAMAGES[kind](raw, other.read_bytes()) if raw or kind == "lengthened" else raw
    path.write_bytes(changed)
    return changed != raw


@pytest.fixture
def without_beam(place, monkeypatch):
    """Builds publish a copy of the whole records, but are builds in all else."""

    def run(self, directory, *, runner, progress):
        with publishing(directory) as staging:
            for path in (place / "whole").iterdir():
                if path.name != MANIFEST:
                    shutil.copy(path, staging.local)
        return RecordsDirectory.open(directory)

    monkeypatch.setattr(Build, "run", run)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_is_an_error_of_every_verb_and_a_build_mends_it(
    place, records, name, kind, capsys, without_beam
):
    if not damage(place, name, kind):  # such as an empty list of dead letters that is cut
        assert call("inspect", place / "records", "--check") == 0
        return
    options = [part for option in settings(place) for part in ("--set", option)]
    train = ["train", CONFIGS / "sentiment.yaml", *options, "--runs", place / "new"]
    for verb in (
        train,
        ["evaluate", place / "runs" / "trained"],
        ["resume", place / "runs" / "interrupted"],
        ["inspect", place / "records", "--check"],
    ):
        capsys.readouterr()
        assert call(*verb) == 2, verb
        told = capsys.readouterr().err
        assert "Traceback" not in told
        assert str(place / "records") in told
        assert "`rnnpipe build`" in told
        assert name in told or name == MANIFEST  # whose numbers may be wrong of any file
    assert not (place / "new").exists()
    assert call("build", CONFIGS / "sentiment.yaml", *options) == 0
    out = capsys.readouterr().out
    assert f"Note: {place / 'records'}" in out
    assert f"Built records in {place / 'records'}" in out
    assert Manifest.of(place / "records").files == Manifest.read(place / "whole").files
    assert call("build", CONFIGS / "sentiment.yaml", *options) == 0
    assert f"Reusing records in {place / 'records'}" in capsys.readouterr().out
    assert call("inspect", place / "records", "--check") == 0


@pytest.mark.parametrize("kind", ["flipped", "missing"])
def test_an_export_is_checked_with_made_up_inputs_and_says_why(
    place, records, kind, tmp_path, capsys
):
    damage(place, SHARDS[1], kind)
    output = tmp_path / "export"
    run = place / "runs" / "trained"
    assert call("export", run, "--format", "saved_model", "--output", output) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert f"checked with made-up inputs: {records}" in out
    assert SHARDS[1] in out
    check = json.loads((output / "export.json").read_text())["check"]
    assert check["rows"] == check["made_up_rows"] > 0
    assert f"{check['rows']} rows ({check['rows']} of them made up) as the run answers them" in out
    card = (output / "README.md").read_text()
    assert "Made-up inputs of random tokens and pixels went through the run" in card
    assert "The records were gone or damaged" in card


def test_a_damaged_shard_is_built_again_for_good(place, records, capsys):
    damage(place, SHARDS[0], "flipped")
    config = rnnpipe.load_config("sentiment", settings(place))
    rnnpipe.build(config, verbose=False)
    assert Manifest.of(place / "records") == Manifest.read(place / "whole")


def test_a_file_that_no_data_set_has_is_not_read_and_not_removed(place, records, without_beam):
    extra = records / "text_class-train.tfrecord-00001-of-00002"
    shutil.copy(records / SHARDS[1], extra)
    config = rnnpipe.load_config("sentiment", settings(place))
    rnnpipe.build(config, verbose=False)  # they are reused
    damage(place, "stats.json", "cut")
    with pytest.raises(UserError, match=rf"other things in it \({extra.name}\), which would"):
        rnnpipe.build(config, verbose=False)
    assert extra.exists()


def test_any_build_removes_what_killed_ones_left_beside_its_records(place, records):
    for name in ("records", "gone", "replaced"):
        left = place / f"{name}.incomplete-0123abcd"
        left.mkdir()
        (left / ".lock").write_text("a container that is gone-1")
    shutil.copytree(place / "whole", left / "replaced-replaced")
    with unfinished_folder(place, "other") as running:
        rnnpipe.build("sentiment", settings(place), verbose=False)  # they are reused
        names = {path.name for path in place.iterdir()}
    assert {name for name in names if "incomplete" in name} == {running.name}
    assert RecordsDirectory.open(place / "replaced").splits
    shutil.rmtree(place / "replaced")


def batches_of(records):
    return make_batches(records, "train", fields=["label"], batch_size=4)


@pytest.mark.parametrize(
    ("kind", "lost"), [("flipped", False), ("flipped", True), ("cut", False), ("missing", False)]
)
def test_what_tensorflow_cannot_read_is_one_message_with_the_file(
    place, records, kind, lost, monkeypatch
):
    opened = RecordsDirectory.open(records)

    def read():
        with holding_records(opened, make_console(quiet=True)):
            damage(place, SHARDS[0], kind)
            for _ in batches_of(opened):
                pass

    if lost:  # a disk that loses what is on it does not change the times of the file
        monkeypatch.setattr(inventory, "_STEADY_NS", -(10**18))
        monkeypatch.setattr(inventory, "_identify", lambda status: (status.st_ino,))
    with pytest.raises(DamagedRecords, match=rf"{SHARDS[0]}: expected ") as fault:
        read()
    assert len(str(fault.value).splitlines()) == 1
    assert isinstance(fault.value.__cause__, tf.errors.OpError)


def test_records_that_were_never_right_are_named(place, records):
    """Their checksums and their manifest are right."""
    path = records / SHARDS[0]
    write_tfrecord(path, [b"junk", *list(read_tfrecord(path))[1:]])
    (records / MANIFEST).unlink()
    Manifest.of(records).write(records)
    opened = RecordsDirectory.open(records)

    def read():
        with holding_records(opened, make_console(quiet=True)):
            for _ in batches_of(opened):
                pass

    with pytest.raises(UserError, match=rf"{SHARDS[0]}, record 1: expected a record of the kind"):
        read()


def test_errors_of_others_stay_as_they_are(records):
    opened = RecordsDirectory.open(records)
    with pytest.raises(ZeroDivisionError), holding_records(opened, make_console(quiet=True)):
        raise ZeroDivisionError


@pytest.mark.parametrize("moment", ["on_epoch_begin", "on_epoch_end"])
def test_an_epoch_of_other_records_does_not_count(place, records, moment):
    opened = RecordsDirectory.open(records)
    check = getattr(RecordsCheck(opened), moment)
    check(0)
    shutil.rmtree(records)
    shutil.copytree(place / "others", records)
    with pytest.raises(DamagedRecords, match="expected "):
        check(1)


def test_a_training_keeps_the_records_that_it_began_with(place, records, monkeypatch, capsys):
    """A build of other records into their directory is refused, until the training has ended."""
    before, refusals = Manifest.read(records), []
    end = TrainingProgress.on_epoch_end

    def build_meanwhile(self, epoch, logs=None):
        end(self, epoch, logs)
        with pytest.raises(UserError, match="records that no other process works on") as refusal:
            rnnpipe.build("sentiment", settings(place, sentences=100), verbose=False)
        refusals.append(str(refusal.value))

    monkeypatch.setattr(TrainingProgress, "on_epoch_end", build_meanwhile)
    options = [part for option in settings(place) for part in ("--set", option)]
    assert call("run", CONFIGS / "sentiment.yaml", *options, "--runs", place / "both") == 0
    assert len(refusals) == 2
    assert Manifest.read(records) == before
    run = rnnpipe.load(the_run_in(place / "both"))
    assert run.metrics
    rnnpipe.build("sentiment", settings(place, sentences=100), verbose=False)
    assert Manifest.read(records) == Manifest.read(place / "others")
    with pytest.raises(UserError, match="expected the records of this config, got stale ones"):
        run.evaluate(verbose=False)


def test_a_training_ends_when_something_else_replaces_its_records(
    place, records, monkeypatch, capsys
):
    end = TrainingProgress.on_epoch_end

    def replace(self, epoch, logs=None):
        end(self, epoch, logs)
        shutil.rmtree(records)
        shutil.copytree(place / "others", records)

    monkeypatch.setattr(TrainingProgress, "on_epoch_end", replace)
    options = [part for option in settings(place) for part in ("--set", option)]
    train = ["train", CONFIGS / "sentiment.yaml", *options, "--runs", place / "replaced"]
    assert call(*train) == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert f"{records}/" in told
    run = the_run_in(place / "replaced")
    assert not (run / "model.keras").exists()
    shutil.rmtree(records)
    shutil.copytree(place / "whole", records)
    monkeypatch.setattr(TrainingProgress, "on_epoch_end", end)
    assert call("resume", run) == 0
