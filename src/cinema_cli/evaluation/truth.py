"""What the shots of a film are to show, where its captions are in the theatre's words.

A film that was planned, one that was ingested and captioned and one of the stress test are asked in the same
way: by their captions.  Who is only named looks as the film told where they first appeared.
"""

from collections.abc import Mapping

from cinema_cli.storyboard import Storyboard, tags
from cinema_cli.theatre.read_caption import read_caption, read_look, told_look
from cinema_cli.theatre.world import MovieShot, Puppet

LEAST = 0.5
"""Share of the captions that must be the theatre's before a film counts as one of its films."""


def true_shots(board: Storyboard) -> dict[str, MovieShot]:
    """The shots whose captions can be read, by id; captions in other words are left out.

    A place is the same where ``scene`` says the same; without scenes, where it is the same set.
    """
    looks = film_looks(board)
    layouts: dict[str, int] = {}
    found = {}
    for shot in board.shots:
        staged = read_caption(shot.caption, looks)
        if staged is None:
            continue
        layout = layouts.setdefault(shot.scene or staged.place.set, len(layouts))
        placed = read_caption(shot.caption, looks, layout)
        assert placed is not None, shot.id
        described = tuple(name for name in tags(shot.caption) if told_look(shot.caption, name))
        found[shot.id] = MovieShot(placed, shot.caption, described)
    return found


def is_of_the_theatre(board: Storyboard, found: Mapping[str, MovieShot]) -> bool:
    """Whether so much of a film can be read that its truth is known: most captions, and somebody's look."""
    worded = [shot for shot in board.shots if shot.caption]
    somebody = any(shot.staged.figures for shot in found.values())
    return bool(worded) and somebody and len(found) >= LEAST * len(worded)


def film_looks(board: Storyboard) -> dict[str, Puppet]:
    """How everybody looks: as a caption tells it first, else as the cast does."""
    looks: dict[str, Puppet] = {}
    for shot in board.shots:
        for name in tags(shot.caption):
            told = told_look(shot.caption, name)
            puppet = read_look(name, told) if told else None
            if puppet is not None:
                looks.setdefault(name, puppet)
    for member in board.cast:
        puppet = read_look(member.name, member.look)
        if puppet is not None:
            looks.setdefault(member.name, puppet)
    return looks
