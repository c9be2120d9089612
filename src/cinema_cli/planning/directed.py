"""From a director's answers to a shot list: in the director's own words, or as the theatre can stage them.

A keyframe model such as FLUX reads the director's captions as they are.  The toy models know the theatre's
words only; for them each shot's place, hour, framing and plain sentence are staged as the plain rule stages a
beat, with the director's shots as they are cut, and the looks are read into puppets.
"""

import re
from dataclasses import dataclass
from typing import Any

from cinema_cli.models.captions import with_looks
from cinema_cli.planning.beats import Beat, Doing
from cinema_cli.planning.before import Before
from cinema_cli.planning.camera import Camera
from cinema_cli.planning.director_reply import Reply, ShotReply
from cinema_cli.planning.fountain import is_fountain, to_prose
from cinema_cli.planning.looks import Wardrobe, said_in
from cinema_cli.planning.moments import Moment, bounded
from cinema_cli.planning.person import Person, called_by_name
from cinema_cli.planning.prose import cut
from cinema_cli.planning.shot_list import CastEntry, PlannedShot, ShotList
from cinema_cli.planning.story import caption_of, casting_notes, stage_all, title_of
from cinema_cli.planning.told import MAX_PLACE, PlaceLook, Told
from cinema_cli.storyboard import CastMember, tags
from cinema_cli.theatre.captions import describe_look
from cinema_cli.theatre.reading import best_action, read_actions

LAST_SHOTS = 3
"""Captions before a chapter that a director sees again."""
OTHER_PLACES = 200
"""Of a film that no director planned; the last ones are told."""
PLACE_NAME = re.compile(rf"(?=.{{1,{MAX_PLACE}}}$)[^<>]*[^\W_][^<>]*")
JOINT = re.compile(r"[\s,]*(?:and|with|&)?[\s,]*")
"""What stands between two names that share a verb: *<Mira> and <Tom> run*."""


@dataclass(frozen=True)
class Telling:
    """A film as far as it is planned: what came before the story, and the answers since."""

    cast: tuple[CastMember, ...]
    told: Told
    last: tuple[str, ...]
    """Captions of the last shots."""
    replies: tuple[Reply, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, before: Before) -> "Telling":
        """Before the first chapter of a story, or of a text that continues a film."""
        known = {place.name for place in before.told.places}
        words = [
            word
            for word in dict.fromkeys(before.places.values())
            if not any(word.startswith(name) for name in known) and PLACE_NAME.fullmatch(word)
        ]
        places = (*before.told.places, *(PlaceLook(name=word, look=word) for word in words[-OTHER_PLACES:]))
        told = before.told.model_copy(update={"places": places})
        return cls(before.cast, told, before.captions[-LAST_SHOTS:])

    @property
    def names(self) -> frozenset[str]:
        """Who may be tagged."""
        return frozenset(member.name for member in self.cast)

    @property
    def place_names(self) -> frozenset[str]:
        """Where a shot may play."""
        return frozenset(place.name for place in self.told.places)

    def so_far(self) -> dict[str, Any]:
        """What a director is told of it."""
        return {
            "summary": self.told.summary,
            "cast": [member.model_dump(include={"name", "look"}) for member in self.cast],
            "places": [place.model_dump() for place in self.told.places],
            "last_shots": list(self.last),
        }

    def after(self, reply: Reply) -> "Telling":
        """With one chapter more.  Who and what is known keeps its look, whatever the answer says."""
        new = [
            CastMember(name=who.name, look=phrase(who.look))
            for who in reply.cast
            if who.name not in self.names
        ]
        cast = (*self.cast, *new)
        looks = {member.name: member.look for member in cast}
        notes = [
            f"the director describes {who.name} anew in a later chapter; the first look stays"
            for who in reply.cast
            if looks[who.name] != phrase(who.look)
        ]
        places = (*self.told.places, *(p for p in reply.places if p.name not in self.place_names))
        told = Told(summary=reply.summary or self.told.summary, places=places)
        captions = (*self.last, *(shot.caption for shot in reply.shots))
        return Telling(cast, told, captions[-LAST_SHOTS:], (*self.replies, reply), (*self.notes, *notes))


def phrase(look: str) -> str:
    """A look as it stands inside a sentence: *a tall woman*, not *A tall woman.*"""
    return (look[:1].lower() + look[1:]).rstrip(". ")


@dataclass(frozen=True)
class Directed:
    """A story with all the answers about it."""

    text: str
    telling: Telling

    @property
    def shots(self) -> list[ShotReply]:
        """Of all chapters."""
        return [shot for reply in self.telling.replies for shot in reply.shots]

    @property
    def title(self) -> str:
        """As the text gives it, else as the director does, else from the first words."""
        prose = cut(to_prose(self.text) if is_fountain(self.text) else self.text)
        first = prose.sentences[0].text if prose.sentences else self.text
        given = next((reply.title for reply in self.telling.replies if reply.title.strip()), "")
        return prose.title or given or title_of(first)


def own_words(directed: Directed, before: Before) -> ShotList:
    """The shot list in the director's words; a look is told where somebody first appears."""
    telling = directed.telling
    looks = {member.name: member for member in telling.cast}
    seen = set(before.seen)
    planned = []
    for shot in directed.shots:
        described = tuple(name for name in tags(shot.caption) if name not in seen)
        seen.update(described)
        caption = with_looks(shot.caption, [looks[name] for name in described])
        scene = f"{shot.place}, {shot.time}"
        planned.append(PlannedShot(scene, bounded(shot.action), None, described, caption, shot.lines))
    shown = {name for shot in planned for name in tags(shot.caption)}
    known = {member.name for member in before.cast}
    logline = next((reply.logline for reply in reversed(telling.replies) if reply.logline.strip()), "")
    cast = [member for member in telling.cast if member.name in shown | set(tags(logline)) | known]
    return ShotList(
        title=directed.title,
        caption=logline,
        cast=tuple(CastEntry(who.name, who.look, None) for who in cast if who.name not in known),
        shots=tuple(planned),
        called=tuple(called_by_name(member.name) for member in cast if member.name in shown),
        notes=telling.notes,
        told=telling.told,
    )


def staged_by_theatre(directed: Directed, seed: int, before: Before) -> ShotList:
    """The shot list in the theatre's words, with the director's cuts, places, framings and lines."""
    telling = directed.telling
    persons = {member.name: Person(member.name) for member in telling.cast}
    wardrobe = Wardrobe()
    for member in telling.cast:
        wardrobe.keep(persons[member.name], said_in(member.look))
    puppets = wardrobe.dress(list(persons.values()))
    camera = Camera(order=[persons[name] for name in reversed(before.seen)])
    moments, setups = [], []
    for shot in directed.shots:
        doing = tuple(Doing(persons[name], words) for name, words in doings(shot).items())
        beat = Beat(shot.caption, shot.place, shot.time, doing, shot.framing == "close-up", False, 0)
        moments.append(Moment(beat, bounded(shot.caption), lines=shot.lines))
        setups.append(camera.choose(beat, size=shot.framing))
    planned, said = stage_all(moments, setups, puppets, seed, before)
    shown = {figure.puppet.name for shot in planned if shot.staged for figure in shot.staged.figures}
    known = {member.name for member in before.cast}
    new = {p: puppet for p, puppet in puppets.items() if puppet.name in shown and puppet.name not in known}
    return ShotList(
        title=directed.title,
        caption=caption_of(planned),
        cast=tuple(CastEntry(puppet.name, describe_look(puppet), puppet) for puppet in new.values()),
        shots=planned,
        called=tuple(called_by_name(name) for name in persons if name in shown),
        notes=tuple(dict.fromkeys([*telling.notes, *said, *casting_notes(new, wardrobe)])),
        told=telling.told,
    )


def doings(shot: ShotReply) -> dict[str, str]:
    """Who is in a shot and what each does, by its plain sentence; who is only in the picture stands.

    The verb after a name is its own; *<Mira> and <Tom> run* shares one.
    """
    names = tags(shot.action)
    parts = re.split(f"<({'|'.join(map(re.escape, names))})>", shot.action) if names else []
    found: dict[str, str] = {}
    shared = ""
    for name, words in reversed(list(zip(parts[1::2], parts[2::2], strict=True))):
        verb = best_action(read_actions(words))
        shared = verb.verb if verb is not None else shared if JOINT.fullmatch(words) else ""
        found[name] = shared or found.get(name, "")
    doing = {name: found[name] or "stands" for name in names}
    return doing | {name: "stands" for name in tags(shot.caption) if name not in doing}
