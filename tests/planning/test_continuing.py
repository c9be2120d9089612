"""``continue_film`` and its parts: a text becomes the end of a film, whoever made the film."""

import json
from pathlib import Path

import pytest

from cinema_cli.errors import InputError
from cinema_cli.planning.board import StoryConfig, storyboard_of
from cinema_cli.planning.continuing import continue_film, continue_storyboard, next_ids, place_and_time
from cinema_cli.planning.records import CONTINUED_NAME, PLAN_NAME
from cinema_cli.planning.story import read_story
from cinema_cli.storyboard import MAX_SHOTS, CastMember, Shot, Storyboard

EXAMPLES = Path(__file__).parents[2] / "examples"
LAMP_KEEPER = EXAMPLES / "lamp-keeper" / "story.txt"
STORIES = sorted((EXAMPLES / "stories").glob("*.txt"))
MORE = """He smiled, and she laughed.

The next evening a ship came into the port. Nora, a young captain in a purple coat, waved to the old sailor.

Mira and Nora walked through the woods at night. In the cave they found a chest.

In the morning Mira and the captain returned to the harbour, and Tobias danced for joy.
"""
CONFIG = StoryConfig()


def shot(id: str, caption: str = "", scene: str = "", duration: str = "4") -> Shot:
    return Shot(id=id, caption=caption, scene=scene, duration=duration)


def board(*shots: Shot, cast: tuple[CastMember, ...] = ()) -> Storyboard:
    return Storyboard(title="Ours", frame_size=(128, 256), frame_rate="25", cast=cast, shots=shots)


def appended(film: Storyboard, text: str) -> list[tuple[str, str]]:
    longer, _ = continue_storyboard(film, text, 0)
    return [(new.scene, new.caption) for new in longer.shots[len(film.shots) :]]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    storyboard_of(read_story(LAMP_KEEPER), tmp_path, CONFIG)
    return tmp_path


def test_the_example_goes_on_as_one_film(film: Path) -> None:
    old = Storyboard.load(film)
    new, notes = continue_film(MORE, film, CONFIG)
    assert Storyboard.load(film) == new
    assert new.shots[:8] == old.shots
    assert [each.id for each in new.shots[8:]] == [f"{number:04d}" for number in range(9, 15)]
    assert (new.title, new.caption, new.frame_size) == (old.title, old.caption, old.frame_size)
    nora = new.cast[2]
    assert new.cast[:2] == old.cast
    assert (nora.name, "purple coat" in nora.look) == ("Nora", True)
    # She and he are Mira and Tobias, as they stood before; the port is the film's harbour.
    assert [(each.scene, each.caption) for each in new.shots[8:]] == [
        (
            "the harbour at dawn",
            "Wide shot. In the harbour at sunset, <Old Tobias> stands on the right and "
            "<Mira> stands on the left.",
        ),
        ("the harbour in the evening", "Medium shot. Nobody is in the harbour at sunset."),
        (
            "the harbour in the evening",
            f"Medium shot. In the harbour at sunset, <Nora>, {nora.look}, waves on the right and "
            "<Old Tobias> stands on the left.",
        ),
        (
            "the forest at night",
            "Wide shot. In the forest at night, <Mira> walks on the left and <Nora> walks on the right, "
            "heading right.",
        ),
        (
            "the cave at night",
            "Wide shot. In the cave at night, <Mira> stands on the left and <Nora> stands on the right.",
        ),
        (
            "the harbour in the morning",
            "Wide shot. In the harbour by day, <Mira> stands on the left and <Nora> walks on the right.",
        ),
    ]
    assert {each.duration for each in new.shots} == {"2"}
    assert len({each.seed for each in new.shots}) == 14
    assert notes[0] == "shots 0009 to 0014 continue the film"


def test_the_same_text_again_appends_nothing(film: Path) -> None:
    new, _ = continue_film(MORE, film, CONFIG)
    files = {path.name: path.read_bytes() for path in film.iterdir()}
    for config in (CONFIG, StoryConfig(shots=3, seed=9)):
        again, notes = continue_film(MORE, film, config)
        assert again == new
        assert notes == ("this text continues the film already (shots 0009 to 0014); nothing was appended",)
    again, notes = continue_film(read_story(LAMP_KEEPER), film, CONFIG)
    assert (again, len(notes)) == (new, 1)
    assert "the story that the film was planned from" in notes[0]
    assert {path.name: path.read_bytes() for path in film.iterdir()} == files


def test_a_second_text_follows_the_first_and_knows_whom_that_one_showed(film: Path) -> None:
    continue_film(MORE, film, CONFIG)
    new, notes = continue_film("The captain waved. The thief ran to the castle.", film, CONFIG)
    assert [each.id for each in new.shots[14:]] == ["0015", "0016"]
    assert new.shots[14].scene == "the harbour in the morning"
    assert "<Nora> waves" in new.shots[14].caption
    assert [member.name for member in new.cast] == ["Mira", "Old Tobias", "Nora", "The Thief"]
    assert notes[0] == "shots 0015 to 0016 continue the film"


def test_what_was_removed_by_hand_may_be_appended_again_under_new_numbers(film: Path) -> None:
    new, _ = continue_film(MORE, film, CONFIG)
    new.model_copy(update={"shots": new.shots[:8]}).save(film)
    again, _ = continue_film(MORE, film, CONFIG)
    assert [each.id for each in again.shots[8:]] == [f"{number:04d}" for number in range(15, 21)]
    assert "already" in continue_film(MORE, film, CONFIG)[1][0]


def test_a_command_killed_between_record_and_document_appends_once(film: Path) -> None:
    document = (film / "storyboard.json").read_bytes()
    continue_film(MORE, film, CONFIG)
    (film / "storyboard.json").write_bytes(document)
    assert len(continue_film(MORE, film, CONFIG)[0].shots) == 14
    assert len(json.loads((film / CONTINUED_NAME).read_text())["texts"]) == 1


def test_a_film_written_by_hand_is_continued_and_remembers_it(tmp_path: Path) -> None:
    cast = (
        CastMember(name="Ines", look="a weathered woman in a grey dress"),
        CastMember(name="The Old Man", look="a thin man with a white beard"),
    )
    film = board(shot("1", "<Ines> climbs the stairs.", "the old lighthouse at night"), cast=cast)
    film.save(tmp_path)
    text = "The old man waved from the beach. She walked back to the lighthouse with him."
    new, _ = continue_film(text, tmp_path, CONFIG)
    assert [each.id for each in new.shots] == ["1", "2", "3"]
    assert (new.cast, new.frame_rate) == (cast, "25")
    # Somebody who is in the cast but was not seen yet is told in the words of the cast.
    assert "<The Old Man>, a thin man with a white beard, waves" in new.shots[1].caption
    assert new.shots[2].scene == "the old lighthouse at night"
    assert "weathered" not in new.shots[2].caption
    assert "already" in continue_film(text, tmp_path, CONFIG)[1][0]
    assert not (tmp_path / PLAN_NAME).exists()


def test_a_film_without_a_cast_gets_one_with_whoever_is_new(tmp_path: Path) -> None:
    film = board(
        shot("0001", "<Rick> pours a drink in a bar at night.", duration="1001/240"),
        shot("0002", "<Ilsa> walks in. She smiles.", duration="3"),
        shot("0003", "<Rick> looks up. He is pale.", duration="97/24"),
    )
    new, listed = continue_storyboard(film, "She laughed. He waved to her.", 0)
    assert new.cast == ()
    assert "<Ilsa> stands" in new.shots[3].caption
    assert new.shots[3].duration == "97/24"  # the middle one
    assert [each.pronoun for each in listed.called] == ["he", "she"]
    with_sam, _ = continue_storyboard(film, "Sam waved to him.", 0)
    assert [(member.name, bool(member.look)) for member in with_sam.cast] == [
        ("Rick", False),
        ("Ilsa", False),
        ("Sam", True),
    ]


def test_where_and_when_a_film_left_off() -> None:
    at_night = board(shot("1", scene="the farm by day"), shot("2", "A man in a cave at night."))
    assert [scene for scene, _ in appended(at_night, "Mira waved.")] == ["the cave at night"]
    silent = board(shot("1", "A gull."))
    assert [scene for scene, _ in appended(silent, "Mira waved in the forest.")] == ["the forest by day"]


@pytest.mark.parametrize(
    ("scene", "wanted"),
    [
        ("the library at night", ("the library", "night")),
        ("INT. KITCHEN - NIGHT", ("INT. KITCHEN", "night")),
        ("kitchen, evening", ("kitchen", "evening")),
        ("the quay by day", ("the quay", "day")),
        ("night", ("", "night")),
        ("a day at the beach", ("a day at the beach", "day")),
        ("Anna's flat", ("Anna's flat", "")),
        ("", ("", "")),
    ],
)
def test_a_scene_tells_its_place_and_its_hour(scene: str, wanted: tuple[str, str]) -> None:
    assert place_and_time(scene) == wanted


@pytest.mark.parametrize(
    ("ids", "taken", "wanted"),
    [
        (["0001", "0008", "0002"], (), ["0009", "0010"]),
        (["1", "9"], (), ["10", "11"]),
        (["a1", "b"], (), ["0001", "0002"]),
        (["0001"], ("0002", "0007"), ["0008", "0009"]),
        (["0001", "9" * 32], (), ["0002", "0003"]),
        (["999999999", "1000000000"], (), ["1000000001", "1000000002"]),
    ],
)
def test_numbers_go_on(ids: list[str], taken: tuple[str, ...], wanted: list[str]) -> None:
    found = next_ids(ids, frozenset(taken))
    assert [next(found), next(found)] == wanted


def test_the_same_words_get_noise_of_their_own() -> None:
    film = board(shot("1", "<Mira> sleeps.", "the farm by day"))
    for _ in range(3):
        film, _ = continue_storyboard(film, "Mira waved in the forest. Mira waved in the forest.", 5)
    seeds = [each.seed for each in film.shots[1:]]
    assert len({each.caption for each in film.shots[1:]}) < len(seeds) == len(set(seeds)) == 6


def test_a_name_that_the_text_makes_longer_is_the_same_puppet() -> None:
    film = board(shot("1", "<Mira> waves. <Captain Ahab> waves.", "the farm by day"))
    (_, first), (_, second) = appended(film, "Mira Lane jumped. Ahab walked to the forest.")
    assert "<Mira> jumps" in first
    assert "<Captain Ahab> walks" in second


def test_everybody_keeps_their_side_of_the_frame() -> None:
    film = board(
        shot("1", "<Mira> waves on the left and <Otto> waves on the right.", "the farm by day"),
        shot("2", "<Otto> stands."),
    )
    (_, walk), (_, both) = appended(film, "Otto walked to the forest. Mira waved to Otto in the cave.")
    assert "<Otto> walks on the right" in walk
    assert "<Mira> waves on the left and <Otto> stands on the right" in both


def test_the_narrator_goes_on(tmp_path: Path) -> None:
    storyboard_of("My name is Ishmael. I walked along the beach.", tmp_path, CONFIG)
    new, _ = continue_film("I waved to my sister Anna.", tmp_path, CONFIG)
    assert [member.name for member in new.cast] == ["Ishmael", "Anna"]


def test_another_look_than_the_film_shows_is_told_and_not_shown(film: Path) -> None:
    old = Storyboard.load(film)
    new, notes = continue_film(
        "Mira, a tall girl in a white coat, waved. Tobias wore a green coat.", film, CONFIG
    )
    assert new.cast == old.cast
    clash = [note for note in notes if "looks as before" in note]
    assert clash == [
        f"Mira looks as before in this film: {old.cast[0].look}; what the text says otherwise is not shown"
    ]


def test_new_people_look_like_nobody_in_the_film(film: Path) -> None:
    new, _ = continue_film("Ada met Ben. Cora met Dan. Emma met Finn.", film, CONFIG)
    assert len(new.cast) == 8
    coats = [member.look.partition(" in a")[2].split()[0:2] for member in new.cast]
    assert len({tuple(coat) for coat in coats}) == 8


def test_as_many_shots_as_asked_and_no_more_than_a_film_holds(film: Path) -> None:
    assert len(continue_film("Mira waved. She jumped.", film, StoryConfig(shots=5))[0].shots) == 13
    long = board(*(shot(f"{number:05d}") for number in range(MAX_SHOTS - 1)))
    with pytest.raises(InputError, match=r"found 9,999 in the film and 2 to append\. Ask for fewer"):
        continue_storyboard(long, "Mira waved in the forest.", 0, shots=2)
    assert len(continue_storyboard(long, "Mira waved in the forest.", 0)[0].shots) == MAX_SHOTS


def test_what_cannot_continue_a_film_writes_nothing(film: Path, tmp_path: Path) -> None:
    files = sorted(path.name for path in film.iterdir())
    with pytest.raises(InputError, match="a story in words was wanted"):
        continue_film(" ... \n", film, CONFIG)
    with pytest.raises(InputError, match="storyboard without shots"):
        continue_storyboard(board(), MORE, 0)
    with pytest.raises(InputError, match=r"nothing: cannot be read"):
        continue_film(MORE, tmp_path / "nothing", CONFIG)
    assert sorted(path.name for path in film.iterdir()) == files
    (film / CONTINUED_NAME).write_text('{"format": "cinema-continued", "texts": [{"text_sha256": "x"}]}')
    with pytest.raises(InputError, match=r"(?s)continued\.json.*texts\.0\.text_sha256"):
        continue_film(MORE, film, CONFIG)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_every_example_continues_every_film(path: Path, film: Path) -> None:
    new, _ = continue_film(read_story(path), film, CONFIG)
    captions = [each.caption for each in new.shots]
    for member in new.cast:
        told = [caption for caption in captions if f"<{member.name}>, {member.look}," in caption]
        assert len(told) == 1, member
    assert len({each.seed for each in new.shots}) == len(new.shots)
    assert len({member.look for member in new.cast}) == len(new.cast)


def test_a_text_of_ones_own_in_the_storyboard_survives(film: Path) -> None:
    own = Storyboard.load(film).with_shot("0008", caption="<Mira> sings in the cave at night.", scene="")
    own.save(film)
    new, _ = continue_film("She waved.", film, CONFIG)
    assert new.shots[7] == own.shots[7]
    assert new.shots[8].scene == "the cave at night"
