"""``cinema evaluate --stress``: the stress test, a judge's view of it, and unseen puppets (4.1, E, H, I)."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from cinema_cli.chat.model import ChatModel
from cinema_cli.evaluation.evaluate import judge_folder, report_of
from cinema_cli.evaluation.exact import measure_exact
from cinema_cli.evaluation.figures import markdown
from cinema_cli.evaluation.films import Film
from cinema_cli.evaluation.judge import JudgeConfig, judge_film, open_judge
from cinema_cli.evaluation.page import write_page
from cinema_cli.evaluation.report import Section
from cinema_cli.evaluation.stress import (
    DATA_NAME,
    SETTINGS,
    StressCell,
    StressConfig,
    planned_as,
    run_stress,
)
from cinema_cli.evaluation.stress_report import stress_plots, stress_table, table_2_rows
from cinema_cli.evaluation.tables import table_2
from cinema_cli.evaluation.unseen_trials import unseen_sheet
from cinema_cli.evaluation.weights_card import FIRST, Card, CardConfig, load_artist, measure_weights
from cinema_cli.files import write_atomic
from cinema_cli.progress import Progress

TABLE_NAME = "stress.md"
UNSEEN = "unseen"
"""Folder of appendix I's test."""
SHEET_NAME = "unseen.png"


class StressTestConfig(StressConfig):
    """The stress test, and what goes with it."""

    unseen: Annotated[int, Field(ge=0, le=10_000)] = 8
    """Puppets of appendix I's test; 0 leaves it out."""
    judge: JudgeConfig | None = None
    """Who judges every story; absent: nobody."""


@dataclass(frozen=True)
class StressTest:
    """What was written."""

    page: Path
    table: Path
    data: Path
    cells: tuple[StressCell, ...]
    sheet: Path | None
    """Pictures of an unseen puppet."""

    @property
    def paths(self) -> dict[str, Path]:
        """By name."""
        found = {"report": self.page, "table": self.table, "data": self.data}
        return found if self.sheet is None else {**found, "unseen": self.sheet}


def stress_test(
    config: StressTestConfig, out: Path, progress: Progress, chat: ChatModel | None = None
) -> StressTest:
    """Draw and read stories; write ``report.html``, ``stress.md``, ``stress.json`` and films into ``out``.

    Args:
        config: How.
        out: Where everything goes.
        progress: Told of the steps.
        chat: Takes the place of the model that the config's judge names.

    Raises:
        InputError, MissingError: the config, the weights or the judge cannot be used.
        Interrupted: stopped; the same command goes on.
    """
    cells = run_stress(config, out, progress)
    judged = _judged(config, out, cells, progress, chat)
    rows = table_2_rows(cells, judged)
    card, sheet = _unseen(config, out, progress)
    shown = [Film.open(cell.films[0]) for cell in cells if cell.pairs == max(config.pairs)]
    reports = [report_of(film, [measure_exact(film)]) for film in shown]
    titles = [f"{film.board.title} ({film.folder.parent.name})" for film in shown]
    named = [report.model_copy(update={"title": t}) for report, t in zip(reports, titles, strict=True)]
    page = write_page(named, shown, out, stress=rows, figures=stress_plots(cells))
    parts = [_told(config, cells), stress_table(cells), table_2([], rows).markdown()]
    if card is not None:
        parts += [
            "Appendix I: puppets that the model never saw, beside twelve noisy pictures of each.",
            "\n".join(markdown([row for row in card.rows if row.measured is not None])),
        ]
    write_atomic(out / TABLE_NAME, "\n\n".join(parts) + "\n")
    return StressTest(page, out / TABLE_NAME, out / DATA_NAME, tuple(cells), sheet)


def _told(config: StressTestConfig, cells: Sequence[StressCell]) -> str:
    """How it was drawn, in one line: what the figures depend on."""
    counts = ", ".join(
        f"{cell.stories} of {cell.pairs}" for cell in cells if cell.setting == cells[0].setting
    )
    minutes = sum(cell.seconds for cell in cells) / 60
    drawn = planned_as(config, SETTINGS[cells[0].setting], cells[0].pairs)
    led = drawn.guidance != 1 and drawn.guidance_above
    above = f" above a noise of {drawn.guidance_above:g}" if led else ""
    return (
        f"Stories in each setting: {counts} pairs. {config.steps} steps, guidance {drawn.guidance:g}{above}, "
        f"looks told once; {minutes:.0f} minutes of drawing. Figures in per cent with 95 % intervals; 12.5 % "
        "is a colour that is guessed."
    )


def _judged(
    config: StressTestConfig,
    out: Path,
    cells: Sequence[StressCell],
    progress: Progress,
    chat: ChatModel | None,
) -> dict[tuple[str, int], list[Section]]:
    if config.judge is None:
        return {}
    judged: dict[tuple[str, int], list[Section]] = {}
    with ExitStack() as stack:
        model = chat or open_judge(config.judge, stack)
        for cell in cells:
            for folder in cell.films:
                film = Film.open(folder)
                section = judge_film(film, model, config.judge, judge_folder(out, film), progress)
                judged.setdefault((cell.setting, cell.pairs), []).append(section)
    return judged


def _unseen(config: StressTestConfig, out: Path, progress: Progress) -> tuple[Card, Path] | tuple[None, None]:
    if not config.unseen:
        return None, None
    options = CardConfig(
        weights=config.weights,
        preset=config.preset,
        sequences=config.unseen,
        steps=config.steps,
        guidance=config.guidance,
        part="keyframes",
        trials=("unseen",),
    )
    card = measure_weights(options, out / UNSEEN, progress)
    return card, unseen_sheet(load_artist(options), FIRST, out / SHEET_NAME)
