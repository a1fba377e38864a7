"""Texts that need no download: drawn from grammars, and written as ordinary files."""

from rnnpipe.sources.generated.grammars.sources import SentimentGrammar, TranslationGrammar

__all__ = ["SentimentGrammar", "TranslationGrammar"]
