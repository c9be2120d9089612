from pathlib import Path

import pytest

from cinema_cli.captioning.book import BOOK, Book
from cinema_cli.chat.model import Answer, Request, Usage

QUESTION = Request("Do this.", (), {}, 100)


@pytest.mark.parametrize(
    "answer",
    [Answer("text", usage=Usage(900, 60)), Answer("", refusal="no"), Answer("half", cut=True)],
)
def test_an_answer_comes_back_for_the_same_question_and_model(tmp_path: Path, answer: Answer) -> None:
    Book(tmp_path).keep(QUESTION, "m", answer)
    book = Book(tmp_path)
    assert book.answer(QUESTION, "m") == answer
    assert book.answer(QUESTION, "n") is None
    assert book.answer(Request("Do that.", (), {}, 100), "m") is None


def test_the_last_answer_counts(tmp_path: Path) -> None:
    for text in ("one", "two"):
        Book(tmp_path).keep(QUESTION, "m", Answer(text))
    found = Book(tmp_path).answer(QUESTION, "m")
    assert found is not None
    assert found.text == "two"


def test_an_answer_torn_by_a_kill_does_not_count(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.keep(QUESTION, "m", Answer("whole"))
    with (tmp_path / BOOK).open("ab") as file:
        file.write(b'{"key": "answer x", "text": "ha')
    found = Book(tmp_path).answer(QUESTION, "m")
    assert found is not None
    assert found.text == "whole"


def test_words_are_known_by_what_they_are(tmp_path: Path) -> None:
    Book(tmp_path).note("0001", "A boat.", None, inputs="x")
    book = Book(tmp_path)
    assert book.written("0001", "A boat.", None) == "x"
    assert book.written("0001", "A boot.", None) is None
    assert book.written("0001", "A boat.", "blurred") is None
    assert book.written("0002", "A boat.", None) is None


def test_the_same_note_is_written_once(tmp_path: Path) -> None:
    book = Book(tmp_path)
    for _ in range(2):
        book.note("0001", "A boat.", None, inputs="x")
    assert len((tmp_path / BOOK).read_text().splitlines()) == 1
