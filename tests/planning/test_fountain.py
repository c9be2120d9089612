import pytest

from cinema_cli.planning.fountain import is_fountain, to_prose, without_comments
from cinema_cli.planning.story import write_shot_list

SCREENPLAY = """Title: The Bridge
Author: Nobody

FADE IN:

EXT. HARBOUR - NIGHT

MIRA, in a red coat, waits on the quay. [[Is it cold?]]

MIRA
(softly)
Is anybody there?

OLD TOM (V.O.)
Only me.

CUT TO:

INT. LIBRARY - DAY

Old Tom reads. MIRA jumps.
"""


def test_a_screenplay_is_known_by_its_headings() -> None:
    assert is_fountain(SCREENPLAY)
    assert not is_fountain("Mira walked. Interior designers wept.")


def test_a_screenplay_becomes_prose() -> None:
    assert to_prose(SCREENPLAY).split("\n\n") == [
        "The Bridge",
        "In the harbour, at night: Mira, in a red coat, waits on the quay.",
        "Mira said: “Is anybody there?”",
        "Old Tom said: “Only me.”",
        "In the library, by day: Old Tom reads. Mira jumps.",
    ]


def test_a_screenplay_becomes_a_shot_list() -> None:
    film = write_shot_list(SCREENPLAY)
    assert film.title == "The Bridge"
    assert [entry.name for entry in film.cast] == ["Mira", "Old Tom"]
    assert film.cast[0].puppet.coat == "red"
    assert [shot.staged.place.set for shot in film.shots] == ["harbour"] * 3 + ["castle"] * 2
    assert [shot.staged.time for shot in film.shots] == ["night"] * 3 + ["day"] * 2


def test_what_a_screenplay_only_notes_is_left_out() -> None:
    text = "INT. KITCHEN - DAY\n\nMira [[why?]]cooks. /* cut\n\nEXT. FARM */She sits."
    text += " [[never closed */ /* nor this"
    assert without_comments(text) == (
        "INT. KITCHEN - DAY\n\nMira cooks. She sits. [[never closed */ /* nor this"
    )


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ("ÉLODIE\nBonjour.", "Élodie said: “Bonjour.”"),
        ("МИРА\nПривет.", "Мира said: “Привет.”"),
        ("@McCLANE (V.O.) ^\n(softly)\nTickets!", "McCLANE said: “Tickets!”"),
        ("MIRA\nHe said “run” and I _ran_.", "Mira said: “He said ‘run’ and I ran.”"),
        ("***MIRA*** runs\n**fast**.", "MIRA runs fast."),
        ("Mira adds 2 * 3 * 4.", "Mira adds 2 * 3 * 4."),
        ("!FADE AWAY, she thinks.", "FADE AWAY, she thinks."),
    ],
)
def test_blocks(block: str, told: str) -> None:
    assert to_prose(f"INT. KITCHEN\n\n{block}") == f"In the kitchen: {told}"


@pytest.mark.parametrize(
    "cut", ["CUT TO:", "SMASH CUT TO:", "FADE OUT.", "> Burn to White.", "> THE END <", "==="]
)
def test_transitions_are_not_told(cut: str) -> None:
    assert to_prose(f"INT. KITCHEN\n\n{cut}\n\nMira runs.") == "In the kitchen: Mira runs."


def test_a_long_speech_is_cut_between_sentences() -> None:
    speech = "This is a sentence of some length, said aloud. " * 20
    pieces = to_prose(f"INT. KITCHEN\n\nMIRA\n{speech}").split("\n\n")
    assert len(pieces) > 1
    assert all(len(piece) < 360 and piece.endswith(".”") for piece in pieces)
    film = write_shot_list(f"INT. KITCHEN\n\nMIRA\n{speech}")
    assert " ".join(line.text for shot in film.shots for line in shot.lines) == speech.strip()


def test_a_heading_is_a_place_though_the_theatre_lacks_it() -> None:
    film = write_shot_list("EXT. SIGNAL BOX - NIGHT\n\nMira reads.\n\nEXT. HARBOUR - DAY\n\nMira waves.")
    assert [shot.scene for shot in film.shots] == ["the signal box at night", "the harbour by day"]
    assert "“the signal box” is staged as the theatre" in film.notes


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("INT./EXT. CAR - NIGHT", "In the car, at night"),
        ("I/E CAR - NIGHT", "In the car, at night"),
        (".THE OLD BRIDGE - MORNING #12A#", "In the old bridge, in the morning"),
    ],
)
def test_headings(heading: str, words: str) -> None:
    assert to_prose(f"{heading}\n\nMira runs.") == f"{words}: Mira runs."


def test_a_title_goes_on_below() -> None:
    assert to_prose("Title:\n    _**The Long**_\n    _**Way**_\nAuthor: X\n\nINT. KITCHEN\n\nMira runs.") == (
        "The Long Way\n\nIn the kitchen: Mira runs."
    )


@pytest.mark.parametrize(
    "text",
    [
        "[[" * 400_000,
        "/*" * 400_000,
        "MIRA " + " " * 400_000 + "x(\nhi",
        "MIRA" + " ()" * 200_000 + "x\nhi",
        "*a " * 250_000,
        "AB CD " * 60_000,
        "INT. " + "#" * 400_000,
    ],
)
def test_what_would_take_hours_by_trying_everything_is_read_at_once(text: str) -> None:
    assert to_prose(f"INT. KITCHEN\n\n{text}")
