"""The words of the translation grammar: English, and a made-up language called Velu."""

from dataclasses import dataclass
from typing import Literal

Gender = Literal["m", "f", "n"]


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun; its gender does not show in its form and must be learnt.

    Args:
        one: English singular.
        many: English plural.
        velu: Velu's singular; the plural ends in `-n` or `-en`.
        gender: its gender in Velu.
    """

    one: str
    many: str
    velu: str
    gender: Gender


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb with an object.

    Args:
        base: the English infinitive.
        third: the English third person.
        past: the English past.
        velu: Velu's stem.
    """

    base: str
    third: str
    past: str
    velu: str


def _nouns(gender: Gender, rows: str) -> list[Noun]:
    forms = (row.split() for row in rows.strip().splitlines())
    return [Noun(one, many, velu, gender) for one, many, velu in forms]


NOUNS = [
    *_nouns(
        "m",
        """
        dog dogs kelat
        farmer farmers bosmi
        horse horses tarune
        child children pilo
        teacher teachers sorgat
        boat boats nevi
        letter letters dulka
        bird birds osta
        """,
    ),
    *_nouns(
        "f",
        """
        cat cats mirun
        woman women selpa
        doctor doctors varit
        house houses kadu
        apple apples jome
        river rivers losken
        book books tirva
        city cities brani
        """,
    ),
    *_nouns(
        "n",
        """
        girl girls fulet
        man men gardo
        tree trees imsa
        song songs pesku
        garden gardens rolvi
        stone stones hatem
        window windows zuba
        king kings yelno
        """,
    ),
]
VERBS = [
    Verb(*row.split())
    for row in """
    see sees saw vid
    love loves loved kor
    find finds found trem
    follow follows followed sekv
    paint paints painted malg
    carry carries carried port
    watch watches watched gled
    help helps helped pom
    forget forgets forgot zab
    describe describes described opis
    """.strip().splitlines()
]
ADJECTIVES = {
    "old": "ved",
    "young": "jun",
    "small": "mik",
    "big": "gros",
    "red": "rud",
    "blue": "azul",
    "happy": "vesel",
    "quiet": "tih",
    "strange": "kuri",
    "beautiful": "belon",
}
PREPOSITIONS = {"near": "proks", "behind": "retro", "under": "suba", "beside": "latu"}
ARTICLE = {"m": "lo", "f": "la", "n": "lum"}
INDEFINITE = {"m": "eno", "f": "ena", "n": "enum"}
THIS = {"m": "sto", "f": "sta", "n": "stum"}
ENDING = {"m": "os", "f": "as", "n": "um"}
RELATIVE = {"m": "kio", "f": "kia", "n": "kium"}
