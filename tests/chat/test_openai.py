"""The client against a real server process that plays everything a server can do to it."""

import base64
import json
import traceback
from collections.abc import Iterator

import pytest

from chat_server import ChatServer, running, verdict
from cinema_cli.chat.model import Answer, ChatError, ChatModel, Picture, Request, Usage
from cinema_cli.chat.openai import MAX_ANSWER_BYTES, OpenAIChat, OpenAIConfig
from cinema_cli.errors import InputError, MissingError

KEY = "sk-Very-Secret-0123456789"
PICTURE = Picture(b"\xff\xd8 not looked at", "image/jpeg", "a" * 64, 1024)
REQUEST = Request("Do this.", ("The frame:", PICTURE), {"type": "object"}, 500)


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with running() as server:
        yield server


@pytest.fixture
def chat(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIChat]:
    monkeypatch.setenv("CINEMA_API_KEY", KEY)
    with OpenAIChat(OpenAIConfig(base_url=server.base_url, model="m", timeout=20)) as chat:
        yield chat


def hasty(server: ChatServer) -> OpenAIChat:
    return OpenAIChat(OpenAIConfig(base_url=server.base_url, model="m", timeout=0.3))


def answer(**play: object) -> dict[str, object]:
    return {"play": "answer", "content": verdict(), **play}


def failure(chat: ChatModel) -> ChatError:
    with pytest.raises(ChatError) as caught:
        chat.complete(REQUEST)
    return caught.value


def test_a_question_is_asked_as_the_protocol_wants_it(server: ChatServer, chat: OpenAIChat) -> None:
    server.play(answer())
    assert chat.complete(REQUEST) == Answer(verdict(), usage=Usage(900, 60))
    (call,) = server.calls
    assert call["path"] == "/v1/chat/completions"
    assert call["headers"]["Authorization"] == f"Bearer {KEY}"
    data = "data:image/jpeg;base64," + base64.b64encode(PICTURE.data).decode()
    assert call["body"] == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Do this."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "The frame:"},
                    {"type": "image_url", "image_url": {"url": data}},
                ],
            },
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": {"type": "object"}},
        },
        "max_completion_tokens": 500,
    }


def test_what_some_servers_call_otherwise(server: ChatServer) -> None:
    server.play(answer())
    config = OpenAIConfig(
        base_url=server.base_url + "/", model="m", limit_field="max_tokens", reasoning_effort="low"
    )
    with OpenAIChat(config) as chat:
        chat.complete(REQUEST)
    (call,) = server.calls
    assert (call["body"]["max_tokens"], call["body"]["reasoning_effort"]) == (500, "low")
    assert "max_completion_tokens" not in call["body"]
    assert call["path"] == "/v1/chat/completions"


def test_no_key_no_header(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CINEMA_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)  # somebody else's
    server.play(answer())
    with OpenAIChat(OpenAIConfig(base_url=server.base_url, model="m")) as chat:
        chat.complete(REQUEST)
    assert "Authorization" not in server.calls[0]["headers"]


@pytest.mark.parametrize(
    ("usage", "found"),
    [(None, None), ([900, 60], Usage(900, 60)), (["900", 60], None), ([-1, 60], None)],
)
def test_tokens_are_counted_as_the_server_does(
    server: ChatServer, chat: OpenAIChat, usage: object, found: Usage | None
) -> None:
    body = {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}
    if usage is not None:
        assert isinstance(usage, list)
        body["usage"] = dict(zip(("prompt_tokens", "completion_tokens"), usage, strict=True))  # type: ignore[assignment]
    server.play({"play": "raw", "body": json.dumps(body)})
    assert chat.complete(REQUEST) == Answer("x", usage=found)


def test_thinking_that_only_the_total_shows_is_counted(server: ChatServer, chat: OpenAIChat) -> None:
    usage = {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 1500}
    body = {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}], "usage": usage}
    server.play({"play": "raw", "body": json.dumps(body)})
    assert chat.complete(REQUEST).usage == Usage(900, 600)


def test_an_answer_that_ends_at_the_limit(server: ChatServer, chat: OpenAIChat) -> None:
    server.play(answer(content='{"keep": tr', finish="length"))
    assert chat.complete(REQUEST) == Answer('{"keep": tr', cut=True, usage=Usage(900, 60))


@pytest.mark.parametrize(
    ("play", "told"),
    [
        (answer(refusal="I cannot describe this person."), "I cannot describe this person."),
        (answer(finish="content_filter"), "content_filter"),
        (answer(finish="content_filter: PROHIBITED_CONTENT"), "PROHIBITED_CONTENT"),
        ({"play": "raw", "body": '{"choices": []}'}, "content_filter"),
        (
            {
                "play": "status",
                "status": 400,
                "body": {"error": {"code": "content_filter", "message": "No."}},
            },
            "No.",
        ),
    ],
)
def test_a_refusal_is_an_answer(
    server: ChatServer, chat: OpenAIChat, play: dict[str, object], told: str
) -> None:
    server.play(play)
    found = chat.complete(REQUEST)
    assert found.text == ""
    assert told in found.refusal


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 529])
def test_what_may_pass_is_told_so(server: ChatServer, chat: OpenAIChat, status: int) -> None:
    server.play({"play": "status", "status": status, "headers": {"Retry-After": "7"}})
    error = failure(chat)
    assert (error.again, error.billed, error.wait) == (True, False, 7.0)
    assert f"answered {status}: status {status}" in str(error)


def test_a_bad_request_is_about_this_frame_only(server: ChatServer, chat: OpenAIChat) -> None:
    server.play({"play": "status", "status": 400, "body": [{"error": {"message": "bad picture"}}]})
    error = failure(chat)
    assert (error.again, error.billed) == (False, False)
    assert "bad picture" in str(error)


@pytest.mark.parametrize(
    ("status", "body", "kind", "told"),
    [
        (401, {"error": {"message": "no"}}, MissingError, "CINEMA_API_KEY"),
        (402, {}, MissingError, "credit"),
        (403, {"error": "no"}, MissingError, "CINEMA_API_KEY"),
        (429, {"error": {"code": "insufficient_quota", "message": "no money"}}, MissingError, "credit"),
        (404, {"error": {"message": "no model m"}}, InputError, "--model 'm'"),
    ],
)
def test_what_is_wrong_with_every_call_ends_the_run(
    server: ChatServer, chat: OpenAIChat, status: int, body: object, kind: type[Exception], told: str
) -> None:
    server.play({"play": "status", "status": status, "body": body})
    with pytest.raises(kind, match=told):
        chat.complete(REQUEST)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(server: ChatServer, chat: OpenAIChat, status: int) -> None:
    elsewhere = server.root.replace("127.0.0.1", "localhost") + "/v1/chat/completions"
    server.play({"play": "status", "status": status, "headers": {"Location": elsewhere}})
    with pytest.raises(InputError, match=r"localhost.*--base-url"):
        chat.complete(REQUEST)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "[]",
        "null",
        '{"choices": 3}',
        '{"choices": [{"message": {"content": 3}}]}',
        '{"choices": [{"message": {"content": "\\ud800"}}]}',
        "[" * 9999,
    ],
)
def test_what_is_no_answer_of_the_protocol(server: ChatServer, chat: OpenAIChat, body: str) -> None:
    server.play({"play": "raw", "body": body})
    error = failure(chat)
    assert (error.again, error.billed) == (True, True)
    assert "chat completions protocol" in str(error)


def test_a_huge_answer_is_not_read_to_its_end(server: ChatServer, chat: OpenAIChat) -> None:
    server.play({"play": "huge"})
    error = failure(chat)
    assert (error.again, error.billed) == (False, True)
    assert str(MAX_ANSWER_BYTES) in str(error)


def test_a_compressed_answer_is_not_unpacked(server: ChatServer, chat: OpenAIChat) -> None:
    server.play({"play": "raw", "body": "x", "headers": {"Content-Encoding": "gzip"}})
    assert "without compression" in str(failure(chat))


@pytest.mark.parametrize("play", ["hang", "drip"])
def test_a_slow_server_is_left_after_the_timeout(server: ChatServer, play: str) -> None:
    server.play({"play": play})
    with hasty(server) as chat:
        error = failure(chat)
    server.release()
    assert (error.again, error.billed) == (True, True)
    assert "within 0.3 s" in str(error)


def test_a_dropped_connection_may_have_been_billed(server: ChatServer, chat: OpenAIChat) -> None:
    server.play({"play": "drop"})
    error = failure(chat)
    assert (error.again, error.billed) == (True, True)


def test_a_server_on_this_machine_is_not_asked_through_a_proxy(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.play(answer())
    with OpenAIChat(OpenAIConfig(base_url=server.base_url, model="m")) as chat:
        assert chat.complete(REQUEST).text == verdict()
    with OpenAIChat(OpenAIConfig(base_url="http://example.invalid/v1", model="m", timeout=5)) as chat:
        assert "http://example.invalid" in str(failure(chat))


def test_nobody_listens() -> None:
    with OpenAIChat(OpenAIConfig(base_url="http://127.0.0.1:9/v1", model="m")) as chat:
        error = failure(chat)
    assert (error.again, error.billed) == (True, False)


def test_a_server_without_tls_where_tls_is_wanted(server: ChatServer) -> None:
    with OpenAIChat(OpenAIConfig(base_url=server.base_url.replace("http", "https"), model="m")) as chat:
        error = failure(chat)
    assert not error.billed


def test_the_key_is_in_no_message(
    server: ChatServer, chat: OpenAIChat, capsys: pytest.CaptureFixture[str]
) -> None:
    said = f"bad key {KEY}\n\x1b[31m (Authorization: Bearer other-{KEY})" + "x" * 1000
    for status in (400, 401, 404, 429, 302):
        server.play({"play": "status", "status": status, "body": {"error": {"message": said}}})
        with pytest.raises((ChatError, InputError, MissingError)) as caught:
            chat.complete(REQUEST)
        told = "".join(traceback.format_exception(caught.value)) + repr(chat) + repr(vars(caught.value))
        assert KEY not in told
        assert "bad key [key]" in told
        assert "\x1b" not in told
        assert len(str(caught.value)) < 700
    server.play(answer(refusal=f"your key {KEY} may not"))
    assert KEY not in chat.complete(REQUEST).refusal
    assert KEY not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://host/v1", "https://host/v1"),
        ("host/v1", "https://host/v1"),
        ("https://user:secret@host/v1", "without a password"),
        ("https://host/v1?key=secret", "without a password"),
        ("http://example.org/v1", "https was wanted for a key"),
    ],
)
def test_an_address_that_would_give_the_key_away_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str, told: str
) -> None:
    monkeypatch.setenv("CINEMA_API_KEY", KEY)
    with pytest.raises(InputError, match=told) as caught:
        OpenAIChat(OpenAIConfig(base_url=url, model="m"))
    assert "secret" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_key_that_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_KEY", "two\nlines")
    with pytest.raises(InputError, match="OTHER_KEY") as caught:
        OpenAIChat(OpenAIConfig(model="m", key_env="OTHER_KEY"))
    assert "two" not in str(caught.value)
