"""``cinema plan --dry-run``: what drawing a film would cost here, by arithmetic (Table 3).

Nothing is written.

Shapes:  M remembered frames   n new frames of a window
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinema_cli import runtime
from cinema_cli.context.goldenmem import GoldenMem, Grid
from cinema_cli.errors import InputError, MissingError
from cinema_cli.files import read_json
from cinema_cli.models.contents import read_contents
from cinema_cli.models.cost import FluxCost, Pairs, Window
from cinema_cli.models.flow_matching import schedule
from cinema_cli.models.rates import rate
from cinema_cli.models.thrift import choose_thrift
from cinema_cli.models.weights import model_folder, weights_sha256
from cinema_cli.planning.artists.artist import Manner, as_it_works, manner_of, refuse_thrift
from cinema_cli.planning.desk import Desk
from cinema_cli.planning.document import foreseen, read_wish
from cinema_cli.planning.keyframes import refuse_other_sizes
from cinema_cli.planning.plan import PlanConfig
from cinema_cli.planning.windows import Mode, plan_windows
from cinema_cli.planning.windows import Window as Drawing
from cinema_cli.storyboard import Storyboard

MAX_CONFIG_BYTES = 1 << 20


@dataclass(frozen=True)
class Estimate:
    """What a plan would cost."""

    shots: int
    """Of the film."""
    drawn: int
    """Shots whose keyframe would be drawn."""
    windows: int
    """In so many drawings."""
    mode: Mode
    """Whether they are drawn all together or beside memory."""
    image_tokens: int
    """Of a full-size frame."""
    text_tokens: int
    """Of its caption."""
    memory: tuple[tuple[int, Grid], ...]
    """What the dearest drawing remembers: frames and their size in tokens, largest first."""
    memory_bytes: int
    """Keys and values of that."""
    step_tflop: float
    """One denoising step of that drawing."""
    film_pflop: float
    """The whole, quadratic attention included."""
    paper_pflop: float
    """The whole by the paper's rule, tokens x steps x FLOP per token (Table 3)."""
    peak_bytes: int
    """On the device while frames are drawn; text encoders and autoencoder are not counted."""
    device: str
    """That would draw."""
    seconds: float
    """By what such a device usually reaches."""


@dataclass(frozen=True)
class EditorEstimate:
    """What an editor would draw; of its FLOP nothing is known here."""

    shots: int
    """Of the film."""
    drawn: int
    """Shots whose keyframe would be drawn, one after the other."""
    steps: int
    """Sampling steps of all of them."""
    references: int
    """Most remembered frames that each is shown."""
    mode: str
    """How it draws, in one line."""
    memory: str
    """How the model would be laid out, or that it does not fit."""
    fits: bool
    """Whether it does."""
    device: str
    """That would draw."""


def estimate_plan(
    story: Path, out: Path | None, config: PlanConfig, more: Path | None = None
) -> Estimate | EditorEstimate:
    """What ``plan_film`` with the same arguments would draw, and at which cost.

    Raises:
        InputError: as ``plan_film``; also where the memory or the frame size cannot be.
        MissingError: there are no weights.
    """
    wish = read_wish(story, out, more)
    weights = model_folder(config.model, "keyframes")
    manner = manner_of(weights, config, config.adapter)
    config = as_it_works(config, manner)
    refuse_thrift(config, manner)
    board, _ = foreseen(wish, config)
    sha256 = weights_sha256(weights, config.adapter, config.quantise, config.gguf)
    desk = Desk(wish.folder, config, sha256, manner.backend)
    stale = {*board.chosen(config.redo), *desk.stale(board)}
    drawings = plan_windows(board, desk.to_refresh(board, stale) if config.refresh else stale, config)
    if manner.kind == "editor":
        return _editor(weights, board, drawings, config, manner)
    return _interleaved(weights, board, drawings, config)


def _editor(
    weights: Path, board: Storyboard, drawings: Sequence[Drawing], config: PlanConfig, manner: Manner
) -> EditorEstimate:
    where, drawn = runtime.device(), sum(len(drawing.drawn) for drawing in drawings)
    contents = read_contents(weights, "keyframes", config.gguf)
    try:
        dtype = runtime.number_type(where)
        thrift = choose_thrift(weights, contents, config, where, dtype, board.frame_size)
        memory, fits = thrift.told.removeprefix("memory: "), True
    except MissingError as error:
        memory, fits = str(error), False
    references, name = manner.references or 1, runtime.device_name(where)
    steps = drawn * config.steps
    return EditorEstimate(len(board.shots), drawn, steps, references, manner.mode, memory, fits, name)


def _interleaved(
    weights: Path, board: Storyboard, drawings: Sequence[Drawing], config: PlanConfig
) -> Estimate:
    cost, grid = _model(weights, board)
    windows = _windows(board, drawings, config, grid)
    where = runtime.device()
    dtype = runtime.number_type(where)
    wordless = _guided_steps(config)
    evaluations = 2 if wordless else 1
    flop = cost.film(windows, config.steps, wordless)
    most = max(windows, key=lambda window: cost.extension(window.new, window.memory), default=Window(()))
    tokens = sum(group.tokens for window in windows for group in (*window.new, *window.memory))
    return Estimate(
        shots=len(board.shots),
        drawn=sum(len(drawing.drawn) for drawing in drawings),
        windows=len(windows),
        mode="extend" if any(drawing.remembers for drawing in drawings) else "joint",
        image_tokens=grid[0] * grid[1],
        text_tokens=config.text_length,
        memory=_sizes(config.memory, sum(group.count for group in most.memory), grid),
        memory_bytes=evaluations * cost.memory_bytes(most.memory, dtype.itemsize),
        step_tflop=evaluations * cost.extension(most.new, most.memory) / 1e12,
        film_pflop=flop / 1e15,
        paper_pflop=cost.papers_rule(tokens, config.steps + wordless) / 1e15,
        peak_bytes=max((cost.peak_bytes(window, dtype.itemsize) for window in windows), default=0),
        device=runtime.device_name(where),
        seconds=flop / rate(where, dtype),
    )


def _guided_steps(config: PlanConfig) -> int:
    """In how many steps guidance evaluates a second time."""
    levels = schedule(config.steps, config.shift)[:-1]
    return 0 if config.guidance == 1 else int((levels > config.guidance_above).sum())


def _model(weights: Path, board: Storyboard) -> tuple[FluxCost, Grid]:
    """The transformer as numbers, and the size of the film's frames in its tokens."""
    cost = FluxCost.of(_config(weights / "transformer" / "config.json"))
    vae = _config(weights / "vae" / "config.json")
    patch = 2 ** len(vae["block_out_channels"])
    refuse_other_sizes(board.frame_size, patch)
    return cost, (board.frame_size[0] // patch, board.frame_size[1] // patch)


def _config(path: Path) -> dict[str, Any]:
    found = read_json(path, MAX_CONFIG_BYTES)
    if not isinstance(found, dict):
        raise InputError(f"{path}: the config of a model was wanted, found other data.")
    return found


def _windows(board: Storyboard, drawings: Sequence[Drawing], config: PlanConfig, grid: Grid) -> list[Window]:
    """Each drawing as numbers: its new pairs, and as many remembered ones as there are by then and fit."""
    capacity = config.memory.capacity(grid)
    known = len(board.shots) - sum(len(drawing.drawn) for drawing in drawings)
    windows = []
    for drawing in drawings:
        new = (Pairs(len(drawing.drawn), config.text_length, grid[0] * grid[1]),)
        portraits = board.portrayed(board.shot(drawing.drawn[0]))  # all of a drawing have the same
        remembered = min(known + len(portraits), capacity) if drawing.remembers else 0
        memory = tuple(
            Pairs(count, config.text_length, h * w)
            for count, (h, w) in _sizes(config.memory, remembered, grid)
        )
        windows.append(Window(new, memory))
        known += len(drawing.drawn)
    return windows


def _sizes(memory: GoldenMem, remembered: int, grid: Grid) -> tuple[tuple[int, Grid], ...]:
    return tuple((len(ranks), size) for size, ranks in reversed(memory.by_size(remembered, grid)))
