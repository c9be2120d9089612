"""The camera and the marks on the floor: how near each shot is, who stands where and looks where.

A change of place or hour opens wide.  Speech and feeling are shown near, but nobody appears first in a
close-up.  In between the sizes alternate, and so they do from one empty place to the next.
Somebody who goes out walks to the right and comes back walking to the left, and two people keep their sides
of the frame, so that a viewer never loses the way.
"""

from dataclasses import dataclass, field

from cinema_cli.planning.beats import Beat, Doing
from cinema_cli.planning.person import Person
from cinema_cli.theatre.staging import stage_doing, stage_place, stage_time
from cinema_cli.theatre.world import Facing, Place, Position, ShotSize, TimeOfDay

CLOSER: dict[ShotSize, ShotSize] = {"wide": "medium", "medium": "close-up", "close-up": "medium"}
ROUND: tuple[ShotSize, ...] = ("medium", "close-up", "medium", "wide")
SIDES: tuple[Position, Position] = ("left", "right")


@dataclass(frozen=True)
class Setup:
    """How a beat is shot: the size, who is in the frame, and on which side."""

    size: ShotSize
    doing: tuple[Doing, ...]
    positions: tuple[Position | None, ...]
    facing: Facing | None = None
    """Where all of them look, if not towards the middle: two who walk together."""


@dataclass
class Camera:
    """Chooses one setup after the other and remembers the ones before."""

    order: list[Person] = field(default_factory=list)
    """Everybody in order of appearance: even ones are at home on the left, odd ones on the right."""
    scene: tuple[Place, TimeOfDay] | None = None
    size: ShotSize = "wide"
    since: int = 0
    near: Person | None = None
    empty: bool = False

    def choose(self, beat: Beat, again: bool = False, size: ShotSize | None = None) -> Setup:
        """The setup of a beat; ``again`` when it follows itself and is shown a second time.

        A ``size`` that somebody else has settled holds, and everybody who does something is in the frame.
        """
        new = any(doing.person not in self.order for doing in beat.doing)
        self.order += [doing.person for doing in beat.doing if doing.person not in self.order]
        chosen = CLOSER[self.size] if again and beat.doing else self._size(beat)
        if new and chosen == "close-up":  # a first appearance shows the coat as well
            chosen = "medium"
        self.size = size or chosen
        doing = beat.doing[:1] if self.size == "close-up" and size is None else beat.doing
        self.near = doing[0].person if self.size == "close-up" and doing else None
        self.scene, self.empty = scene_of(beat), not beat.doing
        together = len(doing) == 2 and {is_walk(each.words) for each in doing} == {True}
        facing: Facing | None = ("left" if beat.back else "right") if together else None
        return Setup(self.size, doing, self._positions(doing, beat.back), facing)

    def _size(self, beat: Beat) -> ShotSize:
        if scene_of(beat) != self.scene:
            self.since = 0
            return "medium" if self.empty and not beat.doing and self.size == "wide" else "wide"
        self.since += 1
        if not beat.doing:
            return "medium" if self.size == "wide" else "wide"
        if beat.near:
            return "medium" if self.near is beat.doing[0].person else "close-up"
        size = ROUND[(self.since - 1) % len(ROUND)]
        return "medium" if size == "close-up" and (self.near or len(beat.doing) > 1) else size

    def _positions(self, doing: tuple[Doing, ...], back: bool) -> tuple[Position | None, ...]:
        if len(doing) != 1:
            first_two = [self.order.index(each.person) for each in doing[:2]]
            sides = SIDES if first_two == sorted(first_two) else SIDES[::-1]
            return (*sides, *[None] * (len(doing) - 2))[: len(doing)]
        if self.size == "close-up":
            return ("middle",)
        home = SIDES[self.order.index(doing[0].person) % 2]
        if back:
            return ("right",)
        return (home if self.size == "wide" or self.since % 2 else "middle",)


def scene_of(beat: Beat) -> tuple[Place, TimeOfDay]:
    """Where and when a beat is staged: two words for the same place are one scene."""
    return stage_place(beat.place, 0, []), stage_time(beat.time, [])


def is_walk(doing: str) -> bool:
    """Whether somebody is on the way."""
    return stage_doing(doing, []) == "walks"
