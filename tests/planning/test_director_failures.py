"""A director behind a real server: answers that cannot be used, servers that are down, money and signals."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from chat_server import ChatServer, running
from cinema_cli.chat.ledger import Account, Prices
from cinema_cli.errors import InputError, Interrupted, MissingError
from cinema_cli.planning.board import StoryConfig
from cinema_cli.planning.director import ANSWERS, BAD_REPLY, LEDGER, DirectorConfig, DirectorError
from cinema_cli.planning.document import Wish, document
from directed_stories import (
    CALL,
    LIGHTHOUSE,
    MIRA,
    ONE,
    STAIRS,
    STORY,
    TWO,
    answer,
    asked,
    quick_director,
    reply,
)
from directing import TOKENS, plan

PROSE = "Certainly! First, a wide shot of the lighthouse; then we go closer."
UNTAGGED = reply([{**STAIRS, "caption": "Mira climbs."}, CALL], cast=[MIRA], places=[LIGHTHOUSE])


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with running() as server:
        yield server


@pytest.fixture
def film(tmp_path: Path) -> Path:
    (tmp_path / "film").mkdir()
    return tmp_path / "film"


# -- answers that cannot be used ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "told"), [(PROSE, "one JSON object was wanted"), (UNTAGGED, "Mira is named without a tag")]
)
def test_what_is_wrong_is_told_and_put_right(server: ChatServer, film: Path, bad: str, told: str) -> None:
    server.play(answer(bad), answer(ONE), answer(TWO))
    board, _, director = plan(server, film)
    assert len(board.shots) == 4
    assert director.bill.calls == 3
    parts = [part["text"] for part in server.calls[1]["body"]["messages"][1]["content"]]
    assert parts[0] == server.calls[0]["body"]["messages"][1]["content"][0]["text"]
    assert json.loads(parts[1]) == {"your_answer": bad}
    assert told in parts[2]
    assert not (film / BAD_REPLY).exists()


def test_three_bad_answers_are_the_end_and_the_last_one_is_kept(server: ChatServer, film: Path) -> None:
    server.play(answer(ONE), answer(PROSE), answer("{}"), answer(PROSE + " Again."))
    with pytest.raises(DirectorError, match=r"chapter 2 of 2 in 3 answers: one JSON object") as caught:
        plan(server, film)
    assert caught.value.exit_code == 5
    assert str(film / BAD_REPLY) in str(caught.value)
    assert (film / BAD_REPLY).read_text(encoding="utf-8") == PROSE + " Again."
    assert not (film / "storyboard.json").exists()
    server.play(answer(TWO))  # the same command asks once more, with what is wrong
    board, _, director = plan(server, film)
    assert (len(board.shots), director.bill.calls, len(server.calls)) == (4, 1, 1)
    assert director.bill.in_all.tokens == 5 * TOKENS


def test_a_refusal_is_told_and_not_paid_again(server: ChatServer, film: Path) -> None:
    server.play(answer("-", refusal="I cannot film \x1b[2J this."))
    for calls in (1, 0):
        with pytest.raises(InputError, match=r"m will not plan chapter 1 of 2: I cannot film \[2J this\.\."):
            plan(server, film)
        assert len(server.calls) == calls
        server.play()


def test_an_answer_that_is_cut_off_says_what_to_do(server: ChatServer, film: Path) -> None:
    server.play(answer(ONE[:200], finish="length"))
    with pytest.raises(InputError, match=r"cut off at 8192 tokens.*director-reply\.txt.*--max-tokens"):
        plan(server, film)
    server.play(answer(ONE), answer(TWO))
    assert len(plan(server, film, max_tokens=16_384)[0].shots) == 4


# -- servers -----------------------------------------------------------------------------------


def test_a_server_that_is_down(server: ChatServer, film: Path) -> None:
    server.play(answer(ONE), {"play": "status", "status": 503}, {"play": "status", "status": 503})
    told = r"answered 503.*1 of 2 chapters are planned and kept; the same command goes on"
    with pytest.raises(Interrupted, match=told) as caught:
        plan(server, film)
    assert caught.value.exit_code == 5
    server.play(answer(TWO))
    assert len(plan(server, film)[0].shots) == 4
    assert len(server.calls) == 1


def test_nobody_at_the_address(server: ChatServer, film: Path) -> None:
    with running() as gone:
        pass
    with pytest.raises(Interrupted, match=r"the connection failed .* 0 of 2 chapters"):
        plan(gone, film)
    assert Account.load(film / LEDGER).total.tokens == 0


def test_a_server_that_wants_a_key(server: ChatServer, film: Path) -> None:
    server.play({"play": "status", "status": 401})
    with pytest.raises(MissingError, match="CINEMA_API_KEY"):
        plan(server, film)


@pytest.mark.parametrize("play", ["huge", "drop"])
def test_a_server_that_misbehaves(server: ChatServer, film: Path, play: str) -> None:
    server.play(default={"play": play})
    with pytest.raises(Interrupted, match="0 of 2 chapters"):
        plan(server, film)
    assert Account.load(film / LEDGER).lost > 0


# -- money -------------------------------------------------------------------------------------


def test_the_budget_ends_the_work_before_it_is_exceeded(server: ChatServer, film: Path) -> None:
    prices = Prices(price_in=10, price_out=100)  # type: ignore[arg-type]
    server.play(answer(ONE), answer(TWO))
    # A question has some 5,000 bytes and an answer 1,000 tokens at most: 0.15 at its worst, 0.015 in fact.
    with pytest.raises(Interrupted, match=r"budget of 0\.1600 usd has 0\.1450.*1 of 2 chapters") as caught:
        plan(server, film, budget="0.16usd", prices=prices, max_tokens=1000)
    assert caught.value.exit_code == 5
    assert len(server.calls) == 1
    server.play()
    with pytest.raises(Interrupted, match="1 of 2 chapters"):  # earlier runs count, and the answer is kept
        plan(server, film, budget="0.16usd", prices=prices, max_tokens=1000)
    assert server.calls == []
    server.play(answer(TWO))
    _, _, director = plan(server, film, budget="1usd", prices=prices, max_tokens=1000)
    assert len(server.calls) == 1
    assert float(director.bill.this_run.money) == pytest.approx(0.015)
    assert float(director.bill.in_all.money) == pytest.approx(0.03)


def test_money_without_a_director_or_without_prices_is_refused(server: ChatServer, film: Path) -> None:
    with pytest.raises(ValueError, match="give --director MODEL"):
        DirectorConfig.model_validate({"budget": "1usd"})
    with pytest.raises(InputError, match="--price-in"):
        plan(server, film, budget="1usd")


# -- signals -----------------------------------------------------------------------------------


KILLED = """
import sys
from contextlib import ExitStack
from pathlib import Path
from chat_server import ChatServer
from cinema_cli.planning.board import StoryConfig
from cinema_cli.planning.document import Wish, document
from directed_stories import STORY, quick_director
film, server = Path(sys.argv[1]), ChatServer(int(sys.argv[2]))
with ExitStack() as stack:
    document(Wish(film, STORY, None), StoryConfig(shots=4), quick_director(server, film, stack=stack))
"""


def test_killed_between_chapters_nothing_is_paid_twice(server: ChatServer, film: Path) -> None:
    server.play(answer(ONE), default={"play": "hang"})
    port = server.root.rpartition(":")[2]
    here = str(Path(__file__).parents[1])
    words = [sys.executable, "-c", KILLED, str(film), port]
    with subprocess.Popen(words, env={"PYTHONPATH": here, "PATH": ""}) as process:
        while len(server.calls) < 2:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert not (film / "storyboard.json").exists()
    server.play(answer(TWO))
    board, _, director = plan(server, film)
    (call,) = server.calls
    assert asked(call)["number"] == 2
    assert len(board.shots) == 4
    assert director.bill.calls == 1
    assert Account.load(film / LEDGER).lost == 1  # the call that hung may have been charged
    keys = [json.loads(line)["key"] for line in (film / ANSWERS).read_text().splitlines()]
    assert len(keys) == len(set(keys)) == 2


def test_a_wish_to_stop_ends_between_two_chapters(server: ChatServer, film: Path) -> None:
    server.play(answer(ONE), answer(TWO))
    with ExitStack() as stack:
        director = quick_director(server, film, stack=stack)
        director._stopped = lambda: bool(server.calls)
        with pytest.raises(Interrupted, match=r"stopped on request\. 1 of 2 chapters"):
            document(Wish(film, STORY, None), StoryConfig(shots=4), director)
    assert len(server.calls) == 1
