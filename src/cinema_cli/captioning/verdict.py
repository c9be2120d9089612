"""One verdict on one frame: kept or not, and its words; checked here whatever the server promised.

Some servers ignore the form that was asked for and still say 200, and no form can say that a tag is
on the movie's list.  A tag that is not loses its brackets (appendix B: uncertain means no brackets)
and is counted.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from pydantic import Field, StrictBool, StrictStr, ValidationError, model_validator

from cinema_cli.captioning.cast import Cast
from cinema_cli.chat.model import without_fence
from cinema_cli.config import Config
from cinema_cli.fields import Caption
from cinema_cli.storyboard import MAX_CAST, tags

Reason = Literal["blurred", "too-dark", "credits-or-title", "transition", "low-quality", "uninformative"]
REASONS: tuple[str, ...] = get_args(Reason)
"""Why a frame is discarded (3.1: low-quality or uninformative)."""
NO_REASON = "none"


class Verdict(Config):
    """The answer of a model, as the schema of ``prompt.py`` describes it."""

    keep: StrictBool
    """Whether the frame may be trained on."""
    reject_reason: Literal[Reason, "none"]
    """Why not."""
    caption: Caption
    """What is seen."""
    characters: Annotated[tuple[StrictStr, ...], Field(max_length=MAX_CAST)]
    """Who is tagged."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Verdict":
        if self.keep and self.reject_reason != NO_REASON:
            raise ValueError(f"a kept frame has no reason to be discarded, found {self.reject_reason!r}.")
        if not self.keep and self.reject_reason == NO_REASON:
            raise ValueError("a discarded frame needs a reason, found none.")
        if self.keep and not self.caption.strip():
            raise ValueError("a kept frame needs a caption, found an empty one.")
        return self


class NoVerdict(ValueError):
    """The model's words are no verdict."""


def read_verdict(text: str) -> Verdict:
    """The verdict that a model wrote; a code fence around it is taken off.

    Raises:
        NoVerdict: it is cut off, of another form, or contradicts itself.
    """
    try:
        return Verdict.model_validate_json(without_fence(text))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in fault["loc"])
        raise NoVerdict(f"{name}: {fault['msg']}" if name else fault["msg"]) from error


@dataclass(frozen=True)
class Annotation:
    """What an annotator says of one shot, its tags in order."""

    caption: str
    """Words for it; may be empty where it is rejected."""
    rejected: str | None = None
    """Why the frame is discarded."""
    unknown: tuple[str, ...] = ()
    """Tags that are on no list; they lost their brackets."""
    unconfirmed: tuple[str, ...] = ()
    """Tags that the answer's own ``characters`` do not hold; they lost their brackets."""
    aliases: tuple[str, ...] = ()
    """Tags that were another name of somebody; the name stands there now."""


def tagged(caption: str, cast: Cast, characters: tuple[str, ...] | None = None) -> Annotation:
    """The caption with only those tags that are on the list and, where given, in ``characters``."""
    listed = None if characters is None else {cast.resolve(_bare(name)) for name in characters}
    unknown: list[str] = []
    unconfirmed: list[str] = []
    aliases: list[str] = []
    for tag in tags(caption):
        name = cast.resolve(tag)
        if name is None or (listed is not None and name not in listed):
            (unknown if name is None else unconfirmed).append(tag)
            caption = caption.replace(f"<{tag}>", tag)
        elif name != tag:
            aliases.append(tag)
            caption = caption.replace(f"<{tag}>", f"<{name}>")
    return Annotation(caption, None, tuple(unknown), tuple(unconfirmed), tuple(aliases))


def _bare(name: str) -> str:
    return name.strip().removeprefix("<").removesuffix(">")
