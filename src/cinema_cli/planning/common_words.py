"""Tables of ordinary English that tell people from everything else that is written with a capital letter."""

from typing import Literal

Gender = Literal["she", "he"]


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


TITLES: dict[str, Gender | None] = dict.fromkeys(
    words("""
    dr doctor professor prof captain capt inspector detective sergeant officer colonel general saint old
    young little judge chief commander nurse cousin big poor dear
    """)
)
TITLES |= dict.fromkeys(
    words("""
    mrs ms miss lady queen princess aunt auntie grandmother mother sister granny grandma mme madame dame
    empress witch
    """), "she"
)  # fmt: skip
TITLES |= dict.fromkeys(
    words("""
    mr mister lord king prince sir uncle grandfather father brother grandpa monsieur emperor duke count
    wizard
    """), "he"
)  # fmt: skip
"""Words that stand before a name and belong to it, with the pronoun they tell."""

ROLES: dict[str, Gender | None] = dict.fromkeys(
    words("""
    actor archer artist assistant astronaut baby baker bandit barber boss builder burglar butcher butler
    captain carpenter cashier chef chief child clerk clown colleague cook cop cousin customer dancer
    deputy detective diver doctor dragon driver dwarf elf enemy engineer explorer farmer ferryman
    fiddler fisher florist fool friend gardener ghost giant goblin guard guest guide hero hermit host
    hunter innkeeper inspector janitor jester judge juggler keeper knight landlord lawyer leader
    librarian magician manager mayor mechanic merchant messenger miller miner monster musician neighbour
    neighbor nurse officer painter partner passenger pianist pilot pirate player poet porter
    potter priest prisoner professor reporter robber robot sailor scientist scout sculptor
    secretary sergeant servant shepherd sheriff shopkeeper singer smith blacksmith soldier spy stranger
    student suspect tailor teacher thief tourist trader traveller traveler troll twin victim villager
    visitor waiter warden warrior watchman watchmaker clockmaker weaver witness woodcutter worker writer
    alien skeleton snowman puppet wanderer baron ferrywoman rider courier caretaker lighthouse-keeper
    conductor director critic bartender barista defender goalkeeper coach referee teammate apprentice beggar
    peasant surgeon dentist plumber electrician firefighter programmer intern president minister
    ambassador corporal lieutenant sorcerer druid ogre vampire zombie roommate classmate bully android
    beekeeper grocer archaeologist scholar
    """)
)
ROLES |= dict.fromkeys(
    words("""
    woman girl lady mother grandmother sister daughter aunt queen princess wife widow bride witch fairy
    mermaid maid nun actress waitress granddaughter niece fisherwoman policewoman landlady heroine
    mama granny maiden sorceress duchess countess stepmother grandma mum mom girlfriend
    postwoman seamstress milkmaid huntress saleswoman
    """), "she"
)  # fmt: skip
ROLES |= dict.fromkeys(
    words("""
    man boy gentleman father grandfather brother son uncle king prince husband groom wizard monk
    fisherman papa cowboy nobleman barman
    grandson nephew fellow guy lad dad grandpa boyfriend emperor duke stepfather milkman
    policeman postman
    mailman huntsman salesman
    """), "he"
)  # fmt: skip
"""Nouns for people without a name, with the pronoun they tell."""

ANIMALS = words("""
    bear bird butterfly cat cow crab crow deer dolphin donkey duck elephant fish fox frog goat goose
    hare hedgehog hen horse lion monkey mouse octopus owl parrot penguin pig pony rabbit rat raven
    seagull seal sheep snail snake spider squirrel swan tiger turtle unicorn whale wolf dog kitten puppy
    rooster tortoise
    """)
"""Animals: a puppet plays one when it does something."""

SAME_KIN = (
    ("mother", "mum", "mom", "mama"),
    ("father", "dad", "papa"),
    ("grandmother", "grandma", "granny"),
    ("grandfather", "grandpa"),
)
"""Words for one relative."""

NOT_QUITE_HUMAN = ANIMALS | {
    "dragon", "ghost", "giant", "goblin", "troll",
    "robot", "alien", "monster", "mermaid", "skeleton", "snowman",
    "fairy", "elf", "dwarf", "ogre", "vampire", "zombie", "android",
}  # fmt: skip
"""Those whom a puppet can only play: said in a note."""

GENERIC = frozenset(
    ("man", "woman", "boy", "girl", "child", "lady", "fellow", "friend", "stranger", "gentleman")
)
"""Nouns so general that *old*, *young* or *other* before them tells who is meant."""
AGES = frozenset(("old", "young", "little", "small", "other", "second", "tall", "blind", "poor", "rich"))

PLACE_NAMES: frozenset[str] = words("""
    paris london rome berlin vienna madrid lisbon dublin edinburgh glasgow prague budapest warsaw moscow
    kyiv istanbul athens cairo nairobi lagos delhi mumbai beijing shanghai tokyo kyoto osaka seoul
    sydney melbourne auckland york chicago boston angeles francisco vegas washington texas california
    florida hollywood brooklyn manhattan toronto montreal vancouver mexico havana lima rio oslo
    stockholm copenhagen helsinki amsterdam brussels zurich geneva milan venice florence naples
    barcelona seville porto marseille lyon hamburg munich cologne leipzig petersburg jerusalem baghdad
    tehran kabul bangkok hanoi manila jakarta singapore europe asia africa america antarctica england
    scotland wales ireland britain france germany italy spain portugal greece turkey russia ukraine
    poland sweden norway denmark finland iceland egypt kenya nigeria india china japan korea australia
    canada brazil argentina chile peru vietnam thailand
    """)
"""Towns and countries that nobody takes for a person."""

NEVER_NAMES: frozenset[str] = words("""
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july
    august september october november december god lord heaven hell christmas easter halloween ramadan
    hanukkah diary english french german spanish italian russian chinese japanese american british european
    african asian indian greek latin arabic turkish dutch irish scottish polish swedish norwegian danish
    roman catholic muslim jewish christian north south east west internet bible koran earth ok okay tv
    radio day night north-east int ext cut fade chapter part act scene prologue epilogue the end
    """)
"""Written with a capital letter in any sentence, and yet nobody."""

ORDINARY: frozenset[str] = words("""
    a about above across after afterwards again against ago all almost alone along already also although
    always among an and another any anyone anything are around as ask at away back be because before
    behind below beneath beside besides best better between beyond big both boats bread breakfast bring
    but by bye can carefully children clouds cold come coming could dark darkness darling day days dear
    deep did dinner do does done down dust each early either else empty enough even evening ever every
    everybody everyone everything except far fear few finally fire first five fog footsteps for forever
    four from gently give go good goodbye grey had half happy hardly has have having he hello help her
    here hers herself hey hi high him himself his home hope how however hundreds i if in indeed inside
    instead into is it its itself just keep later last laughter leave left less let life light lightning
    like listen little long look lots love low lunch many maybe me mist money more morning most mother
    much must music my myself near nearby neither never next night no nobody none noon nor not nothing
    now nowhere of off often oh old on once one ones only open or other others our ours out outside over
    overhead own people perhaps please poor quickly quiet quietly rain right run sadly sand scene second
    see several shadows shall she ships should silence silently since sir six slowly small smoke snow so
    softly some somebody someone something sometimes somewhere soon sound spring stars still stop stones
    strange such suddenly summer sun sure take tears ten thanks that the their theirs them then there
    therefore these they thing things this those though thousands three through thunder till time tiny
    to today together tomorrow tonight too toward towards trees true try twenty two under unless until
    up upon us very voices wait water waves we well were what whatever when whenever where wherever
    whether which while white who whoever whose why wild will wind winter with within without wood words
    work would yes yesterday yet you young your yours autumn fall ah aha alas amid beautiful birds black
    blue bright carrying holding wearing standing sitting walking running looking green red golden hand
    hands eyes heavy hot houses huge ice lamps lanterns large leaves lights men merry midnight moonlight
    mountains nature pale past peace rivers roads rocks roses sea seagulls silver sky sleep sorry
    spiders steam storms streets sunlight sunset tall today's twice warm welcome wet women years yellow
    wow ouch hush shh ha was it's that's there's don't i'm i'll i've i'd you're we're they're he's she's
    what's who's let's can't won't didn't wasn't isn't couldn't wouldn't meanwhile nevertheless
    nonetheless moreover thus hence eventually somehow anyway luckily unfortunately fortunately
    apparently morning's evening's afternoon dusk dawn twilight curtain applause music's dogs cats
    horses tea coffee soup cake beginning during despite given according whoever's hundred thousand
    million seven eight nine eleven twelve dozens plenty neither's somebody's everyone's nobody's lady
    gentleman gentlemen ladies boys girls soldiers guards villagers sailors fishermen
    """)
"""Words that begin sentences without being names."""

SPEAKING = words("""
    said says say asked asks whispered whispers shouted shouts cried cries replied replies answered
    answers called calls muttered murmured yelled sighed sighs laughed laughs added exclaimed explained
    told tells announced begged insisted growled sang
    """)
FEELING = words("""
    smiled smiles smile cried cries wept weeps laughed laughs laugh sighed sighs frowned frowns blushed
    trembled trembles shivered grinned felt feels feel feared afraid happy sad angry lonely tears tear
    surprised proud worried love loved loves hate hated hoped hopes wished wishes remembered remembers
    thought thinks wondered wonders stared stares gasped nodded nods winked whispered whispers kissed
    hugged dreamed face eyes heart glad nervous ashamed delighted astonished tired
    """)
"""Words of feeling: the camera goes close."""

DOING = (
    SPEAKING
    | FEELING
    | words("""
    was is had has were did does could would took takes put puts got gets made makes found finds gave
    gives lit lights held holds carried carries kept keeps wore wears lived lives loved wanted wants
    tried tries began begins turned turns picked picks pulled pushes pushed pointed points looked looks
    opened opens closed closes knocked knocks brought brings caught catches threw throws met meets built
    builds lost knew woke wakes sat sits stood stands walked walks ran runs waved waves jumped jumps
    went goes came comes left leaves arrived arrives stepped entered enters climbed climbs followed
    follows returned returns waited waits hurried danced dances sailed sails rode rides swam flew slept
    sleeps ate eats drank read reads wrote writes shrugged shook shakes raised raises lifted lifts
    grabbed grabs watched watches saw sees heard hears leaned leans bowed bows played plays cooked cooks
    bought sold worked works never always still then also only just slowly quickly finally
    """)
)
"""What people do: after an unknown word with a capital letter it tells that the word is a name."""
