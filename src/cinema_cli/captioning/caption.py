"""``cinema caption``: words for the keyframes of a dataset, and which of them to discard (paper, 3.1 and B).

Films go one after another, frames of a film several at once.  Every answer that was paid for is in
the film's book before anything else happens to it (``book.py``), so a command that is killed at any
moment and run again pays for nothing twice.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, model_validator

from cinema_cli.captioning.annotators import (
    Annotator,
    ChatAnnotator,
    ChatAnnotatorConfig,
    Film,
    FrameError,
    Reader,
    SidecarAnnotator,
)
from cinema_cli.captioning.book import LEDGER, Book
from cinema_cli.captioning.cast import Cast, cast_file
from cinema_cli.captioning.tally import Tally
from cinema_cli.captioning.verdict import Annotation
from cinema_cli.captioning.workers import in_parallel
from cinema_cli.captioning.writing import Words, Writer, state
from cinema_cli.chat.ledger import Budget, Cost, Ledger, Prices
from cinema_cli.chat.model import ChatModel
from cinema_cli.chat.openai import OpenAIChat, OpenAIConfig
from cinema_cli.chat.patience import Patience
from cinema_cli.config import Config, build
from cinema_cli.contact_sheet import write_contact_sheet
from cinema_cli.dataset import RECORD, Ingested, films
from cinema_cli.errors import CinemaError, InputError, Interrupted, MissingError
from cinema_cli.files import locked
from cinema_cli.progress import Progress, Stop, finishing_on_signal
from cinema_cli.storyboard import Shot, Storyboard

SAVE_EVERY = 64
"""Frames between two writings of the storyboard; the answers themselves are on the disk at once."""


class CaptionConfig(Config):
    """Everything that ``cinema caption`` is told."""

    annotator: Literal["sidecar", "openai"] = "sidecar"
    """Who writes: a file beside the movie, or a model behind an OpenAI-compatible address."""
    chat: OpenAIConfig | None = None
    """Which model; only for openai."""
    shown: ChatAnnotatorConfig = ChatAnnotatorConfig()
    """What the model sees, and how much it may say."""
    patience: Patience = Patience()
    """How often a call is tried."""
    sidecars: Path | None = None
    """Folder of the sidecars, where they do not lie beside the movies."""
    cast: Path | None = None
    """Cast file, or a folder with one <film>.yaml each."""
    budget: str | None = None
    """The most that may be spent on these films, earlier runs included: 2.50usd, 200ktok."""
    prices: Prices = Prices()
    """Per million tokens."""
    picture_tokens: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = 2240
    """The most that one picture is thought to cost, until the server says what it does cost."""
    workers: Annotated[StrictInt, Field(ge=1, le=256)] = 4
    """Calls at once."""
    flagged: StrictBool = False
    """Ask about frames that ingest has flagged, too."""
    again: StrictBool = False
    """Replace words that were not written by this command, too."""
    give_up_after: Annotated[StrictInt, Field(ge=1)] = 20
    """So many failures in a row end the run: the server is down."""

    @model_validator(mode="after")
    def _model_is_named(self) -> "CaptionConfig":
        if self.annotator == "openai" and self.chat is None:
            raise ValueError("the annotator openai wants a model: give --model NAME (and --base-url URL).")
        if self.annotator == "sidecar" and (self.chat is not None or self.budget is not None):
            raise ValueError("a model and a budget are for the annotator openai: give --annotator openai.")
        return self


@dataclass(frozen=True)
class CaptionResult:
    """What the run did."""

    films: list[Path]
    """Folders of the films."""
    tally: Tally
    """Counts."""
    spent: Cost
    """In this run."""
    spent_in_all: Cost
    """On these films, earlier runs included."""
    unfinished: str
    """Why the same command has more to do; empty when it has not."""


def caption_films(
    dataset: Path, config: CaptionConfig, progress: Progress, model: ChatModel | None = None
) -> CaptionResult:
    """Caption every film of a dataset; what is done already is skipped.

    Args:
        dataset: A folder of films, or one film's folder.
        config: Who writes, and how.
        progress: Where to tell how far it is.
        model: Takes the place of the model that the config names.

    Raises:
        InputError: the dataset, the cast or the config cannot be used, or no film has a sidecar that can.
        MissingError: the server wants a key, or no film has a sidecar.
    """
    folders = films(dataset)
    budget = Budget.read(config.budget) if config.budget else None
    ledger = Ledger([folder / LEDGER for folder in folders], config.prices, budget, config.picture_tokens)
    with ExitStack() as stack:
        stop = stack.enter_context(finishing_on_signal())
        annotator = make_annotator(config, ledger, stack, model, lambda: stop.requested)
        run = _Run(config, annotator, progress, stop)
        for number, folder in enumerate(folders, start=1):
            run.film(folder, f"{folder.resolve().name} ({number}/{len(folders)})")
            if run.halted:
                break
    if len(run.tally.films_failed) == len(folders):
        raise run.errors[0]
    return CaptionResult(folders, run.tally, ledger.total - ledger.before, ledger.total, run.unfinished())


def make_annotator(
    config: CaptionConfig,
    ledger: Ledger,
    stack: ExitStack,
    model: ChatModel | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Annotator:
    """The annotator that a config names; ``stack`` closes its connections."""
    if config.annotator == "sidecar":
        return SidecarAnnotator(config.sidecars)
    if model is None:
        assert config.chat is not None
        model = stack.enter_context(OpenAIChat(config.chat))
    return ChatAnnotator(model, config.shown, ledger, config.patience, stopped)


def open_film(folder: Path, config: CaptionConfig) -> tuple[Film, Storyboard]:
    """A film with what is known of it; its folder is to be locked by whoever writes."""
    board = Storyboard.load(folder)
    ingested = Ingested.load(folder) if (folder / RECORD).is_file() else None
    path = cast_file(config.cast, folder)
    cast = Cast.load(path) if path is not None else None
    beside = path.parent if path is not None else folder
    return Film(folder, ingested, cast, beside, board.cast, Book(folder)), board


def shots_wanted(
    board: Storyboard, film: Film, reader: Reader, config: CaptionConfig, tally: Tally
) -> list[tuple[Shot, str]]:
    """Shots that want words, each with the hash of what they will be made from; the others are counted."""
    wanted = []
    tally.shots += len(board.shots)
    for shot in board.shots:
        if shot.keyframe is None:
            tally.without_picture += 1
        elif shot.flags and not config.flagged:
            tally.flagged += 1
        else:
            try:
                inputs = reader.inputs(shot)
            except InputError as error:  # its picture is missing or broken
                tally.failed[str(error)] += 1
                continue
            found = state(shot, film, inputs, again=config.again)
            if found == "wanted":
                wanted.append((shot, inputs))
            else:
                setattr(tally, found, getattr(tally, found) + 1)
    return wanted


def _check(shot: Shot, words: Annotation) -> None:
    """A frame's words must fit the storyboard; one that does not fit fails alone."""
    try:
        changes = {"caption": words.caption, "rejected": words.rejected}
        build(Shot, {**dict(shot), **changes}, f"shot {shot.id}")
    except InputError as error:
        raise FrameError(str(error)) from error


@dataclass
class _Run:
    """One run over the films."""

    config: CaptionConfig
    annotator: Annotator
    progress: Progress
    stop: Stop
    tally: Tally = field(default_factory=Tally)
    errors: list[CinemaError] = field(default_factory=list)
    halted: str = ""
    """Why no further frame is asked about."""
    failures: int = 0
    """In a row."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Of the two above: workers change them."""

    def film(self, folder: Path, name: str) -> None:
        """Caption one film; one that cannot be opened is counted, and the others go on."""
        with locked(folder):
            try:
                film, board = open_film(folder, self.config)
                reader = self.annotator.open(film)
            except (InputError, MissingError) as error:
                self.tally.films_failed.append(str(error))
                self.errors.append(error)
                return
            self.tally.notes += [f"{folder.name}: {note}" for note in reader.notes]
            if self.config.cast is not None and film.cast is None:
                self.tally.notes.append(f"{folder.name}: has no cast file of its own in {self.config.cast}")
            wanted = shots_wanted(board, film, reader, self.config, self.tally)
            writer = Writer(film, reader, again=self.config.again)
            try:
                self._annotate(wanted, reader, writer, name)
            finally:
                after = writer.save()
                self.tally.notes += writer.notes
            if after != board:
                self._show(after, folder)

    def _show(self, board: Storyboard, folder: Path) -> None:
        try:
            write_contact_sheet(board, folder)
        except InputError as error:  # a broken picture, which is counted already
            self.tally.notes.append(f"{folder.name}: no contact sheet was made ({error})")

    def _annotate(self, wanted: list[tuple[Shot, str]], reader: Reader, writer: Writer, name: str) -> None:
        """Words for the shots of one film, several at once; what is wrong with all of them is raised last."""
        task = self.progress.task(f"captioning {name}", len(wanted), "frames")
        fault: Exception | None = None

        def ask(item: tuple[Shot, str]) -> Annotation | None:
            return self._ask(reader, item[0])

        done = in_parallel(wanted, ask, self.config.workers, self._ended)
        for count, ((shot, inputs), outcome) in enumerate(done, start=1):
            if isinstance(outcome, FrameError):
                self.tally.failed[str(outcome)] += 1
            elif isinstance(outcome, Exception):
                fault = fault or (None if isinstance(outcome, Interrupted) else outcome)
            elif outcome is None:
                self.tally.without_words += 1
            else:
                self.tally.take(outcome)
                writer.add(Words(shot, outcome, inputs))
            if count % SAVE_EVERY == 0:
                writer.save()
            task.advance()
        if self.stop.requested:
            self.halted = self.halted or "stopped on request."
        if fault is not None:
            raise fault

    def _ask(self, reader: Reader, shot: Shot) -> Annotation | None:
        """Runs in a worker, so that what ends the run ends it before the worker takes another frame."""
        try:
            words = reader.annotate(shot)
            if words is not None:
                _check(shot, words)
        except FrameError as error:
            with self.lock:
                self.failures += 1
                if self.failures >= self.config.give_up_after and not self.halted:
                    self.halted = f"{self.failures} frames in a row failed, the last with: {error}"
            raise
        except Exception as error:
            with self.lock:
                self.halted = self.halted or str(error) or type(error).__name__
            raise
        with self.lock:
            self.failures = 0
        return words

    def _ended(self) -> bool:
        return bool(self.stop.requested or self.halted)

    def unfinished(self) -> str:
        """A sentence for what is left to do; none when nothing is."""
        told = []
        if self.halted:
            told.append(self.halted)
        if self.tally.left:
            told.append(f"{self.tally.left} frames could not be captioned.")
        if self.tally.films_failed:
            told.append(f"{len(self.tally.films_failed)} films could not be opened.")
        return " ".join([*told, "The same command goes on with what is left."]) if told else ""
