"""English contractions, and the spelling with an apostrophe that a careless one stands for."""

_CONTRACTIONS = """
    ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't
    haven't isn't ma'am might've mightn't mightn't've must've mustn't needn't not've o'clock
    oughtn't 'ow's'at shan't should've shouldn't shouldn't've 'twas wasn't weren't won't would've
    wouldn't wouldn't've
    he'd he'd've he's how'd how'll how's it'd it'd've it'll she'd've that's there'd there'd've
    there're there's they'd they'd've they'll they're they've we'd've we've
    somebody'd've somebody'll somebody's someone'd someone'd've someone'll someone's
    something'd something'd've something'll
    what'll what're what's what've when's where'd where's where've who'd who'd've who'll who's
    who've why'll why're why's
    y'all y'all'd've y'all'll you'd you'd've you'll you're you've
"""


def _without_one_apostrophe(word: str) -> list[str]:
    return [word[:i] + word[i + 1 :] for i, letter in enumerate(word) if letter == "'"]


CONTRACTIONS = {
    careless: word for word in _CONTRACTIONS.split() for careless in _without_one_apostrophe(word)
} | {"somebody'd": "somebodyd"}
"""Words with one apostrophe missing, and what they stand for.

The official table is built so: words that mean something else without their apostrophe (*we're*,
*she'll*, *it's*) are not in it. Its one entry that goes the other way is kept as it is.
"""
