"""What was measured to look at: one self-contained page, ``report.html``.

Like the contact sheet it needs no script, no network and no other file: pictures are inlined as small
JPEGs, plots as SVG, and its own security policy forbids the rest.  Titles, captions and notes come from
strangers and are escaped; only ``plots`` writes markup.
"""

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from cinema_cli.contact_sheet import Run, name_hues, text_runs
from cinema_cli.evaluation.films import Film, Frame
from cinema_cli.evaluation.plots import bar_plot
from cinema_cli.evaluation.published import Table2Row
from cinema_cli.evaluation.report import Cell, FilmReport, Score, Section, Unit
from cinema_cli.evaluation.tables import (
    COMPARE_NOTE,
    DIRECTION,
    film_names,
    shown,
    shown_cell,
    table_1,
    table_2,
)
from cinema_cli.fields import seconds
from cinema_cli.files import write_atomic
from cinema_cli.progress import clock

PAGE_NAME = "report.html"
WIDTHS = ((100, 320), (1_000, 200), (10_000, 120))
"""Width of a keyframe on the page, in pixels, for up to so many shots in all; the last one for more."""
SCALES: dict[Unit, float] = {"%": 100, "0 to 1": 1, "0 to 5": 5}
"""The highest value of units that have one: such scores are also drawn as a bar."""


@dataclass(frozen=True)
class ScoreView:
    """A score as the page shows it."""

    score: Score
    value: str
    interval: str
    arrow: str
    bar: tuple[float, float, float] | None
    """In per cent of the scale: the value and its interval's ends; none for units without a scale."""


@dataclass(frozen=True)
class SectionView:
    """A section as the page shows it."""

    section: Section
    scores: list[ScoreView]
    plots: list[Markup]
    rows: list[tuple[str, list[str]]]


@dataclass(frozen=True)
class Card:
    """One shot: its keyframe and what was measured of it."""

    id: str
    start: str
    runs: list[Run]
    picture: str | None
    values: list[tuple[str, list[tuple[str, str]]]]
    """For each section that has something to say, names and values."""


@dataclass(frozen=True)
class FilmView:
    """A film as the page shows it."""

    name: str
    report: FilmReport
    length: str
    ratio: float
    cards: list[Card]
    sections: list[SectionView]


def write_page(
    reports: Sequence[FilmReport],
    films: Sequence[Film],
    out: Path,
    *,
    stress: Sequence[Table2Row] = (),
    figures: Sequence[str] = (),
) -> Path:
    """Write ``report.html`` into a folder and return its path.

    Args:
        reports: What was measured.
        films: The film of each report, in the same order.
        out: The folder.
        stress: Further rows of Table 2.
        figures: Plots that ``plots.line_plot`` drew, shown behind the tables.

    Raises:
        InputError: a keyframe that a storyboard names cannot be read.
    """
    assert len(reports) == len(films), (len(reports), len(films))
    shots = sum(len(film.shots) for film in films)
    width = next((width for most, width in WIDTHS if shots <= most), WIDTHS[-1][1])
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("page.html.j2").render(
        films=[_film(*one, width) for one in zip(film_names(reports), reports, films, strict=True)],
        compared=list(_compared(reports)) if len(reports) > 1 else [],
        tables=[table_1(reports), table_2(reports, stress)],
        compare_note=COMPARE_NOTE,
        figures=[Markup(figure) for figure in figures],  # ours: plots escapes all words
        shots=shots,
        made_by=reports[0].made_by if reports else "",
    )
    path = out / PAGE_NAME
    write_atomic(path, page)
    return path


def _film(name: str, report: FilmReport, film: Film, width: int) -> FilmView:
    length = sum((seconds(shot.duration) for shot in film.shots), Fraction(0))
    height, across = film.board.frame_size
    return FilmView(
        name,
        report,
        clock(float(length)),
        across / height,
        list(_cards(report, film, width)),
        [_section(section) for section in report.sections],
    )


def _cards(report: FilmReport, film: Film, width: int) -> Iterator[Card]:
    hues = name_hues(film.board)
    start = Fraction(0)
    for shot in film.shots:
        picture = film.keyframe(shot)
        yield Card(
            shot.id,
            clock(float(start)),
            text_runs(shot.caption, hues),
            None if picture is None else inlined(picture, width),
            [(section.title, values) for section in report.sections if (values := _values(section, shot.id))],
        )
        start += seconds(shot.duration)


def _values(section: Section, shot: str) -> list[tuple[str, str]]:
    """What a section says of a shot; nothing of what it could not measure."""
    cells = section.shots.get(shot, ())
    return [
        (name, shown_cell(cell))
        for name, cell in zip(section.columns, cells, strict=False)
        if cell is not None
    ]


def _section(section: Section) -> SectionView:
    return SectionView(
        section,
        [_score(score) for score in section.scores],
        list(_plots(section)),
        [(id, [shown_cell(cell) for cell in cells]) for id, cells in section.shots.items()],
    )


def _plots(section: Section) -> Iterator[Markup]:
    """A bar for every shot, for each column whose numbers differ."""
    for place, name in enumerate(section.columns):
        bars = [(id, _number(cells[place])) for id, cells in section.shots.items()]
        values = {value for _, value in bars if value is not None}
        if len(values) > 1:
            yield Markup(bar_plot(bars, name))  # plots escapes all words


def _number(cell: Cell) -> float | None:
    return None if cell is None or isinstance(cell, bool | str) else float(cell)


def _score(score: Score) -> ScoreView:
    ends = (score.low, score.high)
    interval = ""
    if score.low is not None and score.high is not None:
        interval = f"{shown(score.low, score.unit)} to {shown(score.high, score.unit)}"
    bar = None
    if score.value is not None and score.unit in SCALES:
        low, high = (score.value if end is None else end for end in ends)
        value, low, high = (
            100 * min(1.0, max(0.0, number / SCALES[score.unit])) for number in (score.value, low, high)
        )
        bar = (value, low, high)
    return ScoreView(score, shown(score.value, score.unit), interval, DIRECTION[score.better], bar)


def _compared(reports: Sequence[FilmReport]) -> Iterator[tuple[str, list[tuple[str, list[str]]]]]:
    """For each section the scores that at least one film has, a row each with the value of every film."""
    titles = {section.name: section.title for report in reports for section in report.sections}
    for name, title in titles.items():
        found = [report.section(name) for report in reports]
        scores = [{score.key: score for score in section.scores} if section else {} for section in found]
        first = {key: score for one in reversed(scores) for key, score in one.items()}
        rows = []
        for key, like in first.items():
            values = [shown(one[key].value, one[key].unit) if key in one else shown(None) for one in scores]
            rows.append((f"{like.text} {DIRECTION[like.better]}".strip(), values))
        yield title, rows


def inlined(frame: Frame, width: int) -> str:
    """A picture as a data URI of a JPEG; a small one is enlarged at most twice."""
    height, across = frame.shape[:2]
    width = min(width, 2 * across)
    size = (width, max(1, round(height * width / across)))
    stream = io.BytesIO()
    Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS).save(
        stream, "JPEG", quality=85, subsampling=0
    )
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
