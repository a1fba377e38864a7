import json
import pickle

from rnnpipe.metrics.scene_captions import caption_is_true
from rnnpipe.sources.generated.shapes_captions import ShapesCaptions
from rnnpipe.sources.images.decoding import read_image
from tests.sources.reading import ignore_progress


def test_images_are_generated_once_and_read(tmp_path, monkeypatch):
    settings = {"images": 12, "size": 32, "seed": 3}
    calls = []
    source = ShapesCaptions(path=tmp_path / "new", **settings)
    source.prepare(lambda done, total: calls.append((done, total)))
    assert calls[-1] == (12, 12)
    assert source.folder.name.startswith("shapes_captions-12-32px-seed3-")
    monkeypatch.setattr(ShapesCaptions, "write", None)
    source = pickle.loads(pickle.dumps(ShapesCaptions(path=tmp_path / "new", **settings)))
    source.prepare(ignore_progress)
    assert (source.kind, source.split_names, source.settings) == (
        "shapes_captions",
        {"train"},
        settings,
    )
    [partition] = source.partitions()
    references = list(source.read(partition))
    assert [reference.key for reference in references] == [f"train/{n}" for n in range(1, 13)]
    for reference in references:
        fields = reference.fields
        assert len(fields["captions"]) == 5
        assert all(caption_is_true(caption, fields["scene"]) for caption in fields["captions"])
        picture = read_image(fields["image"], 32, "stretch")
        for shape in json.loads(fields["scene"])["shapes"]:
            assert max(picture.getpixel((int(shape["x"] * 32), int(shape["y"] * 32)))) > 100
    assert len(list(source.raw_files())) == 1 + 12


def test_a_larger_data_set_begins_with_the_smaller_one(tmp_path):
    small, large = (ShapesCaptions(path=tmp_path, images=n, size=32, seed=3) for n in (10, 14))
    other = ShapesCaptions(path=tmp_path, images=10, size=32, seed=4)
    for source in (small, large, other):
        source.prepare(ignore_progress)
    fields = [
        [(r.fields["captions"], r.fields["scene"]) for r in source.read(source.partitions()[0])][
            :10
        ]
        for source in (small, large, other)
    ]
    assert fields[0] == fields[1] != fields[2]
