from pathlib import Path

import pytest
from pydantic import TypeAdapter

from rnnpipe.config.schema.caption_data import CaptionData, CaptionSource
from rnnpipe.records.specs import CAPTION, CAPTION_FEATURES
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.captions.flickr8k import Flickr8k
from rnnpipe.sources.captions.tfds import TfdsCaptions
from rnnpipe.sources.generated.shapes_captions import ShapesCaptions
from rnnpipe.tasks.caption_data import make_caption_recipe, open_captions

FILES = {"train": {"annotations": Path("a.json"), "images": Path("photos")}}


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
    config = TypeAdapter(CaptionSource).validate_python(source)
    opened = open_captions(config)
    assert type(opened) is kind
    assert opened.kind == source["kind"]
    if "karpathy" in source:
        assert opened.settings["karpathy"] is True


def test_a_recipe_is_what_the_config_says():
    data = {
        "source": {"kind": "shapes_captions"},
        "image": {"size": 48, "fit": "crop"},
        "caption": {"vocabulary": 99, "min_count": 5, "max_tokens": 12},
        "features": {"backbone": "mobilenet", "weights": "none", "options": {"alpha": 0.25}},
    }
    recipe = make_caption_recipe(CaptionData.model_validate(data))
    assert recipe.spec is CAPTION_FEATURES
    assert (recipe.image_size, recipe.image_fit, recipe.jpeg_quality) == (48, "crop", 92)
    assert (recipe.text.vocabulary, recipe.min_count, recipe.max_tokens) == (99, 5, 12)
    assert recipe.features.options == (("alpha", 0.25),)
    assert (recipe.features.backbone, recipe.features.weights) == ("mobilenet", "none")
    without = CaptionData.model_validate({**data, "features": None})
    assert make_caption_recipe(without).spec is CAPTION
