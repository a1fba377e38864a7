"""What lies in raw data and is not read, or is in none of its files: every source tells of it."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.audio.librispeech import LibriSpeech
from rnnpipe.sources.audio.table import UtteranceTable
from rnnpipe.sources.audio.text_files import TextFiles
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.captions.flickr8k import Flickr8k
from rnnpipe.sources.images.image_folders import ImageFolders
from rnnpipe.sources.source import Source
from rnnpipe.sources.streams.texts import TextStreams
from rnnpipe.sources.text.label_files import LabelFiles
from rnnpipe.sources.text.label_folders import LabelFolders
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.sources.text.table import ClassTable
from rnnpipe.sources.text.trec import Trec
from rnnpipe.sources.videos.grid import Grid
from rnnpipe.sources.videos.table import ClipTable
from rnnpipe.sources.vqa.easy_vqa import EasyVqa
from rnnpipe.sources.vqa.vqa_v2 import VqaV2
from tests.sources.reading import ignore_progress, read_all


def _put(path: Path, content: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def references(raw) -> list:
    return [each for each in raw if not isinstance(each, DeadLetter)]


def _coco(folder: Path, part: str, *names: str) -> None:
    images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
    captions = [{"image_id": number, "caption": part} for number in range(len(names))]
    content = json.dumps({"images": images, "annotations": captions})
    _put(folder / f"captions_{part}.json", content)
    for name in names:
        _put(folder / part / name)


def _vqa(folder: Path, part: str, *numbers: int) -> None:
    asked = [{"question_id": n, "image_id": n, "question": "What?"} for n in numbers]
    answered = [{"question_id": n, "answers": [{"answer": part}]} for n in numbers]
    for kind, entries in (("questions", asked), ("annotations", answered)):
        content = json.dumps({"data_subtype": part, kind: entries})
        _put(folder / f"{part}_{kind}.json", content)
    for number in numbers:
        _put(folder / part / f"{number}.jpg")


def _easy(folder: Path, part: str) -> None:
    _put(folder / part / "questions.json", json.dumps([["What?", part, 1]]))
    _put(folder / part / "images/1.png")


def _write_table(folder: Path) -> ClassTable:
    _put(folder / "train.csv", "text,label\na,x\nb,y\n")
    return ClassTable(path=folder)


def _write_trec(folder: Path) -> Trec:
    _put(folder / "train.label", "NUM:date When ?\n")
    return Trec(path=folder)


def _write_parallel(folder: Path) -> Parallel:
    for language in ("de", "en"):
        _put(folder / f"train.{language}", "eins\n")
    return Parallel(path=folder, source="de", target="en")


def _write_text_folders(folder: Path) -> LabelFolders:
    for label in "xy":
        _put(folder / f"train/{label}/1.txt", label)
    return LabelFolders(path=folder)


def _write_image_folders(folder: Path) -> ImageFolders:
    for label in "xy":
        _put(folder / f"train/{label}/1.jpg")
    return ImageFolders(path=folder)


def _write_stream(folder: Path) -> TextStreams:
    _put(folder / "train.txt", "to be\n")
    return TextStreams(path=folder)


def _write_flickr(folder: Path) -> Flickr8k:
    _put(folder / "x.token.txt", "1.jpg#0\tA dog.\n")
    _put(folder / "images/1.jpg")
    return Flickr8k(path=folder)


def _write_coco(folder: Path) -> CocoCaptions:
    _coco(folder, "train", "1.jpg")
    return CocoCaptions(path=folder)


def _write_vqa(folder: Path) -> VqaV2:
    _vqa(folder, "train", 1)
    return VqaV2(path=folder)


def _write_easy(folder: Path) -> EasyVqa:
    _easy(folder, "train")
    return EasyVqa(path=folder)


def _write_clips(folder: Path) -> ClipTable:
    _put(folder / "clips.csv", "clip,label\n1.mp4,x\n2.mp4,y\n")
    for name in ("1.mp4", "2.mp4"):
        _put(folder / name)
    return ClipTable(path=folder)


def _write_grid(folder: Path) -> Grid:
    _put(folder / "clips/s1/a.mpg")
    _put(folder / "align/s1/a.align", "0 5000 sil\n")
    return Grid(path=folder)


def _write_utterances(folder: Path) -> UtteranceTable:
    _put(folder / "utterances.csv", "file,text\n1.wav,x\n2.wav,y\n")
    for name in ("1.wav", "2.wav"):
        _put(folder / name)
    return UtteranceTable(path=folder)


def _write_librispeech(folder: Path) -> LibriSpeech:
    _put(folder / "train/1/2/1-2.trans.txt", "1-2-3 X\n")
    _put(folder / "train/1/2/1-2-3.flac")
    return LibriSpeech(path=folder)


def _write_text_files(folder: Path) -> TextFiles:
    for split in ("train", "test"):
        _put(folder / split / "1.wav")
        _put(folder / split / "1.txt", "x")
    return TextFiles(path=folder)


def notice_of(make, folder, name):
    """The one notice that a further file causes, which changes nothing of what is read."""
    before = read_all(make(folder))
    assert list(make(folder).notices) == []
    _put(folder / name)
    source = make(folder)
    assert read_all(source) == before
    (notice,) = source.notices
    return notice


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (_write_table, "test.csv.zip"),
        (_write_table, "Dev.xlsx"),
        (_write_trec, "TEST.csv"),
        (_write_parallel, "test.de.GZ"),
        (_write_parallel, "val.en.zip"),
        (_write_text_folders, "test.zip"),
        (_write_image_folders, "valid.tar"),
        (_write_stream, "test.txt.xz"),
        (_write_flickr, "Flickr_8k.test.txt"),
    ],
)
def test_a_file_that_is_called_after_a_split_and_cannot_be_read_is_told(tmp_path, make, name):
    assert f"data.source: {name} is not read; " in notice_of(make, tmp_path, name)


@pytest.mark.parametrize(
    ("make", "name", "told"),
    [
        (_write_coco, "train/2.jpg", "captions_train.json does not list 2.jpg, not read"),
        (_write_vqa, "train/2.jpg", "no question is about these of train: 2.jpg, not read"),
        (_write_easy, "train/images/2.png", "no question is about these of train: 2.png, not read"),
        (_write_flickr, "images/2.jpg", "x.token.txt does not name 2.jpg, not read"),
        (_write_clips, "more/3.mp4", "clips.csv does not name more/3.mp4, not read"),
        (_write_utterances, "more/3.wav", "utterances.csv does not name more/3.wav, not read"),
        (_write_librispeech, "more/1/2/1-2-4.flac", "more/ is not read; name what is to be read"),
        (_write_text_files, "more/3.wav", "more is not read; lay it into a folder called train"),
        (_write_grid, "align/s2/b.align", "s2/b.align is not read; there is no video of that name"),
        (_write_text_folders, "train/2.txt", "train/2.txt is not read; data lies in a folder of"),
        (_write_image_folders, "2.jpg", "2.jpg is not read; data lies in a folder of its label"),
    ],
)
def test_data_that_no_file_of_labels_tells_of_is_told(tmp_path, make, name, told):
    assert notice_of(make, tmp_path, name).startswith(f"data.source: {told}")


def test_images_in_a_folder_that_splits_share_are_those_of_all(tmp_path):
    for part, number in (("train", 1), ("val", 2)):
        _coco(tmp_path / "coco", part, f"{number}.jpg")
        _vqa(tmp_path / "vqa", part, number)
    for name in ("coco", "vqa"):
        (tmp_path / name / "val/2.jpg").rename(tmp_path / name / "train/2.jpg")
        (tmp_path / name / "val").rmdir()
        (tmp_path / name / "train").rename(tmp_path / name / "images")
    for source in (CocoCaptions(path=tmp_path / "coco"), VqaV2(path=tmp_path / "vqa")):
        assert len(references(read_all(source))) == 2
        assert list(source.notices) == []
    _put(tmp_path / "coco/images/3.jpg")
    (told,) = CocoCaptions(path=tmp_path / "coco").notices
    assert told == "data.source: captions_train.json does not list 3.jpg, not read"


def test_answers_to_what_nobody_asks(tmp_path):
    _vqa(tmp_path, "train", 1, 2)
    content = json.loads((tmp_path / "train_questions.json").read_text())
    content["questions"].pop()
    _put(tmp_path / "train_questions.json", json.dumps(content))
    (tmp_path / "train/2.jpg").unlink()
    (told,) = VqaV2(path=tmp_path).notices
    assert "1 annotations of train_annotations.json are of no question of" in told


def test_lists_of_images_without_captions_and_empty_ones(tmp_path):
    _write_flickr(tmp_path)
    _put(tmp_path / "trainingImages.txt", "1.jpg\n2.jpg\n")
    (told,) = Flickr8k(path=tmp_path).notices
    assert told == "data.source: x.token.txt has no captions of 2.jpg, not read"
    _put(tmp_path / "testImages.txt", " \n\n")
    with pytest.raises(UserError, match="the names of images, got an empty list"):
        Flickr8k(path=tmp_path).prepare(ignore_progress)


SOURCES = ("table", "trec", "parallel", "stream", "coco", "vqa", "easy", "folders")
TRAIN, VALIDATION, TEST = ("Train", "TRAIN"), ("dev", "Valid", "validation"), ("Test", "TEST")


@pytest.mark.parametrize("train", TRAIN)
@pytest.mark.parametrize("validation", VALIDATION)
@pytest.mark.parametrize("test", TEST)
@pytest.mark.parametrize("name", SOURCES)
def test_splits_in_whatever_words_and_letters(tmp_path, name, train, validation, test):
    for split in (train, validation, test):
        match name:
            case "table":
                _put(tmp_path / f"{split}.csv", f"text,label\n{split} a,x\n{split} b,y\n")
            case "trec":
                _put(tmp_path / f"{split}.label", f"NUM:date {split} ?\n")
            case "parallel":
                for language in ("de", "en"):
                    _put(tmp_path / f"{split}.{language}", f"{split}\n")
            case "stream":
                _put(tmp_path / f"{split}.txt", f"{split}\n")
            case "coco":
                _coco(tmp_path, split, "1.jpg")
            case "vqa":
                _vqa(tmp_path, split, 1)
            case "easy":
                _easy(tmp_path, split)
            case "folders":
                for label in "xy":
                    _put(tmp_path / f"{split}/{label}/1.txt", split)
    makers: dict[str, Callable[..., Source]] = {
        "table": ClassTable,
        "trec": Trec,
        "parallel": partial(Parallel, source="de", target="en"),
        "stream": TextStreams,
        "coco": CocoCaptions,
        "vqa": VqaV2,
        "easy": EasyVqa,
        "folders": LabelFolders,
    }
    found = {raw.split: f"{raw.key} {raw.fields}" for raw in read_all(makers[name](path=tmp_path))}
    assert found.keys() == {"train", "validation", "test"}
    for split, word in (("train", train), ("validation", validation), ("test", test)):
        assert word in found[split]


@pytest.mark.parametrize("parts", [("val", "test"), ("dev", "test")])
@pytest.mark.parametrize("put", [_coco, _vqa], ids=["coco", "vqa"])
def test_subsets_of_which_none_is_to_train_on(tmp_path, put, parts):
    for part in parts:
        put(tmp_path, part, *(["1.jpg"] if put is _coco else [1]))
    source = CocoCaptions(path=tmp_path) if put is _coco else VqaV2(path=tmp_path)
    with pytest.raises(UserError, match="expected a subset to train on, got val and test"):
        source.prepare(ignore_progress)


@pytest.mark.parametrize("name", ["README.txt", "License.txt", "COPYING.txt"])
def test_documentation_is_no_text_of_any_source(tmp_path, name):
    folders = _write_text_folders(tmp_path / "folders")
    stream = _write_stream(tmp_path / "stream")
    before = [read_all(folders), read_all(stream)]
    _put(tmp_path / f"folders/train/x/{name}", "About these texts.")
    _put(tmp_path / f"stream/{name}", "About this text.")
    sources = [LabelFolders(path=tmp_path / "folders"), TextStreams(path=tmp_path / "stream")]
    assert [read_all(source) for source in sources] == before
    assert all(name in " ".join(source.notices) for source in sources)
    stem = name.partition(".")[0]
    for language in ("de", "en"):
        _put(tmp_path / f"parallel/corpus.{language}", "eins\n")
        _put(tmp_path / f"parallel/{stem}.{language}", "About.\n")
    (pair,) = read_all(Parallel(path=tmp_path / "parallel", source="de", target="en"))
    assert pair.key == "corpus:1"
    for file in ("rt.pos", "rt.neg", "rt.pdf", f"{stem}.pos", f"{stem}.neg"):
        _put(tmp_path / "files" / file, "text\n")
    labelled = read_all(LabelFiles(path=tmp_path / "files"))
    assert {raw.fields["label"] for raw in labelled} == {"neg", "pos"}


@pytest.mark.parametrize(
    "name", ["#recycle", "@Recycle", "$RECYCLE.BIN", "lost+found", "System Volume Information"]
)
def test_bins_of_disks_are_no_classes(tmp_path, name):
    source = _write_image_folders(tmp_path)
    before = read_all(source)
    (tmp_path / f"train/{name}").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / f"train/{name}/1.jpg")
    assert read_all(ImageFolders(path=tmp_path)) == before
