"""A user's own photo, captioned."""

from rnnpipe.config.schema.caption_data import CaptionData
from rnnpipe.tasks.captioning.display import strip
from rnnpipe.tasks.captioning.search import CaptionSearch
from rnnpipe.tasks.features import make_features
from rnnpipe.tasks.photos import read_photo
from rnnpipe.tasks.task import Prediction
from rnnpipe.text.tokenizer import Tokenizer


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
        UserError: the photo cannot be read.
    """
    photo = read_photo(path, data.image.size, data.image.fit)
    seen, features = photo[None], make_features(data.features)
    if features is not None:
        seen = features(read_photo(path, features.image_size, data.image.fit)[None])
    (found,) = search([seen])
    pieces = [tokenizer.pieces[token] for token in found[0].tokens]
    return Prediction(
        [(tokenizer.decode(one.tokens), one.probability) for one in found],
        strip(photo, pieces, found[0]),
    )
