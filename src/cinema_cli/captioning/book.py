"""The book of a film: every answer that was paid for, and every word that was written into its storyboard.

One line each in ``captions.jsonl``, on the disk before anything else happens to it.  So a command
that is killed loses no answer, the same question is never paid for twice, and a caption that a
person has edited is known from one that was written here.
"""

import threading
from pathlib import Path
from typing import Any

from cinema_cli.chat.model import Answer, Request, Usage
from cinema_cli.files import Journal, sha256_json

BOOK = "captions.jsonl"


class Book:
    """The journal of one film's captions; may be used from several threads."""

    def __init__(self, folder: Path) -> None:
        """Read what is there."""
        self._journal = Journal(folder / BOOK)
        self._lock = threading.Lock()

    def answer(self, request: Request, model: str) -> Answer | None:
        """The answer to that very question, if it was asked before."""
        with self._lock:
            facts = self._journal.get(f"answer {request.sha256(model)}")
        if facts is None:
            return None
        usage = Usage(*facts["usage"]) if facts["usage"] else None
        return Answer(facts["text"], facts["refusal"], facts["cut"], usage)

    def keep(self, request: Request, model: str, answer: Answer) -> None:
        """Note an answer; a later one to the same question takes its place."""
        usage = [answer.usage.tokens_in, answer.usage.tokens_out] if answer.usage else None
        self._record(
            f"answer {request.sha256(model)}",
            model=model,
            text=answer.text,
            refusal=answer.refusal,
            cut=answer.cut,
            usage=usage,
        )

    def written(self, place: str, *words: str | None) -> str | None:
        """From what inputs these very words were written into that place; None if by somebody else."""
        with self._lock:
            facts = self._journal.get(_key(place, words))
        return None if facts is None else str(facts["inputs"])

    def note(self, place: str, *words: str | None, inputs: str) -> None:
        """Note words that are about to be written into a place: a shot's id, "(title)" or "(caption)"."""
        if self.written(place, *words) != inputs:
            self._record(_key(place, words), inputs=inputs)

    def _record(self, key: str, **facts: Any) -> None:
        with self._lock:
            self._journal.record(key, **facts)


def _key(place: str, words: tuple[str | None, ...]) -> str:
    return f"written {place} {sha256_json(list(words))}"
