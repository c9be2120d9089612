"""What a judge said of a film: a file beside its answers, and a section of a report (appendix H, Table 2)."""

from math import sqrt
from typing import Annotated, Literal

from pydantic import Field, StrictInt

from cinema_cli.chat.ledger import Cost, Prices
from cinema_cli.chat.model import one_line
from cinema_cli.config import Config
from cinema_cli.evaluation.judge_prompt import ASPECTS
from cinema_cli.evaluation.judge_reply import Mark, Verdict
from cinema_cli.evaluation.report import Score, Section
from cinema_cli.fields import Line, Sha256, ShotId

TITLE = "Judge"
HOW = (
    "A chat model is shown the keyframes in order, without captions, and scores each aspect 0 to 5 by the "
    "prompt of the paper's appendix H, word for word. Scores of different judges are not comparable: the "
    "paper's are means over 20 clips, by Gemini 2.5 Flash. A judge sees single pictures and no motion, and "
    "words that can be read in a picture may sway it."
)


class Judgement(Config):
    """One answer."""

    verdict: Verdict
    """Scores and reasons."""
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """When it was given, UTC."""
    repairs: Annotated[StrictInt, Field(ge=0)]
    """Answers before it that could not be used."""
    cost: Cost
    """Of it and those before it, as far as the server counted; no money where no price was given."""

    def mark(self, aspect: str) -> Mark:
        """What it says of an aspect."""
        mark = getattr(self.verdict, aspect)
        assert isinstance(mark, Mark)
        return mark


class Judgements(Config):
    """All that one judge said of one film."""

    format: Literal["cinema-judgement"] = "cinema-judgement"
    """Says what the file is."""
    version: Literal[1] = 1
    """Of the format."""
    model: Line
    """Name of the model, as its server knows it."""
    prompt_sha256: Sha256
    """Of all that it was told apart from the pictures."""
    pictures_sha256: Sha256
    """Of the keyframes' files, in order."""
    keyframes: tuple[ShotId, ...]
    """Shots whose pictures it saw."""
    left_out: Annotated[StrictInt, Field(ge=0)]
    """Keyframes that were too many to be shown at once."""
    rejected: Annotated[StrictInt, Field(ge=0)]
    """Shots that an annotator had discarded; they are not shown."""
    judgements: Annotated[tuple[Judgement, ...], Field(min_length=1)]
    """One or several."""
    spent_in_all: Cost
    """On judging this film, earlier runs and answers of no use included."""

    def section(self, prices: Prices) -> Section:
        """For a report; ``prices`` tells whether money was counted."""
        return Section(
            name="judge",
            title=TITLE,
            how=HOW,
            scores=tuple(self._score(aspect, text) for aspect, text in ASPECTS.items()),
            notes=tuple(self._notes(prices)),
        )

    def _score(self, aspect: str, text: str) -> Score:
        marks = [judgement.mark(aspect) for judgement in self.judgements]
        values = [mark.score for mark in marks]
        mean = sum(values) / len(values)
        note = one_line(marks[0].justification)
        if len(values) > 1:
            spread = sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
            note = f"{min(values):g} to {max(values):g}, standard deviation {spread:.2f}; the first: {note}"
        return Score(
            key=aspect, text=text, value=mean, unit="0 to 5", n=len(values), better="higher", note=note
        )

    def _notes(self, prices: Prices) -> list[str]:
        dates = sorted({judgement.date for judgement in self.judgements})
        when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
        count = len(self.judgements)
        cost = sum((judgement.cost for judgement in self.judgements), Cost())
        repairs = sum(judgement.repairs for judgement in self.judgements)
        notes = [
            f"Judged by {one_line(self.model)} on {when} (UTC), prompt {self.prompt_sha256[:16]}, "
            f"{len(self.keyframes)} keyframes, {count} judgement{'s' if count > 1 else ''}.",
            f"These answers took {_shown(cost, prices)}; judging this film has taken "
            f"{_shown(self.spent_in_all, prices)} in all.",
        ]
        if repairs:
            notes.append(f"Answers that could not be used and were asked for again: {repairs}.")
        if self.left_out:
            whole = len(self.keyframes) + self.left_out
            notes.append(f"{len(self.keyframes)} of {whole} keyframes were shown, evenly spread.")
        if self.rejected:
            notes.append(f"Shots that were not shown, since an annotator discarded them: {self.rejected}.")
        return notes


def none_of(why: str) -> Section:
    """The section of a film that cannot be judged."""
    scores = tuple(
        Score(key=aspect, text=text, value=None, unit="0 to 5", better="higher", note=why)
        for aspect, text in ASPECTS.items()
    )
    return Section(name="judge", title=TITLE, how=HOW, scores=scores)


def _shown(cost: Cost, prices: Prices) -> str:
    tokens = f"{cost.tokens_in:,} + {cost.tokens_out:,} tokens"
    return f"{tokens}, {cost.money:.4f} usd" if prices.known else tokens
