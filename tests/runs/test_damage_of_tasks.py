"""Every file of the records and the runs of other tasks than text classification, damaged.

The files are those that manifests and seals declare, so that a kind of records with another file is
covered as it is. What is damaged is refused before a model is loaded, so that a cell costs little.
"""

import io
import json
import re
import shutil

import pytest
from PIL import Image

import rnnpipe
from rnnpipe import cli
from rnnpipe.errors import UserError
from rnnpipe.records.codec import decode_example, encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import STATS, is_shard
from rnnpipe.records.manifest import MANIFEST, Manifest
from rnnpipe.records.tfrecord import read_tfrecord, write_tfrecord
from rnnpipe.records.verify import verify_records
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.sources.images.decoding import decode_jpeg
from rnnpipe.storage.seal import SEAL, Seal

TASKS = ("translation", "captioning", "video_labeling")


def flip(raw):
    middle = len(raw) // 2
    return raw[:middle] + bytes(byte ^ 1 for byte in raw[middle : middle + 1]) + raw[middle + 1 :]


DAMAGES = {
    "cut": lambda raw: raw[: len(raw) // 2],
    "flipped": flip,
    "lengthened": lambda raw: raw + b"\0",
    "reversed": lambda raw: raw[::-1],
    "something else": lambda raw: b'{"a": 1}',
    "missing": lambda raw: None,
}


@pytest.fixture(scope="module", params=TASKS)
def place(request, make_pair, tmp_path_factory):
    """A run and its records, in folders of their own; the records are those of the run."""
    pair = make_pair(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copytree(pair.records.path, folder / "whole records")
    shutil.copytree(pair.own.path, folder / "whole run")
    (folder / "records").symlink_to("whole records")
    run = RunDirectory(folder / "whole run")
    text = run.config.read_text().replace(str(pair.records.path), str(folder / "records"))
    run.config.write_text(text)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def damaged(place):
    """Copies whole folders for each damage, and has the records' place lead to the copy."""

    def make(name, path, change):
        copy = place / f"damaged {name}"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(place / f"whole {name}", copy)
        raw = (copy / path).read_bytes()
        changed = change(raw)
        if changed is None:
            (copy / path).unlink()
        elif changed == raw:  # such as an empty list of dead letters that is cut
            return None
        else:
            (copy / path).write_bytes(changed)
        if name == "records":
            (place / "records").unlink()
            (place / "records").symlink_to(copy)
        return copy

    yield make
    (place / "records").unlink()
    (place / "records").symlink_to("whole records")


def files_of_records(place):
    return [MANIFEST, *Manifest.read(place / "whole records").files]


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damaged_file_of_records_is_refused(damage, place, damaged, capsys):
    tried = 0
    for name in files_of_records(place):
        if damaged("records", name, DAMAGES[damage]) is None:
            continue
        tried += 1
        verbs = (["inspect", place / "records", "--check"], ["evaluate", place / "whole run"])
        for verb in verbs:
            capsys.readouterr()
            assert cli.main([str(word) for word in verb]) == 2, (verb, name)
            error = capsys.readouterr().err
            assert "Traceback" not in error
            assert str(place / "records") in error
            assert name in error or name == MANIFEST, error
            assert "`rnnpipe build`" in error
    assert tried >= len(files_of_records(place)) - 1


def verify(copy):
    """The message of an error of ours; empty where there is none."""
    try:
        verify_records(RecordsDirectory.open(copy), decode_jpeg)
    except UserError as error:
        return str(error)
    return ""


def test_each_file_of_records_may_be_forged(place, damaged):
    """Files of other contents with a manifest that says so: an error of ours, or a value."""
    forgeries = (b"", b"{}", b"[]", b"null", b'{"kind": []}', b"[" * 5000, b"\xff", b'"\\ud800"')
    for name in files_of_records(place):
        for forgery in forgeries:
            copy = damaged("records", name, lambda raw, forgery=forgery: forgery)
            if copy is None:
                continue
            if name != MANIFEST:
                (copy / MANIFEST).unlink()
                Manifest.of(copy).write(copy)
            message = verify(copy)
            assert str(copy) in message or not (name in (MANIFEST, STATS) or is_shard(name))


def draw_image(side):
    file = io.BytesIO()
    Image.new("RGB", (side, side)).save(file, "JPEG")
    return file.getvalue()


BAD_IMAGES = {"no image": b"no image", "another size": draw_image(9)}


def forge(raw, spec, bad_image):
    """Makes the last record of a file one that holds what none may hold; returns the field."""
    *others, last = list(read_tfrecord(raw))
    record = decode_example(spec, last)
    jpegs = [name for name, field in spec.fields.items() if field.kind == "jpeg"]
    name = jpegs[0] if jpegs else "target_tokens"
    bad = BAD_IMAGES[bad_image] if jpegs else 10**6
    if not spec.fields[name].sequence:
        record[name] = bad
    elif bad_image == "another size":  # all of them, which are equal among each other
        record[name] = [bad] * len(record[name])
    else:
        record[name] = [bad, *record[name][1:]]
    write_tfrecord(raw, [*others, encode_example(spec, record)])
    return name, len(others) + 1


def stop_training(place):
    """The folder of a run that has no model yet."""
    stopped = RunDirectory(place / "stopped run")
    shutil.rmtree(stopped.path, ignore_errors=True)
    shutil.copytree(place / "whole run", stopped.path)
    stopped.seal.remove(stopped.model)
    return stopped.path


def command_of(verb, place):
    """The arguments of a verb that reads all records of a split."""
    run, new = place / "whole run", place / "new runs"
    return {
        "evaluate": ["evaluate", run],
        "train": ["train", run / "config.yaml", "--runs-dir", new, *OPTIONS],
        "resume": ["resume", stop_training(place)],
        "export": ["export", run, "--format", "saved_model", "--output", place / "export"],
        "inspect": ["inspect", place / "records", "--check"],
    }[verb]


OPTIONS = ["--set", "train.optimizer.schedule={kind: constant}", "--set", "train.batch_size=1"]
SPLITS = {
    "evaluate": "test",
    "train": "train",
    "resume": "train",
    "export": "test",
    "inspect": "validation",
}


@pytest.mark.parametrize("bad_image", BAD_IMAGES)
@pytest.mark.parametrize("verb", SPLITS)
def test_a_record_that_cannot_be_used_is_one_message_that_names_it(
    verb, bad_image, place, damaged, capsys
):
    """Its checksum, and that of its file, are right. Trainings read it in a batch of its own."""
    if bad_image == "another size" and place.name.startswith("translation"):
        pytest.skip("records without images")
    split = SPLITS[verb]
    shard = next(name for name in files_of_records(place) if f"-{split}.tfrecord" in name)
    copy = damaged("records", shard, lambda raw: b"")
    shutil.copy(place / "whole records" / shard, copy / shard)
    spec = RecordsDirectory.open(place / "whole records").spec
    name, number = forge(copy / shard, spec, bad_image)
    stats = json.loads((copy / STATS).read_text())
    sizes = sum(path.stat().st_size for path in copy.glob(f"*-{split}.tfrecord*"))
    stats["splits"][split]["num_bytes"] = sizes
    (copy / STATS).write_text(json.dumps(stats))
    (copy / MANIFEST).unlink()
    Manifest.of(copy).write(copy)
    assert cli.main([str(word) for word in command_of(verb, place)]) == 2
    assert not (place / "export").exists()
    error = capsys.readouterr().err
    assert "Traceback" not in error
    (line,) = [line for line in error.splitlines() if "expected" in line]
    assert f"{shard}, record {number}: expected " in line
    assert name in line
    assert "`rnnpipe build`" in line


READ = {
    "predict": lambda run: [run.seal.path, run.model, *sorted(run.vocabulary.rglob("*.*"))],
    "evaluate": lambda run: [run.seal.path, run.environment, run.history, run.model],
}
USE = {
    "predict": lambda run: rnnpipe.load(run).predictor,
    "evaluate": lambda run: rnnpipe.load(run).evaluate(verbose=False),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("verb", READ)
def test_each_damaged_file_of_a_run_is_refused(verb, damage, place, damaged):
    whole = RunDirectory(place / "whole run")
    names = [path.relative_to(whole.path) for path in READ[verb](whole)]
    for name in names:
        copy = damaged("run", name, DAMAGES[damage])
        before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
        with pytest.raises(UserError) as fault:
            USE[verb](copy)
        assert re.match(rf"{re.escape(str(copy / name))}: expected .*, got .*; ", str(fault.value))
        assert len(str(fault.value).splitlines()) == 1
        assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before


def test_all_files_of_a_run_are_read_by_one_of_the_verbs(place):
    """So that a new file is damaged above too; the config has tests of its own."""
    run = RunDirectory(place / "whole run")
    read = {path.relative_to(run.path).as_posix() for paths in READ.values() for path in paths(run)}
    sealed = {path.relative_to(run.path).as_posix() for path in run.seal.find("*")}
    assert sealed | {SEAL} == read | {"config.yaml"}


def test_each_file_of_a_vocabulary_may_be_forged(place, damaged):
    """Files of other contents that are sealed: an error of ours, whatever they hold."""
    whole = RunDirectory(place / "whole run")
    for path in sorted(whole.vocabulary.rglob("*.*")):
        name = path.relative_to(whole.path)
        for forgery in (b"{}", b"[1]", b"[" * 5000, b"\xff"):
            copy = damaged("run", name, lambda raw, forgery=forgery: forgery)
            Seal(copy).add(copy / name)
            with pytest.raises(UserError) as fault:
                USE["predict"](copy)
            assert str(copy / "vocabulary") in str(fault.value) or "tokenizer" in str(fault.value)
