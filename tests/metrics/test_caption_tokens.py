import pytest

from rnnpipe.metrics.caption_tokens import tokenize_caption

JAVA = (
    ("two #dogs run", "two #dogs run"),
    (
        "#dogs #2dogs #dog_s #\xe9t\xe9 #dog-cat # dogs a#b #1",
        "#dogs # 2dogs #dog _ s #\xe9t\xe9 #dog cat # dogs a #b # 1",
    ),
    (
        "@anna and @anna_b2 @2b @_x a@b @ anna @anna-b",
        "@anna and @anna_b2 @ 2b @_x a@b @ anna @anna b",
    ),
    ("c++ C++ and c++11 and C# f# c+ + a+b g++", "c++ c++ and c++ 11 and c# f# c + + a + b g + +"),
    (
        "nice :) and :( and ;-) =) :D :P :p :d :o :-o :* :'( :o) <3 8) :/ :\\ :| :] :[ :} :{ :@ >:( ^_^ -_- (^_^) (-_-) o_o x.x",
        "nice :-rrb- and :-lrb- and ;--rrb- =-rrb- :d :p :p :d o o * :'-lrb- :o-rrb- < 3 8 -rrb- / :\\ :| :] :[ -rcb- :{ :@ >:-lrb- ^_^ -_- -lrb-^_^-rrb- -lrb--_--rrb- o_o x.x",
    ),
    (
        "nice:) he:said 10:30 ratio 2:1 :D. :Dog :)a",
        "nice :-rrb- he said 10:30 ratio 2:1 :d dog -rrb- a",
    ),
    ("a dog \U0001f60d runs \U0001f60d\U0001f60d a\U0001f60db", "a dog runs a b"),
    (
        "a \u2603 \u2605 \u2708\ufe0f \u2764 \u2764\ufe0f dog \u2665 \u2192 \u2122 \xa9 \xae",
        "a \u2603 \u2605 \u2708 \u2764 \u2764 dog \u2665 \u2192 \u2122 \xa9 \xae",
    ),
    (
        "rock'n'roll rock 'n' roll rock'n roll rock n' roll drag'n'drop o'clock y'all ma'am d'artagnan l'eau",
        "rock 'n' roll rock 'n' roll rock 'n roll rock n roll drag 'n' drop o'clock y' all ma'am d'artagnan l'eau",
    ),
    ("soft\xadhyphen \xad a \xadb co\xadop\xader\xadate", "softhyphen a b cooperate"),
    (
        "o'brien's dunkin' donuts somethin' ol' goin' 'em 'cause",
        "o'brien 's dunkin' donuts somethin' ol' goin 'em 'cause",
    ),
    (
        "zero\u200bwidth a\u200db x\u200cy \uff20anna \uff03dogs",
        "zero width a b x y \uff20 anna \uff03 dogs",
    ),
    (
        "don't can't cannot gonna dogs' dog's 1990's '90s",
        "do n't ca n't can not gon na dogs dog 's 1990 's '90s",
    ),
    (
        "a_b under_score __x__ ~tilde *star* ^caret a|b a\\b 100% $5 #5 a=b <b> a<b",
        "a_b under_score __ x __ ~ tilde * star * ^ caret a | b a \\ b 100 % $ 5 # 5 a = b <b> a < b",
    ),
    ("email@x.com www.x.com x.com http://a.b/c", "email@x.com www.x.com x.com http://a.b/c"),
    (
        "#dogs2 #a1b #dog's @anna's @anna. #dogs, (#dogs) \"#dogs\" @anna: C++, (c++) c++'s",
        "#dogs 2 #a 1b #dog 's @anna 's @anna #dogs -lrb- #dogs -rrb- #dogs @anna c++ -lrb- c++ -rrb- c++ 's",
    ),
    (
        "x:) x :) :) :)) ((: :-)) :-D! :D! =D :P, xD <3 </3 T_T >_< =_= '_' (-.-) (>_<) (x_x)",
        "x :-rrb- x :-rrb- :-rrb- :-rrb- -rrb- -lrb- -lrb- :--rrb- -rrb- :-d :d =d :p xd < 3 < / 3 t_t >_< =_= '_' -lrb--.--rrb- -lrb->_<-rrb- -lrb-x_x-rrb-",
    ),
    ("a__b a_ _a _ __ 5_5 x_2", "a __ b a _ _ a _ __ 5_5 x_2"),
)
"""Captions and their tokens, as COCO's evaluation has them: printed by the Java tokenizer."""


@pytest.mark.parametrize(("caption", "tokens"), JAVA)
def test_tags_names_smileys_and_emoji_are_those_of_the_java_tokenizer(caption, tokens):
    assert " ".join(tokenize_caption(caption)) == tokens
