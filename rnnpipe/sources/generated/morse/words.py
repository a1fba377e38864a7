"""The words that are sent in Morse code: some of the most common of English, and of each letter."""

_TEXT = """
able about above across act add after again age ago agree air all almost alone along also always
among and angry animal answer any apple april area arm army around arrive art ask aunt autumn
away axe baby back bad bag ball band bank base basket bath beach bean bear beat beautiful
because become bed bee before begin behind bell below bend best better between big bird birth
black blood blow blue board boat body bone book born both bottle bottom bowl box boy branch
brave bread break bridge bright bring brother brown build burn bus busy but butter buy cake calf
call camp car card care carry case cat catch cause cell chair chance change cheap cheese child
choice church circle city clean clear climb clock close cloth cloud club coal coast coat coffee
cold colour come cook cool copy corn corner cost cotton count country couple course cover cow
crop cross cry cup cut dad damp dance danger dark daughter day dead deal dear december deep deer
desk die dinner dirt dish dog door double down draw dream dress drink drive drop dry duck during
dust duty each ear early earth east easy eat edge effect egg eight either electric elephant else
empty end engine enjoy enough equal evening ever every exact example except exit eye face fact
fair fall family famous far farm fast father fear february feed feel few field fight fill film
final find fine finger fire first fish five fix flat floor flower fly follow food foot force
forest forget form forty forward four fox free fresh friday friend from front fruit full fun
game garden gas gate general gentle gift girl give glad glass goat gold good grain grand grass
great green grey ground group grow guess guide gun hair half hall hammer hand happen happy
harbour hard hat have head health hear heart heat heavy height help here hide high hill history
hold hole holiday home honest hope horse hospital hot hotel hour house how huge human hundred
hungry hunt hurry hurt ice idea ill inch indeed infant ink inside island jacket january jar jaw
jazz job join joke journey joy judge juice july jump june jury just keen keep kettle key kick
kid kill kind king kitchen kite knee knife knock know lady lake lamp land language large last
late laugh law lazy leaf learn least leather leave left leg lemon lend less lesson letter level
library lie life light like line lion lip list listen little live load local lock long look lose
loud love low luck lunch machine magic mail main make man map march mark market master match
matter may meal mean measure meat meet melt member memory metal middle might mile milk mind
minute mirror miss mix model modern moment money monkey month moon more morning most mother
mountain mouse mouth move much mud music nail name narrow nation nature near neck need needle
nephew nest never new news next nice night nine noise none noon north nose note nothing november
now number nurse oak object ocean october odd off offer office often oil old once one onion only
open opposite orange order other our out oven over own ox pack page paint pair palace pale paper
parent park part party pass past path pause pay peace pen pencil people pepper perfect perhaps
person phone photo piano picture piece pig pilot pipe place plain plan plant plate play please
pocket point police pool poor port post pot potato pound power press pretty price print prize
proud public pull pump pupil pure purple push puzzle quarter queen question quick quiet quite
quiz rabbit race radio rail rain raise rare rather raw reach read ready real red relax rest rice
rich ride right ring rise river road rock roof room root rope rose rough round row rule run rush
sad safe sail salt same sand saturday save say scale school science sea season seat second
secret see seed sell send sentence september seven shade shadow shall shape share sharp sheep
sheet shelf shine ship shirt shoe shop shore short should shoulder shout show shut sick side
sign silk silver simple sing sister sit six size skin skirt sky sleep slip slow small smell
smile smoke smooth snake snow soap sock soft soldier some son song soon sort sound soup south
space speak special speed spell spend spoon spring square stage stamp stand star start station
stay steal steam steel step stick still stone stop store storm story strange street string
strong study style sugar suit summer sun sunday sure surface sweet swim table tail take talk
tall taste taxi tea teach team tear teeth tell ten tent test than thank that then there thick
thin thing think third this thousand thread three throat through throw thumb thunder thursday
ticket tie tiger tight till time tin tired today toe together tomato tomorrow tongue tool tooth
top total touch towel tower town toy track trade traffic train travel tree trip trouble true
trust try tuesday turn twelve twenty twice two type ugly umbrella uncle under unit until upon
use usual valley value van vast very view village violin visit voice vote wagon wait wake walk
wall want war warm wash waste watch water wave wax way weak wear weather wedding wednesday week
weight well west wet whale what wheel when where which while whisper white who whole why wide
wife wild will win wind window wine wing winter wire wise wish with woman wonder wood wool word
work world worry worth write wrong xylophone yard year yellow yes yesterday yet young zebra zero
zigzag zone zoo
"""

WORDS = tuple(_TEXT.split())
