"""What a director would cost, against what it is then asked."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from chat_server import ChatServer, running
from cinema_cli.chat.ledger import Prices
from cinema_cli.planning.board import StoryConfig
from cinema_cli.planning.director import REPAIRS
from cinema_cli.planning.director_estimate import SHOT_TOKENS, WHOLE_TOKENS, DirectorEstimate, Forecast
from cinema_cli.planning.document import Wish, document, foreseen
from directed_stories import MORE, ONE, STORY, TWO, answer, director_config, quick_director

CONFIG = StoryConfig(shots=4)


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with running() as server:
        yield server


@pytest.fixture
def film(tmp_path: Path) -> Path:
    (tmp_path / "film").mkdir()
    return tmp_path / "film"


def forecast(
    server: ChatServer, film: Path, story: str | None = STORY, more: str | None = None, **changes: Any
) -> DirectorEstimate:
    found = Forecast(director_config(server, **changes), "director", film)
    foreseen(Wish(film, story, more), CONFIG, found)
    return found.made


def direct(server: ChatServer, film: Path) -> None:
    with ExitStack() as stack:
        document(Wish(film, STORY, None), CONFIG, quick_director(server, film, stack=stack))


def test_nothing_is_asked_and_nothing_written(server: ChatServer, film: Path) -> None:
    server.play()
    prices = Prices(price_in=1, price_out=10)  # type: ignore[arg-type]
    made = forecast(server, film, prices=prices)
    assert (server.calls, list(film.iterdir())) == ([], [])
    assert (made.chapters, made.calls, made.spent.tokens) == (2, 2, 0)
    assert made.likely.tokens_out == 2 * WHOLE_TOKENS + 4 * SHOT_TOKENS
    assert made.likely.money == prices.cost(made.likely.tokens_in, made.likely.tokens_out).money
    assert 2_000 < made.likely.tokens_in < made.worst.tokens_in
    assert made.worst.tokens_out == 2 * (REPAIRS + 1) * 8192


def test_what_is_answered_costs_nothing(server: ChatServer, film: Path) -> None:
    server.play(answer(ONE), {"play": "status", "status": 400})
    with pytest.raises(Exception, match="1 of 2"):
        direct(server, film)
    made = forecast(server, film)
    assert (made.chapters, made.calls, made.spent.tokens) == (2, 1, 960)
    server.play(answer(TWO))
    direct(server, film)
    made = forecast(server, film)
    assert (made.chapters, made.calls, made.likely.tokens, made.spent.tokens) == (0, 0, 0, 1920)


def test_a_text_that_continues_the_film_is_counted_alone(server: ChatServer, film: Path) -> None:
    server.play(answer(ONE), answer(TWO))
    direct(server, film)
    before = {path.name: path.read_bytes() for path in film.iterdir()}
    made = forecast(server, film, None, MORE)
    assert (made.chapters, made.calls) == (1, 1)
    assert {path.name: path.read_bytes() for path in film.iterdir()} == before
