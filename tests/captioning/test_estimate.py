from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from captioned_films import make_film
from chat_server import verdict
from cinema_cli.captioning.caption import CaptionConfig, caption_films
from cinema_cli.captioning.estimate import TYPICAL_ANSWER, TYPICAL_PICTURE, Estimate, estimate_captions
from cinema_cli.chat.ledger import Prices
from cinema_cli.chat.model import Answer, ScriptedChat, Usage
from cinema_cli.chat.openai import OpenAIConfig
from cinema_cli.progress import Progress
from cinema_cli.storyboard import Flag, Storyboard

ANSWER = Answer(verdict("A boat."), usage=Usage(1000, 50))


def config(**changes: Any) -> CaptionConfig:
    data = {"annotator": "openai", "chat": OpenAIConfig(model="m"), "workers": 1, **changes}
    return CaptionConfig.model_validate(data)


def estimate(dataset: Path, **changes: Any) -> Estimate:
    return estimate_captions(dataset, config(**changes), ScriptedChat([], name="m"))


def run(dataset: Path, plays: Sequence[Answer], **changes: Any) -> None:
    with Progress(quiet=True) as progress:
        caption_films(dataset, config(**changes), progress, ScriptedChat(plays, name="m"))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    make_film(tmp_path / "film", ["red", "green", "blue", "red"])
    return tmp_path / "film"


def test_nothing_is_asked_and_nothing_is_written(film: Path) -> None:
    before = sorted(film.rglob("*"))
    found = estimate(film.parent)
    assert (found.wanted, found.asked, found.measured_calls) == (4, 4, 0)
    assert sorted(film.rglob("*")) == before


def test_a_rule_of_thumb_before_the_first_call(film: Path) -> None:
    prices = Prices(price_in=Decimal(1), price_out=Decimal(10))
    found = estimate(film, prices=prices)
    assert found.likely.tokens_out == 4 * TYPICAL_ANSWER
    assert 4 * TYPICAL_PICTURE < found.likely.tokens_in < 4 * (TYPICAL_PICTURE + 1000)
    assert found.likely.money == (found.likely.tokens_in + 10 * found.likely.tokens_out) / Decimal(1_000_000)
    assert found.worst.tokens_out == 4 * 1024
    assert found.worst.tokens_in > found.likely.tokens_in
    assert estimate(film).likely.money == 0


def test_then_what_earlier_calls_took(film: Path) -> None:
    run(film, [ANSWER] * 2, give_up_after=1)  # the script ends after two
    found = estimate(film)
    assert (found.wanted, found.asked, found.measured_calls) == (2, 2, 2)
    assert (found.likely.tokens_in, found.likely.tokens_out) == (2000, 100)
    assert found.spent.tokens == 2 * 1050


def test_what_is_in_the_book_costs_nothing(film: Path) -> None:
    run(film, [ANSWER] * 4)
    make_film(film, ["red", "green", "blue", "red"])  # as ingested
    found = estimate(film)
    assert (found.wanted, found.asked, found.likely.tokens) == (4, 0, 0)


def test_what_is_left_alone_is_counted(film: Path) -> None:
    board = Storyboard.load(film).with_shot("0001", caption="By hand.")
    flag = Flag(reason="blurred", value=1.0, limit=2.0)
    board.with_shot("0002", flags=(flag,)).with_shot("0003", keyframe=None).save(film)
    found = estimate(film)
    assert (found.tally.by_hand, found.tally.flagged, found.tally.without_picture) == (1, 1, 1)
    assert found.wanted == 1


def test_the_worst_is_never_exceeded_by_a_run(film: Path) -> None:
    found = estimate(film)
    run(film, [Answer(verdict("x" * 3000), usage=Usage(3000, 1024))] * 4)
    assert estimate(film).spent.tokens <= found.worst.tokens


def test_a_film_that_cannot_be_opened_is_told(film: Path) -> None:
    found = estimate_captions(film, CaptionConfig())
    assert "--sidecars" in found.tally.films_failed[0]
