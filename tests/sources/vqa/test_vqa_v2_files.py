from pathlib import Path

import pytest

from rnnpipe.errors import UserError
from rnnpipe.sources.vqa.vqa_v2_files import VqaFiles, find_splits, named_splits

GET_VQA = "get VQA v2.0 from https://visualqa.org/download.html, or correct data.source.path"
GET_IMAGES = (
    "get them from https://cocodataset.org/#download, or name their folder under data.source.files"
)


def name(questions, annotations, images):
    return VqaFiles(questions=Path(questions), annotations=Path(annotations), images=Path(images))


def found(folder: Path) -> list[tuple[str, ...]]:
    """Split, subtype, questions, annotations and images of each part."""
    return [
        (
            part.split,
            part.subtype,
            *(
                path.relative_to(
                    folder,
                ).as_posix()
                for path in (part.questions, part.annotations, part.images)
            ),
        )
        for part in find_splits(folder).splits
    ]


def error_of(folder: Path, files: dict[str, VqaFiles] | None = None) -> str:
    with pytest.raises(UserError) as fault:
        find_splits(folder) if files is None else named_splits(folder, files)
    return str(fault.value)


def test_official_file_names_are_read(tmp_path, write_split):
    write_split(tmp_path, "train2014")
    write_split(tmp_path, "val2014")
    write_split(tmp_path, "test2015", annotations="", images="")
    write_split(tmp_path, "test-dev2015", annotations="", images="")
    assert found(tmp_path) == [
        (
            "train",
            "train2014",
            "v2_OpenEnded_mscoco_train2014_questions.json",
            "v2_mscoco_train2014_annotations.json",
            "train2014",
        ),
        (
            "test",
            "val2014",
            "v2_OpenEnded_mscoco_val2014_questions.json",
            "v2_mscoco_val2014_annotations.json",
            "val2014",
        ),
    ]


def test_folders_as_in_the_official_code(tmp_path, write_split):
    write_split(
        tmp_path,
        questions="Questions/v2_OpenEnded_mscoco_{}_questions.json",
        annotations="Annotations/v2_mscoco_{}_annotations.json",
        images="Images/mscoco/{}/COCO_{}_{:012d}.jpg",
    )
    assert found(tmp_path) == [
        (
            "train",
            "train2014",
            "Questions/v2_OpenEnded_mscoco_train2014_questions.json",
            "Annotations/v2_mscoco_train2014_annotations.json",
            "Images/mscoco/train2014",
        )
    ]


def test_gzipped_files_of_plain_names_are_recognised(tmp_path, write_split):
    for name, subtype in (("train", "train2014"), ("val", "train2014"), ("test", "val2014")):
        write_split(
            tmp_path,
            subtype,
            questions=f"{name}_questions.json.gz",
            annotations=f"{name}_annotations.json.gz",
        )
    assert [part[:3] for part in found(tmp_path)] == [
        ("train", "train2014", "train_questions.json.gz"),
        ("validation", "train2014", "val_questions.json.gz"),
        ("test", "val2014", "test_questions.json.gz"),
    ]


def test_a_folder_for_each_part(tmp_path, write_split):
    # The images' numbers are the same in both parts: each has to find its own.
    for part in ("train", "val"):
        write_split(tmp_path / part, part, "questions.json", "annotations.json", "images/{2}.jpg")
    assert found(tmp_path) == [
        ("train", "train", "train/questions.json", "train/annotations.json", "train/images"),
        ("test", "val", "val/questions.json", "val/annotations.json", "val/images"),
    ]


def test_a_single_split_is_used_for_training(tmp_path, write_split):
    write_split(tmp_path, "val2014")
    assert [part[:2] for part in found(tmp_path)] == [("train", "val2014")]


def test_a_split_of_an_unknown_name_is_for_training(tmp_path, write_split):
    write_split(tmp_path, "medieval", "latest_questions.json", "latest_annotations.json")
    assert [part[:2] for part in found(tmp_path)] == [("train", "medieval")]


def test_packed_and_unpacked_files_are_one(tmp_path, write_split):
    write_split(tmp_path)
    write_split(
        tmp_path,
        questions="v2_OpenEnded_mscoco_{}_questions.json.gz",
        annotations="v2_mscoco_{}_annotations.json.gz",
    )
    assert [part[2] for part in found(tmp_path)] == ["v2_OpenEnded_mscoco_train2014_questions.json"]


@pytest.mark.parametrize(
    "images",
    [
        "{}/{1}_{2}.jpg",
        "images/{}/{1}_{2:012d}.png",
        "images/{2}.jpeg",
        "../{}/{2}.jpg",
        "../images/{}/{2}.jpg",
    ],
)
def test_images_are_read_from_every_usual_folder(tmp_path, write_split, images):
    folder = tmp_path / "vqa"
    write_split(folder, images=images.replace("{}", "{0}"))
    [part] = find_splits(folder).splits
    assert sorted(path.stem[-1] for path in part.images.iterdir()) == ["5", "9"]


def test_a_file_without_questions_is_refused(tmp_path):
    (tmp_path / "captions_train2014.json").touch()
    assert error_of(tmp_path) == (
        f"{tmp_path}: expected questions of VQA v2.0 (*questions*.json or .json.gz) here or "
        f"further down, got none; {GET_VQA}"
    )


def test_questions_without_answers(tmp_path, write_split):
    write_split(tmp_path / "a", annotations="")
    write_split(tmp_path, "val2014", annotations="v2_mscoco_train_annotations.json")
    assert error_of(tmp_path) == (
        f"{tmp_path}: expected the answers to its questions "
        "(e.g. v2_mscoco_train2014_annotations.json), got questions alone: "
        "a/v2_OpenEnded_mscoco_train2014_questions.json, "
        f"v2_OpenEnded_mscoco_val2014_questions.json; {GET_VQA}"
    )


def test_two_files_of_a_split_are_refused(tmp_path, write_split):
    write_split(tmp_path / "a")
    write_split(tmp_path / "b")
    assert error_of(tmp_path) == (
        f"{tmp_path}: expected one questions file for the split 'train', got "
        "a/v2_OpenEnded_mscoco_train2014_questions.json, "
        "b/v2_OpenEnded_mscoco_train2014_questions.json; say which under data.source.files"
    )


def test_questions_without_a_folder_of_images(tmp_path, write_split):
    write_split(tmp_path, images="")
    assert error_of(tmp_path) == (
        f"{tmp_path}: expected a folder train2014 with the images that "
        "v2_OpenEnded_mscoco_train2014_questions.json asks about, got none here or beside it; "
        f"{GET_IMAGES}"
    )


def test_a_folder_of_other_images_is_refused(tmp_path, write_split):
    write_split(tmp_path, images="")
    images = tmp_path / "train2014"
    images.mkdir()
    expected = (
        f"{images}: expected images that v2_OpenEnded_mscoco_train2014_questions.json asks about, "
        "e.g. 000000000009.jpg, got {}; " + GET_IMAGES
    )
    assert error_of(tmp_path) == expected.format("none")
    (images / "000000000001.jpg").touch()
    (images / "000000000002.jpg").touch()
    assert error_of(tmp_path) == expected.format("2 others")


def test_questions_about_nothing(tmp_path, write_split, write_json):
    write_split(tmp_path)
    questions = tmp_path / "v2_OpenEnded_mscoco_train2014_questions.json"
    for entries in ([], ["odd"], [{"question_id": 1, "image_id": None}], [{"image_id": [9]}]):
        write_json(questions, {"data_subtype": "train2014", "questions": entries})
        assert error_of(tmp_path) == (
            f"{questions}: expected questions with an 'image_id', got none; {GET_VQA}"
        )


def test_questions_whose_photos_are_not_here(shared_data):
    folder = shared_data / "vqa_v2_text"
    assert error_of(folder) == (
        f"{folder}: expected a folder train2014 with the images that train_questions.json.gz asks "
        f"about, got none here or beside it; {GET_IMAGES}"
    )


def test_named_files_are_read(tmp_path, write_split):
    write_split(tmp_path, "train2014", "q.json", "a.json", "photos/{2}.jpg")
    write_split(tmp_path, "val2014", "q2.json", "a2.json", "other/{2}.jpg")
    train = name("q.json", "a.json", tmp_path / "photos")
    layout = named_splits(tmp_path, {"test": name("q2.json", "a2.json", "other"), "train": train})
    assert [
        (part.split, part.subtype, part.questions.name, part.annotations.name, part.images.name)
        for part in layout.splits
    ] == [
        ("train", "train2014", "q.json", "a.json", "photos"),
        ("test", "val2014", "q2.json", "a2.json", "other"),
    ]


def test_mistakes_of_named_files_are_reported(tmp_path, write_split):
    write_split(tmp_path, "train2014", "q.json", "a.json", "photos/{2}.jpg")
    good = name("q.json", "a.json", "photos")
    correct = "correct data.source.files.train; it is relative to data.source.path"
    assert error_of(tmp_path, {"train": name("q", "a.json", "photos")}) == (
        f"{tmp_path / 'q'}: expected a file, got none there; {correct}"
    )
    assert error_of(tmp_path, {"train": name("q.json", "photos", "photos")}) == (
        f"{tmp_path / 'photos'}: expected a file, got none there; {correct}"
    )
    assert error_of(tmp_path, {"train": name("q.json", "a.json", "fotos")}) == (
        f"{tmp_path / 'fotos'}: expected images that q.json asks about, e.g. 000000000009.jpg, "
        f"got no such folder; {GET_IMAGES}"
    )
    splits = "files for 'train', and for 'validation' and 'test' where there are such"
    for files, got in (
        ({"val": good, "train": good}, "'val', 'train'"),
        ({"test": good}, "'test'"),
        ({}, "none"),
    ):
        assert error_of(tmp_path, files) == (
            f"data.source.files: expected {splits}, got {got}; name the files of each split"
        )
