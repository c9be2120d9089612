"""What a judge said, as a section and as a file."""

from decimal import Decimal
from typing import Any

import pytest

from cinema_cli.chat.ledger import Cost, Prices
from cinema_cli.evaluation.judge_prompt import ASPECTS
from cinema_cli.evaluation.judge_reply import read_verdict
from cinema_cli.evaluation.judgement import Judgement, Judgements, none_of
from judged_films import scores


def judgement(score: float, date: str = "2026-11-01", repairs: int = 0, **others: float) -> Judgement:
    cost = Cost(tokens_in=1000, tokens_out=100, money=Decimal("0.002"))
    return Judgement(verdict=read_verdict(scores(score, **others)), date=date, repairs=repairs, cost=cost)


def judgements(*made: Judgement, **changes: Any) -> Judgements:
    facts = {
        "model": "m",
        "prompt_sha256": "a" * 64,
        "pictures_sha256": "b" * 64,
        "keyframes": ("0001", "0002", "0003"),
        "left_out": 0,
        "rejected": 0,
        "judgements": made,
        "spent_in_all": Cost(tokens_in=5000, tokens_out=500, money=Decimal("0.01")),
    }
    return Judgements(**{**facts, **changes})


def test_one_judgement_is_told_with_its_reasons() -> None:
    section = judgements(judgement(4, diversity=2)).section(Prices())
    told = {score.key: score for score in section.scores}
    assert [told[aspect].text for aspect in ASPECTS] == list(ASPECTS.values())
    assert (told["diversity"].value, told["diversity"].note) == (2, "Because of diversity.")
    assert section.notes == (
        "Judged by m on 2026-11-01 (UTC), prompt aaaaaaaaaaaaaaaa, 3 keyframes, 1 judgement.",
        "These answers took 1,000 + 100 tokens; judging this film has taken 5,000 + 500 tokens in all.",
    )


def test_several_are_told_as_mean_range_and_spread() -> None:
    made = [judgement(4, "2026-11-03"), judgement(2, "2026-11-01", 1), judgement(3, "2026-11-02", 2)]
    section = judgements(*made, left_out=4, rejected=2).section(Prices(price_in=1, price_out=2))
    score = section.scores[0]
    assert (score.value, score.n) == (3, 3)
    assert score.note == "2 to 4, standard deviation 1.00; the first: Because of character consistency."
    assert section.notes == (
        "Judged by m on 2026-11-01 to 2026-11-03 (UTC), prompt aaaaaaaaaaaaaaaa, 3 keyframes, 3 judgements.",
        "These answers took 3,000 + 300 tokens, 0.0060 usd; judging this film has taken 5,000 + 500 tokens, "
        "0.0100 usd in all.",
        "Answers that could not be used and were asked for again: 3.",
        "3 of 7 keyframes were shown, evenly spread.",
        "Shots that were not shown, since an annotator discarded them: 2.",
    )


def test_a_record_is_read_back_as_it_was() -> None:
    record = judgements(judgement(4), judgement(4.5))
    assert Judgements.model_validate_json(record.model_dump_json()) == record


def test_a_judges_words_are_made_fit_to_be_shown() -> None:
    text = scores(4).replace("Because of aesthetics.", "One.\\nTwo " + "x" * 400)
    made = Judgement(verdict=read_verdict(text), date="2026-11-01", repairs=0, cost=Cost())
    note = next(s.note for s in judgements(made).section(Prices()).scores if s.key == "aesthetics")
    assert note.startswith("One. Two xxx")
    assert len(note) == 300


@pytest.mark.parametrize("date", ["yesterday", "2026-11-01T10:00", ""])
def test_a_date_is_a_day(date: str) -> None:
    with pytest.raises(ValueError, match="date"):
        judgement(4, date)


def test_a_film_that_cannot_be_judged_says_why() -> None:
    section = none_of("nothing to see")
    assert [score.key for score in section.scores] == list(ASPECTS)
    assert {(score.value, score.note) for score in section.scores} == {(None, "nothing to see")}
