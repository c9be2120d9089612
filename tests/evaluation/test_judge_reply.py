"""What counts as a verdict, and what does not."""

import json
from typing import Any

import pytest

from cinema_cli.evaluation.judge_prompt import ASPECTS
from cinema_cli.evaluation.judge_reply import NoVerdict, read_verdict
from judged_films import scores


def changed(**marks: Any) -> str:
    """A verdict with other marks; None leaves one out."""
    whole = json.loads(scores(3))
    return json.dumps({name: mark for name, mark in {**whole, **marks}.items() if mark is not None})


def with_score(text: str) -> str:
    """A verdict whose last score is written so."""
    return scores(3)[::-1].replace("3", text[::-1], 1)[::-1]


def test_six_scores_with_reasons() -> None:
    verdict = read_verdict(scores(4, diversity=1))
    assert verdict.diversity.score == 1
    assert verdict.aesthetics.score == 4
    assert verdict.aesthetics.justification == "Because of aesthetics."


@pytest.mark.parametrize("number", ["0", "5", "4.5", "4.0", "0.0", "5e0"])
def test_numbers_from_zero_to_five_are_scores(number: str) -> None:
    assert read_verdict(with_score(number)).narrative_coherence.score == float(number)


@pytest.mark.parametrize(
    "number", ["6", "-1", "5.01", "-0.1", '"4"', "true", "null", "NaN", "Infinity", "[4]", '"4/5"', "4/5"]
)
def test_nothing_else_is(number: str) -> None:
    with pytest.raises(NoVerdict):
        read_verdict(with_score(number))


def test_a_fence_is_taken_off() -> None:
    assert read_verdict(f"```json\n{scores(2)}\n```").diversity.score == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The frames are lovely: 5 of 5.",
        f"Here you are:\n{scores(4)}",
        f"{scores(4)}\nI hope this helps!",
        f"[{scores(4)}]",
        scores(4)[:-20],
        "[" * 5000,
        changed(mood={"score": 4, "justification": "Warm."}),
        changed(diversity=4),
        changed(diversity={"score": 4}),
        changed(diversity={"score": 4, "justification": ""}),
        changed(diversity={"score": 4, "justification": " ... "}),
        changed(diversity={"score": 4, "justification": ["a"]}),
        changed(diversity={"score": 4, "justification": "x" * 2001}),
        changed(diversity={"score": 4, "justification": "a\x1b[31mb"}),
        changed(diversity={"score": 4, "justification": "fine", "confidence": 1}),
    ],
)
def test_other_forms_are_no_verdict(text: str) -> None:
    with pytest.raises(NoVerdict):
        read_verdict(text)


def test_what_is_wrong_is_told_by_name() -> None:
    with pytest.raises(NoVerdict) as caught:
        read_verdict(changed(diversity=None, aesthetics={"score": 6, "justification": "Wow."}))
    assert caught.value.faults == [
        "aesthetics.score: Input should be less than or equal to 5, found 6",
        "diversity is missing",
    ]
    with pytest.raises(NoVerdict, match="one JSON object was wanted"):
        read_verdict("Certainly!")


def test_an_answer_without_any_aspect_tells_all_six() -> None:
    with pytest.raises(NoVerdict) as caught:
        read_verdict("{}")
    assert caught.value.faults == [f"{aspect} is missing" for aspect in ASPECTS]
