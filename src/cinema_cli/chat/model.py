"""A chat model that sees pictures and answers in JSON: what is asked, what comes back, and what may fail.

``ChatModel`` is the protocol.  ``openai.py`` speaks to real servers, ``patience.py`` wraps any model
with honest retries, and ``ScriptedChat`` plays answers from a list: it ships, for tests and for
trying a pipeline without a server.
"""

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from cinema_cli.errors import CinemaError
from cinema_cli.files import sha256_json

MAX_QUOTED = 300
"""Characters of a server's or a model's own words in a message."""

PictureKind = Literal["image/jpeg", "image/png", "image/webp"]


@dataclass(frozen=True)
class Picture:
    """A picture as it is sent."""

    data: bytes = field(repr=False)
    """The bytes of the file that is sent."""
    kind: PictureKind
    """Its media type."""
    source_sha256: str
    """Of the file that it was made from: another version of an encoder does not make it another picture."""
    longest: int
    """Pixels that its longer side was limited to."""


Part = str | Picture


@dataclass(frozen=True)
class Request:
    """One question: instructions, words and pictures in order, and the form of the answer."""

    system: str
    """The instructions."""
    parts: tuple[Part, ...]
    """What the user says and shows."""
    schema: Mapping[str, Any]
    """JSON Schema of the answer."""
    max_tokens: int
    """The answer is cut after so many tokens, those spent on thinking included."""

    def sha256(self, model: str) -> str:
        """One hash for the question and the model that is asked: the key under which an answer is kept."""
        parts = [
            [part.source_sha256, part.longest] if isinstance(part, Picture) else part for part in self.parts
        ]
        return sha256_json(
            {
                "model": model,
                "system": self.system,
                "parts": parts,
                "schema": self.schema,
                "max_tokens": self.max_tokens,
            }
        )


@dataclass(frozen=True)
class Usage:
    """Tokens as the server counted them."""

    tokens_in: int
    """Of the question, pictures included."""
    tokens_out: int
    """Of the answer, thinking included."""


@dataclass(frozen=True)
class Answer:
    """What came back, and was paid for."""

    text: str
    """As written by the model; empty where it refused."""
    refusal: str = ""
    """Why the model or its provider would not answer; a refusal is an answer, not a failure."""
    cut: bool = False
    """Whether it ended at ``max_tokens`` and not by itself."""
    usage: Usage | None = None
    """None where the server did not say."""


def one_line(text: str) -> str:
    """A stranger's words made fit to be quoted: one line, without control characters, bounded."""
    text = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text).split())
    return text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 3] + "..."


def without_fence(text: str) -> str:
    """A model's words without the code fence that some models put around JSON."""
    bare = text.strip()
    if bare.startswith("```") and bare.endswith("```"):
        bare = bare.removeprefix("```").removeprefix("json").removesuffix("```")
    return bare


class ChatError(CinemaError):
    """One call failed.

    What is wrong with every call (a bad key, an unknown model, no credit) is an ``InputError`` or a
    ``MissingError`` instead.
    """

    exit_code = 5

    def __init__(self, message: str, *, again: bool, billed: bool = False, wait: float | None = None) -> None:
        """See the attributes."""
        super().__init__(message)
        self.again = again
        """Whether the same call may succeed later."""
        self.billed = billed
        """Whether the server may have done the work, and so may charge for it."""
        self.wait = wait
        """Seconds after which the server wants to be asked again, where it said so."""


class ChatModel(Protocol):
    """Anything that answers a request.  May be called from several threads at once."""

    @property
    def name(self) -> str:
        """Name of the model; part of the key under which its answers are kept."""

    def complete(self, request: Request) -> Answer:
        """The answer.

        Raises:
            ChatError: this call failed; ``again`` says whether to repeat it.
            InputError: every call would fail: the address or the name of the model is wrong.
            MissingError: every call would fail: no key, no permission, no credit.
        """


Play = Answer | Exception


class ScriptedChat:
    """Plays answers and failures in order, or asks a function; remembers what it was asked."""

    def __init__(self, plays: Iterable[Play] | Callable[[Request], Play], name: str = "scripted") -> None:
        """``plays`` are used up one by one; a function is asked every time."""
        self.name = name
        self.requests: list[Request] = []
        self._plays = plays if callable(plays) else iter(list(plays))
        self._lock = threading.Lock()

    def complete(self, request: Request) -> Answer:
        """The next play."""
        with self._lock:
            self.requests.append(request)
            play = self._plays(request) if callable(self._plays) else next(self._plays, None)
        if play is None:
            raise ChatError(
                f"the script of {self.name} ends after {len(self.requests) - 1} answers.", again=False
            )
        if isinstance(play, Exception):
            raise play
        return play
