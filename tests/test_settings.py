import pickle
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from rnnpipe import plugins
from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.settings import FilePath, Kinds, Positive, Settings, fraction, setting
from rnnpipe.storage.store_path import StorePath


class Shape(Settings):
    kinds = Kinds(
        "rnnpipe.test_shapes", {"square": f"{__name__}:Square", "disc": f"{__name__}:Disc"}
    )


class Square(Shape):
    kind: Literal["square"] = "square"
    side: int = setting(3, "in pixels", ge=1, multiple_of=1)


class Disc(Shape):
    kind: Literal["disc"] = "disc"
    radius: float = setting(help="in pixels", gt=0)
    rings: tuple[Positive, ...] = setting((1, 2), "their widths", min_length=1)
    path: FilePath | None = None


class Scene(Settings):
    shape: Shape = Square(side=5)
    share: float = fraction(0.5)
    low: int = 1
    high: int = 2

    def check(self):
        if self.low > self.high:
            raise UserError("low", f"at most high, {self.high}", str(self.low), "lower it")


def read(text):
    return TypeAdapter(Scene).validate_json(text, strict=True)


def add_plugins(monkeypatch, *values):
    entries = [EntryPoint(name, value, "rnnpipe.test_shapes") for name, value in values]
    monkeypatch.setattr(plugins, "_entry_points", lambda: EntryPoints(entries))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Square(side=0), "Square.side: expected a value of at least 1, got 0; write e.g."),
        (lambda: Disc(radius=0.0), "Disc.radius: expected a value above 0, got 0.0; correct it"),
        (lambda: Disc(radius=1.0, rings=()), "Disc.rings: expected a value with a length of at"),
        (lambda: Scene(share=1.0), "Scene.share: expected a value below 1, got 1.0"),
        (lambda: Scene(low=3), "low: expected at most high, 2, got 3; lower it"),
    ],
)
def test_python_and_yaml_check_the_same_bounds(make, message):
    with pytest.raises(UserError, match=message):
        make()


@pytest.mark.parametrize(
    ("number", "got"),
    [
        (2**31, "2147483648"),
        (-(2**31), "-2147483648"),
        (5_000_000_000, "5000000000"),
        (10**290, "one of 964 bits"),
    ],
)
def test_an_integer_that_no_library_takes_is_refused_without_a_bound_of_its_own(number, got):
    message = f"expected an integer of at most 2147483647 in size, got {got}; write a smaller one"
    with pytest.raises(UserError, match=f"^high: {message}"):
        Scene(high=number)
    with pytest.raises(UserError, match=f"^rings: {message}"):
        Disc(radius=1.0, rings=(1, number))
    with pytest.raises(UserError, match=f"^settings: high: {message}"):
        load_settings(Scene, {"high": number})
    assert Scene(high=2**31 - 1).high == 2**31 - 1


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"shape": {"kind": "square", "side": 0}}', ("shape", "square", "side")),
        ('{"shape": {"kind": "disc", "radius": 0.0}}', ("shape", "disc", "radius")),
        (
            '{"shape": {"kind": "disc", "radius": 1.0, "rings": [1, 0]}}',
            ("shape", "disc", "rings", 1),
        ),
        ('{"shape": {"kind": "star"}}', ("shape",)),
        ('{"share": 1.0}', ("share",)),
        ('{"low": 3}', ()),
        ('{"lo": 3}', ("lo",)),
        ('{"low": "3"}', ("low",)),
    ],
)
def test_yaml_and_the_declaration_refuse_the_same_values(text, place):
    with pytest.raises(ValidationError, match="validation error") as caught:
        read(text)
    assert [error["loc"] for error in caught.value.errors()] == [place]


def test_a_family_is_read_by_its_kind_and_dumped_again():
    scene = read('{"shape": {"kind": "disc", "radius": 2.5, "path": "s3://bucket/disc"}}')
    assert scene == Scene(shape=Disc(radius=2.5, path=StorePath("s3://bucket/disc")))
    assert TypeAdapter(Scene).dump_python(scene, mode="json")["shape"]["path"] == "s3://bucket/disc"


def test_the_home_folder_of_a_path_is_written_out(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    scene = read('{"shape": {"kind": "disc", "radius": 1.0, "path": "~/disc"}}')
    assert scene.shape.path == Path("/home/somebody/disc")


def test_settings_are_frozen_hashable_and_picklable():
    scene = Scene(shape=Disc(radius=1.0))
    assert pickle.loads(pickle.dumps(scene)) == scene
    assert hash(scene) == hash(Scene(shape=Disc(radius=1.0)))
    with pytest.raises(AttributeError):
        scene.low = 5  # type: ignore[misc]  # that is what must not be possible


def test_another_package_adds_a_kind(monkeypatch):
    add_plugins(monkeypatch, ("ring", f"{__name__}:Disc"))
    assert Shape.kinds.load() == {"square": Square, "disc": Disc, "ring": Disc}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([("square", f"{__name__}:Disc")], "entry point square .*: expected one owner of the name"),
        ([("a", f"{__name__}:Disc"), ("a", f"{__name__}:Disc")], "entry point a .*: expected one"),
        ([("a", f"{__name__}:read")], "entry point a .*: expected a subclass of"),
        ([("a", f"{__name__}:none")], "entry point a .*: expected .*:none to import"),
        ([("a", "no_such_module:none")], "entry point a .*: expected no_such_module:none to imp"),
    ],
)
def test_a_faulty_plugin_is_refused_by_name(monkeypatch, entries, message):
    add_plugins(monkeypatch, *entries)
    with pytest.raises(UserError, match=message):
        Shape.kinds.load()
