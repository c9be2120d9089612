"""A judge behind a real server: answers of no use, servers that are down, money and signals."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from chat_server import ChatServer, running
from cinema_cli.chat.ledger import Account
from cinema_cli.errors import InputError, Interrupted, MissingError
from cinema_cli.evaluation.films import Film
from cinema_cli.evaluation.judge import (
    BAD_REPLY,
    LEDGER,
    RECORD,
    JudgeConfig,
    JudgeError,
    judge_film,
    open_judge,
)
from cinema_cli.progress import Progress
from judged_films import answer, judge_config, scores
from judging import judge, score
from kept_films import plain_film

PROSE = "Certainly! The frames are lovely: 5 of 5."


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with running() as server:
        yield server


@pytest.fixture
def film(tmp_path: Path) -> Film:
    return Film.open(plain_film(tmp_path / "film", 4))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept"


# -- answers of no use -------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [PROSE, scores(6), scores(3, diversity=-1), "{}"])
def test_a_bad_answer_is_sent_back_with_the_reason(
    server: ChatServer, film: Film, folder: Path, bad: str
) -> None:
    server.play(answer(bad), answer(scores(4)))
    section = judge(server, film, folder)
    assert score(section, "aesthetics").value == 4
    first, second = [call["body"]["messages"][1]["content"] for call in server.calls]
    assert second[:-2] == first
    assert json.loads(second[-2]["text"]) == {"your_answer": bad}
    assert second[-1]["text"].startswith("That answer cannot be used:\n- ")
    notes = " ".join(section.notes)
    assert "Answers that could not be used and were asked for again: 1." in notes
    assert "These answers took 1,800 + 120 tokens" in notes


def test_the_reason_names_what_is_wrong(server: ChatServer, film: Film, folder: Path) -> None:
    server.play(answer(scores(3, diversity=7)), answer(scores(4)))
    judge(server, film, folder)
    told = server.calls[1]["body"]["messages"][1]["content"][-1]["text"]
    assert "- diversity.score: Input should be less than or equal to 5, found 7" in told


def test_three_bad_answers_are_told_and_saved(server: ChatServer, film: Film, folder: Path) -> None:
    server.play(answer(scores(6)), answer(scores(7)), answer(PROSE))
    with pytest.raises(JudgeError, match=r"no scores that can be used in 3 answers: one JSON object"):
        judge(server, film, folder)
    assert (folder / BAD_REPLY).read_text() == PROSE
    assert not (folder / RECORD).exists()
    server.play(answer(scores(4)))
    assert score(judge(server, film, folder), "diversity").value == 4  # the same command asks once more
    assert len(server.calls) == 1


def test_a_refusal_is_told(server: ChatServer, film: Film, folder: Path) -> None:
    server.play(answer("", refusal="Not this one."))
    with pytest.raises(InputError, match=r"m will not judge this film: Not this one."):
        judge(server, film, folder)


def test_an_answer_that_was_cut_off_is_told(server: ChatServer, film: Film, folder: Path) -> None:
    server.play(answer(scores(4)[:50], finish="length"))
    with pytest.raises(InputError, match=r"cut off at 4096 tokens.*max_tokens=8192"):
        judge(server, film, folder)
    assert (folder / BAD_REPLY).read_text() == scores(4)[:50]


# -- servers, money, signals -------------------------------------------------------------------


def test_a_busy_server_is_asked_again(server: ChatServer, film: Film, folder: Path) -> None:
    server.play({"play": "status", "status": 503}, answer(scores(4)))
    assert score(judge(server, film, folder), "aesthetics").value == 4
    assert len(server.calls) == 2


def test_a_server_that_is_down_keeps_what_is_there(server: ChatServer, film: Film, folder: Path) -> None:
    server.play(answer(scores(4)), default={"play": "status", "status": 500})
    with pytest.raises(Interrupted, match=r"1 of 3 judgements are kept; the same command goes on"):
        judge(server, film, folder, repeats=3)
    server.play(answer(scores(3)), answer(scores(2)))
    assert score(judge(server, film, folder, repeats=3), "aesthetics").value == 3
    assert len(server.calls) == 2


def test_nobody_answers_at_that_address(film: Film, folder: Path, server: ChatServer) -> None:
    config = judge_config(server)
    nowhere = config.model_copy(
        update={"chat": config.chat.model_copy(update={"base_url": "http://127.0.0.1:9/v1"})}
    )
    with (
        ExitStack() as stack,
        Progress(quiet=True) as progress,
        pytest.raises(Interrupted, match=r"http://127.0.0.1:9: the connection failed"),
    ):
        judge_film(film, open_judge(nowhere, stack), nowhere, folder, progress)
    assert Account.load(folder / LEDGER).total.tokens == 0


def test_a_server_that_wants_a_key(server: ChatServer, film: Film, folder: Path) -> None:
    server.play({"play": "status", "status": 401})
    with pytest.raises(MissingError, match="CINEMA_API_KEY"):
        judge(server, film, folder)


def test_a_budget_ends_the_work_before_it_is_exceeded(server: ChatServer, film: Film, folder: Path) -> None:
    server.play(default=answer(scores(4)))
    with pytest.raises(Interrupted, match=r"the budget of 1,000 tokens has 1,000 tokens left"):
        judge(server, film, folder, budget="1ktok")
    assert server.calls == []
    budget = {"budget": "18ktok", "max_tokens": 512}  # one call costs 960, but could cost 13,000
    with pytest.raises(Interrupted, match="the budget of 18,000 tokens"):
        judge(server, film, folder, repeats=100, **budget)
    spent = Account.load(folder / LEDGER).total.tokens
    assert spent == 960 * len(server.calls) <= 18_000
    assert len(server.calls) >= 2
    assert Account.load(folder / LEDGER).open == ()


def test_a_signal_ends_the_work_between_two_calls(server: ChatServer, film: Film, folder: Path) -> None:
    server.play(default=answer(scores(4)))
    with pytest.raises(Interrupted, match="stopped on request"):
        judge(server, film, folder, stopped=lambda: len(server.calls) == 2, repeats=5)
    assert len(server.calls) == 2
    judge(server, film, folder, repeats=5)
    assert len(server.calls) == 5


def test_prices_without_a_judge_are_an_error() -> None:
    with pytest.raises(ValueError, match="give --judge openai --model NAME"):
        JudgeConfig.model_validate({"chat": {"base_url": "http://localhost/v1"}})
