"""Captions of a user's own photo."""

from rnnpipe.config.schema.caption_data import CaptionData
from rnnpipe.errors import UserError
from rnnpipe.tasks.base import Prediction
from rnnpipe.tasks.captioning.report import strip
from rnnpipe.tasks.captioning.search import CaptionSearch
from rnnpipe.tasks.features import make_features
from rnnpipe.tasks.image_inputs import read_photo, show_photo
from rnnpipe.text.tokenizer import Tokenizer

_PANEL = 240  # the width of each picture of the strip, in pixels


def caption_photo(
    search: CaptionSearch, tokenizer: Tokenizer, path: str, data: CaptionData
) -> Prediction:
    """The likeliest captions, with the mean probability of a token, and a strip of the best.

    Args:
        search: finds captions.
        tokenizer: of the captions.
        path: of the photo.
        data: how photos become what the model sees.

    Raises:
        UserError: the photo cannot be read, or there is no caption as the training diverged.
    """
    fit, features = data.image.fit, make_features(data.features)
    if features is None:
        seen = read_photo(path, data.image.size, fit)[None]
    else:
        seen = features(read_photo(path, features.image_size, fit)[None])
    (hypotheses,) = search([seen])
    if not hypotheses:
        expected, fix = "a caption from this model", "train it again with a lower learning rate"
        raise UserError(f"--image {path}", expected, "none: its training diverged", fix)
    pieces = [tokenizer.pieces[token] for token in hypotheses[0].tokens]
    return Prediction(
        [(tokenizer.decode(one.tokens), one.probability) for one in hypotheses],
        strip(show_photo(path, fit), pieces, hypotheses[0], panel=_PANEL),
    )
