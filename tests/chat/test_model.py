from dataclasses import replace

import pytest

from cinema_cli.chat.model import Answer, ChatError, Picture, Request, ScriptedChat

PICTURE = Picture(b"one encoding", "image/jpeg", "a" * 64, 512)
REQUEST = Request("Do this.", ("Look:", PICTURE), {"type": "object"}, 100)


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, system="Do that."),
        replace(REQUEST, parts=("See:", PICTURE)),
        replace(REQUEST, parts=(PICTURE, "Look:")),
        replace(REQUEST, parts=("Look:", replace(PICTURE, source_sha256="b" * 64))),
        replace(REQUEST, parts=("Look:", replace(PICTURE, longest=256))),
        replace(REQUEST, schema={"type": "array"}),
        replace(REQUEST, max_tokens=200),
    ],
)
def test_another_question_has_another_key(other: Request) -> None:
    assert other.sha256("m") != REQUEST.sha256("m") != REQUEST.sha256("n")


def test_another_encoder_does_not_make_another_question() -> None:
    same = replace(REQUEST, parts=("Look:", replace(PICTURE, data=b"another encoding")))
    assert same.sha256("m") == REQUEST.sha256("m")


def test_a_script_is_played_in_order_and_ends() -> None:
    chat = ScriptedChat([Answer("one"), ChatError("no", again=False)])
    assert chat.complete(REQUEST) == Answer("one")
    for told in ("no", "ends after 2"):
        with pytest.raises(ChatError, match=told):
            chat.complete(REQUEST)
    assert chat.requests == [REQUEST] * 3


def test_a_function_is_asked_every_time() -> None:
    chat = ScriptedChat(lambda request: Answer(request.system))
    assert [chat.complete(REQUEST).text for _ in range(2)] == ["Do this."] * 2
