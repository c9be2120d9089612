"""Whom a story names of another film, and how it dresses them."""

from pathlib import Path

import pytest

from cinema_cli.planning.guests import Guest, Invitation, before_with, called_elsewhere, dressed, named
from cinema_cli.planning.looks import SaidLook
from cinema_cli.planning.person import Called, called_by_name
from cinema_cli.storyboard import CastMember, Portrait
from guest_films import MIRA, TOBIAS


def guest(name: str, look: str = "", portrait: Portrait | None = None) -> Guest:
    member = CastMember(name=name, look=look, portrait=portrait)
    return Guest(member=member, called=called_elsewhere(called_by_name(name)), film="Ours")


EVERYBODY = [
    guest(name)
    for name in ("Mira", "Old Tobias", "Captain Ahab", "The Old Man", "Bruce Wayne", "Élodie", "小明")
]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Mira walked in the forest.", ["Mira"]),
        ("Tobias sat by the sea, and Bruce came in.", ["Old Tobias", "Bruce Wayne"]),
        ("Mr. Wayne waved at the castle. Mira's lamp was lit.", ["Mira", "Bruce Wayne"]),
        ("The captain and an old woman walked in the forest.", []),
        ("Captain Smith and Old Martha walked in the forest.", []),
        ("One day the old man sang.", ["The Old Man"]),
        ("MIRA WALKED IN THE FOREST.", ["Mira"]),
        ("INT. FOREST - NIGHT\n\nMIRA\nWho is there?\n\nÉLODIE\nMe.\n", ["Mira", "Élodie"]),
        ("小明走进森林。", ["小明"]),
        ("", []),
    ],
)
def test_those_come_whom_the_story_names(text: str, who: list[str]) -> None:
    assert [each.member.name for each in named(text, EVERYBODY)] == who
    assert named(text, ()) == ()


def test_a_story_speaks_of_guests_by_name_and_not_by_what_they_were() -> None:
    known = Called(name="Captain Ahab", pronoun="he", words=("captain ahab", "ahab", "captain", "sailor"))
    assert called_elsewhere(known) == Called(
        name="Captain Ahab", pronoun="he", words=("captain ahab", "ahab")
    )
    assert called_elsewhere(called_by_name("The Old Man")).words == ("old man", "man")


@pytest.mark.parametrize(
    ("look", "said", "expected"),
    [
        (MIRA, SaidLook(coat="red", build="short"), MIRA),
        (MIRA, SaidLook(), MIRA),
        (
            MIRA,
            SaidLook(coat="green", prop="dog"),
            MIRA.replace("red", "green").replace("carrying a lantern", "with a dog"),
        ),
        (
            TOBIAS,
            SaidLook(hat="white", hat_shape="tall"),
            TOBIAS.replace("yellow round hat", "white top hat"),
        ),
        (
            "a man of forty in a red suit",
            SaidLook(coat="white"),
            "now in a white coat, otherwise a man of forty in a red suit",
        ),
        (
            "",
            SaidLook(build="tall", hat_shape="pointed", skin="dark"),
            "now tall, with a pointed hat, with dark skin",
        ),
        ("", SaidLook(), ""),
    ],
)
def test_what_the_story_says_of_a_look_counts(look: str, said: SaidLook, expected: str) -> None:
    assert dressed(CastMember(name="Mira", look=look), said) == expected


def test_a_guest_who_is_dressed_anew_is_told_and_the_others_stay() -> None:
    before, notes = before_with(
        "Mira walked in a white coat. Tobias slept.", [guest("Mira", MIRA), guest("Old Tobias", TOBIAS)]
    )
    looks = [member.look for member in before.cast]
    assert looks == [MIRA.replace("red", "white"), TOBIAS]
    assert notes == [f"the story dresses <Mira> otherwise than Ours: {looks[0]}"]
    assert (before.seen, before.captions) == ((), ())
    nobody, notes = before_with("Mira walked.", ())
    assert (nobody.cast, notes) == ((), [])


def test_a_portrait_is_brought_once_and_again_where_another_one_is_wanted(tmp_path: Path) -> None:
    sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of "x"
    portrait = Portrait(
        picture="cast/Mira.png", caption="<Mira>.", film="Ours", shot="1", picture_sha256=sha256
    )
    (tmp_path / "x").write_text("x")
    coming = Invitation((guest("Mira", MIRA, portrait), guest("Old Tobias")), {"Mira": tmp_path / "x"})
    there = tmp_path / "film" / "cast" / "Mira.png"
    for again in (False, True):
        coming.bring(tmp_path / "film", again=again)
        assert there.read_text() == "x"
    there.write_text("a person's own")
    coming.bring(tmp_path / "film", again=False)
    assert there.read_text() == "a person's own"
    coming.bring(tmp_path / "film", again=True)
    assert there.read_text() == "x"
    assert not there.is_symlink()
