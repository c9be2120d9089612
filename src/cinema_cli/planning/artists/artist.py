"""Who draws keyframes: the paper's model beside GoldenMem, or an editor beside reference pictures.

Told by the model's index before weights are read, so that it can be said at the start, and so that the
pictures of another backend are stale.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from cinema_cli.context.goldenmem import GoldenMem, Grid
from cinema_cli.errors import InputError
from cinema_cli.models.architecture import pipeline_of
from cinema_cli.models.contents import EDITORS, RECORD_NAME
from cinema_cli.models.pictures import Frame
from cinema_cli.models.resolve import TOY
from cinema_cli.models.thrift import ThriftConfig
from cinema_cli.planning.desk import DeskConfig
from cinema_cli.planning.keyframes import MemoryFrame
from cinema_cli.storyboard import Shot

SomeConfig = TypeVar("SomeConfig", bound=DeskConfig)

REFERENCES = {
    "FluxKontextPipeline": 1,
    "Flux2Pipeline": 4,
    "Flux2KleinPipeline": 4,
    "QwenImageEditPlusPipeline": 3,
}
"""Pictures that an editor is shown: Kontext's pipeline takes one, so it gets the best; Qwen's card speaks of
one to three; FLUX.2 takes ten, of which each costs as much attention as the frame itself: ours."""


UNTRIED = "nobody has tried it with real weights"


class Artist(Protocol):
    """Draws the frames of a window."""

    grid: Grid
    """Height and width of a frame in tokens."""

    def cut(self, captions: Sequence[str]) -> list[int]:
        """Which captions are longer than the model reads."""

    def draw(
        self,
        shots: Sequence[Shot],
        captions: Sequence[str],
        memory: Sequence[MemoryFrame] = (),
        order: Sequence[str] | None = None,
        on_step: Callable[[], None] = lambda: None,
    ) -> dict[str, Frame]:
        """New frames by id, drawn together beside remembered ones; see ``KeyframeArtist.draw``.

        Args:
            shots: in the order of the film, each with a seed.
            captions: the words of each.
            memory: what they remember.
            order: ids of new and remembered shots in the order of the film.
            on_step: called after every sampling step.

        Raises:
            CinemaError: a frame holds no picture.
        """


@dataclass(frozen=True)
class Manner:
    """How keyframes are drawn."""

    kind: Literal["interleaved", "editor"]
    pipeline: str
    mode: str
    """In one line, for the user."""
    together: bool
    """Whether new frames may be drawn several at once."""
    references: int | None
    """Most remembered frames; none: as many as GoldenMem holds, which then shrinks them."""
    self_contained: bool
    """Whether every caption must tell every look, because nothing was trained to remember them."""

    @property
    def backend(self) -> str | None:
        """As it is noted beside a picture; none for the paper's own."""
        return None if self.kind == "interleaved" else self.pipeline


def manner_of(folder: Path, config: DeskConfig, adapter: str | None) -> Manner:
    """How a model draws, by its index and by whether it was trained here."""
    pipeline = pipeline_of(folder)
    if pipeline in EDITORS:
        most = config.references or REFERENCES[pipeline]
        seen = "the best remembered frame" if most == 1 else f"at most {most} remembered frames"
        mode = f"no fine-tune: {pipeline}, frame by frame, beside {seen}; {UNTRIED}"
        return Manner("editor", pipeline, mode, False, most, True)
    if config.model == TOY or adapter is not None or (folder / RECORD_NAME).is_file():
        mode = "the paper's: frames in joint attention, beside GoldenMem"
        return Manner("interleaved", pipeline, mode, True, None, False)
    mode = (
        f"no fine-tune: stock FLUX.1 in the paper's joint attention, which it was not trained for; {UNTRIED}"
    )
    return Manner("interleaved", pipeline, mode, True, None, True)


def as_it_works(config: SomeConfig, manner: Manner) -> SomeConfig:
    """A config with what a manner demands.

    Raises:
        InputError: frames are to be drawn together by an editor, or compared by a text encoder it lacks.
    """
    if manner.self_contained:
        config = config.model_copy(update={"repeat_looks": True})
    if manner.together:
        return config
    if config.mode == "joint" or config.at_once > 1:
        raise InputError(
            f"{manner.pipeline} draws frame by frame: mode extend and at_once 1 were wanted, found "
            f"mode {config.mode or 'extend'} and at_once {config.at_once}. Leave them out."
        )
    if config.retrieval.kind == "t5":
        raise InputError(
            f"retrieval.kind: clip or recency was wanted for {manner.pipeline}, found t5, which compares by "
            "FLUX.1's text encoder."
        )
    memory = GoldenMem(schedule="full", groups=1, frames=manner.references or 1)
    return config.model_copy(update={"mode": "extend", "memory": memory})


def refuse_thrift(config: ThriftConfig, manner: Manner) -> None:
    """Refuse to save memory in a way that a stock pipeline does not have.

    Raises:
        InputError: an editor's words are to be read ahead, or its weights to be kept in few bits.
    """
    if manner.kind != "editor":
        return
    if config.offload == "sequential":
        raise InputError(
            f"offload: auto, none, model or group was wanted for {manner.pipeline}, found sequential: its "
            "words are read beside pictures that are not drawn yet. Take --set offload=model."
        )
    if config.quantise != "none":
        raise InputError(
            f"quantise: none was wanted for {manner.pipeline}, a stock pipeline, found {config.quantise}. "
            "Take --set offload=group, or a smaller model (docs/first-films.md)."
        )
