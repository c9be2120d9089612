"""Every answer that was paid for, on the disk before anything else happens to it.

So a command that is killed loses no answer, and the same question is never paid for twice: an answer is
kept under the hash of its question and of the model that was asked.
"""

import threading
from pathlib import Path
from typing import Any

from cinema_cli.chat.model import Answer, Request, Usage
from cinema_cli.files import Journal


class Answers:
    """A journal of answers; may be used from several threads."""

    def __init__(self, path: Path) -> None:
        """Read what is there."""
        self._journal = Journal(path)
        self._lock = threading.Lock()

    def answer(self, request: Request, model: str) -> Answer | None:
        """The answer to that very question, if it was asked before."""
        facts = self._get(f"answer {request.sha256(model)}")
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

    def _get(self, key: str) -> dict[str, Any] | None:
        with self._lock:
            return self._journal.get(key)

    def _record(self, key: str, **facts: Any) -> None:
        with self._lock:
            self._journal.record(key, **facts)
