"""Fountain, the plain-text screenplay, turned into the prose that the plain rule reads.

``EXT. HARBOUR - NIGHT`` becomes the beginning of the next sentence (*In the harbour, at night: ...*), a cue
and its dialogue become *Mira said: “...”*; transitions, notes, sections and parentheticals are left out.

Written by hand, since fountain-py 0.3.0 takes a cue with an accent (``ÉLODIE``) for action, ends in a
RecursionError on a few kilobytes of ``/*``, and needs four seconds for eight kilobytes of ``[[``.
"""

import re
from collections.abc import Iterator

from cinema_cli.planning.prose import sentences_of
from cinema_cli.theatre.reading import read_time

HEADING = re.compile(r"^(?:\.(?=\w)|(?:INT\.?/EXT|I/E|INT|EXT|EST)[. ]+)(?P<where>.+)$", re.IGNORECASE)
SCENES = re.compile(r"^(?:(?:INT\.?/EXT|I/E|INT|EXT|EST)[. ]+\S|\.[^\W\d_][^\na-z]*$)", re.MULTILINE)
COMMENTS = {"/*": "*/", "[[": "]]"}
EMPHASIS = re.compile(r"(?<!\\)(\*{1,3}|_)(?=\S)([^*_\n]{1,400})(?<=\S)\1")
MAX_SPEECH = 300
"""Characters of a speech in one piece; the planner cuts sentences that are much longer."""
CUT = re.compile(r".*(?:TO|IN|OUT|BLACK|WHITE)[:.]?|.*:|THE END\.?")
"""A line in capitals that is a transition: *CUT TO:*, *FADE OUT.*"""
SHOUTED = re.compile(r"\b[^\W\d_a-z][^\Wa-z]*(?:[ \t]+[^\W\d_a-z][^\Wa-z]*)*\b")
MOST_WORDS = 5
"""Of a name."""
MAX_CUE = 120
"""Characters of a cue with what is said of it in brackets."""
QUOTES = str.maketrans('“”"', "‘’'")
CUE = re.compile(r"^@?(?P<name>[^\W\d_][^()]*?)\s*(?:\([^)]*\)\s*)*\^?$")


def is_fountain(text: str) -> bool:
    """Whether a text has scene headings such as ``INT. LIBRARY - NIGHT``."""
    return SCENES.search(text) is not None


def without_comments(text: str) -> str:
    """A text without notes (``[[...]]``) and what is cut for now (``/*...*/``); unclosed ones stay."""
    kept, at = [], 0
    last = {opening: text.rfind(closing) for opening, closing in COMMENTS.items()}
    for match in re.finditer(r"/\*|\[\[", text):
        opening = match.group()
        if match.start() < at or last[opening] < match.end():
            continue
        kept.append(text[at : match.start()])
        at = text.index(COMMENTS[opening], match.end()) + 2
    return "".join([*kept, text[at:]])


def to_prose(text: str) -> str:
    """The screenplay as a title and paragraphs of prose."""
    text = EMPHASIS.sub(r"\2", EMPHASIS.sub(r"\2", without_comments(text.replace("\r\n", "\n"))))
    blocks = [block.strip("\n").split("\n") for block in re.split(r"\n[ \t]*\n", text) if block.strip()]
    title = ""
    if blocks and re.match(r"^[A-Za-z ]+:", blocks[0][0]) and not is_cut(blocks[0][0]):
        title, blocks = title_of(blocks[0]), blocks[1:]
    names = {name for block in blocks if (name := cue_of(block))}
    shouted = {name.casefold() for name in names}
    paragraphs = [title] if title else []
    where = ""
    for block in blocks:
        heading = HEADING.match(block[0].strip())
        if heading:
            where, block = scene(heading["where"]), block[1:]
        for told in told_in(block, shouted):
            paragraphs.append(f"{where}: {told}" if where else told)
            where = ""
    return "\n\n".join([*paragraphs, f"{where}."] if where else paragraphs)


def title_of(page: list[str]) -> str:
    """The title on a title page; it may go on in lines that are indented."""
    text = "\n".join(page)
    found = re.search(r"^Title:[ \t]*(.*(?:\n[ \t]+\S.*)*)", text, re.MULTILINE | re.IGNORECASE)
    return " ".join(found[1].split()) if found else ""


def scene(where: str) -> str:
    """``HARBOUR - NIGHT`` as *In the harbour, at night*."""
    parts = [
        part.strip().lower() for part in re.split(r"\s[-–—]\s", re.sub(r"#.*#", "", where)) if part.strip()
    ]
    when = parts.pop() if len(parts) > 1 else ""
    words = f"In the {' '.join(parts).removeprefix('the ')}"
    if read_time(f"by {when}") is None:
        return words
    before = "by" if when == "day" else "in the" if when in ("morning", "afternoon", "evening") else "at"
    return f"{words}, {before} {when}"


def told_in(block: list[str], names: set[str]) -> Iterator[str]:
    """A block as prose: dialogue with its speaker, in pieces where it is long, or action as it stands.

    ``names`` are those of all cues, in small letters: in capitals they are names in action, too.
    """
    name = cue_of(block)
    if name:
        spoken = [line.strip().lstrip("~") for line in block[1:] if not line.strip().startswith("(")]
        for piece in speech(" ".join(spoken)):
            yield f"{named(name)} said: “{piece}”"
        return
    lines = [line.strip().lstrip("!~") for line in block if not line.lstrip().startswith(("#", "=", ">"))]
    lines = [line for line in lines if not is_cut(line)]
    told = SHOUTED.sub(lambda found: unshouted(found.group(), names), " ".join(lines))
    if told.strip():
        yield told


def speech(text: str) -> list[str]:
    """What somebody says, between sentences cut into pieces of at most about ``MAX_SPEECH`` characters."""
    text = " ".join(text.translate(QUOTES).split())
    pieces: list[str] = []
    for sentence in sentences_of(text):
        if pieces and len(pieces[-1]) + len(sentence) < MAX_SPEECH:
            pieces[-1] += f" {sentence}"
        else:
            pieces.append(sentence)
    return pieces


def unshouted(words: str, names: set[str]) -> str:
    """Words in capitals, the names among them as names: *OLD TOM* as *Old Tom*."""
    parts = re.split(r"(\s+)", words)
    at = 0
    while at < len(parts):
        for end in range(min(len(parts), at + 2 * MOST_WORDS - 1), at, -2):
            if " ".join(parts[at:end:2]).casefold() in names:
                parts[at:end] = [named(" ".join(parts[at:end:2]))]
                break
        at += 2
    return "".join(parts)


def named(cue: str) -> str:
    """A name as prose writes it; one with small letters in it stays as it is: *McCLANE*."""
    return cue.title() if cue.isupper() else cue


def is_cut(line: str) -> bool:
    """Whether a line is a transition from one shot to the next."""
    return line.isupper() and CUT.fullmatch(line.strip()) is not None


def cue_of(block: list[str]) -> str:
    """Who speaks in a block, or nothing."""
    first = block[0].strip() if len(block) > 1 else ""
    cue = CUE.match(first) if len(first) <= MAX_CUE else None
    if cue is None or first.endswith(":") or HEADING.match(first):
        return ""
    return cue["name"] if cue["name"].isupper() or first.startswith("@") else ""
