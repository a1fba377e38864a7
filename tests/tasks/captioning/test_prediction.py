from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rnnpipe.parts.search import BeamSearchOptions
from rnnpipe.tasks.captioning.predictor import CaptionPredictor
from rnnpipe.tasks.constraints import search_inputs
from rnnpipe.tasks.image_inputs import image_input
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.transforms.recipes.image_records import ImageRecordOptions
from rnnpipe.transforms.recipes.images import ImageOptions


@pytest.fixture
def photo(tmp_path):
    """80 x 40, turned by EXIF: upright it is 40 x 80, red above and blue below."""
    image = Image.new("RGB", (80, 40), (200, 0, 0))
    image.paste((0, 0, 200), (40, 0, 80, 40))
    exif = Image.Exif()
    exif[274] = 6
    image.save(tmp_path / "photo.jpg", quality=95, exif=exif)
    return str(tmp_path / "photo.jpg")


def data_of(fit):
    return ImageRecordOptions(image=ImageOptions(size=16, fit=fit))


def look_above(arrays, **options):
    """Says a word of each image and looks at its upper half, which must be red."""
    images = arrays["image"]
    assert images.shape == (1, 16, 16, 3)
    assert images[0, 3, 8, 0] > 150 > images[0, 12, 8, 0]
    return {
        "ids": np.array([[[4, 3]]]),
        "lengths": np.array([[2]]),
        "scores": np.array([[2 * np.log(0.6)]]),
        "alignments": np.array([[[[[0.5, 0.5], [0, 0]], [[0, 0], [0, 0]]]]], "float32"),
    }


def make_predictor(drawn, fit, search):
    options = BeamSearchOptions(beam_width=2, n_best=1, length_penalty=0.0)
    return CaptionPredictor(
        drawn.path,
        data_of(fit),
        options,
        network={"search": search},
        inputs=(image_input(), *search_inputs("caption")),
        task="captioning",
        batch_size=4,
    )


@pytest.mark.parametrize(("fit", "height"), [("stretch", 480), ("crop", 240)])
@pytest.mark.parametrize("form", ["path", "bytes"])
def test_attention_is_drawn_over_the_upright_photo(drawn, photo, fit, height, form):
    image = photo if form == "path" else Path(photo).read_bytes()
    prediction = make_predictor(drawn, fit, look_above).predict_one({"image": image})
    ((text, probability, _),) = prediction.answers
    assert text == Tokenizer.load(drawn.path).decode([4])
    assert probability == pytest.approx(0.6)
    strip = np.asarray(Image.open(BytesIO(prediction.picture)).convert("RGB")).astype(int)
    assert strip.shape == (height + 26 + 8, 2 * 248 + 8, 3)
    plain, looked = strip[8 : 8 + height, 8:248], strip[8 : 8 + height, 256:496]
    for place, colour in ((height // 8, (200, 0, 0)), (height * 7 // 8, (0, 0, 200))):
        np.testing.assert_allclose(plain[place, 120], colour, atol=12)
    np.testing.assert_allclose(looked[height // 8, 120], (200, 0, 0), atol=30)  # no veil there
    assert np.abs(looked[height * 7 // 8, 120] - (0, 0, 200)).max() > 60


def test_a_diverged_model_is_reported(drawn, photo):
    def find_nothing(arrays, **options):
        nothing = np.zeros((1, 2), int)
        return {
            "ids": np.zeros((1, 2, 3), int),
            "lengths": nothing,
            "scores": np.full((1, 2), -np.inf),
        }

    (result,) = make_predictor(drawn, "pad", find_nothing).predict([{"image": photo}])
    assert "expected a caption from this model, got none" in str(result)
