"""Final Draft files, good and bad; and that they are the same film as the same screenplay in Fountain."""

import json
from pathlib import Path

import pytest

from cinema_cli.errors import InputError
from cinema_cli.planning.chapters import chapters_of
from cinema_cli.planning.final_draft import MOST_FDX_BYTES, to_fountain
from cinema_cli.planning.fountain import to_prose
from cinema_cli.planning.story import read_story, write_shot_list

SCREENPLAYS = Path(__file__).parents[1] / "screenplays"
FDX, FOUNTAIN = SCREENPLAYS / "night-boat.fdx", SCREENPLAYS / "night-boat.fountain"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def script(*paragraphs: tuple[str, str], head: str = HEAD) -> bytes:
    inner = "".join(f'<Paragraph Type="{kind}"><Text>{text}</Text></Paragraph>' for kind, text in paragraphs)
    return f'{head}<FinalDraft DocumentType="Script"><Content>{inner}</Content></FinalDraft>'.encode()


def written(folder: Path, data: bytes) -> Path:
    path = folder / "script.fdx"
    path.write_bytes(data)
    return path


def test_a_file_becomes_fountain() -> None:
    blocks = read_story(FDX).strip().split("\n\n")
    assert blocks[:5] == [
        "Title: The Night Boat",
        "> FADE IN:",
        "EXT. HARBOUR - NIGHT",
        "MIRA, a tall girl in a red coat, waits on the quay with a lantern.",
        "ÉLODIE\n(out of breath)\nIs anybody there? I saw a light.",
    ]
    assert blocks[6:] == [
        "> CUT TO:",
        ".THE OLD SIGNAL BOX - NIGHT",
        "ÉLODIE reads a letter.",
        "@McCLANE (O.S.)\nTickets, please!",
        "ÉLODIE\nWho is that?",
    ]


def test_it_is_the_same_film_as_in_fountain() -> None:
    assert to_prose(read_story(FDX)) == to_prose(read_story(FOUNTAIN))
    assert write_shot_list(read_story(FDX)) == write_shot_list(read_story(FOUNTAIN))


def test_scenes_cast_action_and_dialogue() -> None:
    film = write_shot_list(read_story(FDX))
    assert film.title == "The Night Boat"
    assert [entry.name for entry in film.cast] == ["Mira", "Élodie", "McCLANE"]
    assert film.cast[0].puppet is not None
    assert (film.cast[0].puppet.coat, film.cast[0].puppet.prop) == ("red", "lantern")
    assert [shot.scene for shot in film.shots] == ["the harbour at night"] * 4 + [
        "the old signal box at night"
    ] * 3
    assert [[line.speaker for line in shot.lines] for shot in film.shots] == [
        [], ["Élodie"], ["Mira"], ["Mira"], [], ["McCLANE"], ["Élodie"]
    ]  # fmt: skip
    said = " ".join(line.text for shot in film.shots[2:4] for line in shot.lines)
    assert said.startswith("Only me. The boat")
    assert said.endswith("She said: here.")
    assert all("<McCLANE>" in film.shots[5].caption for _ in film.shots[5].lines)


def test_a_director_reads_the_same_screenplay_without_notes_and_cut_scenes() -> None:
    (chapter,) = chapters_of(read_story(FOUNTAIN), None, 6000, 24)
    assert "EXT. HARBOUR - NIGHT" in chapter.text
    assert "raining" not in chapter.text
    assert "CABIN" not in chapter.text
    (same,) = chapters_of(read_story(FDX), None, 6000, 24)
    assert "(out of breath)\nIs anybody there?" in same.text
    assert "raining" not in same.text


def test_the_content_says_what_a_file_is(tmp_path: Path) -> None:
    path = tmp_path / "script.txt"
    path.write_bytes(FDX.read_bytes())
    assert read_story(path) == read_story(FDX)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings_that_xml_tells(tmp_path: Path, encoding: str) -> None:
    name = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16"}.get(encoding, encoding)
    head = f'<?xml version="1.0" encoding="{name}"?>'
    data = script(("Action", "Élodie waves."), head=head).decode().encode(encoding)
    assert read_story(written(tmp_path, data)) == "Élodie waves.\n"


@pytest.mark.parametrize(
    ("kind", "text", "block"),
    [
        ("Action", "# no section", "!# no section"),
        ("Action", "INT. is no scene here.", "!INT. is no scene here."),
        ("Action", ". . .", "!. . ."),
        ("Scene Heading", "KITCHEN", ".KITCHEN"),
        ("Scene Heading", "i/e car - day", "I/E CAR - DAY"),
        ("Shot", "CLOSE ON THE LAMP", "CLOSE ON THE LAMP"),
        ("Dialogue", "Nobody says this.", "Nobody says this."),
    ],
)
def test_paragraphs_stay_what_they_are(kind: str, text: str, block: str) -> None:
    assert to_fountain(script((kind, text)), FDX) == f"{block}\n"


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BILLION = f'{HEAD}<!DOCTYPE FinalDraft [<!ENTITY l0 "lol">{LAUGHS}]>'


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"MIRA walks.\n\nShe waves.", "cannot be read .*line 1"),
        (b"PK\x03\x04 a zip", "cannot be read"),
        (script(("Action", "Mira &amp; <b>Tom")), "mismatched tag"),
        (script(("Action", "Mira"))[:-20], "no element found|unclosed"),
        (script(("Action", "&l9;"), head=BILLION), "without a document type was wanted"),
        (
            script(("Action", "&x;"), head='<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
            "without a document type was wanted",
        ),
        (script(("Action", "&nbsp;")), "undefined entity"),
        (b"<html><body><p>Mira</p></body></html>", r"\(<FinalDraft>\) was wanted, found <html>"),
        (HEAD.encode() + b"<FinalDraft/>", "no words"),
        (script(("Action", " ")), "no words"),
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (f"{HEAD}<FinalDraft>{'<a>' * 100_000}".encode(), "inside each other"),
        (script(("Action", "x"), head='<?xml version="1.0" encoding="klingon"?>'), "cannot be read"),
        (b'<?xml version="1.0" encoding="UTF-8"?><FinalDraft>\xff\xfe</FinalDraft>', "cannot be read"),
        (script(("Action", "\x00")), "cannot be read"),
        (script(("Action", "Mira walks. " * 90_000)), "at most 1,000,000 characters"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, data: bytes, told: str) -> None:
    path = written(tmp_path, data)
    with pytest.raises(InputError, match=told) as caught:
        read_story(path)
    assert str(path) in str(caught.value)
    assert "root:" not in json.dumps(str(caught.value))


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "script.fdx"
    with path.open("wb") as file:
        file.truncate(MOST_FDX_BYTES + 1)
    with pytest.raises(InputError, match="at most 16 MB was wanted"):
        read_story(path)
