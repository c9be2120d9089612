"""The stress test as a table, a plot and rows beside the paper's Table 2 (Fig. 11)."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from cinema_cli.evaluation.figures import Row
from cinema_cli.evaluation.plots import line_plot
from cinema_cli.evaluation.published import Table2Row
from cinema_cli.evaluation.report import Section
from cinema_cli.evaluation.stress import FIGURES, SETTINGS, StressCell
from cinema_cli.evaluation.tables import ASPECTS, markdown_table
from cinema_cli.theatre.world import COLOURS

IDENTITY = ("coat named", "hat named")
CHANCE = 100 / len(COLOURS)
"""Of a colour that is guessed, in per cent."""
PLOTTED = {
    "coat named": "Identity in context: coat of a puppet that is only named",
    "hat named": "Identity in context: hat of a puppet that is only named",
    "coat described": "Coat of a puppet whose caption describes it",
    "set": "Set as captioned",
}

ASPECT_COLUMNS = ("character", "scene", "visual", "aesthetic", "diversity", "narrative")
"""Columns of Table 2 for the aspects of a judge, in their order."""

Judged = Mapping[tuple[str, int], Sequence[Section]]
"""Sections of a judge, one for each story, by setting and length."""


def identity(cell: StressCell) -> float | None:
    """Mean of coat and hat of puppets that are only named, in per cent."""
    values = [cell.value(key) for key in IDENTITY]
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(IDENTITY) else None


def retained(cells: Sequence[StressCell]) -> dict[tuple[str, int], float]:
    """Identity of each setting and length as a share, in per cent, of the same setting's shortest stories."""
    shares = {}
    for name in dict.fromkeys(cell.setting for cell in cells):
        own = sorted((cell for cell in cells if cell.setting == name), key=lambda cell: cell.pairs)
        first = identity(own[0])
        for cell in own:
            value = identity(cell)
            if first and value is not None:
                shares[name, cell.pairs] = 100 * value / first
    return shares


def stress_table(cells: Sequence[StressCell]) -> str:
    """All figures of all settings and lengths, as Markdown."""
    kept = retained(cells)
    shortest = min(cell.pairs for cell in cells)
    columns = ["Setting", "Pairs", "Stories", f"Identity, of that at {shortest}", *_headings(), "Seconds"]
    rows = []
    for cell in sorted(cells, key=lambda cell: (list(SETTINGS).index(cell.setting), cell.pairs)):
        share = kept.get((cell.setting, cell.pairs))
        rows.append(
            [
                SETTINGS[cell.setting].title,
                str(cell.pairs),
                str(cell.stories),
                "-" if share is None else f"{share:.0f} %",
                *(_told(one) for one in cell.rows),
                f"{cell.seconds:.0f}",
            ]
        )
    return markdown_table(columns, rows)


def stress_plots(cells: Sequence[StressCell]) -> list[str]:
    """Figures against the length of the context, as SVG: a line for each setting, and chance."""
    lengths = sorted({cell.pairs for cell in cells})
    return [_plot(cells, lengths, key, title) for key, title in PLOTTED.items()]


def table_2_rows(cells: Sequence[StressCell], judged: Judged) -> list[Table2Row]:
    """Rows for the paper's Table 2: a judge's means where one was asked; identity is read from pixels."""
    rows = []
    for cell in cells:
        sections = judged.get((cell.setting, cell.pairs), ())
        means = [_mean(sections, aspect) for aspect in ASPECTS]
        value = identity(cell)
        name = f"{SETTINGS[cell.setting].title} (theatre)"
        shown = dict(zip(ASPECT_COLUMNS, means, strict=True))
        rows.append(Table2Row(name, cell.pairs, **shown, identity=None if value is None else value / 100))
    return rows


def _plot(cells: Sequence[StressCell], lengths: list[int], key: str, title: str) -> str:
    series: dict[str, list[tuple[float, float]]] = {}
    spread: dict[str, list[tuple[float, float, float]]] = {}
    for name in dict.fromkeys(cell.setting for cell in cells):
        label = SETTINGS[name].title
        for cell in sorted(cells, key=lambda cell: cell.pairs):
            one = cell.rows[[figure.key for figure in FIGURES].index(key)]
            if cell.setting == name and one.measured is not None:
                series.setdefault(label, []).append((cell.pairs, one.measured))
                if one.low is not None and one.high is not None:
                    spread.setdefault(label, []).append((cell.pairs, one.low, one.high))
    if key.split()[0] in ("coat", "hat"):
        series["a guess"] = [(lengths[0], CHANCE), (lengths[-1], CHANCE)]
    x, y = "pairs in the story", "right, %"
    return line_plot(series, title, x, y, lengths, y_range=(0, 100), spread=spread)


def _mean(sections: Sequence[Section], aspect: str) -> float | None:
    values = [
        score.value
        for section in sections
        for score in section.scores
        if score.key == aspect and score.value is not None
    ]
    return fmean(values) if values else None


def _headings() -> list[str]:
    short = {"coat named": "coat, named", "hat named": "hat, named", "place 8+": "place after 8+"}
    return [short.get(figure.key, figure.key.replace(" described", ", described")) for figure in FIGURES]


def _told(one: Row) -> str:
    if one.measured is None:
        return "-"
    between = "" if one.low is None else f" ({one.low:.0f} to {one.high:.0f})"
    return f"{one.measured:.1f}{between}"
