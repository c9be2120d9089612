"""What a director would cost, before it is asked: ``cinema plan --director MODEL --dry-run``."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cinema_cli.chat.answers import Answers
from cinema_cli.chat.consulting import REPAIRS
from cinema_cli.chat.ledger import Cost, Ledger
from cinema_cli.chat.model import Request
from cinema_cli.planning.before import Before
from cinema_cli.planning.chapters import chapters_of
from cinema_cli.planning.directed import Telling
from cinema_cli.planning.director import ANSWERS, LEDGER, DirectorConfig, question
from cinema_cli.planning.director_prompt import PROMPT_SHA256
from cinema_cli.planning.director_reply import NoReply, read_reply
from cinema_cli.planning.document import foreseen, read_wish
from cinema_cli.planning.plan import PlanConfig
from cinema_cli.planning.shot_list import ShotList
from cinema_cli.planning.story import write_shot_list
from cinema_cli.planning.told import DirectedBy, Words

CHARACTERS_PER_TOKEN = 4
"""Of English prose, roughly; the worst case counts a token for every byte."""
SHOT_TOKENS = 200
"""Of one shot in an answer."""
WHOLE_TOKENS = 400
"""Of what an answer says beside its shots: cast, places, summary."""
SO_FAR_TOKENS = 600
"""Of what a later question holds of the chapters before."""


@dataclass(frozen=True)
class DirectorEstimate:
    """What directing would take."""

    chapters: int
    """That are to be planned."""
    calls: int
    """Of these, such as are not answered yet; nothing is counted for answers that have to be put right."""
    likely: Cost
    """By rule of thumb."""
    worst: Cost
    """The most: every question as many tokens as bytes, every answer at its limit, and put right twice."""
    spent: Cost
    """On this film so far."""


class Forecast:
    """Counts what a ``Director`` would ask; the shots are the plain rule's.  See ``ShotWriter``."""

    def __init__(self, config: DirectorConfig, words: Words, folder: Path) -> None:
        """``folder`` is the film's."""
        self.by = DirectedBy(
            model=config.chat.model,
            words=words,
            prompt_sha256=PROMPT_SHA256,
            date=datetime.now(UTC).date().isoformat(),
        )
        self._config, self._answers = config, Answers(folder / ANSWERS)
        self._ledger = Ledger([folder / LEDGER], config.prices, None)
        self.made = DirectorEstimate(0, 0, Cost(), Cost(), self._ledger.total)

    def write(self, text: str, shots: int | None, seed: int, before: Before) -> ShotList:
        """Count the chapters of a text; those whose answers are kept cost nothing."""
        config, made = self._config, self.made
        chapters = chapters_of(text, shots, config.chapter_characters, config.chapter_shots)
        telling = Telling.of(before)
        calls, likely, worst = 0, Cost(), Cost()
        for number, chapter in enumerate(chapters, start=1):
            asked = question(config, chapter, number, len(chapters), telling)
            kept = None if calls else self._answers.answer(asked, self.by.model)
            try:
                if kept is not None:
                    telling = telling.after(
                        read_reply(kept.text, chapter, telling.names, telling.place_names)
                    )
                    continue
            except NoReply:  # it would be put right: by how many calls, nobody knows
                pass
            guessed = SO_FAR_TOKENS if calls else 0  # what the chapters that are to come will tell
            calls += 1
            likely += self._likely(asked, chapter.shots, guessed)
            worst += self._worst(asked)
        self.made = DirectorEstimate(
            made.chapters + len(chapters), made.calls + calls, made.likely + likely, made.worst + worst,
            made.spent,
        )  # fmt: skip
        return write_shot_list(text, shots, seed, before)

    def _likely(self, asked: Request, shots: int, guessed: int) -> Cost:
        characters = len(asked.system) + sum(len(part) for part in asked.parts if isinstance(part, str))
        answer = min(WHOLE_TOKENS + SHOT_TOKENS * shots, asked.max_tokens)
        return self._config.prices.cost(characters // CHARACTERS_PER_TOKEN + guessed, answer)

    def _worst(self, asked: Request) -> Cost:
        one, found = self._ledger.worst(asked), Cost()
        for _ in range(REPAIRS + 1):
            found += one
            longer = one.tokens_in + 4 * asked.max_tokens  # the bad answer goes back with the question
            one = self._config.prices.cost(longer, asked.max_tokens)
        return found


def estimate_director(
    story: Path, out: Path | None, config: PlanConfig, more: Path | None = None
) -> DirectorEstimate:
    """What the director of ``plan_film`` with the same arguments would be asked; nothing is written.

    Raises:
        InputError: as ``plan_film``.
    """
    assert config.director is not None
    wish = read_wish(story, out, more)
    forecast = Forecast(config.director, config.words, wish.folder)
    foreseen(wish, config, forecast)
    return forecast.made
