"""Captions as the tokens that caption metrics count: the Penn Treebank's, without punctuation.

COCO's caption evaluation cuts captions with the Stanford tokenizer, a Java program. These rules
give the same tokens without it.
"""

import re

_CHARACTERS = str.maketrans(
    dict.fromkeys("‘’‛", "'")
    | dict.fromkeys("“”„", '"')
    | dict.fromkeys("\u2013\u2014\u2015", " -- ")
    | {"½": "1/2", "¼": "1/4", "¾": "3/4", "£": "#", "€": "$", "¢": " cents ", "\u00a0": " "}
)
_ENTITIES = {"&amp;": "&", "&quot;": '"', "&apos;": "'", "&lt;": "<", "&gt;": ">"}
_DROPPED = re.compile("[\U00010000-\U0010ffff\u200b-\u200f\ufe00-\ufe0f]")  # emoji and joiners
_SOFT_HYPHEN = "\u00ad"
_ENTITY = re.compile("|".join(_ENTITIES))

_ABBREVIATIONS = (  # they keep their period
    "adm asst atty ave blvd brig bros capt cmdr co col comdr corp cpl ct dept dr esq etc ft "
    "gen gov hon inc jr lt ltd maj messrs mr mrs ms mt pres prof rd rep reps rev sen sens sgt "
    "sr st ste vs jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs "
    "fri al cf est rt tel univ assoc assn bldg plc bhd adv sq cie mfg elec natl ext intl mtg "
    "supt treas drs calif colo conn fla ga ind kan ky md mich minn mo mont neb nev okla penn "
    "tenn va vt wis wyo ala ariz"
).replace(" ", "|")
_STATES = "Ill Mass Miss Ore Pa Tex Wash Ark Del La".replace(" ", "|")  # lower-cased, other words
_WORD = r"[^\W_]+(?:_[^\W_]+)*"
_TOKEN = re.compile(
    rf"""
    (?P<smiley>[<>]?[:;=][-o*']?[()DPdpO\\{{@|[\]](?![A-Za-z])
    | \([-^x=~<>'][_.]?[-^x=~<>']\) | \([^x=~<>']-[\^x=~<>'`]\))
  | [-^x=~<>']_[-^x=~<>'](?!\w) | [\^x=~<>]\.[\^x=~<>](?!\w)
  | @[A-Za-z_]\w* | \#[^\W\d_]+ | (?i:c\+\+|[cf]\#)                # @anna, #dogs
  | https?://\S+ | [\w.]{{1,64}}@[\w.]*\w | </?[A-Za-z][^<>\s]*>
  | (?P<two>(?i:(?:can(?=not)|gon(?=na)|got(?=ta)|wan(?=na)|lem(?=me)|gim(?=me))\w\w\w?(?!\w|')))
  | '[nN]' | (?i:dunkin|somethin|ol)'(?!\w)                         # rock'n'roll
  | (?i:n't|'(?:s|m|d|ll|re|ve|em|cause|n'?))(?!\w) | '\d\ds?(?![\w'])
  | '[tT](?=is\b|was\b) | [yY]'(?=all\b)                        # 'tis, y'all
  | \w{{1,64}}(?=(?i:n't)(?!\w))  # bounded: each token would be searched to its end
  | (?:[^\W\d_]\.){{2,}}(?:[^\W\d_](?!\w))?                      # t.v., u.s.a
  | (?i:(?:{_ABBREVIATIONS}|ph\.d)\.)(?![^\W\d]) | (?:{_STATES})\.(?!\w)
  | (?i:nos?|figs?|art|pp|ca)\.(?=\s\d) | [^\W\d_]\.(?!\w)        # no. 5, john f. kennedy
  | [A-Z]+(?:&[A-Z]+)+                                           # at&t, but black & white
  | \d*(?:[.,:]\d+)+ | [!?]{{2,}} | \*+ | \.+ | -+               # 11:44 and pm are two tokens
  | _+ | {_WORD}(?:[-/.]{_WORD}|'(?!(?i:s|m|d|ll|re|ve|n)(?!\w))[^\W\d_]+)*  # t-shirt, o'clock
  | \S
    """,
    re.VERBOSE,
)
_PUNCTUATION = re.compile(r"""['"`,:;!?]|\.+|-+|…""")
_BRACKETS = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}


def tokenize_caption(text: str) -> list[str]:
    """The tokens of a caption, in small letters.

    Contractions are two tokens, punctuation is dropped, words with hyphens are one, abbreviations
    keep their period. As in the official evaluation, brackets stay (`-lrb-`), and so do several
    exclamation or question marks in a row.

    Args:
        text: a caption as it was written.

    Example:
        >>> tokenize_caption("The dog's owner can't find St. John's t-shirt, at 11:44pm.")[:6]
        ['the', 'dog', "'s", 'owner', 'ca', "n't"]

    Source:
        The PTBTokenizer of Stanford CoreNLP 3.4.1 as github.com/tylin/coco-caption runs it.
    """
    text = _ENTITY.sub(lambda found: _ENTITIES[found[0]], text)
    text = _DROPPED.sub(" ", text.translate(_CHARACTERS)).replace(_SOFT_HYPHEN, "")
    tokens = []
    for found in _TOKEN.finditer(text):
        token = found[0].lower()
        if found["two"]:
            tokens += [token[:3], token[3:]]
        elif found["smiley"]:
            tokens.append("".join(_BRACKETS[c] if c in "()" else c for c in token))
        elif not _PUNCTUATION.fullmatch(token):
            tokens.append(_BRACKETS.get(token, token))
    return tokens
