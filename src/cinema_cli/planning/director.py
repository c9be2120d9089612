"""A director: a chat model turns a story into shots, cast and places (paper, 4.1: GPT-4o there).

A long story is asked about chapter by chapter.  Each question holds what was planned before (``Told`` and the
cast), so that names, looks and places stay the same.  Every answer is on the disk before anything else
happens to it, under the hash of its question: a run that was killed or ran out of budget goes on with the
same command, and nothing is paid for twice.
"""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, StrictInt

from cinema_cli.chat.answers import Answers
from cinema_cli.chat.consulting import REPAIRS, ConsultingConfig
from cinema_cli.chat.ledger import Budget, Cost, Ledger
from cinema_cli.chat.model import Answer, ChatError, ChatModel, Request, one_line
from cinema_cli.chat.openai import OpenAIChat
from cinema_cli.chat.paid import PaidChat
from cinema_cli.chat.patience import PatientChat
from cinema_cli.errors import CinemaError, InputError, Interrupted
from cinema_cli.files import write_atomic
from cinema_cli.planning.before import Before
from cinema_cli.planning.chapters import Chapter, chapters_of
from cinema_cli.planning.directed import Directed, Telling, own_words, staged_by_theatre
from cinema_cli.planning.director_prompt import PROMPT_SHA256, SCHEMA, SYSTEM, repair
from cinema_cli.planning.director_reply import NoReply, Reply, read_reply
from cinema_cli.planning.shot_list import ShotList
from cinema_cli.planning.told import DirectedBy, Words
from cinema_cli.progress import Progress

ANSWERS = "director.jsonl"
LEDGER = "director-ledger.json"
BAD_REPLY = "director-reply.txt"
MAX_RETURNED = 30_000
"""Characters of a bad answer that are shown to its writer."""


class DirectorError(CinemaError):
    """The director's answers for a chapter cannot be used; those for others are kept."""

    exit_code = 5


class DirectorConfig(ConsultingConfig):
    """Who directs, in questions of which size, at which price."""

    wanted: ClassVar[str] = "a director: give --director MODEL"

    max_tokens: Annotated[StrictInt, Field(ge=64, le=65_536)] = 8192
    """Of one answer, thinking included; a shot has about 200."""
    chapter_characters: Annotated[StrictInt, Field(ge=200, le=200_000)] = 6_000
    """Of the story in one question, about; fewer shots than chapters make them longer."""
    chapter_shots: Annotated[StrictInt, Field(ge=1, le=100)] = 24
    """In one answer at most."""


@dataclass(frozen=True)
class DirectorBill:
    """What directing has cost."""

    chapters: int
    """Planned in this run, from kept answers or new ones."""
    calls: int
    """Made in this run."""
    this_run: Cost
    in_all: Cost
    """For this film, earlier runs included."""


class Director:
    """Writes shot lists for one film's folder; see ``ShotWriter``."""

    def __init__(
        self,
        model: ChatModel,
        config: DirectorConfig,
        words: Words,
        folder: Path,
        progress: Progress,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """``words`` says whose words captions are; ``stopped`` ends the work between two chapters."""
        budget = Budget.read(config.budget) if config.budget else None
        self.by = DirectedBy(
            model=model.name,
            words=words,
            prompt_sha256=PROMPT_SHA256,
            date=datetime.now(UTC).date().isoformat(),
        )
        self._config, self._folder, self._progress, self._stopped = config, folder, progress, stopped
        self._answers = Answers(folder / ANSWERS)
        self._ledger = Ledger([folder / LEDGER], config.prices, budget)
        paid = PaidChat(model, folder / LEDGER, self._answers, self._ledger)
        self._model = PatientChat(paid, config.patience, stopped)
        self._chapters = self._calls = 0

    @property
    def bill(self) -> DirectorBill:
        """What it has cost so far."""
        spent, before = self._ledger.total, self._ledger.before
        return DirectorBill(self._chapters, self._calls, spent - before, spent)

    def write(self, text: str, shots: int | None, seed: int, before: Before) -> ShotList:
        """The shots of a story.

        Raises:
            InputError: the text has no words, or too few for so many shots, or the director will not.
            MissingError: the server wants a key.
            DirectorError: three answers for a chapter were of no use.
            Interrupted: a signal, the budget or the server; the same command goes on.
        """
        chapters = chapters_of(text, shots, self._config.chapter_characters, self._config.chapter_shots)
        task = self._progress.task("directing", len(chapters), "chapters")
        telling = Telling.of(before)
        for number, chapter in enumerate(chapters, start=1):
            try:
                reply = self._direct(chapter, number, len(chapters), telling)
            except (Interrupted, ChatError) as error:
                raise Interrupted(
                    f"{error} {number - 1} of {len(chapters)} chapters are planned and kept; the same "
                    "command goes on with the rest."
                ) from error
            telling = telling.after(reply)
            self._chapters += 1
            task.advance()
        directed = Directed(text, telling)
        if self.by.words == "theatre":
            return staged_by_theatre(directed, seed, before)
        return own_words(directed, before)

    def _direct(self, chapter: Chapter, number: int, of: int, telling: Telling) -> Reply:
        """One chapter, from what is kept or from the model; of a bad answer it is told ``REPAIRS`` times."""
        asked = question(self._config, chapter, number, of, telling)
        request, where = asked, f"chapter {number} of {of}"
        for attempt in range(REPAIRS + 1):
            answer = self._answers.answer(request, self._model.name)
            fault = None if answer is None else self._fault(answer, chapter, telling, where)
            if answer is None or (fault is not None and attempt == REPAIRS):
                answer = self._ask(request)
                fault = self._fault(answer, chapter, telling, where)
            if fault is None:
                return read_reply(answer.text, chapter, telling.names, telling.place_names)
            request = repaired(asked, answer.text, fault)
        assert answer is not None
        raise DirectorError(
            f"{self._model.name} gave no shots that can be used for {where} in {REPAIRS + 1} answers: "
            f"{one_line(str(fault))}. {self._saved(answer)} The same command asks once more; another model "
            "may do better."
        )

    def _ask(self, request: Request) -> Answer:
        if self._stopped():
            raise Interrupted("stopped on request.")
        answer = self._model.complete(request)
        self._calls += 1
        return answer

    def _fault(self, answer: Answer, chapter: Chapter, telling: Telling, where: str) -> NoReply | None:
        """What is wrong with an answer that could be put right; what could not is raised."""
        if answer.refusal:
            raise InputError(
                f"{self._model.name} will not plan {where}: {one_line(answer.refusal)}. "
                "Change the story, or take another model."
            )
        if answer.cut:
            raise InputError(
                f"{self._model.name}: the answer for {where} was cut off at {self._config.max_tokens} "
                f"tokens. {self._saved(answer)} Give more with --max-tokens, or ask for shorter answers with "
                "--set director.chapter_shots=12."
            )
        try:
            read_reply(answer.text, chapter, telling.names, telling.place_names)
        except NoReply as fault:
            return fault
        return None

    def _saved(self, answer: Answer) -> str:
        """Keep a bad answer where a person can read it, and say where."""
        path = self._folder / BAD_REPLY
        write_atomic(path, answer.text.encode("utf-8", "replace"))
        return f"The last answer is in {path}."


def question(config: DirectorConfig, chapter: Chapter, number: int, of: int, telling: Telling) -> Request:
    """The question about one chapter.  The story stands in a JSON string, which no story can end."""
    data = {
        "so_far": telling.so_far(),
        "number": number,
        "of": of,
        "shots": {"exactly" if chapter.exactly else "at_most": chapter.shots},
        "chapter": chapter.text,
    }
    return Request(SYSTEM, (json.dumps(data, ensure_ascii=False),), SCHEMA, config.max_tokens)


def repaired(asked: Request, bad: str, fault: NoReply) -> Request:
    """The question again, with the answer that cannot be used and what is wrong with it."""
    told = json.dumps({"your_answer": bad[:MAX_RETURNED]}, ensure_ascii=False)
    return replace(asked, parts=(*asked.parts, told, repair(fault.faults)))


def open_director(
    config: DirectorConfig,
    words: Words,
    folder: Path,
    progress: Progress,
    stack: ExitStack,
    stopped: Callable[[], bool],
    model: ChatModel | None = None,
) -> Director:
    """The director that a config names; ``stack`` closes the connection.

    Raises:
        InputError: the address, the key or the budget cannot be used.
    """
    if model is None:
        model = stack.enter_context(OpenAIChat(config.chat))
    return Director(model, config, words, folder, progress, stopped)
