"""What must hold between the settings of a captioning run."""

from pathlib import Path

import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.parts.attention import AdditiveAttentionOptions
from rnnpipe.parts.attention_wrappers import GatedAttentionOptions
from rnnpipe.records.specs import CAPTION, CAPTION_FEATURES
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.captions.flickr8k import Flickr8k
from rnnpipe.sources.captions.tfds import TfdsCaptions
from rnnpipe.sources.generated.shapes_captions import ShapesCaptions
from rnnpipe.tasks.captioning.config import CaptioningConfig

FEATURES = {"backbone": {"kind": "application", "name": "ResNet50"}}
HARD = {"kind": "gated", "mechanism": {"kind": "hard"}}
FILES = {"train": {"annotations": Path("a.json"), "images": Path("photos")}}


def load(data=None, **sections):
    data = {"source": {"kind": "shapes_captions"}, **(data or {})}
    return load_settings(CaptioningConfig, {"task": "captioning", "data": data, **sections})


def encoder(**options):
    return {"image_encoder": options}


def decoder(**options):
    return {"decoder": options}


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"train": {"self_critical": {"baseline": "samples"}}},
            "train.self_critical.samples: expected at least 2 with the baseline samples, got 1",
        ),
        (
            {"train": {"self_critical": {"optimizer": {"schedule": {"kind": "plateau"}}}}},
            "train.self_critical.optimizer.schedule.kind: expected another kind than plateau",
        ),
        (
            {
                "data": {"features": FEATURES},
                "model": encoder(kind="features"),
                "train": {"augment": {"flip": True}},
            },
            "train.augment.flip: expected none with data.features, got true; leave it out",
        ),
        (
            {"data": {"features": FEATURES}},
            "model.image_encoder: expected the kind features, got cnn",
        ),
        (
            {"model": encoder(kind="features")},
            "model.image_encoder: expected another kind without data.features, got features",
        ),
        (
            {"train": {"reinforce": {"reward_weight": 2.0}}},
            "train.reinforce: expected null without hard attention",
        ),
        (
            {"model": decoder(attention=HARD), "train": {"doubly_stochastic": 1.0}},
            "train.doubly_stochastic: expected 0 without soft attention, got 1.0",
        ),
        (
            {"model": decoder(attention=None), "train": {"doubly_stochastic": 1.0}},
            "train.doubly_stochastic: expected 0 without soft attention, got 1.0",
        ),
        (
            {"model": decoder(attention=None), "evaluate": {"search": {"coverage_penalty": 0.2}}},
            "evaluate.search.coverage_penalty: expected 0 without attention, got 0.2",
        ),
        (
            {"evaluate": {"search": {"constraints": {"min_length": 21}}}},
            "evaluate.search.constraints.min_length: expected at most max_length, 20",
        ),
        (
            {"model": decoder(attention={"kind": "monotonic"})},
            "model.decoder.attention.kind: expected an attention that reads grids, got monotonic",
        ),
    ],
)
def test_mistakes_are_reported(sections, message):
    with pytest.raises(UserError) as fault:
        load(**sections)
    assert message in str(fault.value)


def test_a_key_of_the_attention_keeps_the_other_defaults():
    config = load(model=decoder(attention={"mechanism": {"units": 64}}))
    expected = GatedAttentionOptions(mechanism=AdditiveAttentionOptions(units=64))
    assert config.model.decoder.attention == expected
    assert (config.model.decoder.architecture, config.model.decoder.output) == ("bahdanau", "deep")


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ({"kind": "shapes_captions", "images": 20}, ShapesCaptions),
        ({"kind": "coco_captions", "path": Path("coco"), "karpathy": Path("k.json")}, CocoCaptions),
        ({"kind": "coco_captions", "path": Path("coco"), "files": FILES}, CocoCaptions),
        ({"kind": "flickr8k", "path": Path("flickr"), "karpathy": Path("k.json")}, Flickr8k),
        ({"kind": "tfds", "name": "coco_captions", "number": "image/id"}, TfdsCaptions),
    ],
)
def test_every_source_of_a_config_is_opened(source, kind):
    opened = load({"source": source}).data.open_source()
    assert type(opened) is kind
    assert opened.kind == source["kind"]
    if "karpathy" in source:
        assert opened.settings["karpathy"] is True


def test_a_recipe_has_the_settings_of_the_config():
    data = {
        "image": {"size": 48, "fit": "crop"},
        "caption": {"vocabulary": 99, "min_count": 5, "max_tokens": 12},
        "features": FEATURES,
    }
    recipe = load(data, model=encoder(kind="features")).data.make_recipe()
    assert recipe.spec is CAPTION_FEATURES
    assert (recipe.image.size, recipe.image.fit, recipe.image.jpeg_quality) == (48, "crop", 92)
    caption = recipe.caption
    assert (caption.vocabulary, caption.min_count, caption.max_tokens) == (99, 5, 12)
    assert recipe.features.backbone.name == "ResNet50"
    assert load({**data, "features": None}).data.make_recipe().spec is CAPTION
