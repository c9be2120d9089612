"""The words of the theatre, in both directions.

Forward: what a caption may call a set, a time, a size, an action or a part of a look.  The
first entry of every tuple is the plain wording that the planner uses.
Backward: the words of a stranger's English that lead to a set, a time or an action.
"""

from cinema_cli.theatre.world import (
    Action,
    Build,
    Colour,
    HatShape,
    Position,
    Prop,
    SetName,
    ShotSize,
    Skin,
    TimeOfDay,
)

PLACE_WORDS: dict[SetName, tuple[tuple[str, str], ...]] = {
    "forest": (
        ("in", "the forest"),
        ("in", "the woods"),
        ("in", "the woodland"),
        ("among", "the pines"),
        ("under", "the trees"),
    ),
    "beach": (
        ("on", "the beach"),
        ("at", "the seaside"),
        ("on", "the sandy shore"),
        ("on", "the coast"),
        ("by", "the sea"),
    ),
    "castle": (
        ("at", "the castle"),
        ("at", "the fortress"),
        ("at", "the palace"),
        ("before", "the castle walls"),
        ("at", "the old keep"),
    ),
    "city": (
        ("in", "the city"),
        ("in", "the town"),
        ("in", "the street"),
        ("among", "the tall buildings"),
        ("downtown in", "the city"),
    ),
    "desert": (
        ("in", "the desert"),
        ("among", "the dunes"),
        ("in", "the dry wasteland"),
        ("by", "the cactuses"),
        ("on", "the desert sand"),
    ),
    "snowfield": (
        ("in", "the snowfield"),
        ("in", "the snow"),
        ("on", "the icy plain"),
        ("in", "the snowy hills"),
        ("on", "the frozen field"),
    ),
    "cave": (
        ("in", "the cave"),
        ("in", "the cavern"),
        ("in", "the grotto"),
        ("inside", "the rocky cave"),
        ("underground in", "the tunnel"),
    ),
    "kitchen": (
        ("in", "the kitchen"),
        ("in", "the cookhouse"),
        ("in", "the warm kitchen"),
        ("by", "the stove"),
        ("at", "the kitchen table"),
    ),
    "harbour": (
        ("in", "the harbour"),
        ("at", "the port"),
        ("on", "the quay"),
        ("at", "the docks"),
        ("among", "the boats"),
    ),
    "theatre": (
        ("in", "the theatre"),
        ("on", "the stage"),
        ("in", "the playhouse"),
        ("before", "the red curtains"),
        ("at", "the opera"),
    ),
    "farm": (
        ("on", "the farm"),
        ("by", "the barn"),
        ("in", "the farmyard"),
        ("in", "the fields"),
        ("at", "the farmhouse"),
    ),
    "space": (
        ("in", "outer space"),
        ("on", "the moon base"),
        ("among", "the stars"),
        ("on", "a far planet"),
        ("out in", "the cosmos"),
    ),
}

TIME_WORDS: dict[TimeOfDay, tuple[str, ...]] = {
    "day": ("by day", "at noon", "in the morning", "in daylight", "in the afternoon", "in bright light"),
    "sunset": ("at sunset", "at dusk", "in the evening", "at sundown", "in the evening glow", "at twilight"),
    "night": (
        "at night",
        "after dark",
        "at midnight",
        "in the dark of night",
        "under the moon",
        "late at night",
    ),
}

SIZE_WORDS: dict[ShotSize, tuple[str, ...]] = {
    "wide": ("Wide shot", "A wide view", "Long shot", "Wide angle", "A view from afar", "Establishing shot"),
    "medium": ("Medium shot", "A medium view", "Mid shot", "Waist shot", "Half-length shot"),
    "close-up": ("Close-up", "A close view", "Close shot", "A close-up view", "Seen from very near"),
}

ACTION_WORDS: dict[Action, tuple[str, ...]] = {
    "stands": ("stands", "stands still", "waits", "stands quietly", "stays", "pauses", "lingers"),
    "walks": ("walks", "strolls", "wanders", "strides", "marches", "walks along", "hikes"),
    "waves": ("waves", "greets", "waves a hand", "waves hello", "beckons", "says hello with a wave"),
    "jumps": ("jumps", "leaps", "hops", "jumps up", "jumps for joy", "bounces", "springs up"),
}

POSITION_WORDS: dict[Position, tuple[str, ...]] = {
    "left": ("on the left", "at the left", "on the left side", "at left"),
    "middle": ("in the middle", "in the centre", "at the centre", "in the center"),
    "right": ("on the right", "at the right", "on the right side", "at right"),
}

COLOUR_WORDS: dict[Colour, tuple[str, ...]] = {
    "red": ("red", "crimson", "scarlet"),
    "orange": ("orange", "amber", "tangerine"),
    "yellow": ("yellow", "golden", "lemon"),
    "green": ("green", "emerald", "leaf-green"),
    "blue": ("blue", "azure", "sapphire"),
    "purple": ("purple", "violet", "plum"),
    "pink": ("pink", "rosy", "rose"),
    "white": ("white", "snow-white", "ivory"),
}

COAT_WORDS: tuple[str, ...] = ("coat", "cloak", "jacket")

HAT_WORDS: dict[HatShape, tuple[str, ...]] = {
    "pointed": ("pointed hat", "pointy hat", "wizard hat"),
    "round": ("round hat", "bowler hat", "rounded hat"),
    "tall": ("top hat", "tall hat", "high hat"),
}

BUILD_WORDS: dict[Build, tuple[str, ...]] = {
    "tall": ("tall", "lanky", "towering"),
    "short": ("short", "small", "little"),
}

SKIN_WORDS: dict[Skin, tuple[str, ...]] = {
    "pale": ("pale", "fair"),
    "tan": ("tan", "bronze"),
    "dark": ("dark", "brown"),
}

PUPPET_WORDS: tuple[str, ...] = ("puppet", "figure", "doll", "fellow")

PROP_WORDS: dict[Prop, tuple[str, ...]] = {
    "lantern": ("carrying a lantern", "with a lantern", "holding a lamp"),
    "umbrella": ("carrying an umbrella", "with an umbrella", "under an umbrella"),
    "balloon": ("holding a balloon", "with a balloon", "carrying a balloon"),
    "dog": ("with a dog", "beside a dog", "with a little dog"),
}
