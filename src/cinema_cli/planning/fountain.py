"""Fountain, the plain-text screenplay, turned into the prose that the planner reads.

``EXT. HARBOUR - NIGHT`` becomes the beginning of the next sentence (*In the harbour, at night: ...*), a cue
and its dialogue become *Mira said: “...”*; transitions, notes, sections and parentheticals are left out.
"""

import re

from cinema_cli.theatre.reading import read_time

HEADING = re.compile(r"^(?:\.(?=\w)|(?:INT|EXT|EST|INT\.?/EXT|I/E)[. ]+)(?P<where>.+)$", re.IGNORECASE)
SCENES = re.compile(r"^(?:INT|EXT|EST|INT\.?/EXT|I/E)[. ]+\S", re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/|\[\[.*?\]\]", re.DOTALL)
CUE = re.compile(r"^@?(?P<name>[^\W\d_][^()]*?)\s*(?:\([^)]*\)\s*)*\^?$")


def is_fountain(text: str) -> bool:
    """Whether a text has scene headings such as ``INT. LIBRARY - NIGHT``."""
    return SCENES.search(text) is not None


def to_prose(text: str) -> str:
    """The screenplay as a title and paragraphs of prose."""
    text = COMMENT.sub("", text.replace("\r\n", "\n"))
    blocks = [block.strip("\n").split("\n") for block in re.split(r"\n[ \t]*\n", text) if block.strip()]
    title = ""
    if blocks and re.match(r"^[A-Za-z ]+:", blocks[0][0]):
        title = next((line.partition(":")[2].strip() for line in blocks[0] if line.startswith("Title:")), "")
        blocks = blocks[1:]
    names = {name for block in blocks if (name := cue_of(block))}
    paragraphs = [title] if title else []
    where = ""
    for block in blocks:
        heading = HEADING.match(block[0].strip())
        if heading:
            where, block = scene(heading["where"]), block[1:]
        told = paragraph(block, names)
        if told:
            paragraphs.append(f"{where}: {told}" if where else told)
            where = ""
    return "\n\n".join([*paragraphs, f"{where}."] if where else paragraphs)


def scene(where: str) -> str:
    """``HARBOUR - NIGHT`` as *In the harbour, at night*."""
    parts = [
        part.strip().lower() for part in re.split(r"\s[-–—]\s", re.sub(r"#.*#", "", where)) if part.strip()
    ]
    when = parts.pop() if len(parts) > 1 else ""
    words = f"In the {' '.join(parts)}"
    if read_time(f"by {when}") is None:
        return words
    before = "by" if when == "day" else "in the" if when in ("morning", "afternoon", "evening") else "at"
    return f"{words}, {before} {when}"


def paragraph(block: list[str], names: set[str]) -> str:
    """A block as prose: dialogue with its speaker, action as it stands, or nothing."""
    name = cue_of(block)
    if name:
        spoken = [line.strip().lstrip("~") for line in block[1:] if not line.strip().startswith("(")]
        return f"{name.title()} said: “{' '.join(spoken)}”" if spoken else ""
    lines = [line.strip().lstrip("!~") for line in block if not line.lstrip().startswith(("#", "=", ">"))]
    lines = [line for line in lines if not (line.isupper() and line.endswith((":", ".")))]
    told = " ".join(lines)
    for name in sorted(names, key=len, reverse=True):
        told = re.sub(rf"\b{re.escape(name)}\b", name.title(), told)
    return told


def cue_of(block: list[str]) -> str:
    """Who speaks in a block, or nothing."""
    first = block[0].strip() if len(block) > 1 else ""
    cue = CUE.match(first)
    if cue is None or first.endswith(":") or HEADING.match(first):
        return ""
    return cue["name"] if cue["name"].isupper() or first.startswith("@") else ""
