"""A chat model behind an OpenAI-compatible address: OpenAI, Gemini's endpoint, vLLM, SGLang, Ollama.

The request is ``POST {base_url}/chat/completions`` with pictures as data URLs and the form of the
answer as ``response_format: json_schema``.  Some servers ignore the form and still say 200, so
whoever asks checks the answer again.

The key comes from the environment and goes nowhere but into the header of a request to that one
address: over TLS unless the server is this machine, never along a redirect, and it is struck out of
every message.  Retries are not made here (``patience.py``), so that each call can be counted.
"""

import base64
import json
import os
import re
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Annotated, Any, Literal, Self

import httpx2
from pydantic import Field

from cinema_cli.chat.hints import retry_after
from cinema_cli.chat.model import Answer, ChatError, Picture, Request, Usage, one_line
from cinema_cli.config import Config
from cinema_cli.errors import InputError, MissingError

MAX_ANSWER_BYTES = 1 << 20
"""An answer is a few pages at most; a server that sends more is not read to the end."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")

_REFUSED_CODES = ("content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation")
_NO_CREDIT = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


class OpenAIConfig(Config):
    """Which server, which model."""

    base_url: Annotated[str, Field(max_length=2048)] = "http://localhost:11434/v1"
    """Address of the server up to and with its version; the default is Ollama on this machine."""
    model: Annotated[str, Field(min_length=1, max_length=256)]
    """Name of the model as the server knows it."""
    key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "CINEMA_API_KEY"
    """Environment variable that holds the key; one of its own, so that no other service's key is sent."""
    timeout: Annotated[float, Field(gt=0, le=3600)] = 120.0
    """Seconds for one call."""
    limit_field: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    """How this server calls the limit of an answer; Ollama knows only max_tokens."""
    reasoning_effort: Annotated[str, Field(pattern=r"^[a-z]{1,16}$")] | None = None
    """Sent where given; thinking is billed as part of the answer."""


class OpenAIChat:
    """One server and one model; use it as a context manager."""

    def __init__(self, config: OpenAIConfig) -> None:
        """Read the key and check the address; nothing is sent yet."""
        self.name = config.model
        self._config = config
        self._url = _checked(config.base_url)
        self._key = os.environ.get(config.key_env, "").strip()
        if self._key and self._url.scheme != "https" and self._url.host not in LOOPBACK:
            raise InputError(
                f"{config.base_url}: https was wanted for a key that leaves this machine, found "
                f"{self._url.scheme}. Use https, or unset {config.key_env} where the server needs no key."
            )
        if not re.fullmatch(r"[\x21-\x7e]*", self._key):
            raise InputError(f"{config.key_env}: a key of plain characters was wanted, found others in it.")
        headers = {"Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        self._client = httpx2.Client(
            headers=headers,
            timeout=httpx2.Timeout(config.timeout, connect=min(10.0, config.timeout)),
            follow_redirects=False,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None),  # workers are bounded
            # A server on this machine is never reached through a proxy.
            mounts={f"all://{'[::1]' if host == '::1' else host}": None for host in LOOPBACK},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def complete(self, request: Request) -> Answer:
        """Ask once; see ``ChatModel``."""
        started = time.monotonic()
        try:
            with self._client.stream("POST", self._url, json=self._body(request)) as response:
                content = self._read(response, started)
        except httpx2.TransportError as error:
            late = isinstance(error, httpx2.TimeoutException)
            what = f"no answer within {self._config.timeout:g} s" if late else "the connection failed"
            raise ChatError(
                f"{self._where}: {what} ({self._clean(str(error)) or type(error).__name__}).",
                again=True,
                billed=not isinstance(error, _NEVER_SENT),
            ) from error
        if response.status_code != 200:
            return self._refused_or_raise(response, content)
        return self._answer(content)

    @property
    def _where(self) -> str:
        return f"{self._url.scheme}://{self._url.netloc.decode('ascii')}"

    def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.name,
            "messages": [
                {"role": "system", "content": request.system},
                {"role": "user", "content": [_part(part) for part in request.parts]},
            ],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": dict(request.schema)},
            },
            self._config.limit_field: request.max_tokens,
        }
        if self._config.reasoning_effort is not None:
            body["reasoning_effort"] = self._config.reasoning_effort
        return body

    def _read(self, response: httpx2.Response, started: float) -> bytes:
        """The body, bounded in size and in time: a server that drips never hits the timeout of a read."""
        if response.headers.get("content-encoding", "identity") != "identity":
            raise ChatError(f"{self._where}: an answer without compression was wanted.", again=False)
        content = bytearray()
        for chunk in response.iter_raw():
            content += chunk
            if len(content) > MAX_ANSWER_BYTES:
                raise ChatError(
                    f"{self._where}: an answer of at most {MAX_ANSWER_BYTES} bytes was wanted, found more.",
                    again=False,
                    billed=response.status_code == 200,
                )
            if time.monotonic() - started > self._config.timeout:
                raise ChatError(
                    f"{self._where}: no whole answer within {self._config.timeout:g} s.",
                    again=True,
                    billed=True,
                )
        return bytes(content)

    def _refused_or_raise(self, response: httpx2.Response, content: bytes) -> Answer:
        """What a status other than 200 means; only a content filter is an answer."""
        status, said = response.status_code, self._clean(_message(content))
        told = f"{self._where} answered {status}: {said}" if said else f"{self._where} answered {status}."
        text = content.decode("utf-8", "replace")
        if response.is_redirect:
            target = self._clean(response.headers.get("location", "nowhere"))
            raise InputError(
                f"{told} It sends elsewhere ({target}), and a key is not carried along. If you trust that "
                "address, give it as --base-url."
            )
        if status in (400, 403, 422) and any(f'"{code}"' in text for code in _REFUSED_CODES):
            return Answer("", refusal=said or "content filter")
        if status in (401, 403) or status == 402 or any(f'"{code}"' in text for code in _NO_CREDIT):
            held = f"has the key of {self._config.key_env}" if self._key else "has no key"
            raise MissingError(
                f"{told} The request {held}. Set {self._config.key_env} to a key that this server accepts "
                "and that has credit."
            )
        if status == 404:
            raise InputError(f"{told} Check --base-url and --model {self.name!r}.")
        again = status in (408, 409, 425, 429) or status >= 500
        raise ChatError(told, again=again, wait=retry_after(response.headers, text) if again else None)

    def _answer(self, content: bytes) -> Answer:
        """The protocol's envelope, read strictly enough to never mistake a failure for a caption."""
        try:
            data = json.loads(content)
            usage = _usage(data.get("usage"))
            choices = data["choices"] or []
            choice: Any = choices[0] if choices else {"finish_reason": "content_filter"}
            message = choice.get("message") or {}
            text, refusal = message.get("content") or "", message.get("refusal") or ""
            reason = str(choice.get("finish_reason") or "")
            if not (isinstance(text, str) and isinstance(refusal, str)):
                raise TypeError("content and refusal were wanted as text")
            (text + refusal).encode("utf-8")  # half a character could not be kept
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ChatError(
                f"{self._where}: an answer of the chat completions protocol was wanted, found "
                f"{self._clean(content[:120].decode('utf-8', 'replace'))!r}.",
                again=True,
                billed=True,
            ) from error
        if not refusal and reason.startswith("content_filter"):
            refusal = f"stopped by the provider ({self._clean(reason)})"
        if refusal:
            return Answer("", self._clean(refusal), usage=usage)
        return Answer(text, cut=reason == "length", usage=usage)

    def _clean(self, text: str) -> str:
        """A server's words made fit to be shown: the key struck out, one line, bounded."""
        if self._key:
            text = text.replace(self._key, "[key]")
        return one_line(re.sub(r"(?i)(bearer\s+)[^\s\"',]+", r"\1[key]", text))


def _checked(base_url: str) -> httpx2.URL:
    """The address that is asked, made from the one that was given."""
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        raise InputError(
            f"{base_url[:80]!r}: an address such as https://host/v1 was wanted: {error}"
        ) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise InputError(f"{base_url[:80]!r}: an address such as https://host/v1 was wanted.")
    if url.userinfo or url.query or url.fragment:
        raise InputError(
            f"{url.scheme}://{url.host}: an address without a password, ? or # was wanted. "
            "A key belongs into the environment."
        )
    return url.copy_with(path=url.path.rstrip("/") + "/chat/completions")


def _part(part: str | Picture) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    data = base64.b64encode(part.data).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:{part.kind};base64,{data}"}}


def _message(content: bytes) -> str:
    """The sentence inside an error; servers wrap it in an object, a list, or nothing."""
    text = content.decode("utf-8", "replace")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(data, list) and data:
        data = data[0]
    if isinstance(data, dict):
        data = data.get("error", data)
    found = data.get("message", data) if isinstance(data, dict) else data
    return found if isinstance(found, str) else json.dumps(found)


def _usage(data: Any) -> Usage | None:
    if not isinstance(data, Mapping):
        return None
    tokens_in, tokens_out, total = (
        _count(data.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    )
    if tokens_in is None or tokens_out is None:
        return None
    if total is not None:  # Gemini counts its thinking only here
        tokens_out = max(tokens_out, total - tokens_in)
    return Usage(tokens_in, tokens_out)


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 2**40 else None
