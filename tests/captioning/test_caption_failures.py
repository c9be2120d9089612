"""Whole runs against a server that answers badly, or not at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from captioned_films import BLACK, BLUE, GREEN, MIRA, RED, caption_config, make_film, run, words
from chat_server import ChatServer, running, verdict
from cinema_cli.errors import MissingError


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with running() as server:
        yield server


@pytest.fixture
def film(tmp_path: Path) -> Path:
    make_film(tmp_path / "film", ["red", "green", "black", "blue"], cast=MIRA)
    return tmp_path / "film"


def test_a_refusal_is_an_outcome(server: ChatServer, film: Path) -> None:
    server.play({"play": "answer", "refusal": "A real person."})
    result = run(film, caption_config(server))
    assert words(film)[0] == ("", "refused by the model: A real person.")
    assert dict(result.tally.rejected) == {"refused by the model": 1, "too-dark": 1}
    assert result.unfinished == ""
    server.play()
    run(film, caption_config(server))
    assert server.calls == []


@pytest.mark.parametrize(
    "bad",
    [
        {"play": "status", "status": 429, "headers": {"Retry-After": "0.01"}},
        {"play": "status", "status": 500},
        {"play": "drop"},
        {"play": "answer", "content": '{"keep": true, "reject_', "finish": "length"},
        {"play": "answer", "content": '{"keep": "perhaps"}'},
        {"play": "answer", "content": "Certainly! Here is the caption."},
        {"play": "raw", "body": "<html>"},
    ],
    ids=lambda bad: str(bad.get("status") or bad.get("content") or bad["play"])[:12],
)
def test_one_bad_answer_is_asked_again(server: ChatServer, film: Path, bad: dict[str, Any]) -> None:
    server.play(bad)
    result = run(film, caption_config(server))
    assert words(film) == [RED, GREEN, BLACK, BLUE]
    assert (len(server.calls), result.unfinished) == (5, "")


def test_a_frame_that_fails_stays_without_words(server: ChatServer, film: Path) -> None:
    server.play(*[{"play": "status", "status": 503}] * 3)
    result = run(film, caption_config(server))
    assert words(film) == [("", None), GREEN, BLACK, BLUE]
    assert result.tally.left == 1
    assert "1 frames could not be captioned" in result.unfinished
    server.play()
    assert run(film, caption_config(server)).unfinished == ""
    assert (len(server.calls), words(film)[0]) == (1, RED)


def test_a_model_that_cannot_write_verdicts_is_paid_twice_a_frame(server: ChatServer, film: Path) -> None:
    server.play(default={"play": "answer", "content": "No."})
    result = run(film, caption_config(server, give_up_after=2))
    assert (len(server.calls), result.spent.tokens) == (4, 4 * 960)
    assert "2 frames in a row failed" in result.unfinished
    assert words(film) == [("", None)] * 4


def test_a_broken_picture_fails_alone(server: ChatServer, film: Path) -> None:
    (film / "keyframes" / "0001.png").write_bytes(b"no picture")
    (film / "keyframes" / "0002.png").unlink()
    server.play()
    result = run(film, caption_config(server))
    assert words(film) == [("", None), ("", None), BLACK, BLUE]
    assert len(server.calls) == result.tally.left == 2


def test_a_key_that_is_refused_ends_the_run_and_what_was_paid_stays(server: ChatServer, film: Path) -> None:
    server.play({"play": "answer"}, default={"play": "status", "status": 401})
    with pytest.raises(MissingError, match="CINEMA_API_KEY"):
        run(film, caption_config(server))
    assert words(film) == [RED, ("", None), ("", None), ("", None)]
    assert len(server.calls) == 2


def test_words_that_do_not_fit_the_storyboard_fail_alone(
    film: Path, server: ChatServer, tmp_path: Path
) -> None:
    name = "M" * 64
    (tmp_path / "cast.yaml").write_text(f"characters: [{{name: {name}, aliases: [X]}}]")
    long = verdict("<X> " * 900, characters=["X"])  # within bounds until X gets its name
    server.play({"play": "answer", "content": long})
    result = run(film, caption_config(server, cast=tmp_path / "cast.yaml"))
    assert [caption != "" for caption, _ in words(film)] == [False, True, False, True]
    (reason,) = result.tally.failed
    assert "caption" in reason


def test_never_more_calls_at_once_than_workers(server: ChatServer, tmp_path: Path) -> None:
    make_film(tmp_path / "film", ["red"] * 12, cast=MIRA)
    server.play(default={"play": "answer", "together": 3})
    run(tmp_path, caption_config(server, workers=3))
    assert (len(server.calls), server.most_busy) == (12, 3)
