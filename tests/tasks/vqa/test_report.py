from rnnpipe.tasks.vqa.report import _spread


def row(kind, image):
    return {"question_type": kind, "image_id": image}


def test_samples_are_of_every_kind_and_each_image_is_shown_once():
    rows = [row("a", 1), row("a", 2), row("b", 1), row("b", 3), row("a", 3), row("c", 1)]
    assert _spread(range(6), rows) == [0, 3, 1]


def test_no_more_samples_are_shown_than_fit():
    rows = [row(kind, image) for image in range(30) for kind in "abc"]
    chosen = _spread(range(90), rows)
    assert len(chosen) == 10
    assert [rows[i]["question_type"] for i in chosen[:3]] == ["a", "b", "c"]
