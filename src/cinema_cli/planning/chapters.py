"""A story in chapters for a director, each with its share of the shots.

A chapter ends where the text says so (*Chapter Two*, ``# Two``, *II.*) and where it would be too long for one
question.  There are never more chapters than shots, and never so few that one would have more shots than fit
into one answer.
"""

import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cinema_cli.errors import InputError
from cinema_cli.planning.fountain import is_fountain, without_comments
from cinema_cli.planning.moments import MOST_SHOTS
from cinema_cli.planning.prose import is_title, paragraphs_of, sentences_of

HEADING = re.compile(
    r"(?:\#{1,6}\s|(?:chapter|part|act|book|prologue|epilogue)\b.{0,60}$|[IVXLC]{1,7}\.?$)",
    re.IGNORECASE,
)
"""How a block of text begins that is the heading of a chapter."""


@dataclass(frozen=True)
class Chapter:
    """A part of a story, and how many shots it becomes."""

    text: str
    shots: int
    exactly: bool
    """Whether so many were asked for; else it is the most."""


def chapters_of(text: str, shots: int | None, longest: int, most: int) -> tuple[Chapter, ...]:
    """The chapters of a story.

    Args:
        text: The story, prose or Fountain.
        shots: How many shots the whole becomes; at most 48 when none.
        longest: Characters of a chapter, as far as there may be so many chapters.
        most: Shots of a chapter.

    Raises:
        InputError: the text has no words, or too few sentences for so many shots.
    """
    blocks = paragraphs_of(without_comments(text) if is_fountain(text) else text)
    if not blocks:
        raise InputError("a story in words was wanted, but the text has none. Write a few sentences.")
    pieces = [piece for section in _sections(blocks) for piece in _packed(section, longest)]
    pieces = _joined(pieces, shots or MOST_SHOTS)
    while shots is not None and len(pieces) * most < shots:
        pieces = _split(pieces, shots, most)
    total = min(MOST_SHOTS, len(pieces) * most) if shots is None else shots
    shares = shared_out(total, [len(piece) for piece in pieces], most)
    return tuple(
        Chapter(piece, share, shots is not None) for piece, share in zip(pieces, shares, strict=True)
    )


def shared_out(total: int, lengths: Sequence[int], most: int) -> list[int]:
    """So many shots for chapters of these lengths: at least one each, at most ``most``, else by length."""
    assert len(lengths) <= total <= most * len(lengths), (total, lengths, most)
    shares = [1] * len(lengths)
    waiting = [(-length / 1.5, index) for index, length in enumerate(lengths) if most > 1]
    heapq.heapify(waiting)
    for _ in range(total - len(lengths)):
        _, index = heapq.heappop(waiting)
        shares[index] += 1
        if shares[index] < most:
            heapq.heappush(waiting, (-lengths[index] / (shares[index] + 0.5), index))
    return shares


def _sections(blocks: Sequence[str]) -> list[list[str]]:
    """The blocks between headings; a title or a heading with nothing below it belongs to the next one."""
    sections: list[list[str]] = [[]]
    bare = True  # nothing but titles in the last section
    for index, block in enumerate(blocks):
        heads = HEADING.match(block) is not None
        if heads and not bare:
            sections.append([])
            bare = True
        sections[-1].append(block)
        bare = bare and (heads or (index == 0 and is_title(block)))
    if len(sections) > 1 and bare:
        last = sections.pop()
        sections[-1] += last
    return sections


def _packed(blocks: Sequence[str], longest: int) -> list[str]:
    """Blocks in pieces of about that many characters; a block that is longer is cut between sentences."""
    pieces = [""]
    for block in blocks:
        for part in [block] if len(block) <= longest else _sentences(block):
            if pieces[-1] and len(pieces[-1]) + len(part) > longest:
                pieces.append("")
            gap = "" if not pieces[-1] else " " if part is not block else "\n\n"
            pieces[-1] += gap + part
    return pieces


def _joined(pieces: list[str], most: int) -> list[str]:
    """Neighbours joined evenly until there are no more than ``most``."""
    count = min(len(pieces), most)
    bounds = [index * len(pieces) // count for index in range(count + 1)]
    return ["\n\n".join(pieces[first:last]) for first, last in pairwise(bounds)]


def _split(pieces: list[str], shots: int, most: int) -> list[str]:
    """The longest piece in two that can be."""
    for index in sorted(range(len(pieces)), key=lambda at: -len(pieces[at])):
        for parts, gap in ((pieces[index].split("\n\n"), "\n\n"), (_sentences(pieces[index]), " ")):
            if len(parts) > 1:
                half = len(parts) // 2
                return [
                    *pieces[:index], gap.join(parts[:half]), gap.join(parts[half:]), *pieces[index + 1 :]
                ]  # fmt: skip
    raise InputError(
        f"at most {len(pieces) * most:,} shots were wanted from a director for a story of {len(pieces)} "
        f"sentences, found {shots:,}. Ask for fewer with --shots, or give a longer story."
    )


def _sentences(block: str) -> list[str]:
    return sentences_of(" ".join(block.split()))
