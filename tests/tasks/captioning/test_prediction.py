from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from rnnpipe.decoding import Decoded
from rnnpipe.errors import UserError
from rnnpipe.parts.search import BeamSearchOptions
from rnnpipe.tasks.beam_decoder import Hypothesis, read_hypotheses
from rnnpipe.tasks.captioning.prediction import caption_photo
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


def look_above(batches):
    """Says a word of each image and looks at its upper half, which must be red."""
    [images] = batches
    assert images.shape == (1, 16, 16, 3)
    assert images[0, 3, 8, 0] > 150 > images[0, 12, 8, 0]
    return [[Hypothesis([4], -0.5, 0.6, np.array([[[0.5, 0.5], [0, 0]]], "float32"))]]


@pytest.mark.parametrize(("fit", "height"), [("stretch", 480), ("crop", 240)])
def test_attention_is_drawn_over_the_upright_photo(drawn, photo, fit, height):
    tokenizer = Tokenizer.load(drawn.path)
    prediction = caption_photo(look_above, tokenizer, photo, data_of(fit))
    assert prediction.answers == [(tokenizer.decode([4]), 0.6)]
    strip = np.asarray(Image.open(BytesIO(prediction.picture)).convert("RGB")).astype(int)
    assert strip.shape == (height + 26 + 8, 2 * 248 + 8, 3)
    plain, looked = strip[8 : 8 + height, 8:248], strip[8 : 8 + height, 256:496]
    for place, colour in ((height // 8, (200, 0, 0)), (height * 7 // 8, (0, 0, 200))):
        np.testing.assert_allclose(plain[place, 120], colour, atol=12)
    np.testing.assert_allclose(looked[height // 8, 120], (200, 0, 0), atol=30)  # no veil there
    assert np.abs(looked[height * 7 // 8, 120] - (0, 0, 200)).max() > 60


def test_a_diverged_model_is_reported(drawn, photo):
    nothing = np.zeros((1, 2), int)
    decoded = Decoded(np.zeros((1, 2, 3), int), nothing, np.full((1, 2), -np.inf), None)
    nothing_found = read_hypotheses(decoded, 0, BeamSearchOptions(beam_width=2, n_best=2))
    assert nothing_found == []
    with pytest.raises(UserError, match="expected a caption from this model, got none"):
        caption_photo(
            lambda batches: [nothing_found],
            Tokenizer.load(drawn.path),
            photo,
            data_of("pad"),
        )
