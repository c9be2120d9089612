"""``cinema render --dry-run``: which clips would be made, why, and at which cost here, by arithmetic.

Nothing is written.  Counted are the sampling steps; encoding of words and decoding of clips come on top.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinema_cli import runtime
from cinema_cli.contact_sheet import FILM_NAME
from cinema_cli.errors import MissingError
from cinema_cli.models.contents import read_config, read_contents
from cinema_cli.models.rates import rate
from cinema_cli.models.thrift import choose_thrift
from cinema_cli.models.video_cost import Shots, WanCost
from cinema_cli.models.weights import model_folder, weights_sha256
from cinema_cli.rendering.animators.animator import as_it_works, manner_of
from cinema_cli.rendering.render import RenderConfig, check, marked
from cinema_cli.rendering.studio import Studio
from cinema_cli.rendering.video import ClipWindow, clip_frames, padded_frames, refuse_other_sizes
from cinema_cli.storyboard import FILE_NAME, Storyboard


@dataclass(frozen=True)
class RenderEstimate:
    """What rendering would make, and at which cost."""

    shots: int
    """Of the film."""
    made: Mapping[str, str]
    """Shots whose clips would be made, each with the reason."""
    windows: int
    """In so many samplings."""
    joined: bool
    """Whether the film would be joined, as it is not made from these clips yet."""
    mode: str
    """How clips are made, in one line."""
    frames: int
    """Frames of the clips that are made."""
    tokens: int
    """Of the largest window, all of its shots together."""
    step_tflop: float
    """One sampling step of that window."""
    film_pflop: float
    """The whole."""
    memory: str
    """How the model would be laid out, or that it does not fit."""
    fits: bool
    """Whether it does."""
    device: str
    """That would make them."""
    seconds: float
    """By what such a device usually reaches."""
    config: RenderConfig
    """As it works."""


def estimate_render(storyboard: Path, out: Path | None, config: RenderConfig) -> RenderEstimate:
    """What ``render_film`` with the same arguments would make, and at which cost.

    Raises:
        InputError: as ``render_film``; also where the frame size cannot be.
        MissingError: there are no weights.
    """
    file = storyboard / FILE_NAME if storyboard.is_dir() else storyboard
    board, folder, film = Storyboard.load(file), file.parent, out or file.parent / FILM_NAME
    weights = model_folder(config.model, "video")
    manner = manner_of(weights, config.adapter, config)
    config = as_it_works(config, manner)
    check(board, folder, film, config)
    sha256 = weights_sha256(weights, config.adapter, config.quantise, config.gguf)
    studio = Studio(file, config, sha256, manner)
    chosen, board = set(board.chosen(config.redo)), marked(board, config)
    made = {id: "asked for" if id in chosen else reason for id, reason in studio.stale(board).items()}
    windows = studio.plan(board)
    model = _Model(weights, board, config)
    flop = [model.step(board, window) for window in windows]
    where = runtime.device()
    dtype = runtime.number_type(where)
    memory, fits = _memory(weights, board, config)
    return RenderEstimate(
        shots=len(board.shots),
        made=made,
        windows=len(windows),
        joined=bool(made) or not studio.is_joined(board, film),
        mode=manner.mode,
        frames=sum(clip_frames(board.shot(id), config) for id in made),
        tokens=max((model.tokens(board, window) for window in windows), default=0),
        step_tflop=max(flop, default=0) / 1e12,
        film_pflop=config.steps * sum(flop) / 1e15,
        memory=memory,
        fits=fits,
        device=runtime.device_name(where),
        seconds=config.steps * sum(flop) / rate(where, dtype),
        config=config,
    )


def _memory(weights: Path, board: Storyboard, config: RenderConfig) -> tuple[str, bool]:
    """How the model would be laid out; where it does not fit, what would be told."""
    where = runtime.device()
    contents = read_contents(weights, "video", config.gguf)
    try:
        dtype = runtime.number_type(where)
        thrift = choose_thrift(weights, contents, config, where, dtype, board.frame_size)
    except MissingError as error:
        return str(error), False
    return thrift.told.removeprefix("memory: "), True


class _Model:
    """The video model as numbers, for a film of one frame size."""

    def __init__(self, weights: Path, board: Storyboard, config: RenderConfig) -> None:
        """Refuses a frame size that it cannot make."""
        self.cost, self.config = WanCost.of(read_config(weights / "transformer" / "config.json")), config
        vae: Mapping[str, Any] = read_config(weights / "vae" / "config.json")
        self.slower = int(vae.get("scale_factor_temporal", 4))
        smaller, (_, rows, columns) = int(vae.get("scale_factor_spatial", 8)), self.cost.patch_size
        refuse_other_sizes(board.frame_size, smaller * rows)
        height, width = (side // smaller for side in board.frame_size)
        self.patches = (height // rows) * (width // columns)
        self.stock = manner_of(weights, config.adapter, config).name == "stock-wan"
        self.evaluations = 1 if config.guidance == 1 else 2

    def step(self, board: Storyboard, window: ClipWindow) -> int:
        """FLOP of a sampling step."""
        return self.evaluations * self.cost.step(self._shots(board, window))

    def tokens(self, board: Storyboard, window: ClipWindow) -> int:
        """Of all shots."""
        return sum(shots.tokens for shots in self._shots(board, window))

    def _shots(self, board: Storyboard, window: ClipWindow) -> Sequence[Shots]:
        """Shots that are made in full length; those that are seen, with their keyframe alone."""
        lengths = [
            1 + (padded_frames(clip_frames(board.shot(id), self.config), self.slower) - 1) // self.slower
            for id in window.made
        ]
        if not self.stock:  # there the next keyframe takes the place of the last latent frame
            lengths += [1] * len(window.seen)
        text = self.config.text_length
        return [Shots(1, text, length, self.patches) for length in lengths]
