"""Final Draft's screenplays (.fdx, an XML), rewritten as Fountain, which both planners read.

The file may come from a stranger.  It is read by expat, without building a tree: a document type, and with
it every entity, is refused before anything is expanded, since Final Draft writes none; size and depth are
bounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from cinema_cli.errors import InputError
from cinema_cli.planning.fountain import SCENES, cue_of

MOST_FDX_BYTES = 16_000_000
"""Of a file: a feature film has about a tenth of that."""
MOST_DEPTH = 32
"""Of elements inside each other; Final Draft needs seven."""
ROOT = "FinalDraft"
FORCED = (".", "@", "!", ">", "#", "=", "~", "[[", "/*")
"""With these a line of Fountain is no plain action."""


@dataclass
class Paragraph:
    """One paragraph of the file."""

    kind: str
    """As the file calls it: Scene Heading, Action, Character, Dialogue, ..."""
    on_title_page: bool
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its words in one line."""
        return " ".join("".join(self.pieces).split())


class _Reader:
    """What expat calls while it reads."""

    def __init__(self, where: str) -> None:
        self.paragraphs: list[Paragraph] = []
        self._where = where
        self._open: list[str] = []
        self._current: list[Paragraph | None] = []

    def doctype(self, *found: object) -> None:
        raise InputError(
            f"{self._where}: a Final Draft file without a document type was wanted, found one, which may "
            "hide entities. Save the screenplay anew, or export it as Fountain."
        )

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._open and name != ROOT:
            raise InputError(
                f"{self._where}: a Final Draft file (<{ROOT}>) was wanted, found <{name[:40]}>. "
                "Export the screenplay as .fdx or as Fountain."
            )
        if len(self._open) >= MOST_DEPTH:
            raise InputError(
                f"{self._where}: at most {MOST_DEPTH} elements inside each other were wanted, found more."
            )
        self._open.append(name)
        if name != "Paragraph":
            return
        self._current.append(None)
        if self._open[-2] in ("Content", "DualDialogue"):  # else in a note
            paragraph = Paragraph(attributes.get("Type", ""), "TitlePage" in self._open)
            self._current[-1] = paragraph
            self.paragraphs.append(paragraph)

    def end(self, name: str) -> None:
        self._open.pop()
        if name == "Paragraph":
            self._current.pop()

    def characters(self, text: str) -> None:
        paragraph = self._current[-1] if self._current else None
        if paragraph is not None and self._open[-1] == "Text":
            paragraph.pieces.append(text)


def is_final_draft(data: bytes) -> bool:
    """Whether bytes look like a Final Draft file, whatever its name."""
    return b"<FinalDraft" in data[:1000]


def to_fountain(data: bytes, path: Path) -> str:
    """A Final Draft file as Fountain.

    Raises:
        InputError: it is no such file, or declares a document type.
    """
    reader, parser = _Reader(str(path)), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.EntityDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise InputError(
            f"{path}: Final Draft's XML was wanted, but it cannot be read ({error}). "
            "Save the screenplay anew, or export it as Fountain."
        ) from error
    text = "\n\n".join(_blocks(reader.paragraphs))
    if not text.strip():
        raise InputError(f"{path}: a screenplay was wanted, but it has no words. Write a scene into it.")
    return text + "\n"


def _blocks(paragraphs: list[Paragraph]) -> Iterator[str]:
    """The blocks of a Fountain text; a cue and what is said below it are one block."""
    title = next((each.text for each in paragraphs if each.on_title_page and each.text), "")
    if title:
        yield f"Title: {title}"
    speaking: list[str] = []
    for each in paragraphs:
        if each.on_title_page or not each.text:
            continue
        if speaking and each.kind in ("Dialogue", "Parenthetical", "Singing"):
            speaking.append(each.text)
            continue
        if speaking:
            yield "\n".join(speaking)
        speaking = [_cue(each.text)] if each.kind == "Character" else []
        if not speaking:
            yield _block(each)
    if speaking:
        yield "\n".join(speaking)


def _cue(name: str) -> str:
    return name if cue_of([name, "..."]) else f"@{name}"


def _block(paragraph: Paragraph) -> str:
    """A scene heading, a transition, or action."""
    text = paragraph.text
    if paragraph.kind == "Scene Heading":
        heading = text.upper()
        return heading if SCENES.match(heading) else f".{heading.lstrip('.')}"
    if paragraph.kind == "Transition":
        return f"> {text}"
    return f"!{text}" if text.startswith(FORCED) or SCENES.match(text) else text
