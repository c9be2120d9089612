from cinema_cli.planning.fountain import is_fountain, to_prose
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
