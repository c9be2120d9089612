"""Which picture is taken, how it is brought to a film's size, and what cannot be one."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinema_cli.errors import InputError
from cinema_cli.files import sha256_file
from cinema_cli.planning.portraits import (
    best_shot,
    check_portraits,
    file_name,
    fitted,
    portrait_sha256,
    read_portrait,
    take,
    told_look,
    words_alone,
)
from cinema_cli.planning.windows import WindowConfig
from cinema_cli.storyboard import CastMember, Flag, Portrait, Shot, Storyboard
from guest_films import CAPTIONS, MIRA, guest_film

WHO = CastMember(name="Mira", look=MIRA)


def best(*captions: str, **changes: object) -> str | None:
    """The number of the best shot; the first one is changed."""
    shots = [
        Shot(id=str(n), caption=caption, duration="2", keyframe=f"keyframes/{n}.png")
        for n, caption in enumerate(captions, start=1)
    ]
    shots[0] = shots[0].model_copy(update=changes)
    shot = best_shot(Storyboard(frame_size=(32, 64), shots=shots), WHO)
    return shot.id if shot else None


def portrayed(folder: Path, size: tuple[int, int] = (32, 64), name: str = "cast/Mira.png") -> Storyboard:
    """A film with one portrait, whose left half is black and right half white."""
    (folder / "cast").mkdir()
    pixels = np.zeros((*size, 3), dtype=np.uint8)
    pixels[:, size[1] // 2 :] = 255
    Image.fromarray(pixels).save(folder / name)
    sha256 = sha256_file(folder / name)
    portrait = Portrait(picture=name, caption="<Mira>.", film="Ours", shot="0001", picture_sha256=sha256)
    return Storyboard(frame_size=(32, 64), cast=[CastMember(name="Mira", portrait=portrait)])


@pytest.mark.parametrize(
    ("captions", "expected"),
    [
        (("<Mira> waves.", "<Mira> runs."), "1"),
        (("Close-up. <Mira> waves.", "Wide shot. <Mira> waves.", "A medium view: <Mira>."), "3"),
        (("Medium shot. <Mira> waves.", f"Wide shot. <Mira>, {MIRA}, waves."), "2"),
        (("Medium shot. <Mira> and <Tom>.", "Nobody.", "<Tom> waves."), None),
        (("<Mira> waves at <Tom>.", "<Mira>, seen by <Mira>."), "2"),
    ],
)
def test_a_picture_of_one_alone_that_tells_the_look_is_best(
    captions: tuple[str, ...], expected: str | None
) -> None:
    assert best(*captions) == expected


@pytest.mark.parametrize(
    "change",
    [{"keyframe": None}, {"rejected": "blurred"}, {"flags": (Flag(reason="blurred", value=1, limit=2),)}],
)
def test_what_is_missing_rejected_or_flagged_is_no_portrait(change: dict[str, object]) -> None:
    assert best("Medium shot. <Mira>.", "Wide shot. <Mira>.", **change) == "2"


def test_a_portrait_is_taken_with_its_words(tmp_path: Path) -> None:
    film = guest_film(tmp_path / "film", ("Medium shot. <Mira> waves.", *CAPTIONS[1:]), title="")
    board = Storyboard.load(film)
    found = take(board, film, WHO, {"mira.png"})
    assert found is not None
    portrait, source = found
    assert source == film / "keyframes" / "0001.png"
    assert portrait == Portrait(
        picture="cast/Mira-2.png",
        caption=f"Medium shot. <Mira>, {MIRA}, waves.",
        film="film",
        shot="0001",
        picture_sha256=sha256_file(source),
    )
    source.unlink()
    with pytest.raises(InputError, match=r"0001.png: the keyframe of shot 0001, which shows <Mira>"):
        take(board, film, WHO, set())


def test_a_portrait_is_handed_on_where_its_film_shows_nobody_alone(tmp_path: Path) -> None:
    board = portrayed(tmp_path)
    member = board.cast[0]
    found = take(board, tmp_path, member, set())
    assert found == (member.portrait, tmp_path / "cast" / "Mira.png")
    assert take(board, tmp_path, CastMember(name="Tom"), set()) is None
    found[1].unlink()
    with pytest.raises(InputError, match="the portrait of <Mira> was wanted, but there is no such file"):
        take(board, tmp_path, member, set())


@pytest.mark.parametrize(
    ("name", "taken", "expected"),
    [
        ("Mira", set(), "Mira.png"),
        ("R2", {"r2.png", "r2-2.png"}, "R2-3.png"),
        ("a/b:c..\\d", set(), "a_b_c___d.png"),
        ("Ölaf O’Neil", set(), "Ölaf O’Neil.png"),
        ("界" * 64, set(), "界" * 40 + ".png"),
    ],
)
def test_every_name_is_a_files_name(name: str, taken: set[str], expected: str) -> None:
    assert file_name(name, ".png", taken) == expected


def test_a_portrait_of_the_films_size_stays_as_it_is(tmp_path: Path) -> None:
    board = portrayed(tmp_path)
    frame = read_portrait(tmp_path, board.cast[0], (32, 64))
    assert (frame[:, :32] == 0).all()
    assert (frame[:, 32:] == 255).all()
    assert fitted(tmp_path / "cast" / "Mira.png", WHO, (32, 64))[1] is None


def test_another_size_is_scaled_and_cut_around_its_centre(tmp_path: Path) -> None:
    board = portrayed(tmp_path, (64, 100))
    frame, note = fitted(tmp_path / "cast" / "Mira.png", WHO, (32, 64))
    assert frame.shape == (32, 64, 3)
    assert note == "brought from 64 x 100 to 32 x 64 pixels and cut to 78% of it"
    assert (frame[:, :30] == 0).all()
    assert (frame[:, 34:] == 255).all()
    assert (
        fitted(tmp_path / "cast" / "Mira.png", WHO, (16, 25))[1] == "brought from 64 x 100 to 16 x 25 pixels"
    )
    check_portraits(board, tmp_path)


def test_of_a_picture_of_another_shape_too_little_would_be_left(tmp_path: Path) -> None:
    board = portrayed(tmp_path, (64, 36))
    with pytest.raises(InputError, match=r"about the shape of 32 x 64 .* found 64 x 36, of which 28% would"):
        check_portraits(board, tmp_path)


def test_a_portrait_that_is_gone_or_no_picture_is_told(tmp_path: Path) -> None:
    board = portrayed(tmp_path)
    picture = tmp_path / "cast" / "Mira.png"
    taken = portrait_sha256(tmp_path, board.cast[0])
    picture.write_text("no picture")
    with pytest.raises(InputError, match="a picture of <Mira> was wanted, found a file that cannot be read"):
        check_portraits(board, tmp_path)
    assert portrait_sha256(tmp_path, board.cast[0]) != taken
    picture.unlink()
    with pytest.raises(InputError, match=r"remove the portrait from the cast in the storyboard"):
        check_portraits(board, tmp_path)
    assert portrait_sha256(tmp_path, board.cast[0]) == taken


def test_a_picture_that_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    board = portrayed(tmp_path)
    (tmp_path / "cast" / "Mira.png").unlink()
    (tmp_path / "cast" / "Mira.png").symlink_to("/etc/hostname")
    with pytest.raises(InputError, match="a link leads out"):
        check_portraits(board, tmp_path)


def test_a_look_that_only_captions_tell_is_found() -> None:
    captions = ("<Tom> waves.", "<Mira>, a girl in red, waves; <Tom> is an old man in a cap. He laughs.")
    shots = [Shot(id=str(n), caption=caption, duration="2") for n, caption in enumerate(captions)]
    board = Storyboard(frame_size=(32, 64), shots=shots)
    looks = [told_look(board, name) for name in ("Mira", "Tom", "Ann")]
    assert looks == ["a girl in red", "an old man in a cap", ""]


def test_drawn_jointly_words_alone_carry_over(tmp_path: Path) -> None:
    board = portrayed(tmp_path)
    told = ("drawn jointly, frames see no portrait: <Mira> by words only",)
    assert words_alone(board, WindowConfig(mode="joint")) == told
    assert words_alone(board, WindowConfig()) == ()
    assert words_alone(Storyboard(frame_size=(32, 64)), WindowConfig(mode="joint")) == ()
