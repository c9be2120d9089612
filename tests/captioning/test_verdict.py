import json
from typing import Any

import pytest

from cinema_cli.captioning.cast import Cast
from cinema_cli.captioning.verdict import NoVerdict, read_verdict, tagged

CAST = Cast.model_validate({"characters": [{"name": "Mira", "aliases": ["The Keeper"]}, {"name": "Tom"}]})
GOOD = {"keep": True, "reject_reason": "none", "caption": "A boat.", "characters": []}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


def test_a_verdict() -> None:
    verdict = read_verdict(json.dumps({**GOOD, "characters": ["Mira"]}))
    assert (verdict.keep, verdict.caption, verdict.characters) == (True, "A boat.", ("Mira",))


def test_a_code_fence_is_taken_off() -> None:
    for fence in ("```json", "```"):
        assert read_verdict(f"\n{fence}\n{json.dumps(GOOD, indent=2)}\n```\n").caption == "A boat."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Here you are.",
        json.dumps(GOOD)[:-7],
        json.dumps([GOOD]),
        json.dumps(GOOD) + " Enjoy!",
        "[" * 5000,
        "```\n" + "\n" * 1_000_000,
    ],
)
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(NoVerdict):
        read_verdict(text)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (without("keep"), "keep"),
        (without("characters"), "characters"),
        ({**GOOD, "mood": "calm"}, "mood"),
        ({**GOOD, "keep": "true"}, "keep"),
        ({**GOOD, "characters": "Mira"}, "characters"),
        ({**GOOD, "characters": [1]}, "characters"),
        ({**GOOD, "caption": None}, "caption"),
        ({**GOOD, "caption": "x" * 4001}, "caption"),
        ({**GOOD, "caption": "a \x1b[31m bell"}, "caption"),
        ({**GOOD, "caption": "  "}, "needs a caption"),
        ({**GOOD, "reject_reason": "ugly", "keep": False}, "reject_reason"),
        ({**GOOD, "reject_reason": "blurred"}, "no reason to be discarded"),
        ({**GOOD, "keep": False}, "needs a reason"),
    ],
)
def test_what_is_no_verdict_is_told(data: object, told: str) -> None:
    with pytest.raises(NoVerdict, match=told):
        read_verdict(json.dumps(data))


def test_only_names_on_the_list_keep_their_brackets() -> None:
    found = tagged("<Mira> and <Zed> and <Zed> see <Tom>.", CAST, ("Mira", "Tom"))
    assert found.caption == "<Mira> and Zed and Zed see <Tom>."
    assert (found.unknown, found.unconfirmed, found.aliases) == (("Zed",), (), ())


def test_a_tag_that_the_answer_itself_does_not_list_loses_its_brackets() -> None:
    found = tagged("<Mira> sees <Tom>.", CAST, ("<Mira>",))
    assert found.caption == "<Mira> sees Tom."
    assert found.unconfirmed == ("Tom",)
    assert tagged("<Mira> sees <Tom>.", CAST).unconfirmed == ()


@pytest.mark.parametrize("word", ["The Keeper", "the keeper", "MIRA"])
def test_another_name_becomes_the_name(word: str) -> None:
    found = tagged(f"<{word}> waits.", CAST, (word,))
    assert (found.caption, found.aliases) == ("<Mira> waits.", (word,))


def test_nobody_may_be_tagged_where_the_list_is_empty() -> None:
    assert tagged("<Mira> waits.", Cast()).caption == "Mira waits."


def test_other_angle_brackets_stay() -> None:
    assert tagged("It is 3 < 4 > 2, <3.", CAST).caption == "It is 3 < 4 > 2, <3."
