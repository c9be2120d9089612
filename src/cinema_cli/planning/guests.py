"""Guests: people of another film who come into a new one as they look there (paper, 4.3, Fig. 10b).

Only whom the new story names comes.  A guest keeps name and look; where the story itself tells a coat, a
hat, a height, a skin or a thing carried, the story counts.  Roles mean nobody of another film: *the captain*
of the new story is no *Captain Ahab* until the story calls him so.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cinema_cli.config import Config
from cinema_cli.fields import Line, inside
from cinema_cli.files import sha256_file, write_atomic
from cinema_cli.planning.before import NOTHING, Before
from cinema_cli.planning.common_words import ROLES, TITLES
from cinema_cli.planning.looks import SaidLook, said_in
from cinema_cli.planning.moments import read_moments
from cinema_cli.planning.names import has_case
from cinema_cli.planning.people import People
from cinema_cli.planning.person import Called, words_of
from cinema_cli.planning.prose import Prose
from cinema_cli.planning.story import plain_of, prose_of
from cinema_cli.storyboard import CastMember
from cinema_cli.theatre.captions import describe_look
from cinema_cli.theatre.wording import HAT_WORDS, PROP_WORDS
from cinema_cli.theatre.world import Puppet

WHOLE = ("coat", "hat", "hat_shape", "skin", "build")
"""What a look must tell to be that of a puppet."""


class Guest(Config):
    """Somebody of another film."""

    member: CastMember
    """Their name and look, and the portrait as it lies in this film."""
    called: Called
    """How a story speaks of them."""
    film: Line
    """Where they come from."""


@dataclass(frozen=True)
class Invitation:
    """Who comes from other films."""

    guests: tuple[Guest, ...]
    """Those whom the story names."""
    pictures: Mapping[str, Path]
    """By name where the picture of each lies in their own film; nothing for those who have none."""
    notes: tuple[str, ...] = ()
    """Who comes and who does not, a line each."""

    def bring(self, folder: Path, again: bool) -> None:
        """Copy the pictures into a film; ``again``: those too that are there already."""
        for guest in self.guests:
            if guest.member.portrait is None:
                continue
            there, source = inside(folder, guest.member.portrait.picture), self.pictures[guest.member.name]
            if not there.is_file() or (again and sha256_file(there) != guest.member.portrait.picture_sha256):
                write_atomic(there, source.read_bytes())


def called_elsewhere(called: Called) -> Called:
    """How a new story speaks of somebody: by name, and not yet by what they are."""
    single = TITLES.keys() | ROLES.keys()
    words = words_of(called.name)
    proper = words if is_role(called.name) else [word for word in words if word not in single]
    return called.model_copy(update={"words": tuple(proper)})


def is_role(name: str) -> bool:
    """Whether a name only says what somebody is: *The Old Man*."""
    return name.startswith("The ")


def named(text: str, guests: Sequence[Guest]) -> tuple[Guest, ...]:
    """Those whom a story calls by name, in their order."""
    if not guests:
        return ()
    plain, people, prose = _read(text, guests)
    spoken = {person for sentence in prose.sentences for person in people.named_in(sentence)}

    def is_named(name: str) -> bool:
        if is_role(name):
            return re.search(rf"\b{re.escape(name)}\b", plain, re.IGNORECASE) is not None
        if not has_case(name[0]):  # a script that tells names neither by capitals nor, often, by spaces
            return name in plain
        return people.met[name] in spoken

    return tuple(guest for guest in guests if is_named(guest.member.name))


def before_with(text: str, guests: Sequence[Guest]) -> tuple[Before, list[str]]:
    """What a story finds that begins with these guests, and a line for each whom it dresses anew."""
    if not guests:
        return NOTHING, []
    _, people, prose = _read(text, guests)
    _, wardrobe = read_moments([[each] for each in prose.sentences], people, [], _before(guests))
    members, notes = [], []
    for guest in guests:
        member = guest.member
        said = wardrobe.said.get(people.met[member.name], SaidLook())
        look = dressed(member, said)
        if look != member.look:
            kept = "; the portrait shows the look before" if member.portrait else ""
            notes.append(f"the story dresses <{member.name}> otherwise than {guest.film}: {look}{kept}")
        members.append(member.model_copy(update={"look": look}))
    return Before(cast=tuple(members), called=tuple(guest.called for guest in guests)), notes


def dressed(member: CastMember, said: SaidLook) -> str:
    """A look with what a story says of it: a puppet's is told anew, a person's own words stay behind."""
    shown = asdict(said_in(member.look))
    other = {name: value for name, value in asdict(said).items() if value not in (None, shown[name])}
    if not other:
        return member.look
    if all(shown[name] for name in WHOLE):
        return describe_look(Puppet(member.name, **{**shown, **other}))
    return ", otherwise ".join(filter(None, (f"now {_told(SaidLook(**other))}", member.look)))


def _told(look: SaidLook) -> str:
    """*in a red coat, with a blue top hat*."""
    hat = " ".join(filter(None, (look.hat, HAT_WORDS[look.hat_shape][0] if look.hat_shape else "hat")))
    parts = (
        look.build,
        f"in a {look.coat} coat" if look.coat else None,
        f"with a {hat}" if look.hat or look.hat_shape else None,
        f"with {look.skin} skin" if look.skin else None,
        PROP_WORDS[look.prop][0] if look.prop else None,
    )
    return ", ".join(filter(None, parts))


def _read(text: str, guests: Sequence[Guest]) -> tuple[str, People, Prose]:
    plain = plain_of(text)
    prose = prose_of(plain)
    return plain, People(prose.sentences, _before(guests)), prose


def _before(guests: Sequence[Guest]) -> Before:
    return Before(cast=tuple(each.member for each in guests), called=tuple(each.called for each in guests))
