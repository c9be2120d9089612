"""Whole runs over small films, with a real server process on the other end."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from captioned_films import SHA256, make_film, words
from chat_server import ChatServer, running, verdict
from cinema_cli.captioning.book import BOOK
from cinema_cli.captioning.caption import CaptionConfig, CaptionResult, caption_films
from cinema_cli.captioning.ledger import LEDGER, Account
from cinema_cli.chat.model import Answer, ScriptedChat, Usage
from cinema_cli.chat.openai import OpenAIConfig
from cinema_cli.chat.patience import Patience
from cinema_cli.errors import InputError, MissingError
from cinema_cli.files import locked
from cinema_cli.progress import Progress
from cinema_cli.storyboard import CastMember, Flag, Storyboard
from cinema_cli.theatre.movies import plan_truth

RED, GREEN, BLUE = ((f"A {c} frame with <Mira> and Nobody.", None) for c in ("red", "green", "blue"))
BLACK = ("", "too-dark")
MIRA = (CastMember(name="Mira"),)
PATIENCE = Patience(tries=3, first_wait=0.01, longest_wait=5)


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with running() as server:
        yield server


@pytest.fixture
def film(tmp_path: Path) -> Path:
    make_film(tmp_path / "film", ["red", "green", "black", "blue"], cast=MIRA)
    return tmp_path / "film"


def config(server: ChatServer, **changes: Any) -> CaptionConfig:
    chat = OpenAIConfig(base_url=server.base_url, model="m", timeout=10)
    data = {"annotator": "openai", "chat": chat, "patience": PATIENCE, "workers": 1, **changes}
    return CaptionConfig.model_validate(data)


def run(dataset: Path, settings: CaptionConfig) -> CaptionResult:
    with Progress(quiet=True) as progress:
        return caption_films(dataset, settings, progress)


def edit(film: Path, shot: str, **changes: Any) -> None:
    Storyboard.load(film).with_shot(shot, **changes).save(film)


def account(film: Path) -> Account:
    return Account.load(film)


# -- what a run does ---------------------------------------------------------------------------


def test_every_frame_gets_words_or_a_reason(server: ChatServer, film: Path) -> None:
    server.play()
    result = run(film.parent, config(server, workers=3))
    assert words(film) == [RED, GREEN, BLACK, BLUE]
    assert Storyboard.load(film).cast == MIRA
    tally = result.tally
    assert (tally.captioned, dict(tally.rejected), tally.shots) == (3, {"too-dark": 1}, 4)
    assert dict(tally.unknown_tags) == {"Nobody": 3}
    assert (result.spent.tokens_in, result.spent.tokens_out) == (4 * 900, 4 * 60)
    assert result.unfinished == ""
    assert [shot.kept for shot in Storyboard.load(film).shots] == [True, True, False, True]
    assert "A green frame" in (film / "contact-sheet.html").read_text(encoding="utf-8")


def test_a_second_run_costs_nothing(server: ChatServer, film: Path) -> None:
    server.play()
    run(film, config(server))
    before = (film / "storyboard.json").read_bytes()
    server.play()
    result = run(film, config(server))
    assert server.calls == []
    assert (result.tally.skipped, result.spent.tokens, result.spent_in_all.tokens) == (4, 0, 4 * 960)
    assert (film / "storyboard.json").read_bytes() == before


def test_words_that_went_lost_come_back_from_the_book(server: ChatServer, film: Path) -> None:
    server.play()
    run(film, config(server))
    make_film(film, ["red", "green", "black", "blue"], cast=MIRA)  # as ingested, without words
    server.play()
    result = run(film, config(server))
    assert server.calls == []
    assert words(film) == [RED, GREEN, BLACK, BLUE]
    assert (result.tally.captioned, result.spent.tokens) == (3, 0)


def test_other_inputs_are_asked_about_anew(server: ChatServer, film: Path, tmp_path: Path) -> None:
    server.play()
    run(film, config(server))
    server.play()
    (film / "keyframes" / "0002.png").write_bytes((film / "keyframes" / "0001.png").read_bytes())
    run(film, config(server))
    assert server.calls == []  # the frame of shot 0001 was asked about before
    assert words(film)[1] == RED
    other = OpenAIConfig(base_url=server.base_url, model="other", timeout=10)
    run(film, config(server, chat=other))
    assert len(server.calls) == 3  # four shots, three different frames


def test_a_persons_words_are_never_replaced(server: ChatServer, film: Path) -> None:
    server.play()
    run(film, config(server))
    edit(film, "0001", caption="By hand.")
    edit(film, "0003", rejected="ugly")
    other = OpenAIConfig(base_url=server.base_url, model="other", timeout=10)
    server.play()
    result = run(film, config(server, chat=other))
    assert words(film) == [("By hand.", None), GREEN, ("", "ugly"), BLUE]
    assert (result.tally.by_hand, len(server.calls)) == (2, 2)
    result = run(film, config(server, chat=other, again=True))
    assert words(film) == [RED, GREEN, BLACK, BLUE]
    assert result.tally.skipped == 2


def test_what_a_person_writes_during_the_run_stays(server: ChatServer, film: Path) -> None:
    def write(request: object) -> Answer:
        edit(film, "0001", caption="Meanwhile.")
        return Answer(verdict("By the model."), usage=Usage(900, 60))

    with Progress(quiet=True) as progress:
        result = caption_films(film, config(server), progress, ScriptedChat(write))
    assert [caption for caption, _ in words(film)] == ["Meanwhile."] + ["By the model."] * 3
    assert result.tally.notes == ["film, shot 0001: edited meanwhile, left as it is"]


def test_flagged_frames_are_not_paid_for(server: ChatServer, film: Path) -> None:
    edit(film, "0002", flags=(Flag(reason="blurred", value=1.0, limit=2.0),))
    server.play()
    result = run(film, config(server))
    assert (result.tally.flagged, len(server.calls), words(film)[1]) == (1, 3, ("", None))
    run(film, config(server, flagged=True))
    assert words(film)[1] == GREEN


def test_tags_by_hand_join_the_cast(server: ChatServer, film: Path, tmp_path: Path) -> None:
    edit_cast = tmp_path / "cast.yaml"
    edit_cast.write_text("characters:\n  - {name: Mira, look: a red coat, aliases: [Nobody]}\n")
    board = Storyboard.load(film)
    shots = (board.shots[0].model_copy(update={"caption": "<Zed> waits."}), *board.shots[1:])
    board.model_copy(update={"cast": (), "shots": shots}).save(film)
    server.play()
    result = run(film, config(server, cast=edit_cast))
    assert Storyboard.load(film).cast == (
        CastMember(name="Mira", look="a red coat"),
        CastMember(name="Zed"),
    )
    assert words(film)[1][0] == "A green frame with <Mira> and <Mira>."
    assert dict(result.tally.aliases) == {"Nobody": 2}
    assert any("Zed" in note for note in result.tally.notes)


# -- what goes wrong ---------------------------------------------------------------------------


def test_a_refusal_is_an_outcome(server: ChatServer, film: Path) -> None:
    server.play({"play": "answer", "refusal": "A real person."})
    result = run(film, config(server))
    assert words(film)[0] == ("", "refused by the model: A real person.")
    assert dict(result.tally.rejected) == {"refused by the model": 1, "too-dark": 1}
    assert result.unfinished == ""
    server.play()
    run(film, config(server))
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
    result = run(film, config(server))
    assert words(film) == [RED, GREEN, BLACK, BLUE]
    assert (len(server.calls), result.unfinished) == (5, "")


def test_a_frame_that_fails_stays_without_words(server: ChatServer, film: Path) -> None:
    server.play(*[{"play": "status", "status": 503}] * 3)
    result = run(film, config(server))
    assert words(film) == [("", None), GREEN, BLACK, BLUE]
    assert result.tally.left == 1
    assert "1 frames could not be captioned" in result.unfinished
    server.play()
    assert run(film, config(server)).unfinished == ""
    assert (len(server.calls), words(film)[0]) == (1, RED)


def test_a_model_that_cannot_write_verdicts_is_paid_twice_a_frame(server: ChatServer, film: Path) -> None:
    server.play(default={"play": "answer", "content": "No."})
    result = run(film, config(server, give_up_after=2))
    assert (len(server.calls), result.spent.tokens) == (4, 4 * 960)
    assert "2 frames in a row failed" in result.unfinished
    assert words(film) == [("", None)] * 4


def test_a_broken_picture_fails_alone(server: ChatServer, film: Path) -> None:
    (film / "keyframes" / "0001.png").write_bytes(b"no picture")
    (film / "keyframes" / "0002.png").unlink()
    server.play()
    result = run(film, config(server))
    assert words(film) == [("", None), ("", None), BLACK, BLUE]
    assert len(server.calls) == result.tally.left == 2


def test_a_key_that_is_refused_ends_the_run_and_what_was_paid_stays(server: ChatServer, film: Path) -> None:
    server.play({"play": "answer"}, default={"play": "status", "status": 401})
    with pytest.raises(MissingError, match="CINEMA_API_KEY"):
        run(film, config(server))
    assert words(film) == [RED, ("", None), ("", None), ("", None)]
    assert len(server.calls) == 2


def test_words_that_do_not_fit_the_storyboard_fail_alone(
    film: Path, server: ChatServer, tmp_path: Path
) -> None:
    name = "M" * 64
    (tmp_path / "cast.yaml").write_text(f"characters: [{{name: {name}, aliases: [X]}}]")
    long = verdict("<X> " * 900, characters=["X"])  # within bounds until X gets its name
    server.play({"play": "answer", "content": long})
    result = run(film, config(server, cast=tmp_path / "cast.yaml"))
    assert [caption != "" for caption, _ in words(film)] == [False, True, False, True]
    (reason,) = result.tally.failed
    assert "caption" in reason


def test_never_more_calls_at_once_than_workers(server: ChatServer, tmp_path: Path) -> None:
    make_film(tmp_path / "film", ["red"] * 12, cast=MIRA)
    server.play(default={"play": "answer", "together": 3})
    run(tmp_path, config(server, workers=3))
    assert (len(server.calls), server.most_busy) == (12, 3)


# -- money -------------------------------------------------------------------------------------


def test_the_budget_ends_the_work_before_it_is_exceeded(server: ChatServer, tmp_path: Path) -> None:
    film = tmp_path / "film"
    make_film(film, ["red"] * 12, cast=MIRA)
    settings = config(server, workers=4, budget="12ktok")
    server.play()
    result = run(film, settings)
    asked = len(server.calls)
    assert 0 < asked < 12
    assert result.spent.tokens == asked * 960 <= 12_000
    assert "budget of 12,000 tokens" in result.unfinished
    assert sum(caption != "" for caption, _ in words(film)) == asked
    server.play()
    again = run(film, settings)  # earlier runs count
    assert (server.calls, again.spent.tokens) == ([], 0)
    assert "budget" in again.unfinished
    assert run(film, config(server, budget="1mtok")).unfinished == ""


def test_a_budget_in_money(server: ChatServer, film: Path) -> None:
    prices = {"price_in": 100, "price_out": 1000}
    server.play()
    result = run(film, config(server, budget="1.60usd", prices=prices))
    # 900 tokens at 100 and 60 at 1000 a million are 0.15; at its worst a call is more than 1.02.
    assert len(server.calls) in (1, 2, 3)
    assert str(result.spent.money) == str(len(server.calls) * account(film).spent.money / len(server.calls))
    assert float(result.spent.money) == pytest.approx(0.15 * len(server.calls))
    with pytest.raises(InputError, match="--price-in"):
        run(film, config(server, budget="1.60usd"))


def test_too_small_a_budget_makes_no_call(server: ChatServer, film: Path) -> None:
    server.play()
    result = run(film, config(server, budget="100tok"))
    assert server.calls == []
    assert "could cost" in result.unfinished


def test_a_call_without_an_answer_counts_at_its_worst(server: ChatServer, film: Path) -> None:
    server.play({"play": "drop"})
    result = run(film, config(server))
    assert account(film).lost == 1
    assert result.spent.tokens > 5 * 960


# -- killed ------------------------------------------------------------------------------------


def start(film: Path, server: ChatServer) -> "subprocess.Popen[bytes]":
    words = ["caption", str(film), "--annotator", "openai", "--model", "m", "--base-url", server.base_url]
    environment = {**os.environ, "CINEMA_API_KEY": "secret-key-in-no-file"}
    return subprocess.Popen(
        [sys.executable, "-m", "cinema_cli", *words, "--workers", "2", "--quiet", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def until(ready: Any) -> None:
    while not ready():
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_killed_no_answer_is_lost_and_none_is_paid_twice(
    server: ChatServer, tmp_path: Path, number: signal.Signals
) -> None:
    film = tmp_path / "film"
    make_film(film, ["red", "green", "blue"] * 3, cast=MIRA)
    # Five answers, then silence: both workers are in a call when the signal comes.
    server.play(*[{"play": "answer"}] * 5, default={"play": "hang"})
    with start(film, server) as process:
        until(lambda: len(server.calls) == 7)
        process.send_signal(number)
        if number == signal.SIGTERM:
            server.release()  # the connections close without an answer: the items in hand fail
        process.wait()
        assert process.stderr is not None
        assert process.returncode == (5 if number == signal.SIGTERM else -signal.SIGKILL)
    answers = [json.loads(line) for line in (film / BOOK).read_text().splitlines()]
    assert sum(entry["key"].startswith("answer") for entry in answers) == 5
    server.play()
    result = run(film, config(server))
    assert len(server.calls) == 4  # nine frames, five answers
    assert words(film) == [RED, GREEN, BLUE] * 3
    assert (result.tally.captioned + result.tally.skipped, result.unfinished) == (9, "")
    found = account(film)
    assert (found.calls, found.open) == (9, ())
    assert found.lost >= 2
    assert found.spent.tokens > 9 * 960
    for path in film.rglob("*"):
        assert not path.is_file() or b"secret-key-in-no-file" not in path.read_bytes()


@pytest.mark.slow
def test_killed_at_any_instant_again_and_again(server: ChatServer, tmp_path: Path) -> None:
    film, workers, rng = tmp_path / "film", 2, random.Random(7)
    make_film(film, ["red", "green", "blue"] * 80, cast=MIRA)
    server.play()
    kills, before = 0, 0
    while True:
        goal = before + rng.randint(1, 40)
        with start(film, server) as process:
            until(lambda goal=goal, process=process: len(server.calls) >= goal or process.poll() is not None)
            time.sleep(rng.uniform(0, 0.02))  # no two kills at the same instant of a call
            process.kill()
        if process.returncode == 0:
            break
        kills, before = kills + 1, len(server.calls)
        # What was asked is in the ledger, be it answered or not: never too low.
        assert account(film).total.tokens >= before * 960
    entries = [json.loads(line)["key"] for line in (film / BOOK).read_text().splitlines()]
    answers = [key for key in entries if key.startswith("answer")]
    assert len(answers) == len(set(answers)) == 240
    assert kills > 5
    # Paid for twice is at most what was under way when a kill came.
    assert len(server.calls) - len(answers) <= kills * workers
    assert words(film) == [RED, GREEN, BLUE] * 80


# -- several films -----------------------------------------------------------------------------


def test_a_film_without_a_sidecar_fails_alone(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_film(tmp_path / name, ["red", "green"], tmp_path / f"{name}.mp4")
    (tmp_path / "b.srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nA boat.\n", encoding="utf-8")
    result = run(tmp_path, CaptionConfig())
    assert words(tmp_path / "b") == [("A boat.", None), ("", None)]
    assert (result.tally.captioned, result.tally.without_words) == (1, 1)
    assert "1 films could not be opened" in result.unfinished
    assert "a.truth.json, a.jsonl, a.vtt, a.srt" in result.tally.films_failed[0]
    (tmp_path / "b.srt").unlink()
    with pytest.raises(MissingError, match="--sidecars"):
        run(tmp_path, CaptionConfig())


def test_the_truth_names_the_film_unless_a_person_did(tmp_path: Path) -> None:
    movie = tmp_path / "movie.mp4"
    truth = plan_truth(3, 240).model_copy(update={"sha256": SHA256})
    (tmp_path / "movie.truth.json").write_text(truth.model_dump_json(), encoding="utf-8")
    for name, title, caption in (("a", "movie", ""), ("b", "My title", ""), ("c", "movie", "My words.")):
        make_film(tmp_path / "films" / name, ["red"], movie, title=title, caption=caption)
    run(tmp_path / "films", CaptionConfig())
    found = [Storyboard.load(tmp_path / "films" / name) for name in ("a", "b", "c")]
    assert [(board.title, board.caption) for board in found] == [
        (truth.title, truth.caption),
        ("My title", truth.caption),
        (truth.title, "My words."),
    ]
    assert [member.name for member in found[0].cast] == [puppet.name for puppet in truth.cast]
    run(tmp_path / "films", CaptionConfig(again=True))
    assert Storyboard.load(tmp_path / "films" / "c").caption == truth.caption


def test_two_commands_do_not_work_on_one_film(server: ChatServer, film: Path) -> None:
    server.play()
    with locked(film), pytest.raises(InputError, match="another cinema"):
        run(film, config(server))
    assert (server.calls, words(film)) == ([], [("", None)] * 4)


def test_each_film_has_its_own_cast(server: ChatServer, tmp_path: Path) -> None:
    casts = tmp_path / "casts"
    casts.mkdir()
    (casts / "a.yaml").write_text("characters: [{name: Mira}]")
    for name in ("a", "b"):
        make_film(tmp_path / "films" / name, ["red"])
    server.play()
    result = run(tmp_path / "films", config(server, cast=casts))
    assert [words(tmp_path / "films" / name)[0][0] for name in ("a", "b")] == [
        "A red frame with <Mira> and Nobody.",
        "A red frame with Mira and Nobody.",
    ]
    assert result.tally.notes == [f"b: has no cast file of its own in {casts}"]
    assert (tmp_path / "films" / "a" / LEDGER).is_file()


def test_a_model_must_be_named() -> None:
    with pytest.raises(ValueError, match="--model"):
        CaptionConfig(annotator="openai")
