"""A judge's answer: six scores, each with a reason; checked here whatever the server promised (appendix H).

A score is a number from 0 to 5.  The prompt gives meanings to the whole ones and a range, and judges do give
4.5, so fractions count; a number in quotation marks, a missing aspect or words around the object do not.
"""

from typing import Annotated

from pydantic import Field, ValidationError

from cinema_cli.chat.model import one_line, without_fence
from cinema_cli.config import Config
from cinema_cli.fields import Caption

LOWEST, HIGHEST = 0, 5
MAX_JUSTIFICATION = 2_000
"""Characters; one sentence is asked for."""
MOST_FAULTS = 8
"""Told at once."""


class Mark(Config):
    """What the judge says of one aspect."""

    score: Annotated[float, Field(strict=True, ge=LOWEST, le=HIGHEST)]
    """0 to 5."""
    justification: Annotated[Caption, Field(max_length=MAX_JUSTIFICATION, pattern=r"\w")]
    """Why."""


class Verdict(Config):
    """The answer, as the schema of ``judge_prompt`` describes it."""

    character_consistency: Mark
    """Clothing, hair, faces and proportions stay."""
    scene_consistency: Mark
    """Light and background stay."""
    visual_quality: Mark
    """Sharp, well-exposed, balanced."""
    aesthetics: Mark
    """Composition, palette and contrast."""
    diversity: Mark
    """Frames are distinct."""
    narrative_coherence: Mark
    """A logical progression."""


class NoVerdict(ValueError):
    """The model's words are no verdict; ``faults`` say why, a sentence each."""

    def __init__(self, faults: list[str]) -> None:
        """At most ``MOST_FAULTS`` of them are kept."""
        super().__init__("; ".join(faults[:MOST_FAULTS]))
        self.faults = faults[:MOST_FAULTS]


def read_verdict(text: str) -> Verdict:
    """The verdict that a judge wrote; a code fence around it is taken off.

    Raises:
        NoVerdict: it is of another form.
    """
    try:
        return Verdict.model_validate_json(without_fence(text))
    except ValidationError as error:
        raise NoVerdict([_sentence(fault) for fault in error.errors(include_url=False)]) from error


def _sentence(fault: object) -> str:
    """A fault of pydantic as a sentence, with a few characters of what was found."""
    assert isinstance(fault, dict)
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "json_invalid":
        return f"one JSON object was wanted ({one_line(str(fault['msg']))})"
    if fault["type"] == "missing":
        return f"{where} is missing"
    return f"{where}: {one_line(str(fault['msg']))}, found {one_line(repr(fault['input'])[:60])}"
