import itertools
import random

import pytest

from rnnpipe.sources.generated.grammars import translation
from rnnpipe.sources.generated.grammars.lexicon import ADJECTIVES, NOUNS, VERBS
from rnnpipe.sources.generated.grammars.translation import Grammar


@pytest.fixture(scope="module")
def pairs():
    grammar = Grammar(random.Random(3), depth=2)
    return [grammar.sample() for _ in range(5000)]


@pytest.mark.parametrize(
    ("english", "velu"),
    [
        ("a city will describe the kings .", "ena brani lumenk yelnon opisesta ."),
        (
            "the beautiful garden forgets this red young bird near a boat .",
            "lum rolvi belonum stok osta rudos junos eno nevi proks zaba .",
        ),
        (
            "the happy boats under the strange cat that followed this blue cat forget some big "
            "gardens that saw the doctor .",
            "lon nevin veselosen la mirun kurias kia stak mirun azulas sekvira suba enumenk "
            "rolvin grosumen kiumen lak varit vidiran zaban .",
        ),
    ],
)
def test_sentences_that_it_draws(english, velu):
    grammar = Grammar(random.Random(6), depth=2)
    drawn = dict(grammar.sample() for _ in range(14))
    assert drawn[english] == velu


def test_a_sentence_has_one_translation(monkeypatch):
    # With few words the same sentences come again and again, whatever trees they were drawn as.
    monkeypatch.setattr(translation, "NOUNS", NOUNS[::12])
    monkeypatch.setattr(translation, "VERBS", VERBS[:1])
    monkeypatch.setattr(translation.Grammar, "_adjectives", lambda self: [])
    grammar, translations, repeats = Grammar(random.Random(5), depth=2), {}, 0
    for _ in range(20_000):
        english, velu = grammar.sample()
        repeats += english in translations
        assert translations.setdefault(english, velu) == velu
    assert repeats > 2000


def test_every_word_is_translated(pairs):
    """Nouns, adjectives and verbs: as many here as there, whatever their order."""
    nouns = {form: n.velu for n in NOUNS for form in (n.one, n.many)}
    verbs = {form: v.velu for v in VERBS for form in (v.base, v.third, v.past)}
    for english, velu in pairs:
        for words in (nouns, verbs, ADJECTIVES):
            stems = [words[word] for word in english.split() if word in words]
            for stem in set(stems):
                found = sum(word.startswith(stem) for word in velu.split())
                assert found >= stems.count(stem), (english, velu)


def test_velu_has_agreement_and_final_verbs(pairs):
    nouns = {n.velu: n.gender for n in NOUNS}
    endings = {"m": "os", "f": "as", "n": "um"}
    for english, velu in pairs[:500]:
        words = velu.split()
        assert words[-1] == "."
        assert any(words[-2].startswith(verb.velu) for verb in VERBS)
        for noun, after in itertools.pairwise(words):
            stem = next((s for s in nouns if noun in (s, f"{s}n", f"{s}en")), None)
            adjective = next((a for a in ADJECTIVES.values() if after.startswith(a)), None)
            if stem and adjective and len(after) > len(adjective):
                plural = (
                    "" if noun == stem else "en" if endings[nouns[stem]][-1] not in "aeiou" else "n"
                )
                assert after == adjective + endings[nouns[stem]] + plural, (english, velu)
