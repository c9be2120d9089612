"""``cinema evaluate``: films are measured in every way that fits them, and shown on one page (section 4, H).

What was measured is noted section by section, so the same command goes on where it stopped and measures again
only what has changed since: the storyboard, a picture, a clip, or how it is to be measured.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from cinema_cli import __version__, runtime
from cinema_cli.chat.model import ChatModel
from cinema_cli.config import Config, build
from cinema_cli.dataset import films as films_of
from cinema_cli.errors import InputError, Interrupted
from cinema_cli.evaluation.consistency import EncoderConfig, measure_encoders
from cinema_cli.evaluation.encoders import ImageEncoder, WordEncoder, load_encoder, load_word_encoder
from cinema_cli.evaluation.exact import measure_exact
from cinema_cli.evaluation.films import Film
from cinema_cli.evaluation.judge import JudgeConfig, judge_film, open_judge
from cinema_cli.evaluation.page import write_page
from cinema_cli.evaluation.pixels import measure_pixels
from cinema_cli.evaluation.report import FilmReport, Section, SectionName
from cinema_cli.evaluation.tables import markdown
from cinema_cli.evaluation.truth import is_of_the_theatre, true_shots
from cinema_cli.fields import inside
from cinema_cli.files import Journal, locked, sha256_json, write_atomic
from cinema_cli.models.quiet import quiet_libraries
from cinema_cli.progress import Progress, finishing_on_signal
from cinema_cli.storyboard import FILE_NAME

TABLE_NAME = "report.md"
DATA_NAME = "report.json"
ORDER: tuple[SectionName, ...] = ("exact", "pixels", "encoders", "judge")


class EvaluateConfig(Config):
    """What is measured of films."""

    metrics: tuple[Literal["exact", "pixels", "encoders", "judge"], ...] | None = Field(None, min_length=1)
    """Which ways; absent: ``exact`` for films of the theatre, ``pixels`` for all, ``encoders`` where some are
    named and for films of the theatre, ``judge`` where one is named."""
    encoders: EncoderConfig | None = None
    """Which encoders; absent: the embedded CLIP, for films of the theatre alone: it knows nothing else."""
    judge: JudgeConfig | None = None
    """Who judges; absent: nobody."""


@dataclass(frozen=True)
class Evaluated:
    """What was written, and what it says."""

    page: Path
    table: Path
    data: Path
    reports: tuple[FilmReport, ...]
    measured: int
    """Sections that were measured now."""
    kept: int
    """Sections that had been measured before."""


def evaluate_films(
    paths: Sequence[Path],
    config: EvaluateConfig,
    out: Path,
    progress: Progress,
    chat: ChatModel | None = None,
) -> Evaluated:
    """Measure films, and write ``report.html``, ``report.md`` and ``report.json`` into ``out``.

    Args:
        paths: Films' folders, or folders of such folders.
        config: How.
        out: Where reports and what is noted of them go.
        progress: Told of the steps.
        chat: Takes the place of the model that the config's judge names.

    Raises:
        InputError: a path is no film, a film cannot be read, or it cannot be measured as was asked.
        MissingError: an encoder or a key is missing.
        Interrupted: stopped between two sections; the same command goes on.
    """
    films = open_films(paths)
    with locked(out), finishing_on_signal() as stop, ExitStack() as stack:
        quiet_libraries()
        bench = _Bench(config, out, progress, lambda: stop.requested, stack, chat)
        task = progress.task("evaluating", sum(len(bench.wanted(film)) for film in films), "sections")
        reports = []
        for film in films:
            sections = []
            for name in bench.wanted(film):
                if stop.requested:
                    raise Interrupted(f"{bench.measured} sections are noted. The same command goes on.")
                sections.append(bench.section(film, name))
                task.advance()
            reports.append(report_of(film, sections))
        page = write_page(reports, films, out)
        write_atomic(out / TABLE_NAME, markdown(reports))
        data = [report.model_dump(mode="json") for report in reports]
        write_atomic(out / DATA_NAME, json.dumps(data, indent=2, allow_nan=False) + "\n")
    return Evaluated(page, out / TABLE_NAME, out / DATA_NAME, tuple(reports), bench.measured, bench.kept)


def open_films(paths: Iterable[Path]) -> list[Film]:
    """All films that the paths name, each once.

    Raises:
        InputError: one of them is no film and holds none.
    """
    folders: dict[Path, Path] = {}
    for path in paths:
        for folder in [path.parent] if path.name == FILE_NAME else films_of(path):
            folders.setdefault(folder.resolve(), folder)
    return [Film.open(folder) for folder in folders.values()]


def report_of(film: Film, sections: Sequence[Section]) -> FilmReport:
    """A film's report."""
    return FilmReport(
        title=film.board.title,
        folder=film.folder.resolve().name,
        storyboard_sha256=film.sha256,
        shots=len(film.shots),
        sections=tuple(sections),
    )


class _Bench:
    """Measures a film in one way, or takes what was noted before."""

    def __init__(
        self,
        config: EvaluateConfig,
        out: Path,
        progress: Progress,
        stopped: Callable[[], bool],
        stack: ExitStack,
        chat: ChatModel | None,
    ) -> None:
        self.config, self.out, self.progress, self.stopped, self.stack = config, out, progress, stopped, stack
        self.journal = Journal(out / "report.jsonl")
        self.chat, self.encoders = chat, config.encoders or EncoderConfig()
        self.measured = self.kept = 0
        self._seers: tuple[WordEncoder, ImageEncoder | None] | None = None
        self._ways: Mapping[SectionName, Callable[[Film], Section]] = {
            "exact": measure_exact,
            "pixels": lambda film: measure_pixels(film, progress, stopped),
            "encoders": self._encoded,
            "judge": self._judged,
        }

    def wanted(self, film: Film) -> list[SectionName]:
        """The ways in which a film is measured."""
        if self.config.metrics is not None:
            return [name for name in ORDER if name in self.config.metrics]
        theatre = is_of_the_theatre(film.board, true_shots(film.board))
        fits = {
            "exact": theatre,
            "pixels": True,
            "encoders": theatre or self.config.encoders is not None,
            "judge": self.config.judge is not None,
        }
        return [name for name in ORDER if fits[name]]

    def section(self, film: Film, name: SectionName) -> Section:
        """What one way says of a film."""
        key = f"{name} {self._inputs(film, name)}"
        noted = self.journal.get(key)
        if noted is not None:
            self.kept += 1
            return build(Section, noted["section"], f"{self.out}: what was noted")
        section = self._ways[name](film)
        self.journal.record(key, section=section.model_dump(mode="json"))
        self.measured += 1
        return section

    def _inputs(self, film: Film, name: SectionName) -> str:
        """Of everything that a section is made from."""
        how: dict[str, Any] = {}
        if name == "encoders":
            how = self.encoders.model_dump(mode="json")
        if name == "judge" and self.config.judge is not None:
            how = self.config.judge.model_dump(mode="json", exclude={"budget", "prices", "patience"})
        files = [path for shot in film.shots for path in (shot.keyframe, shot.clip) if path]
        media = [inside(film.folder, path) for path in files] + ([film.movie] if film.movie else [])
        seen = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in media if path.is_file()]
        place = str(film.folder.resolve())
        return sha256_json(
            {"how": how, "place": place, "board": film.sha256, "media": seen, "by": __version__}
        )

    def _encoded(self, film: Film) -> Section:
        if self._seers is None:
            where = runtime.device()
            subject = self.encoders.subject
            self._seers = (
                load_word_encoder(self.encoders.clip, where),
                load_encoder(subject, where) if subject else None,
            )
        return measure_encoders(film, *self._seers, self.progress, self.stopped)

    def _judged(self, film: Film) -> Section:
        if self.config.judge is None:
            raise InputError(
                "metrics: a judge was wanted, but none is named. Add --judge openai --model NAME."
            )
        if self.chat is None:
            self.chat = open_judge(self.config.judge, self.stack)
        return judge_film(
            film, self.chat, self.config.judge, judge_folder(self.out, film), self.progress, self.stopped
        )


def judge_folder(out: Path, film: Film) -> Path:
    """Where a judge's answers about a film are kept: films of the same name lie apart."""
    folder = film.folder.resolve()
    return out / "judge" / f"{folder.name}-{sha256_json(str(folder))[:8]}"
