"""``invite``: other films as they lie on the disk, whole or not."""

import json
from pathlib import Path

import pytest
from PIL import Image

from cinema_cli.errors import InputError
from cinema_cli.planning.casting import invite
from cinema_cli.planning.person import Called
from cinema_cli.planning.records import PlanRecord
from cinema_cli.storyboard import Storyboard
from guest_films import CAPTIONS, MIRA, TOBIAS, guest_film

STORY = "Mira walked through the forest at night. Old Tobias waved at the castle."
SIZE = (32, 64)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return guest_film(tmp_path / "film1")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "film2"


def test_whom_the_story_names_comes_with_look_and_portrait(film: Path, home: Path) -> None:
    for path in (film, film / "storyboard.json"):
        coming = invite(STORY, [str(path)], home, SIZE)
        members = [guest.member for guest in coming.guests]
        assert [(each.name, each.look) for each in members] == [("Mira", MIRA), ("Old Tobias", TOBIAS)]
        portraits = [each.portrait for each in members]
        assert [(each.picture, each.shot, each.film) for each in portraits if each] == [
            ("cast/Mira.png", "0001", "The Lamp Keeper"),
            ("cast/Old Tobias.png", "0004", "The Lamp Keeper"),
        ]
        assert coming.pictures["Old Tobias"] == film / "keyframes" / "0004.png"
        assert coming.notes == (
            "<Mira> comes from The Lamp Keeper, with the picture of its shot 0001",
            "<Old Tobias> comes from The Lamp Keeper, with the picture of its shot 0004",
        )
    assert not home.exists()


def test_whom_it_does_not_name_stays(film: Path, home: Path) -> None:
    coming = invite("Tobias waved at the castle.", [str(film)], home, SIZE)
    assert [guest.member.name for guest in coming.guests] == ["Old Tobias"]
    assert coming.notes[-1] == "not named in the story, so not taken from The Lamp Keeper: Mira"


def test_another_size_is_told(film: Path, home: Path) -> None:
    coming = invite("Mira slept.", [str(film)], home, (128, 256))
    assert coming.notes[0].endswith("shot 0001, brought from 32 x 64 to 128 x 256 pixels")


def test_a_film_that_names_nobody_of_the_story_lists_its_names(film: Path, home: Path) -> None:
    with pytest.raises(
        InputError, match=r"names somebody of The Lamp Keeper was wanted \(Mira, Old Tobias\)"
    ):
        invite("A dog slept in the forest.", [str(film)], home, SIZE)


def test_somebody_who_is_never_alone_comes_by_words(tmp_path: Path, home: Path) -> None:
    film = guest_film(tmp_path / "film1", CAPTIONS[:2])
    coming = invite(STORY, [str(film)], home, SIZE)
    assert (coming.guests[1].member.look, coming.guests[1].member.portrait) == (TOBIAS, None)
    assert list(coming.pictures) == ["Mira"]
    assert coming.notes[1] == (
        "<Old Tobias> comes from The Lamp Keeper by words only: no picture shows them alone"
    )


def test_people_come_from_several_films(film: Path, tmp_path: Path, home: Path) -> None:
    other = guest_film(tmp_path / "other", ("<MIRA> runs.",), {"MIRA": "a girl in red"}, title="")
    coming = invite("MIRA met Old Tobias and Mira.", [str(film)], home, SIZE)
    assert [guest.member.name for guest in coming.guests] == ["Mira", "Old Tobias"]
    third = guest_film(tmp_path / "third", ("<Ann> runs.",), {"Ann": ""}, title="")
    coming = invite("Ann met Mira.", [str(film), str(third)], home, SIZE)
    assert [(guest.member.name, guest.film) for guest in coming.guests] == [
        ("Mira", "The Lamp Keeper"),
        ("Ann", "third"),
    ]
    both = guest_film(tmp_path / "both", ("<Mira> runs.",), {"Mira": ""})
    with pytest.raises(InputError, match="<Mira> is in The Lamp Keeper and in The Lamp Keeper"):
        invite("Mira ran.", [str(film), str(both)], home, SIZE)
    # Names that differ in nothing but case have pictures of different names.
    coming = invite("MIRA met Mira, and Tom met Mira.", [str(film), str(other)], home, SIZE)
    assert [guest.member.portrait.picture for guest in coming.guests if guest.member.portrait] == [
        "cast/Mira.png",
        "cast/MIRA-2.png",
    ]


def test_a_cast_that_only_captions_tell_comes_too(tmp_path: Path, home: Path) -> None:
    film = guest_film(tmp_path / "film1", ("<Mira>, a girl in red, waves.",), {})
    (mira,) = invite("Mira ran.", [str(film)], home, SIZE).guests
    assert mira.member.look == "a girl in red"


def test_the_other_films_records_tell_who_is_a_she(film: Path, home: Path) -> None:
    PlanRecord(
        story_sha256="0" * 64,
        shots=None,
        seed=0,
        frame_size=SIZE,
        shot_seconds="2",
        called=(Called(name="Mira", pronoun="she", words=("mira", "girl")),),
    ).save(film)
    (mira,) = invite("Mira ran.", [str(film)], home, SIZE).guests
    assert mira.called == Called(name="Mira", pronoun="she", words=("mira",))


def broken(film: Path, how: str) -> None:
    data = json.loads((film / "storyboard.json").read_text())
    match how:
        case "no storyboard":
            data = {"a": 1}
        case "no shots":
            data["shots"] = []
        case "nobody":
            data |= {"cast": [], "shots": [{"id": "1", "caption": "A castle.", "duration": "2"}]}
        case "gone":
            (film / "keyframes" / "0001.png").unlink()
        case "no picture":
            (film / "keyframes" / "0001.png").write_text("no picture")
        case "shape":
            Image.new("RGB", (32, 64)).save(film / "keyframes" / "0001.png")
    (film / "storyboard.json").write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("no storyboard", "a storyboard .* was wanted, found other data"),
        ("no shots", "a film with shots was wanted"),
        ("nobody", "a film with a cast was wanted"),
        ("gone", "0001.png: the keyframe of shot 0001, which shows <Mira>, was wanted"),
        ("no picture", "0001.png: a picture of <Mira> was wanted, found a file that cannot be read"),
        ("shape", "of which 25% would be left"),
    ],
)
def test_a_film_that_cannot_be_used_is_told(film: Path, home: Path, how: str, told: str) -> None:
    broken(film, how)
    with pytest.raises(InputError, match=told):
        invite(STORY, [str(film)], home, SIZE)
    assert not home.exists()


def test_a_film_that_is_not_there_or_is_the_new_one_is_told(film: Path, home: Path) -> None:
    with pytest.raises(InputError, match="a film or its storyboard was wanted, but there is none"):
        invite(STORY, [str(home)], film, SIZE)
    with pytest.raises(InputError, match="another film was wanted, found this one"):
        invite(STORY, [str(film / "storyboard.json")], film, SIZE)
    assert [guest.member.name for guest in invite(STORY, [str(film)], home, SIZE).guests] == [
        member.name for member in Storyboard.load(film).cast
    ]
