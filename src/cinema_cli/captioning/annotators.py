"""Who writes the captions: a file beside the movie, or a vision-language model (paper, 3.1 and B).

An ``Annotator`` opens a film and gives a ``Reader``, which knows what is to be known of the whole
and annotates one shot at a time, from several threads.  The double that ships is ``ChatAnnotator``
over a ``ScriptedChat``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import Field, StrictInt

from cinema_cli.captioning.book import LEDGER, Book
from cinema_cli.captioning.cast import Cast
from cinema_cli.captioning.pictures import read_bytes, sha256, shown
from cinema_cli.captioning.prompt import answer_schema, system_prompt
from cinema_cli.captioning.sidecar import About, find_sidecar, read_sidecar
from cinema_cli.captioning.verdict import Annotation, NoVerdict, read_verdict, tagged
from cinema_cli.chat.ledger import Ledger
from cinema_cli.chat.model import Answer, ChatError, ChatModel, Part, Picture, Request, one_line
from cinema_cli.chat.paid import PaidChat
from cinema_cli.chat.patience import Patience, PatientChat
from cinema_cli.config import Config
from cinema_cli.dataset import Ingested
from cinema_cli.errors import CinemaError, InputError
from cinema_cli.fields import inside
from cinema_cli.files import sha256_json
from cinema_cli.storyboard import CastMember, Shot

ASKS = 2
"""Calls for one frame in one run, where what comes back is no verdict."""


class FrameError(CinemaError):
    """This frame could not be annotated; the others can."""

    exit_code = 5


@dataclass(frozen=True)
class Film:
    """A film that is to be annotated."""

    folder: Path
    """With its storyboard and keyframes."""
    ingested: Ingested | None
    """Where it came from; None for a film that was made."""
    cast: Cast | None
    """From the cast file, where one was given."""
    cast_folder: Path
    """Where the cast's reference pictures lie."""
    members: tuple[CastMember, ...]
    """The cast of its storyboard."""
    book: Book
    """What was answered and written before."""

    def who(self, about: About) -> Cast:
        """Who may be tagged: the cast file says, else the annotator, else the storyboard."""
        return self.cast if self.cast is not None else Cast.of(about.cast or self.members)


class Reader(Protocol):
    """A film, opened by an annotator."""

    about: About
    """What is known of the whole; empty where nothing is."""
    cast: Cast
    """Who may be tagged."""
    notes: tuple[str, ...]
    """What a person should know of how it is read."""

    def inputs(self, shot: Shot) -> str:
        """One hash for all that decides the words for a shot."""

    def annotate(self, shot: Shot) -> Annotation | None:
        """The words for a shot; None where there are none for it.

        Raises:
            FrameError: this shot cannot be annotated now.
            Interrupted: no further shot can be: a signal, or the budget.
        """


class Annotator(Protocol):
    """Whoever writes captions."""

    def open(self, film: Film) -> Reader:
        """Begin with a film.

        Raises:
            InputError: what is known of this film cannot be used.
            MissingError: nothing is known of this film.
        """


class SidecarAnnotator:
    """Takes captions from a file beside the movie, or in a folder of their own."""

    def __init__(self, folder: Path | None = None) -> None:
        """``folder`` holds the files; else they are looked for beside the movies."""
        self._folder = folder

    def open(self, film: Film) -> "SidecarReader":
        """Find and read the file."""
        if film.ingested is None:
            raise InputError(
                f"{film.folder}: a film that was ingested from a movie was wanted, found no ingest.json. "
                "Captions beside a movie fit no other film."
            )
        return SidecarReader(film, self._folder)


class SidecarReader:
    """One film and its file."""

    def __init__(self, film: Film, folder: Path | None) -> None:
        """Read the file; it must belong to the movie."""
        assert film.ingested is not None
        movie = Path(film.ingested.path)
        path, unread = find_sidecar(movie, folder or movie.parent)
        self._sidecar = read_sidecar(path)
        if self._sidecar.movie and self._sidecar.movie != film.ingested.sha256:
            raise InputError(
                f"{path}: belongs to another movie than the one that was ingested as {film.folder.name} "
                "(their SHA-256 differ). Ingest the movie again, or correct the file."
            )
        self.about = self._sidecar.about
        self.notes = tuple(f"{path.name} was read, {other.name} beside it was not" for other in unread)
        self.cast = film.who(self.about)

    def inputs(self, shot: Shot) -> str:
        """The file, the names that may be tagged, and where the shot lies in the movie."""
        source = None if shot.source is None else shot.source.model_dump()
        return sha256_json([self._sidecar.sha256, self.cast.model_dump(mode="json"), shot.id, source])

    def annotate(self, shot: Shot) -> Annotation | None:
        """The words for the shot's own time."""
        cue = self._sidecar.cue(shot.id, shot.source)
        if cue is None:
            return None
        return replace(tagged(cue.caption, self.cast, cue.characters), rejected=cue.rejected)


class ChatAnnotatorConfig(Config):
    """What a model is shown, and how much it may say."""

    picture_side: Annotated[StrictInt, Field(ge=64, le=8192)] = 1024
    """Longer side of a keyframe as it is sent, in pixels; smaller ones are sent as they are."""
    reference_side: Annotated[StrictInt, Field(ge=64, le=8192)] = 512
    """The same for a reference picture of the cast."""
    max_tokens: Annotated[StrictInt, Field(ge=64, le=65_536)] = 1024
    """Of one answer, thinking included; a long caption has 400."""


class ChatAnnotator:
    """Lets a vision-language model filter and caption, one frame a call."""

    def __init__(
        self,
        model: ChatModel,
        config: ChatAnnotatorConfig,
        ledger: Ledger,
        patience: Patience,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """``stopped`` ends the wait for a busy server."""
        self._model, self._config, self._ledger = model, config, ledger
        self._patience, self._stopped = patience, stopped

    def open(self, film: Film) -> "ChatReader":
        """Write the question that every frame of the film shares."""
        account = film.folder / LEDGER
        self._ledger.open(account)
        paid = PaidChat(self._model, account, film.book, self._ledger)
        return ChatReader(film, PatientChat(paid, self._patience, self._stopped), self._config)


class ChatReader:
    """One film and the question about its frames."""

    about = About()
    notes: tuple[str, ...] = ()

    def __init__(self, film: Film, model: ChatModel, config: ChatAnnotatorConfig) -> None:
        """``model`` keeps what it answers in the film's book."""
        self._film, self._model, self._config = film, model, config
        self.cast = film.who(self.about)
        self._system, self._schema = system_prompt(self.cast), answer_schema(self.cast)
        self._references: list[Part] = []
        for name, path in self.cast.references(film.cast_folder):
            self._references += [f"A reference picture of {name}:", shown(path, config.reference_side)]

    def inputs(self, shot: Shot) -> str:
        """The question about this frame, and the model that is asked."""
        return self.looked_up(shot).sha256(self._model.name)

    def kept(self, shot: Shot) -> bool:
        """Whether the answer was paid for before."""
        answer = self._film.book.answer(self.looked_up(shot), self._model.name)
        return answer is not None and _fault(answer) == ""

    def looked_up(self, shot: Shot) -> Request:
        """The question with the frame known by its bytes alone: to be looked up and counted, not sent."""
        frame = Picture(b"", "image/jpeg", sha256(read_bytes(self._path(shot))), self._config.picture_side)
        return self._question(frame)

    def annotate(self, shot: Shot) -> Annotation:
        """The verdict of the model, from the book where it was asked before."""
        try:
            answer = self._film.book.answer(self.looked_up(shot), self._model.name)
            question = None
            for _ in range(ASKS):
                if answer is not None and not _fault(answer):
                    break
                question = question or self._question(shown(self._path(shot), self._config.picture_side))
                answer = self._model.complete(question)
        except (InputError, ChatError) as error:
            raise FrameError(str(error)) from error
        assert answer is not None
        if fault := _fault(answer):
            raise FrameError(f"{self._model.name} gave no verdict in {ASKS} answers: {fault}")
        return self._annotation(answer)

    def _annotation(self, answer: Answer) -> Annotation:
        if answer.refusal:
            return Annotation("", rejected=f"refused by the model: {one_line(answer.refusal)}")
        verdict = read_verdict(answer.text)
        words = tagged(verdict.caption, self.cast, verdict.characters)
        return replace(words, rejected=None if verdict.keep else verdict.reject_reason)

    def _question(self, picture: Picture) -> Request:
        parts = (*self._references, "The frame:", picture)
        return Request(self._system, parts, self._schema, self._config.max_tokens)

    def _path(self, shot: Shot) -> Path:
        assert shot.keyframe is not None
        return inside(self._film.folder, shot.keyframe)


def _fault(answer: Answer) -> str:
    """What keeps an answer from being an outcome; nothing does for a refusal."""
    if answer.refusal:
        return ""
    if answer.cut:
        return "it was cut off at the limit; give more with --max-tokens, or less --reasoning-effort."
    try:
        read_verdict(answer.text)
    except NoVerdict as error:
        return str(error)
    return ""
