import json
from pathlib import Path

import pytest

from cinema_cli.cli.summary import show

FACTS = {
    "film": Path("a/film.mp4"),
    "contact_sheet": Path("a/Übersicht.html"),
    "hints": (),
    "notes": ("one", "two"),
    "skipped": 0,
}
SECONDS = {"seconds": {"drawing": 24.06, "in all": 30.0}}


def test_a_person_reads_aligned_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show(FACTS | SECONDS, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "film           a/film.mp4",
        "contact sheet  a/Übersicht.html",
        "notes          one",
        "               two",
        "skipped        0",
        "seconds        drawing 24.1, in all 30.0",
    ]


def test_a_program_reads_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    show(FACTS | SECONDS, as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "film": "a/film.mp4",
        "contact_sheet": "a/Übersicht.html",
        "hints": [],
        "notes": ["one", "two"],
        "skipped": 0,
        "seconds": {"drawing": 24.06, "in all": 30.0},
    }


def test_what_has_no_place_in_json_is_a_fault() -> None:
    with pytest.raises(TypeError, match="object has no place"):
        show({"film": object()}, as_json=True)
