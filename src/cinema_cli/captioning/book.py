"""The book of a film: every answer that was paid for, and every word that was written into its storyboard.

One line each in ``captions.jsonl``.  Beside what ``Answers`` keeps, a caption that a person has edited is
known from one that was written here.
"""

from pathlib import Path

from cinema_cli.chat.answers import Answers
from cinema_cli.files import sha256_json

BOOK = "captions.jsonl"
LEDGER = "caption-ledger.json"
"""What captions of a film cost, in its folder."""


class Book(Answers):
    """The journal of one film's captions; may be used from several threads."""

    def __init__(self, folder: Path) -> None:
        """Read what is there."""
        super().__init__(folder / BOOK)

    def written(self, place: str, *words: str | None) -> str | None:
        """From what inputs these very words were written into that place; None if by somebody else."""
        facts = self._get(_key(place, words))
        return None if facts is None else str(facts["inputs"])

    def note(self, place: str, *words: str | None, inputs: str) -> None:
        """Note words that are about to be written into a place: a shot's id, "(title)" or "(caption)"."""
        if self.written(place, *words) != inputs:
            self._record(_key(place, words), inputs=inputs)


def _key(place: str, words: tuple[str | None, ...]) -> str:
    return f"written {place} {sha256_json(list(words))}"
