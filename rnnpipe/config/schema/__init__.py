"""What a run's YAML may say: every key, its type, bounds and default; a file for each task."""

from collections.abc import Mapping
from types import MappingProxyType

from rnnpipe.config.schema.base import RunConfig
from rnnpipe.config.schema.captioning import CaptioningConfig
from rnnpipe.config.schema.char_lm import CharLmConfig
from rnnpipe.config.schema.glimpse import GlimpseConfig
from rnnpipe.config.schema.sentiment import SentimentConfig
from rnnpipe.config.schema.translation import TranslationConfig
from rnnpipe.config.schema.video import VideoConfig
from rnnpipe.config.schema.vqa import VqaConfig

SCHEMAS: Mapping[str, type[RunConfig]] = MappingProxyType(
    {
        "captioning": CaptioningConfig,
        "char_lm": CharLmConfig,
        "glimpse": GlimpseConfig,
        "sentiment": SentimentConfig,
        "translation": TranslationConfig,
        "video": VideoConfig,
        "vqa": VqaConfig,
    }
)
"""The model of each task's config."""
