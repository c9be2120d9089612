"""``--cast-from``: opens other films and brings whom the new story names (paper, 4.3, Fig. 10b).

Everything that can be wrong with the other films is found here, before a director is asked or a file is
written.  Their pictures are copied only once the new storyboard names them.
"""

from collections.abc import Sequence
from pathlib import Path

from cinema_cli.errors import InputError
from cinema_cli.planning.continuing import before_of
from cinema_cli.planning.guests import Guest, Invitation, called_elsewhere, named
from cinema_cli.planning.people import People
from cinema_cli.planning.portraits import film_name, fitted, take, told_look
from cinema_cli.planning.records import ContinuedRecord, PlanRecord
from cinema_cli.storyboard import Storyboard


def invite(text: str, films: Sequence[str], home: Path, frame_size: tuple[int, int]) -> Invitation:
    """Those of other films whom a story names.

    Args:
        text: The story.
        films: Other films, each as its folder or its storyboard; the first one to have a name gives it.
        home: Folder of the new film.
        frame_size: Height and width of its frames.

    Raises:
        InputError: another film or a picture in it cannot be used, or the story names nobody of it; two films
            have somebody of the same name whom it names.
    """
    guests: list[Guest] = []
    pictures: dict[str, Path] = {}
    notes: list[str] = []
    for film in films:
        board, folder = _opened(Path(film), home)
        everybody = _everybody(board, folder)
        those = named(text, everybody)
        title = film_name(board, folder)
        names = [each.member.name for each in everybody]
        if not those:
            raise InputError(
                f"--cast-from {film}: a story that names somebody of {title} was wanted "
                f"({', '.join(names)}), found none of them. Spell a name as it stands there, or leave "
                "the film out."
            )
        for guest in those:
            twice = next((each for each in guests if each.member.name == guest.member.name), None)
            if twice is not None:
                raise InputError(
                    f"--cast-from: <{guest.member.name}> is in {twice.film} and in {title}, and the story "
                    "names them. Take one of the films, or rename somebody in its storyboard."
                )
            guest, picture, note = _with_portrait(guest, board, folder, guests, frame_size)
            guests.append(guest)
            pictures |= picture
            notes.append(note)
        others = [name for name in names if name not in {each.member.name for each in those}]
        notes += [f"not named in the story, so not taken from {title}: {', '.join(others)}"] if others else []
    return Invitation(tuple(guests), pictures, tuple(notes))


def _opened(film: Path, home: Path) -> tuple[Storyboard, Path]:
    folder = film if film.is_dir() else film.parent
    if folder.resolve() == home.resolve():
        raise InputError(
            f"--cast-from {film}: another film was wanted, found this one. Name another, or another --out."
        )
    if not film.exists():
        raise InputError(
            f"--cast-from {film}: a film or its storyboard was wanted, but there is none. A film that "
            "was planned with it has its pictures, so leave the option out there."
        )
    return Storyboard.load(film), folder


def _everybody(board: Storyboard, folder: Path) -> tuple[Guest, ...]:
    """The cast of a film as guests; its own texts and captions tell who is a she and who a he."""
    planned, continued = PlanRecord.load(folder), ContinuedRecord.load(folder)
    called = [
        *(planned.called if planned else ()),
        *(each for text in continued.texts for each in text.called),
    ]
    if not board.shots:
        raise InputError(f"{folder}: a film with shots was wanted, found none. Plan its story first.")
    before = before_of(board, 0, called)
    if not before.cast:
        raise InputError(
            f"{folder}: a film with a cast was wanted, found neither one nor captions that tag somebody. "
            "Name its people in the storyboard, or caption it first: cinema caption"
        )
    met = People((), before).met
    title = film_name(board, folder)
    return tuple(
        Guest(
            member=member.model_copy(update={"look": member.look or told_look(board, member.name)}),
            called=called_elsewhere(each.model_copy(update={"pronoun": met[member.name].gender})),
            film=title,
        )
        for member, each in zip(before.cast, before.called, strict=True)
    )


def _with_portrait(
    guest: Guest, board: Storyboard, folder: Path, others: Sequence[Guest], frame_size: tuple[int, int]
) -> tuple[Guest, dict[str, Path], str]:
    """A guest with a portrait where their film has one, where its picture lies, and what is told of it."""
    names = {Path(each.member.portrait.picture).name.lower() for each in others if each.member.portrait}
    member = guest.member
    found = take(board, folder, member, names)
    if found is None:
        alone = guest.model_copy(update={"member": member.model_copy(update={"portrait": None})})
        return (
            alone,
            {},
            f"<{member.name}> comes from {guest.film} by words only: no picture shows them alone",
        )
    portrait, source = found
    _, scaled = fitted(source, member, frame_size)
    member = member.model_copy(update={"portrait": portrait})
    note = f"<{member.name}> comes from {portrait.film}, with the picture of its shot {portrait.shot}"
    note += f", {scaled}" if scaled else ""
    return guest.model_copy(update={"member": member}), {member.name: source}, note
