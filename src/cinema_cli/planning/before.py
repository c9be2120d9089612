"""What a film shows before the text that continues it: who is in it, and where and when it left off."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cinema_cli.planning.person import Called
from cinema_cli.planning.told import Told
from cinema_cli.storyboard import CastMember
from cinema_cli.theatre.world import Place


@dataclass(frozen=True)
class Before:
    """What came before; of a film that begins, nothing."""

    cast: tuple[CastMember, ...] = ()
    """Who is in it; where the document has no cast, those whom its captions tag."""
    called: tuple[Called, ...] = ()
    """How to speak of them, in the same order."""
    seen: tuple[str, ...] = ()
    """The names of those who were seen, the last first."""
    captions: tuple[str, ...] = ()
    """What its shots show, without tags; their pronouns tell who is a she and who a he."""
    place: str = ""
    """Where the last shot plays, in the film's words; empty when it does not say."""
    time: str = "day"
    """When it plays."""
    places: Mapping[Place, str] = field(default_factory=dict)
    """The film's words for every place where it played."""
    told: Told = field(default_factory=Told)
    """What a director told of it."""


NOTHING = Before()
"""What comes before the beginning."""
