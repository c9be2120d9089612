"""The words of a stranger's English that lead to a set, a time or an action of the theatre (tables only)."""

from cinema_cli.theatre.world import Action, SetName, TimeOfDay

SAME_PLACES: dict[SetName, str] = {
    "forest": "forest forests wood woods woodland woodlands jungle rainforest grove thicket copse pines",
    "beach": "beach beaches seaside seashore shore shoreline coast sands",
    "castle": "castle fortress palace fort citadel keep",
    "city": "city town street streets downtown metropolis boulevard avenue",
    "desert": "desert dunes wasteland",
    "snowfield": "snowfield snowfields tundra snow glacier ice",
    "cave": "cave cavern grotto caves caverns tunnel tunnels",
    "kitchen": "kitchen cookhouse kitchens",
    "harbour": "harbour harbor port quay docks dock pier wharf jetty marina",
    "theatre": "theatre theater playhouse stage opera",
    "farm": "farm farmyard farmhouse barn",
    "space": "space cosmos",
}
"""Words that name a set of the theatre."""

NEAR_PLACES: dict[SetName, str] = {
    "forest": "garden gardens park orchard swamp marsh path trail bushes treehouse camp campsite clearing",
    "beach": "island sea ocean river lake riverbank bay waterfall pond lagoon stream brook pool",
    "castle": "library tower dungeon cathedral church temple monastery abbey mansion manor museum university "
    "school classroom court throne prison ruins chapel hall ballroom staircase stairs kingdom "
    "academy graveyard cemetery gate",
    "city": "office station airport market marketplace square hospital shop store bank hotel village alley "
    "bridge road highway subway rooftop roof building skyscraper neighbourhood neighborhood "
    "courtyard bakery bus train tram car taxi pavement sidewalk factory laboratory lab corridor "
    "platform",
    "desert": "canyon plain plains savanna savannah quarry steppe prairie",
    "snowfield": "mountain mountains hill hills summit peak slope cliff cliffs valley alps ridge igloo",
    "cave": "mine cellar basement crypt pit sewer vault bunker underworld hollow lair den",
    "kitchen": "house home room bedroom cottage hut cabin inn tavern pub cafe café restaurant apartment flat "
    "bed parlour bar attic study workshop bathroom fireplace porch diner canteen",
    "harbour": "ship boat lighthouse ferry deck canal shipyard vessel raft submarine",
    "theatre": "circus cinema concert tent arena stadium fairground carnival auditorium studio gallery "
    "nightclub",
    "farm": "field fields meadow meadows countryside pasture stable mill windmill vineyard",
    "space": "planet moon spaceship rocket mars galaxy universe asteroid orbit spacecraft",
}
"""Words that the theatre has no set for, under the set that comes nearest."""

ALIASES = {"bed": "bedroom", "stairs": "staircase", "roof": "rooftop", "gate": "castle gate"}
"""Parts of a place, and what they are parts of."""

LOOSE_PLACES: dict[SetName, str] = {
    "forest": "trees tree oak birches branches leaves",
    "beach": "sand surf",
    "city": "buildings skyscrapers lamppost",
    "desert": "cactus cactuses",
    "kitchen": "stove oven",
    "harbour": "boats ships",
    "theatre": "curtain curtains spotlight",
    "space": "stars",
    "castle": "battlements drawbridge",
}
"""Things that tell a place only after a word such as *under*, *among* or *by*."""

ONLY_AFTER: dict[str, frozenset[str]] = {
    "bed": frozenset(("in", "into", "to")),
    "gate": frozenset(("at", "to", "through", "before", "by")),
    "moon": frozenset(("on", "to", "onto")),
    "stars": frozenset(("among", "to", "between", "through")),
    "space": frozenset(("in", "into", "through", "to", "on", "at", "aboard", "inside")),
    "snow": frozenset(("in", "into", "through", "across")),
    "ice": frozenset(("on", "onto", "across", "over")),
    "sand": frozenset(("on", "in", "across", "through")),
    "mine": frozenset(("in", "into", "inside")),
    "study": frozenset(("in", "into")),
    "park": frozenset(("in", "into", "through", "across", "to")),
    "keep": frozenset(("in", "into", "at")),
    "stage": frozenset(("on", "onto")),
    "tree": frozenset(("under", "behind", "beneath", "beside")),
    "leaves": frozenset(("under", "among", "through")),
    "corridor": frozenset(("in", "along", "through", "down")),
    "plain": frozenset(("on", "across", "over")),
    "bank": frozenset(("in", "into", "to", "at", "outside")),
    "car": frozenset(("in", "into")),
    "bar": frozenset(("in", "into", "at", "to")),
    "store": frozenset(("in", "into", "to", "at")),
}
"""Words that are a place only after these."""

SAME_TIMES: dict[TimeOfDay, str] = {
    "day": "day noon morning midday afternoon daylight sunlight sunshine daytime sunny",
    "sunset": "sunset dusk evening twilight sundown nightfall",
    "night": "night midnight moonlight moonlit starlight tonight darkness",
}
NEAR_TIMES: dict[TimeOfDay, str] = {"sunset": "dawn sunrise daybreak"}

SAME_ACTIONS: dict[Action, str] = {
    "walks": "walk stroll wander stride march hike step pace",
    "waves": "wave greet beckon hail",
    "jumps": "jump leap hop bounce spring",
    "stands": "stand wait stay pause linger stop",
}
"""Verbs that a puppet shows as they are."""

NEAR_ACTIONS: dict[Action, str] = {
    "walks": "run climb ride swim sail row drive crawl chase flee fly dash rush sneak creep cycle",
    "waves": "applaud salute clap bow",
    "jumps": "dance skip cheer celebrate fall tumble stumble fight spin twirl",
    "stands": "sit sleep eat drink read cook kneel lie sing play write knit",
}
"""Verbs that a puppet cannot show, under the action that comes nearest."""

SILENT_ACTIONS: dict[Action, str] = {
    "walks": "go come follow travel enter leave return arrive reach cross pass move approach hurry trudge "
    "head",
    "waves": "call",
    "stands": "say ask look think open close smile know see hear feel watch",
}
"""Verbs that nobody misses on a stage: they are shown by the nearest action without a note."""

IRREGULAR_FORMS = {
    "run": "ran running", "ride": "rode ridden riding", "swim": "swam swum swimming",
    "go": "went gone", "come": "came coming", "leave": "left leaving", "fly": "flew flown flies",
    "fall": "fell fallen", "sit": "sat sitting", "sleep": "slept", "eat": "ate eaten",
    "drink": "drank drunk", "stand": "stood", "sing": "sang sung", "write": "wrote written",
    "spring": "sprang sprung", "lie": "lay lying", "stride": "strode", "fight": "fought",
    "drive": "drove driven", "creep": "crept", "flee": "fled", "say": "said", "think": "thought",
    "know": "knew", "see": "saw seeing", "hear": "heard", "feel": "felt", "kneel": "knelt",
    "spin": "spun spinning", "leap": "leapt", "skip": "skipped skipping", "hop": "hopped hopping",
    "step": "stepped stepping", "stop": "stopped stopping", "clap": "clapped clapping",
    "hurry": "hurried hurries", "knit": "knitted knitting", "travel": "travelled travelling",
}  # fmt: skip
