"""How people look: what a story says of coats, hats, height, skin and things carried, and the rest cast.

What the story leaves open is cast by the name alone, so that the same name looks the same in every film;
only where a colour is taken within the film does the next free one step in.
"""

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from cinema_cli.planning.common_words import ROLES, words
from cinema_cli.planning.person import Person, Presence
from cinema_cli.theatre.reading import WORD
from cinema_cli.theatre.wording import COLOUR_WORDS
from cinema_cli.theatre.world import (
    BUILDS,
    COLOURS,
    HAT_SHAPES,
    SKINS,
    Build,
    Colour,
    HatShape,
    Prop,
    Puppet,
    Skin,
)

COLOURS_SAID: dict[str, Colour] = {word: colour for colour, said in COLOUR_WORDS.items() for word in said}
COLOURS_SAID |= {"gold": "yellow", "navy": "blue", "lilac": "purple", "lavender": "purple"}
COLOURS_NEAR: dict[str, Colour] = {
    "black": "purple", "grey": "white", "gray": "white", "silver": "white", "brown": "orange",
    "beige": "yellow",
    "turquoise": "blue", "teal": "green", "maroon": "red", "cream": "white", "dark": "purple",
}  # fmt: skip
"""Colours that the theatre's wardrobe lacks; told in a note."""

COATS = words("""
coat cloak jacket dress robe robes gown cape tunic shirt sweater jumper uniform apron suit raincoat overcoat
cardigan kimono scarf vest waistcoat blouse skirt trousers overalls sari poncho pullover
""")
HATS = words("hat cap hood bonnet beret helmet crown turban headscarf fedora bowler")
SHAPES: dict[str, HatShape] = {
    "pointed": "pointed", "pointy": "pointed", "wizard": "pointed", "cone": "pointed", "witch's": "pointed",
    "round": "round", "bowler": "round", "cap": "round", "bonnet": "round", "beret": "round",
    "helmet": "round",
    "hood": "pointed", "turban": "round", "headscarf": "round", "fedora": "round", "tall": "tall",
    "top": "tall",
    "crown": "tall", "high": "tall", "stovepipe": "tall",
}  # fmt: skip
HEIGHTS: dict[str, Build] = {
    "tall": "tall", "lanky": "tall", "towering": "tall", "short": "short", "little": "short",
    "small": "short",
    "tiny": "short",
}  # fmt: skip
SKINS_SAID: dict[str, Skin] = {
    "pale": "pale", "fair": "pale", "light": "pale", "tan": "tan", "tanned": "tan", "olive": "tan",
    "bronze": "tan", "dark": "dark", "brown": "dark", "black": "dark",
}  # fmt: skip
PROPS_SAID: dict[str, Prop] = {
    "lantern": "lantern", "lamp": "lantern", "torch": "lantern", "candle": "lantern", "flashlight": "lantern",
    "umbrella": "umbrella", "parasol": "umbrella", "balloon": "balloon", "balloons": "balloon", "dog": "dog",
    "puppy": "dog", "kite": "balloon",
}  # fmt: skip
CARRYING = words("""
with carry carrying carried carries hold holding held holds under has had have swinging clutching
brought took takes
raised lifted
""")


@dataclass(frozen=True)
class SaidLook:
    """What a story says of a look; the rest is none."""

    coat: Colour | None = None
    hat: Colour | None = None
    hat_shape: HatShape | None = None
    skin: Skin | None = None
    build: Build | None = None
    prop: Prop | None = None


class Wardrobe:
    """The looks that a story tells, gathered sentence by sentence; what is said first holds."""

    def __init__(self) -> None:
        self.said: dict[Person, SaidLook] = {}
        self.notes: dict[Person, list[str]] = {}

    def read(self, tokens: list[str], present: list[Presence]) -> None:
        """Take up what a sentence (its tokens, in small letters) says of those who are there."""
        if not present:
            return
        for at, token in enumerate(tokens):
            self._read_garment(tokens, at, present)
            if token in HATS and tokens[at - 1] in SHAPES and at:
                self._say(owner(present, at), hat_shape=SHAPES[tokens[at - 1]])
            if token in HEIGHTS:
                self._read_height(tokens, at, present)
            skin = skin_at(tokens, at)
            if skin:
                self._say(owner(present, at), skin=skin)
            acts = any(each.at == at for each in present)  # a dog of the cast is no thing carried
            if token in PROPS_SAID and carried(tokens, at) and not acts:
                self._say(owner(present, at), prop=PROPS_SAID[token])

    def _read_garment(self, tokens: list[str], at: int, present: list[Presence]) -> None:
        colour = COLOURS_SAID.get(tokens[at]) or COLOURS_NEAR.get(tokens[at])
        if colour is None:
            return
        garment = garment_at(tokens, at)
        if garment is None:
            return
        person = owner(present, at)
        noun = tokens[garment]
        near = f"{person.name}'s {tokens[at]} {noun} is {colour}"
        if noun in COATS and self.said.get(person, SaidLook()).coat is None:
            self._say(person, coat=colour)
            if tokens[garment + 1 : garment + 3] == ["and", "hat"]:
                self._say(person, hat=colour)
        elif noun in HATS and self.said.get(person, SaidLook()).hat is None:
            around = tokens[max(at - 2, 0) : at] + tokens[at : garment + 1]
            shape = next((SHAPES[word] for word in around if word in SHAPES), None)
            self._say(person, hat=colour, hat_shape=shape)
        else:
            return
        if tokens[at] in COLOURS_NEAR:
            self.notes.setdefault(person, []).append(near)

    def _read_height(self, tokens: list[str], at: int, present: list[Presence]) -> None:
        """*a tall girl* is about the one who follows, *Otto(, a tall sailor| was tall)* the one before."""
        following = next((each.person for each in present if at < each.at <= at + 3), None)
        described = tokens[max(at - 2, 0) : at] in ([",", "a"], ["was", "a"], ["is", "a"])
        if following is not None:
            self._say(following, build=HEIGHTS[tokens[at]])
            return
        somebody = described and any(token in ROLES for token in tokens[at + 1 : at + 5])
        ends = tokens[at + 1 : at + 2] in ([","], ["."], ["and"])
        if somebody or (ends and tokens[at - 1] in ("was", "is", "very", "so")):
            self._say(owner(present, at), build=HEIGHTS[tokens[at]])

    def _say(
        self,
        person: Person,
        coat: Colour | None = None,
        hat: Colour | None = None,
        hat_shape: HatShape | None = None,
        skin: Skin | None = None,
        build: Build | None = None,
        prop: Prop | None = None,
    ) -> None:
        old = self.said.get(person, SaidLook())
        self.said[person] = replace(
            old,
            coat=old.coat or coat,
            hat=old.hat or hat,
            hat_shape=old.hat_shape or hat_shape,
            skin=old.skin or skin,
            build=old.build or build,
            prop=old.prop or prop,
        )

    def keep(self, person: Person, look: SaidLook) -> bool:
        """Hold somebody to the look that a film shows already, and tell whether the story says otherwise."""
        said = asdict(self.said.get(person, SaidLook()))
        self.said[person] = look
        self.notes.pop(person, None)
        return any(
            value not in (None, shown)
            for value, shown in zip(said.values(), asdict(look).values(), strict=True)
        )

    def dress(self, persons: Sequence[Person]) -> dict[Person, Puppet]:
        """A puppet for everybody: as said, else by the name, in colours not yet taken while there are any."""
        said = {person: self.said.get(person, SaidLook()) for person in persons}
        coats = [look.coat for look in said.values() if look.coat]
        hats = [look.hat for look in said.values() if look.hat]
        dressed = {}
        for person, look in said.items():
            coat = look.coat or next_free(f"coat {person.name}", coats)
            coats += [] if look.coat else [coat]
            hat = look.hat or next_free(f"hat {person.name}", hats)
            hats += [] if look.hat else [hat]
            dressed[person] = Puppet(
                person.name,
                coat,
                hat,
                look.hat_shape or HAT_SHAPES[stable(f"shape {person.name}", len(HAT_SHAPES))],
                look.skin or SKINS[stable(f"skin {person.name}", len(SKINS))],
                look.build or BUILDS[stable(f"build {person.name}", len(BUILDS))],
                look.prop,
            )
        return dressed


def said_in(look: str) -> SaidLook:
    """What the look of a member of the cast says, in the theatre's wording or in a person's own."""
    wardrobe, person = Wardrobe(), Person("somebody")
    tokens = [token.lower() for token in WORD.findall(look)]
    wardrobe.read(tokens, [Presence(person, 0)])
    build = next((HEIGHTS[token] for token in tokens if token in HEIGHTS), None)
    return replace(wardrobe.said.get(person, SaidLook()), build=build)


def garment_at(tokens: list[str], at: int) -> int | None:
    """Where the garment of a colour is: *a blue pointed hat*, or *her hat was blue*."""
    for ahead in range(at + 1, min(at + 4, len(tokens))):
        if tokens[ahead] in COATS or tokens[ahead] in HATS:
            return ahead
        if not tokens[ahead][0].isalpha() or tokens[ahead] in ("and", "with", "or"):
            break
    if (
        at >= 2
        and tokens[at - 1] in ("was", "is", "of")
        and (tokens[at - 2] in COATS or tokens[at - 2] in HATS)
    ):
        return at - 2
    return None


def skin_at(tokens: list[str], at: int) -> Skin | None:
    """A skin that is told at a token: *dark-skinned*, *tanned skin*, *a pale face*."""
    colour, _, rest = tokens[at].partition("-")
    if rest in ("skinned", "faced"):
        return SKINS_SAID.get(colour)
    return SKINS_SAID.get(tokens[at]) if tokens[at + 1 : at + 2] in (["skin"], ["face"]) else None


def carried(tokens: list[str], at: int) -> bool:
    """Whether the thing is in somebody's hand: *with a little dog*, *swinging her old lantern*."""
    for back in range(at - 1, max(at - 5, -1), -1):
        if tokens[back] in CARRYING:
            return True
        if tokens[back] == "and" and tokens[back + 1] in ("his", "her", "my", "their"):
            return True
        if not tokens[back][0].isalpha():
            return False
    return False


def owner(present: list[Presence], at: int) -> Person:
    """Whose the thing at a token is: of the last person before it, else of the first."""
    before = [presence.person for presence in present if presence.at <= at]
    return before[-1] if before else present[0].person


def next_free(key: str, taken: Sequence[Colour | None]) -> Colour:
    """The colour of a key, or the next one that fewest have."""
    start = stable(key, len(COLOURS))
    ring = COLOURS[start:] + COLOURS[:start]
    return min(ring, key=taken.count)


def stable(key: str, count: int) -> int:
    """A number below ``count`` that depends on nothing but the key."""
    return zlib.crc32(key.encode()) % count
