"""Scores as Markdown: every film by itself, and the paper's Tables 1 and 2 with ours below them (4.1).

The page shows the same tables from the same rows (``page``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from cinema_cli.evaluation.published import (
    TABLE_1,
    TABLE_1_CAPTION,
    TABLE_2,
    TABLE_2_CAPTION,
    Table1Row,
    Table2Row,
)
from cinema_cli.evaluation.report import Cell, FilmReport, Score, Section, SectionName, Unit

NOTHING = "-"
"""What was not measured."""
DIGITS: dict[Unit, int] = {"%": 1, "dB": 1, "0 to 1": 3, "0 to 5": 2, "px": 2}
"""Digits behind the point; other numbers are shown with three digits in all."""
DIRECTION = {"higher": "↑", "lower": "↓", "": ""}

CONSISTENCY = ("subject_consistency", "background_consistency")
TEXT, IDENTITY, DYNAMIC = "text_alignment", "identity_consistency", "dynamic_degree"
ASPECTS = (
    "character_consistency",
    "scene_consistency",
    "visual_quality",
    "aesthetics",
    "diversity",
    "narrative_coherence",
)
"""Of the judge, in the order of Table 2."""

ENCODER_NOTE = "Consistency, Text and Identity of ours are what an encoder sees."
JUDGE_NOTE = "The six aspects of ours are what a judge says."
COMPARE_NOTE = (
    "Numbers of another encoder, another judge, another measure of motion or of drawn puppets can be "
    "compared among themselves, not with the paper's: its films and prompts are not published."
)
IDENTITY_NOTE = (
    "Identity of the paper compares faces (ArcFace, VBench-2.0). Of a film here it compares whole keyframes "
    "that show one character alone; of a stress test it is what that test says. They only share a name."
)


@dataclass(frozen=True)
class Table:
    """A table as text: what the page and the Markdown show alike."""

    caption: str
    columns: tuple[str, ...]
    """The first is the row's name."""
    rows: tuple[tuple[str, ...], ...]
    ours: int
    """From this row on it is ours."""
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """The caption, the rows and the notes; the names of our rows are bold."""
        rows = [[escaped(cell) for cell in row] for row in self.rows]
        for row in rows[self.ours :]:
            row[0] = f"**{row[0]}**"
        table = markdown_table(self.columns, rows)
        return "\n\n".join([escaped(self.caption), table, *map(escaped, self.notes)])


def markdown(reports: Sequence[FilmReport], stress: Sequence[Table2Row] = ()) -> str:
    """All scores of all films and the paper's tables."""
    parts = ["# Evaluation"]
    for name, report in zip(film_names(reports), reports, strict=True):
        parts.append(f"## {escaped(name)}")
        parts.append(
            f"{report.shots} shots, storyboard {report.storyboard_sha256[:12]}, by cinema {report.made_by}."
        )
        for section in report.sections:
            parts += _section(section)
    parts += ["## Beside the paper", paper_tables(reports, stress)]
    return "\n\n".join(parts) + "\n"


def paper_tables(reports: Sequence[FilmReport], stress: Sequence[Table2Row] = ()) -> str:
    """Tables 1 and 2 of the paper as Markdown, ours below.

    Args:
        reports: One row in each table for every film.
        stress: Further rows of Table 2, such as those of a stress test.
    """
    tables = (table_1(reports), table_2(reports, stress))
    return "\n\n".join([*(table.markdown() for table in tables), escaped(COMPARE_NOTE)])


def table_1(reports: Sequence[FilmReport]) -> Table:
    """Table 1 of the paper and what was measured of each film in its columns."""
    ours = [_table_1_row(*named) for named in zip(_ours(reports), reports, strict=True)]
    rows = [
        (
            row.method,
            *(_fixed(value, 1) for value in (row.aesthetic, row.quality)),
            _fixed(row.consistency, 1) + row.mark,
            *(_fixed(value, 1) for value in (row.dynamic, row.text, row.user_quality, row.user_semantic)),
        )
        for row in (*TABLE_1, *ours)
    ]
    columns = ("Method", "Aesthetic ↑", "Quality ↑", "Consistency ↑", "Dynamic ↑", "Text ↑")
    notes = tuple(_encoder_notes(reports))
    return Table(
        TABLE_1_CAPTION, (*columns, "User: Quality ↑", "User: Semantic ↑"), tuple(rows), len(TABLE_1), notes
    )


def table_2(reports: Sequence[FilmReport], stress: Sequence[Table2Row] = ()) -> Table:
    """Table 2 of the paper, what was measured of each film in its columns, and rows of a stress test."""
    named = zip(_ours(reports), reports, strict=True)
    ours = [row for name, report in named if (row := _table_2_row(name, report)) is not None]
    rows = [
        (
            row.method,
            NOTHING if row.pairs is None else str(row.pairs),
            *(
                _fixed(value, 1)
                for value in (
                    row.character,
                    row.scene,
                    row.visual,
                    row.aesthetic,
                    row.diversity,
                    row.narrative,
                )
            ),
            _fixed(row.identity, 2),
        )
        for row in (*TABLE_2, *ours, *stress)
    ]
    columns = ("Method", "Pairs", "Character", "Scene", "Visual", "Aesthetic", "Diversity", "Nar. Coher.")
    measured = any(row.identity is not None for row in (*ours, *stress))
    seen = _encoder_notes(reports) if any(row.identity is not None for row in ours) else []
    notes = (*_judge_notes(reports), *([IDENTITY_NOTE] if measured else []), *seen)
    return Table(TABLE_2_CAPTION, (*columns, "Identity"), tuple(rows), len(TABLE_2), notes)


def _table_1_row(name: str, report: FilmReport) -> Table1Row:
    parts = [per_cent(score(report, "encoders", key)) for key in CONSISTENCY]
    both = [part for part in parts if part is not None]
    return Table1Row(
        name,
        consistency=fmean(both) if len(both) == len(CONSISTENCY) else None,
        dynamic=per_cent(score(report, "pixels", DYNAMIC)),
        text=per_cent(score(report, "encoders", TEXT)),
    )


def _table_2_row(name: str, report: FilmReport) -> Table2Row | None:
    """None where neither a judge nor an encoder saw the film."""
    found = [score(report, "judge", aspect) for aspect in ASPECTS]
    values = [None if one is None else one.value for one in found]
    identity = per_cent(score(report, "encoders", IDENTITY))
    if identity is None and all(value is None for value in values):
        return None
    row = Table2Row(name, None, *values)
    return row if identity is None else replace(row, identity=identity / 100)


def score(report: FilmReport, section: SectionName, key: str) -> Score | None:
    """A score by its key, where it was measured."""
    there = report.section(section)
    return next((one for one in there.scores if one.key == key), None) if there else None


def per_cent(found: Score | None) -> float | None:
    """A share or a similarity in per cent, however it is noted."""
    if found is None or found.value is None:
        return None
    return found.value if found.unit == "%" else 100 * found.value


def _ours(reports: Sequence[FilmReport]) -> list[str]:
    return [f"{name} (measured here)" for name in film_names(reports)]


def film_names(reports: Sequence[FilmReport]) -> list[str]:
    """What each film is called: its title, with its folder where another one has the same title."""
    titles = [report.title or report.folder for report in reports]
    return [
        f"{title} ({report.folder})" if titles.count(title) > 1 else title
        for title, report in zip(titles, reports, strict=True)
    ]


def _encoder_notes(reports: Sequence[FilmReport]) -> list[str]:
    """Which encoders saw the films: the title of the section names them."""
    told = [section.title for report in reports if (section := report.section("encoders"))]
    return [f"{ENCODER_NOTE} {'; '.join(dict.fromkeys(told))}."] if told else []


def _judge_notes(reports: Sequence[FilmReport]) -> list[str]:
    """Who judged: the first note of the section names the model, its prompt and the day."""
    told = [section.notes[0] for report in reports if (section := report.section("judge")) and section.notes]
    return [" ".join([JUDGE_NOTE, *dict.fromkeys(told)])] if told else []


def _section(section: Section) -> list[str]:
    parts = [f"### {escaped(section.title)}", escaped(section.how)]
    if section.scores:
        rows = [tuple(escaped(cell) for cell in score_row(one)) for one in section.scores]
        parts.append(markdown_table(SCORE_COLUMNS, rows))
    if section.shots:
        rows = [
            tuple(escaped(cell) for cell in (id, *(shown_cell(cell) for cell in cells)))
            for id, cells in section.shots.items()
        ]
        parts.append(markdown_table(tuple(escaped(name) for name in ("Shot", *section.columns)), rows))
    if section.notes:
        parts.append("\n".join(f"- {escaped(note)}" for note in section.notes))
    return parts


SCORE_COLUMNS = ("Score", "Value", "95 % interval", "n", "Wanted", "Note")
WORDS = ("Wanted", "Note")
"""Columns of a table of scores that hold text."""


def score_row(one: Score) -> tuple[str, ...]:
    """A score as text, under ``SCORE_COLUMNS``."""
    ends = one.low is not None and one.high is not None
    return (
        f"{one.text} {DIRECTION[one.better]}".strip(),
        shown(one.value, one.unit),
        f"{shown(one.low, one.unit)} to {shown(one.high, one.unit)}" if ends else "",
        str(one.n) if one.n else "",
        one.target,
        one.note,
    )


def shown(value: float | None, unit: Unit = "") -> str:
    """A number with its unit: 93.4 %, 31.2 dB, 0.912, 4.50."""
    if value is None:
        return NOTHING
    number = f"{value:.{DIGITS[unit]}f}" if unit in DIGITS else f"{value:.3g}"
    if unit == "" and abs(value) >= 1000:
        number = f"{value:.0f}"
    return f"{number} {unit}" if unit in ("%", "dB", "px") else number


def shown_cell(cell: Cell) -> str:
    """A cell of a table of shots."""
    if cell is None:
        return NOTHING
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:.3g}" if isinstance(cell, float) and abs(cell) < 1000 else str(cell)


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text and whose other ones stand to the right, words apart."""
    numbers = ["---" if name in WORDS else "---:" for name in columns[1:]]
    lines = [columns, ["---", *numbers], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def escaped(text: str) -> str:
    """Text that Markdown shows as it is written: a title may come from anybody."""
    text = " ".join(text.split())
    return re.sub(r"[\\|*_`\[!#~]", r"\\\g<0>", text.replace("&", "&amp;").replace("<", "&lt;"))


def _fixed(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"
