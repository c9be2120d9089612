"""Which shots introduced those whom new captions only name.

A name means nothing by itself: it is bound to a look by the caption that tells both.  A memory of pictures
chosen by likeness alone may hold a puppet many times and never the words that say who it is (docs/log.md).
"""

from collections.abc import Collection, Sequence

from cinema_cli.models.captions import tells_look
from cinema_cli.planning.keyframes import DrawingConfig, told_caption
from cinema_cli.storyboard import CastMember, Shot, Storyboard, tags


def introductions(board: Storyboard, new: Sequence[Shot], config: DrawingConfig) -> tuple[str, ...]:
    """Shots to remember for some new ones, in the order in which their captions name people.

    For each of the cast whom a new caption names, and none of them describes, the first shot of the film that
    tells the look.  Whoever has a portrait needs none; where looks are told in every caption, nobody does.
    """
    words = {shot.id: told_caption(board, shot, config) for shot in new}
    named = dict.fromkeys(name for caption in words.values() for name in tags(caption))
    cast = {member.name: member for member in board.cast}
    unknown = [
        cast[name]
        for name in named
        if cast[name].look
        and cast[name].portrait is None
        and not any(tells_look(caption, cast[name]) for caption in words.values())
    ]
    found = (_introduced(board, member, words.keys()) for member in unknown)
    return tuple(dict.fromkeys(id for id in found if id is not None))


def _introduced(board: Storyboard, member: CastMember, new: Collection[str]) -> str | None:
    told = (shot.id for shot in board.shots if shot.id not in new and tells_look(shot.caption, member))
    return next(told, None)
