"""What an evaluation says of a film: scores, each with its unit and its direction, in sections.

Every way of measuring (``exact``, ``pixels``, ``encoders``, ``judge``) is a ``Section``.  The page, the
Markdown table and ``--json`` show sections; none of them knows how anything was measured.
"""

from typing import Literal

from pydantic import Field

from cinema_cli import __version__
from cinema_cli.config import Config

Unit = Literal["%", "dB", "0 to 1", "0 to 5", "px", ""]
SectionName = Literal["exact", "pixels", "encoders", "judge"]


class Score(Config):
    """One number about a film."""

    key: str
    """How programs call it: ``flicker``, ``coat``, ``subject_consistency``."""
    text: str
    """How people call it."""
    value: float | None
    """What was measured; none where there was nothing to measure, and then ``note`` says why."""
    unit: Unit = ""
    """Of the value."""
    n: int = 0
    """Pictures, pairs, clips or looks that it is the mean of."""
    low: float | None = None
    """Where the 95 % interval begins, for shares."""
    high: float | None = None
    """Where it ends."""
    better: Literal["higher", "lower", ""] = ""
    """Which way is good; neither for what only describes (sharpness, brightness)."""
    target: str = ""
    """What is wanted, if somebody has said."""
    note: str = ""
    """One line about this number: a source, a caution, why it is missing."""


Cell = float | int | str | bool | None


class Section(Config):
    """One way of measuring a film."""

    name: SectionName
    """Which way."""
    title: str
    """Its heading."""
    how: str
    """Two or three sentences: how it was measured, where the formulas come from, what they cannot tell."""
    scores: tuple[Score, ...] = ()
    """Of the whole film."""
    columns: tuple[str, ...] = ()
    """Headings of the table of shots, without the first one, which is the shot."""
    shots: dict[str, tuple[Cell, ...]] = Field(default_factory=dict)
    """One row per shot id, as many cells as there are columns; none where there is nothing to say."""
    notes: tuple[str, ...] = ()
    """What was left out, and why."""


class FilmReport(Config):
    """All that was measured of one film."""

    format: Literal["cinema-evaluation"] = "cinema-evaluation"
    """Says what the data are."""
    version: Literal[1] = 1
    """Of the format."""
    made_by: str = __version__
    """The version of cinema that measured."""
    title: str
    """Of the film."""
    folder: str
    """Name of its folder, without the path."""
    storyboard_sha256: str
    """Of the storyboard's file as it was."""
    shots: int
    """How many it has."""
    sections: tuple[Section, ...] = ()
    """In the order in which they are shown."""

    def section(self, name: SectionName) -> Section | None:
        """The section of that name, where it was measured."""
        return next((section for section in self.sections if section.name == name), None)
