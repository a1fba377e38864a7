"""Captions of a user's own photo."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.tasks.beam_decoder import Hypothesis
from rnnpipe.tasks.captioning.report import strip
from rnnpipe.tasks.image_inputs import read_encoder_input, show_photo
from rnnpipe.tasks.prediction import Answer, Prediction
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.transforms.recipes.image_records import ImageRecordOptions

Search = Callable[[Iterable[Any]], Sequence[Sequence[Hypothesis]]]
"""From batches of images to the captions of each, the best first."""

_PANEL = 240  # the width of each picture of the strip, in pixels


def caption_photo(
    search: Search, tokenizer: Tokenizer, path: str, data: ImageRecordOptions
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
    (hypotheses,) = search([read_encoder_input(path, data)])
    if not hypotheses:
        expected, fix = "a caption from this model", "train it again with a lower learning rate"
        raise UserError(f"--image {path}", expected, "none: its training diverged", fix)
    pieces = [tokenizer.pieces[token] for token in hypotheses[0].tokens]
    return Prediction(
        [Answer(tokenizer.decode(one.tokens), one.probability) for one in hypotheses],
        strip(show_photo(path, data.image.fit), pieces, hypotheses[0], panel=_PANEL),
        alignments=hypotheses[0].alignment,
    )
