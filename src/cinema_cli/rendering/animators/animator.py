"""Who makes clips: the paper's model over many shots, or a stock model shot by shot."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from cinema_cli.models.contents import INDEX_NAME, RECORD_NAME, read_config
from cinema_cli.models.pictures import Frame
from cinema_cli.rendering.video import AnimatorName, Clip, ClipConfig, ClipWindow
from cinema_cli.storyboard import Storyboard

SomeConfig = TypeVar("SomeConfig", bound=ClipConfig)


class Animator(Protocol):
    """Makes the clips of a window."""

    def make(
        self,
        board: Storyboard,
        window: ClipWindow,
        keyframes: Mapping[str, Frame],
        seeds: Mapping[str, int],
        on_step: Callable[[], None] = lambda: None,
    ) -> dict[str, Clip]:
        """Clips by id, each with exactly the frames of its shot; see ``ClipMaker.make``.

        Args:
            board: the film.
            window: the shots to make, and those of which the keyframe alone is seen.
            keyframes: by id, for every shot of the window.
            seeds: by id, of the noise of each clip that is made.
            on_step: called after every sampling step.

        Raises:
            CinemaError: a clip holds no picture.
        """


@dataclass(frozen=True)
class Manner:
    """How clips are made, told before weights are read."""

    name: AnimatorName
    mode: str
    """In one line, for the user."""

    @property
    def backend(self) -> str | None:
        """As it is noted beside a clip; none for the paper's own."""
        return None if self.name == "interleaved" else self.name


INTERLEAVED = Manner("interleaved", "the paper's: shots of a window together, beside other keyframes")
UNTRAINED = Manner(
    "interleaved",
    "no fine-tune: shots of a window together, which stock weights were not trained for; nobody has tried",
)
STOCK_WAN = Manner("stock-wan", "no fine-tune: stock Wan, shot by shot, each from its keyframe")
WITH_ENDS = Manner(
    "stock-wan", f"{STOCK_WAN.mode}; to the next keyframe where a scene goes on, which it was not trained for"
)


def is_stock(folder: Path) -> bool:
    """Whether a folder is Wan2.2-TI2V as released: its index gives timesteps to tokens, ours does not."""
    return not (folder / RECORD_NAME).is_file() and bool(
        read_config(folder / INDEX_NAME).get("expand_timesteps")
    )


def manner_of(folder: Path, adapter: str | None, config: ClipConfig) -> Manner:
    """How a model makes clips: as the config says, else by what it is."""
    stock = is_stock(folder) and adapter is None
    name = config.animator or ("stock-wan" if stock else "interleaved")
    if name == "stock-wan":
        return WITH_ENDS if config.ends else STOCK_WAN
    return UNTRAINED if stock else INTERLEAVED


def as_it_works(config: SomeConfig, manner: Manner) -> SomeConfig:
    """A config in which a manner of one shot at a time has no other shots, and is told every look."""
    if manner.name == "interleaved":
        return config
    return config.model_copy(update={"window": 1, "neighbours": 0, "repeat_looks": True})
