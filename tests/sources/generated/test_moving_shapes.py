"""Generated videos of moving shapes."""

from rnnpipe.sources.generated.moving.routes import ROUTES, STEPS
from rnnpipe.sources.generated.moving_shapes import MovingShapes
from tests.sources.videos.reading import read_source


def test_moving_shapes_are_written_once_and_always_the_same(tmp_path):
    one, two = (MovingShapes(path=tmp_path / name, clips=3, size=16, seed=4) for name in "ab")
    found = [read_source(source) for source in (one, two)]
    assert [each.fields["segments"] for each in found[0]] == [
        each.fields["segments"] for each in found[1]
    ]
    for path in one.raw_files():
        assert path.read_bytes() == (two.folder / path.relative_to(one.folder)).read_bytes()
    for each in found[0]:
        assert each.fields["clip_label"] in ROUTES
        assert {label for _, _, label in each.fields["segments"]} <= STEPS.keys()
    more = MovingShapes(path=tmp_path / "a", clips=4, size=16, seed=4)
    assert read_source(more)[0].fields["segments"] == found[0][0].fields["segments"]
