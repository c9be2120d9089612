import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from cinema_cli.errors import InputError
from cinema_cli.planning.moments import MOST_SHOTS
from cinema_cli.planning.shot_list import ShotList
from cinema_cli.planning.story import FOREIGN, ONE_CASE, read_story, write_shot_list
from cinema_cli.storyboard import CastMember, Shot, Storyboard

EXAMPLES = Path(__file__).parents[2] / "examples"
LAMP_KEEPER = EXAMPLES / "lamp-keeper" / "story.txt"
STORIES = sorted((EXAMPLES / "stories").glob("*.txt"))


def check(film: ShotList) -> None:
    """What must hold for every story: it is a valid storyboard, and looks are told once, at first."""
    assert film.shots
    cast = tuple(CastMember(name=entry.name, look=entry.look) for entry in film.cast)
    shots = tuple(
        Shot(id=f"{number:05}", scene=shot.scene, caption=shot.caption, duration="2")
        for number, shot in enumerate(film.shots)
    )
    Storyboard(title=film.title, caption=film.caption, frame_size=(128, 256), cast=cast, shots=shots)
    seen: set[str] = set()
    for shot in film.shots:
        names = [figure.puppet.name for figure in shot.staged.figures]
        assert list(shot.described) == [name for name in names if name not in seen]
        seen.update(names)
    assert seen == {entry.name for entry in film.cast}


def test_the_lamp_keeper() -> None:
    film = write_shot_list(read_story(LAMP_KEEPER))
    check(film)
    assert film.title == "The Lamp Keeper"
    assert len(film.shots) == 8
    assert [entry.look for entry in film.cast] == [
        "a short tan-skinned puppet in a red coat and a blue pointed hat, carrying a lantern",
        "a tall dark-skinned puppet in a green coat and a yellow round hat",
    ]
    sets = [shot.staged.place.set for shot in film.shots]
    assert sets == ["harbour", "harbour", "forest", "forest", "cave", "cave", "harbour", "harbour"]
    assert film.shots[0].staged.place == film.shots[-1].staged.place
    times = [shot.staged.time for shot in film.shots]
    assert times == ["sunset"] * 2 + ["night"] * 4 + ["sunset"] * 2
    assert [figure.action for figure in film.shots[6].staged.figures] == ["walks", "walks"]
    assert {figure.facing for figure in film.shots[6].staged.figures} == {"left"}
    assert film.shots[5].staged.size == "close-up"
    assert film.notes == ("dawn is lit as sunset",)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_every_example_becomes_a_film(path: Path) -> None:
    film = write_shot_list(read_story(path))
    check(film)
    assert len({shot.staged.size for shot in film.shots}) >= 2
    assert len(film.cast) <= 4


def test_a_landscape_has_nobody_in_it() -> None:
    film = write_shot_list(read_story(EXAMPLES / "stories" / "one-day-of-the-island.txt"))
    assert film.cast == ()
    assert all(not shot.staged.figures for shot in film.shots)
    assert [shot.staged.time for shot in film.shots] == ["sunset", "day", "day", "day", "sunset", "night"]


@pytest.mark.parametrize("count", [1, 2, 5, 8, 9, 13, 40])
@pytest.mark.parametrize("path", [LAMP_KEEPER, STORIES[0]], ids=lambda path: path.stem)
def test_as_many_shots_as_asked(path: Path, count: int) -> None:
    film = write_shot_list(read_story(path), count)
    assert len(film.shots) == count
    check(film)


def test_cutting_and_joining_keep_the_looks() -> None:
    text = read_story(LAMP_KEEPER)
    films = [write_shot_list(text, count) for count in (None, 20, 4)]
    assert len({frozenset(film.cast) for film in films}) == 1


def test_a_long_story_is_condensed_and_says_so() -> None:
    film = write_shot_list("Mira walked to the harbour and waved.\n\n" * 60)
    assert len(film.shots) == MOST_SHOTS
    assert film.notes[0].startswith("the story has 60 moments; it is condensed to 48 shots")


def test_the_seed_varies_layouts_only() -> None:
    text = read_story(LAMP_KEEPER)
    first, second = write_shot_list(text, seed=1), write_shot_list(text, seed=2)
    assert [shot.caption for shot in first.shots] == [shot.caption for shot in second.shots]
    assert first.shots[0].staged.place.layout != second.shots[0].staged.place.layout


def test_a_film_opens_wide_and_shows_speech_near() -> None:
    film = write_shot_list("Mira stood in the kitchen. Mira waited for long. “It is late,” said Mira.")
    assert [shot.staged.size for shot in film.shots] == ["wide", "medium", "close-up"]


GROUP = "a puppet plays one person, never a group; not shown"
SHARED = "at most two puppets share a frame"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (
            "Mira, Otto and Ada met in the park.",
            f"{SHARED}: Mira and Otto are shown, Ada not",
        ),
        ("The dragon waited in its cave.", "a dragon is played by a puppet"),
        ("Mira danced in the library.", "a library is staged as the castle"),
        ("Mira danced in the library.", "to dance is shown as jumping"),
        ("Rain fell on the farm.", "the weather of the theatre is always fair: no rain"),
        ("Reporters shouted.", f"{GROUP}: the reporters"),
        ("The children waved. Mira saw two men.", f"{GROUP}: the children and two men"),
        ("The boss waved, and the friends of Mira, people all.", f"{GROUP}: the friends"),
        ("Ada, Ben and Max sat in the park. They danced.", f"{SHARED}: Ada and Ben are shown, Max not"),
        ("A bus stops in front of Mira.", "a bus is staged as the city"),
        ("mira and otto waved.", ONE_CASE),
        ("MIRA AND OTTO WAVED.", ONE_CASE),
        ("Mira waved.", "the story names no place that the theatre knows: it plays on the bare stage"),
        (
            "Der alte Mann ging in den Wald. Dort traf er Hänsel und Gretel, und sie lachten.",
            FOREIGN,
        ),
    ],
)  # fmt: skip
def test_what_is_staged_otherwise_is_said(text: str, note: str) -> None:
    notes = write_shot_list(text).notes
    assert note in notes
    assert len(set(notes)) == len(notes)


@pytest.mark.parametrize(
    ("text", "sets"),
    [
        ("Tom, a short man in a green coat, waved at the castle.", ["castle"]),
        (
            "Mira walked through the desert. She saw a castle. She sat down again.",
            ["desert", "castle", "desert"],
        ),
        ("Mira sat on the beach. She looked at the castle from the forest.", ["beach", "forest"]),
        ("Mira walked on the moon. She waved at the ship.", ["space", "space"]),
        ("They stepped onto the surface of the moon.", ["space"]),
        ("A man walks into a bar.", ["kitchen"]),
        ("Mira and Max explored the cave. They crossed the desert.", ["cave", "desert"]),
    ],
)
def test_where_a_story_plays(text: str, sets: list[str]) -> None:
    assert [shot.staged.place.set for shot in write_shot_list(text).shots] == sets


@pytest.mark.parametrize(
    ("text", "actors"),
    [
        (
            "Tomasz walked on. Agnieszka sold apples. Tomasz waved. Night fell.",
            ["Tomasz", "Agnieszka", "Tomasz"],
        ),
        ("He waited by the boat. She waved. She left.", ["The Man", "The Woman"]),
        ("Ivo climbed the mountain. The giant slept.", ["Ivo", "The Giant"]),
        ("The stage was dark and very large. Mira waved.", ["", "Mira"]),
        ("The storm grew over the harbour. I waved.", ["The Narrator"]),
        ("The wolf came to the farm. One day the wolf was gone.", ["The Wolf", ""]),
        ("Merlin the wizard waved to the children.", ["Merlin"]),
    ],
)
def test_who_is_seen_in_each_shot(text: str, actors: list[str]) -> None:
    figures = [shot.staged.figures for shot in write_shot_list(text).shots]
    assert [" ".join(figure.puppet.name for figure in shown) for shown in figures] == actors


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        (
            "Mira met Otto in the forest. They walked to the cave.",
            "A film about <Mira> and <Otto>, set in the forest and in the cave.",
        ),
        ("Snow lay on the farm.", "A film set on the farm."),
        (
            "Ada met Ben on the farm. Cora met Dan. Cora met Emma. Dan met Emma. Ben waved for long.",
            "A film about <Ben>, <Cora>, <Dan> and <Emma>, set on the farm.",
        ),
    ],
)
def test_the_line_about_the_whole_is_worded_as_in_training(text: str, caption: str) -> None:
    assert write_shot_list(text).caption == caption


def test_a_story_without_capital_letters_has_people() -> None:
    for text in (
        "tom and anna went to the beach. anna jumped for joy.",
        "TOM AND ANNA WENT TO THE BEACH. ANNA JUMPED FOR JOY.",
    ):
        film = write_shot_list(text)
        assert [entry.name for entry in film.cast] == ["Tom", "Anna"]
        assert film.shots[-1].staged.figures[0].action == "jumps"


def test_what_is_told_of_a_stranger_stays_when_she_is_named() -> None:
    film = write_shot_list("She wore a red dress. He nodded. Her name was Vera Lane.")
    assert next((entry.name, entry.puppet.coat) for entry in film.cast) == ("Vera Lane", "red")


def test_a_title_has_no_quotation_marks() -> None:
    assert write_shot_list("“Are you coming?” asked Ben.").title == "Are you coming? asked Ben"


def test_a_name_is_no_hour() -> None:
    film = write_shot_list("Mark met his wife Dawn at night. Dawn woke up and laughed.")
    assert [shot.staged.time for shot in film.shots] == ["night", "night"]


@pytest.mark.parametrize("text", ["", " \n\t ", "...", "1234 5678", "!?", "\x00\x01", "<>"])
def test_a_text_without_words_is_an_error(text: str) -> None:
    with pytest.raises(InputError, match="a story in words was wanted"):
        write_shot_list(text)


def test_half_a_character_is_an_error() -> None:
    with pytest.raises(InputError, match="lone surrogate"):
        write_shot_list("Mira \ud800 waved.")


@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_impossible_numbers_of_shots_are_errors(count: int) -> None:
    with pytest.raises(InputError, match="shots were wanted"):
        write_shot_list("Mira waved.", count)


def test_the_same_story_gives_the_same_film_whatever_the_hash_seed() -> None:
    code = (
        "import sys; from pathlib import Path; from cinema_cli.planning.story import *; "
        "print(ascii(write_shot_list(read_story(Path(sys.argv[1])))))"
    )
    path = EXAMPLES / "stories" / "the-honest-fox.txt"
    there = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == ascii(write_shot_list(read_story(path)))


FUZZ_ALPHABETS = (
    "abc .!?",
    "Aa Bb. “”\"'‘’«»…—\n\t",
    "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x200B, 0xFEFF, 0xE000, 0x10FFFF])) + "Ab .",
    "明日 さくら。「」 مريم דוד Мира अर्जुन สมชาย éÉǅ ",
    "<>&{}[]()*_#@~^/\\|;:,=+%$ Mira.",
)  # fmt: skip
FUZZ_WORDS = """
Mira Otto he she they I we her him the a old king of in into from “ ” " ' . , ! ? : … harbour forest walked
waved said is was and called named blue coat hat tall night sun moon dog not INT. EXT. - Mr. O'Brien's ¶ ¶
"""


@pytest.mark.parametrize("seed", range(60))
def test_any_text_is_a_film_or_an_error(seed: int) -> None:
    rng = random.Random(seed)
    if seed % 2:
        text = " ".join(rng.choices(FUZZ_WORDS.split(), k=rng.randint(1, 120))).replace("¶", "\n\n")
    else:
        text = "".join(rng.choices(FUZZ_ALPHABETS[seed // 2 % len(FUZZ_ALPHABETS)], k=rng.randint(1, 400)))
    count = rng.choice((None, 1, 7, 30))
    try:
        film = write_shot_list(text, count)
    except InputError:
        return
    check(film)
    assert count is None or len(film.shots) == count


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("José waved.".encode(), "José waved."),
        ("José waved.".encode("utf-8-sig"), "José waved."),
        ("José waved.".encode("utf-16"), "José waved."),
    ],
)
def test_encodings_that_are_read(tmp_path: Path, data: bytes, text: str) -> None:
    path = tmp_path / "story.txt"
    path.write_bytes(data)
    assert read_story(path) == text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("José waved.".encode("latin-1"), r"byte 3 \(0xe9\).*Save the file as UTF-8"),
        (b"\x89PNG\x00\x01", "found a binary file"),
        (b"\xff\xfeA", "save it as UTF-8"),
        (b" \n ", "the file is empty"),
        (b"", "the file is empty"),
        (b"a" * 1_000_001, "at most 1 MB was wanted, found 1,000,001 bytes"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "story.txt"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_story(path)


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_story(tmp_path / "nothing.txt")
    with pytest.raises(InputError, match="cannot be read"):
        read_story(tmp_path)


def test_what_is_said_goes_with_its_shot() -> None:
    film = write_shot_list(
        "Mira stood in the kitchen. “It is late,” said Mira. “Go home,” said Tom, “or stay.” "
        "Mira read the sign “Red Lion” at the door."
    )
    assert [[(line.speaker, line.text) for line in shot.lines] for shot in film.shots] == [
        [],
        [("Mira", "It is late,")],
        [("Tom", "Go home,"), ("Tom", "or stay.")],
        [],
    ]


def test_a_moment_that_is_shown_twice_is_heard_once() -> None:
    film = write_shot_list("“Wait!” said Mira.", 3)
    assert [len(shot.lines) for shot in film.shots] == [1, 0, 0]


def test_lines_beyond_what_a_shot_holds_are_told() -> None:
    film = write_shot_list("\n\n".join(["“Wait!” said Mira."] * 40), 1)
    assert len(film.shots[0].lines) == 32
    assert "of 40 lines that are spoken in one shot, the first 32 are kept" in film.notes
