"""A judge: a chat model looks at a film's keyframes and scores six aspects (paper, 4.1, E and H; Table 2).

It sees the keyframes in order and nothing else: no caption, no cast.  The paper asks Gemini 2.5 Flash, which
is retired; any server of the protocol will do, so what was asked, when and of whom stands beside the scores.
Every answer is on the disk before anything else happens to it, under the hash of its question, so the same
judgement is never paid for twice.

Several judgements of one film ask the very same question again; they differ by the server's own sampling.
"""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, StrictInt

from cinema_cli.captioning.pictures import shown
from cinema_cli.chat.answers import Answers
from cinema_cli.chat.consulting import REPAIRS, ConsultingConfig
from cinema_cli.chat.ledger import Budget, Cost, Ledger
from cinema_cli.chat.model import Answer, ChatError, ChatModel, Picture, Request, one_line
from cinema_cli.chat.openai import OpenAIChat
from cinema_cli.chat.paid import PaidChat
from cinema_cli.chat.patience import PatientChat
from cinema_cli.errors import CinemaError, InputError, Interrupted
from cinema_cli.evaluation.films import Film
from cinema_cli.evaluation.judge_prompt import PROMPT_SHA256, SCHEMA, SYSTEM, repair
from cinema_cli.evaluation.judge_reply import NoVerdict, Verdict, read_verdict
from cinema_cli.evaluation.judgement import Judgement, Judgements, none_of
from cinema_cli.evaluation.report import Section
from cinema_cli.fields import inside
from cinema_cli.files import sha256_json, write_atomic
from cinema_cli.progress import Progress
from cinema_cli.storyboard import Shot

ANSWERS = "judge-{number}.jsonl"
"""One journal for each judgement of a film: their questions are the same."""
LEDGER = "judge-ledger.json"
BAD_REPLY = "judge-reply.txt"
RECORD = "judge.json"
MAX_RETURNED = 10_000
"""Characters of a bad answer that are shown to its writer."""


class JudgeError(CinemaError):
    """The judge's answers cannot be used."""

    exit_code = 5


class JudgeConfig(ConsultingConfig):
    """Who judges, what it is shown, at which price."""

    wanted: ClassVar[str] = "a judge: give --judge openai --model NAME"

    repeats: Annotated[StrictInt, Field(ge=1, le=100)] = 1
    """Judgements of the same film; their mean is told, and how far they lie apart."""
    most_keyframes: Annotated[StrictInt, Field(ge=2, le=1_000)] = 48
    """Shown at once; of a longer film so many are shown, evenly spread.  The paper's longest film has 48."""
    picture_side: Annotated[StrictInt, Field(ge=64, le=8192)] = 800
    """Longer side of a keyframe as it is sent, in pixels; the paper's keyframes are 400 x 800."""
    max_tokens: Annotated[StrictInt, Field(ge=64, le=65_536)] = 4096
    """Of one answer, thinking included; a verdict has about 300."""
    picture_tokens: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = 2240
    """The most that one picture is thought to cost, until the server says what it does cost."""


def open_judge(config: JudgeConfig, stack: ExitStack) -> ChatModel:
    """The model that a config names; ``stack`` closes the connection.

    Raises:
        InputError: the address or the key cannot be used.
    """
    return stack.enter_context(OpenAIChat(config.chat))


def judge_film(
    film: Film,
    model: ChatModel,
    config: JudgeConfig,
    folder: Path,
    progress: Progress,
    stopped: Callable[[], bool] = lambda: False,
) -> Section:
    """What the judge says of a film.

    Args:
        film: Whose keyframes are shown.
        model: That is asked.
        config: How.
        folder: Where answers, the account and the record of this film are kept; locked by the caller, and one
            for each film.
        progress: Where to tell how far it is.
        stopped: Ends the work before the next call.

    Raises:
        InputError: a keyframe or the budget cannot be used, or the judge will not answer.
        MissingError: the server wants a key.
        JudgeError: three answers were of no use.
        Interrupted: a signal, the budget or the server; the same command goes on.
    """
    shots = [shot for shot in film.shots if shot.keyframe is not None and shot.rejected is None]
    if len(shots) < 2:
        return none_of(f"a sequence of two keyframes or more was wanted, found {len(shots)}")
    chosen = evenly(shots, config.most_keyframes)
    bench = _Bench(model, config, folder, stopped)
    asked = question(film, chosen, config)
    task = progress.task("judging", config.repeats, "judgements")
    made = []
    for number in range(1, config.repeats + 1):
        try:
            made.append(bench.judge(asked, number))
        except ChatError as error:
            raise Interrupted(
                f"{error} {number - 1} of {config.repeats} judgements are kept; the same command goes on."
            ) from error
        task.advance()
    record = Judgements(
        model=model.name,
        prompt_sha256=PROMPT_SHA256,
        pictures_sha256=sha256_json(
            [part.source_sha256 for part in asked.parts if isinstance(part, Picture)]
        ),
        keyframes=tuple(shot.id for shot in chosen),
        left_out=len(shots) - len(chosen),
        rejected=sum(shot.rejected is not None for shot in film.shots),
        judgements=tuple(made),
        spent_in_all=bench.spent,
    )
    write_atomic(folder / RECORD, record.model_dump_json(indent=2) + "\n")
    return record.section(config.prices)


def evenly(shots: list[Shot], most: int) -> list[Shot]:
    """At most so many of them, evenly spread, the first and the last among them."""
    if len(shots) <= most:
        return shots
    return [shots[round(index * (len(shots) - 1) / (most - 1))] for index in range(most)]


def question(film: Film, shots: list[Shot], config: JudgeConfig) -> Request:
    """The question about these keyframes, in order.

    Raises:
        InputError: a keyframe is not there, or no picture.
    """
    pictures = [shown(inside(film.folder, str(shot.keyframe)), config.picture_side) for shot in shots]
    return Request(SYSTEM, ("The keyframes, in order:", *pictures), SCHEMA, config.max_tokens)


def repaired(asked: Request, bad: str, fault: NoVerdict) -> Request:
    """The question again, with the answer that cannot be used and what is wrong with it."""
    told = json.dumps({"your_answer": bad[:MAX_RETURNED]}, ensure_ascii=False)
    return replace(asked, parts=(*asked.parts, told, repair(fault.faults)))


class _DatedAnswers(Answers):
    """Answers, and the days on which they were given."""

    def keep(self, request: Request, model: str, answer: Answer) -> None:
        """Note the day first, so that no answer is without one."""
        today = datetime.now(UTC).date().isoformat()
        self._record(f"date {request.sha256(model)}", date=today)
        super().keep(request, model, answer)

    def date(self, request: Request, model: str) -> str:
        """When it was answered, UTC."""
        facts = self._get(f"date {request.sha256(model)}")
        assert facts is not None, request
        return str(facts["date"])


@dataclass
class _Bench:
    """One film's judge, and what it has cost."""

    model: ChatModel
    config: JudgeConfig
    folder: Path
    stopped: Callable[[], bool]

    def __post_init__(self) -> None:
        budget = Budget.read(self.config.budget) if self.config.budget else None
        account = self.folder / LEDGER
        self.ledger = Ledger([account], self.config.prices, budget, self.config.picture_tokens)

    @property
    def spent(self) -> Cost:
        """On this film, earlier runs included."""
        return self.ledger.total

    def judge(self, asked: Request, number: int) -> Judgement:
        """One judgement, from what is kept or from the model; a bad answer is sent back ``REPAIRS`` times."""
        book = _DatedAnswers(self.folder / ANSWERS.format(number=number))
        paid = PaidChat(self.model, self.folder / LEDGER, book, self.ledger)
        model = PatientChat(paid, self.config.patience, self.stopped)
        request, cost = asked, Cost()
        for attempt in range(REPAIRS + 1):
            answer = book.answer(request, model.name)
            found = None if answer is None else self._read(answer)
            if answer is None or (isinstance(found, NoVerdict) and attempt == REPAIRS):
                answer = self._ask(model, request)
                found = self._read(answer)
            if answer.usage is not None:
                cost += self.config.prices.cost(answer.usage.tokens_in, answer.usage.tokens_out)
            if isinstance(found, Verdict):
                return Judgement(
                    verdict=found, date=book.date(request, model.name), repairs=attempt, cost=cost
                )
            assert found is not None
            request = repaired(asked, answer.text, found)
        assert answer is not None
        raise JudgeError(
            f"{self.model.name} gave no scores that can be used in {REPAIRS + 1} answers: "
            f"{one_line(str(found))}. {self._saved(answer)} The same command asks once more; another model "
            "may do better."
        )

    def _ask(self, model: ChatModel, request: Request) -> Answer:
        if self.stopped():
            raise Interrupted("stopped on request. The same command goes on.")
        return model.complete(request)

    def _read(self, answer: Answer) -> Verdict | NoVerdict:
        """The verdict, or what is wrong and could be put right; what could not is raised."""
        if answer.refusal:
            raise InputError(
                f"{self.model.name} will not judge this film: {one_line(answer.refusal)}. Take another model."
            )
        if answer.cut:
            raise InputError(
                f"{self.model.name}: the answer was cut off at {self.config.max_tokens} tokens. "
                f"{self._saved(answer)} Give more: --set judge.max_tokens={2 * self.config.max_tokens}."
            )
        try:
            return read_verdict(answer.text)
        except NoVerdict as fault:
            return fault

    def _saved(self, answer: Answer) -> str:
        """Keep a bad answer where a person can read it, and say where."""
        path = self.folder / BAD_REPLY
        write_atomic(path, answer.text.encode("utf-8", "replace"))
        return f"The last answer is in {path}."
