"""Movies of the theatre, written at random: who, where, when, how near, and the words for it.

A movie has a cast of one to four puppets with distinct coats and distinct hats, and two to five
places that it comes back to.  It is told in scenes of one to four shots: a scene opens wide and goes
closer; the next one plays somewhere else, often at a place seen long before.  A puppet's look is told
when it first appears; later it is only named, so that drawing it right takes memory.

The same seed writes the same movie on every machine: nothing depends on the hashes of strings.
"""

import random

from cinema_cli.theatre.captions import DEFAULT_FACING, write_caption
from cinema_cli.theatre.names import draw_names
from cinema_cli.theatre.wording import PLACE_WORDS
from cinema_cli.theatre.world import (
    ACTIONS,
    BUILDS,
    COLOURS,
    HAT_SHAPES,
    PROPS,
    SETS,
    SHOT_SIZES,
    SKINS,
    TIMES,
    Colour,
    Facing,
    Figure,
    Movie,
    MovieShot,
    Place,
    Position,
    Puppet,
    ShotSize,
    StagedShot,
    TimeOfDay,
)

EMPTY = 0.07
"""Share of shots that show a place with nobody in it."""

COMPANY = 0.4
"""Chance that two puppets are there."""

LAYOUTS = 2**31
"""Layout seeds are drawn below this."""

ONE_FIGURE: tuple[Position, ...] = ("left", "middle", "right")
TWO_FIGURES: tuple[Position, ...] = ("left", "right")


def write_movie(
    seed: int, shots: int, describe: float = 0.0, company: float = COMPANY, returns: float = 0.0
) -> Movie:
    """A random movie.

    ``describe``: chance that a later appearance is described again.  ``company``: chance that two puppets are
    there, where the cast allows.  ``returns``: chance that a shot shows place, hour and size of an earlier
    one, beside those that do so anyway.
    """
    rng = random.Random(f"movie {seed}")
    cast = random_cast(rng, rng.choices((1, 2, 3, 4), (2, 4, 3, 2))[0])
    places = [Place(name, rng.randrange(LAYOUTS)) for name in rng.sample(SETS, rng.randint(2, 5))]
    seen: set[str] = set()
    written = []
    for staged in stage_scenes(rng, cast, places, shots, company, returns):
        names = [figure.puppet.name for figure in staged.figures]
        described = tuple(name for name in names if name not in seen or rng.random() < describe)
        seen.update(names)
        written.append(MovieShot(staged, write_caption(staged, frozenset(described), rng), described))
    return Movie(title_of(rng, cast, places), line_of(cast, places), cast, tuple(written))


def stage_scenes(
    rng: random.Random,
    cast: tuple[Puppet, ...],
    places: list[Place],
    shots: int,
    company: float,
    returns: float = 0.0,
) -> list[StagedShot]:
    """Scenes one after the other until there are enough shots."""
    staged: list[StagedShot] = []
    unseen = list(places)
    place, time = unseen.pop(0), rng.choice(TIMES)
    present = draw_present(rng, cast, company)
    while len(staged) < shots:
        for step in range(rng.choice((1, 1, 2, 2, 3, 4))):
            size = draw_size(rng, step)
            if step and rng.random() < 0.4:
                present = draw_present(rng, cast, company)
            scenery = place, time, size
            if returns and staged and rng.random() < returns:
                earlier = rng.choice(staged)
                scenery = earlier.place, earlier.time, earlier.size
            staged.append(stage_shot(rng, *scenery, present))
        if unseen and rng.random() < 0.5:
            place = unseen.pop(0)
        else:
            seen_places = [other for other in places if other not in unseen and other != place]
            place = rng.choice(seen_places) if seen_places else unseen.pop(0)
        time = rng.choice(TIMES) if rng.random() < 0.6 else time
        present = draw_present(rng, cast, company)
    return staged[:shots]


def stage_shot(
    rng: random.Random, place: Place, time: TimeOfDay, size: ShotSize, present: list[Puppet]
) -> StagedShot:
    """One shot: the present puppets take their positions, or nobody is there."""
    if rng.random() < EMPTY:
        return StagedShot(place, time, "medium" if size == "close-up" else size)
    if size == "close-up" and rng.random() < 0.6:
        present = present[:1]
    positions = TWO_FIGURES if len(present) == 2 else (rng.choice(ONE_FIGURE),)
    shuffled = rng.sample(present, len(present))
    figures = [
        Figure(puppet, position, draw_facing(rng, position), rng.choice(ACTIONS))
        for puppet, position in zip(shuffled, positions, strict=True)
    ]
    return StagedShot(place, time, size, tuple(figures))


def random_shot(rng: random.Random) -> tuple[StagedShot, frozenset[str]]:
    """A shot on its own, every figure described: what the single-image stage learns from."""
    cast = random_cast(rng, rng.choice((1, 1, 2)))
    place = Place(rng.choice(SETS), rng.randrange(LAYOUTS))
    staged = stage_shot(rng, place, rng.choice(TIMES), rng.choice(SHOT_SIZES), list(cast))
    return staged, frozenset(figure.puppet.name for figure in staged.figures)


def random_cast(rng: random.Random, size: int) -> tuple[Puppet, ...]:
    """Puppets with distinct names, coats and hats."""
    looks = zip(draw_names(rng, size), rng.sample(COLOURS, size), rng.sample(COLOURS, size), strict=True)
    return tuple(random_puppet(rng, name, coat, hat) for name, coat, hat in looks)


def random_puppet(rng: random.Random, name: str, coat: Colour, hat: Colour) -> Puppet:
    """A puppet of a given name and colours, the rest of its look at random."""
    prop = rng.choice(PROPS) if rng.random() < 0.4 else None
    return Puppet(name, coat, hat, rng.choice(HAT_SHAPES), rng.choice(SKINS), rng.choice(BUILDS), prop)


def draw_present(rng: random.Random, cast: tuple[Puppet, ...], company: float) -> list[Puppet]:
    """Who is there: one puppet, or two where the cast allows."""
    return rng.sample(cast, 2 if len(cast) > 1 and rng.random() < company else 1)


def draw_size(rng: random.Random, step: int) -> ShotSize:
    """A scene opens wide and goes closer, with exceptions."""
    weights = (6, 3, 1) if step == 0 else (1, 3, 3)
    return rng.choices(SHOT_SIZES, weights)[0]


def draw_facing(rng: random.Random, position: Position) -> Facing:
    """Mostly towards the middle, sometimes away."""
    towards = DEFAULT_FACING[position]
    away: Facing = "left" if towards == "right" else "right"
    return towards if rng.random() < 0.7 else away


def title_of(rng: random.Random, cast: tuple[Puppet, ...], places: list[Place]) -> str:
    """A title of a name and a place."""
    name, place = cast[0].name, PLACE_WORDS[places[0].set][0][1]
    return rng.choice((f"{name} and {place}", f"{name} at night", f"Back to {place}", name))


def line_of(cast: tuple[Puppet, ...], places: list[Place]) -> str:
    """One line about the whole movie; a cast of nobody is not spoken of."""
    names = listed([f"<{puppet.name}>" for puppet in cast])
    about = f"A film about {names}, set" if cast else "A film set"
    return f"{about} {listed([' '.join(PLACE_WORDS[place.set][0]) for place in places])}."


def listed(words: list[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
