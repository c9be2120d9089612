"""What a training of the video model would cost (Table 4).

Windows of a dataset differ in length, frame size and number of neighbours, and to know them every clip must
be looked at.  So the dearest one is counted: all its shots fill the largest bucket, at 2:1 (3.1), which of
the usual aspects has the most tokens.  The theatre's windows are all alike.

Shapes:  D width   K shots of a window
"""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.video_cost import Shots, WanCost
from cinema_cli.theatre.world import CLIP_FRAMES, FRAME_SIZE
from cinema_cli.training.clip_latents import size_near
from cinema_cli.training.devices import Devices
from cinema_cli.training.estimate import (
    Load,
    TrainingEstimate,
    estimated,
    frozen_bytes,
    kept_blocks,
    part_config,
    passes,
)
from cinema_cli.training.video_config import VideoTraining

ASPECT = Fraction(2)
"""Width through height of a dataset's clips."""
SCALES = {"scale_factor_spatial": 16, "scale_factor_temporal": 4}
"""Pixels and frames of a latent: Wan2.2's autoencoder, and the toy's, where no base names its own."""
KEPT_WIDTHS, KEPT_BY_ADAPTERS = 35, 27
"""Numbers of width D that a block keeps for its backward, for a token, beside the MLP's; adapters keep fewer.

Measured under bf16 autocast, as a test does: 34.9 and 26.2; the MLP keeps twice its width more."""
KEPT_BY_WORDS = 6
"""Numbers of width D that it keeps for a text token: measured at 6.0, with adapters at 6.2."""
LIVE_WIDTHS, LIVE_BY_ADAPTERS = 16, 29
"""Beside them, outside of blocks and while the backward runs: measured at 11.0 to 16.0, and at 28.2."""


def estimate_video(
    config: VideoTraining, base: Path | None, dataset: bool, devices: Devices
) -> TrainingEstimate:
    """What the training would cost.

    Args:
        config: The whole.
        base: The folder of the model that it starts from; none where it is made from scratch.
        dataset: Whether clips of a dataset are trained on, or the theatre's.
        devices: On what.

    Raises:
        InputError: the base is no Wan transformer, or ``loop.context`` fits neither shots nor devices.
        MissingError: there is no base.
    """
    peers = config.loop.context
    if devices.count % peers or config.window < peers:
        raise InputError(
            f"context={peers}: a multiple of it as devices and at least as many shots were wanted, found "
            f"{devices.count} devices and a window of {config.window} shots."
        )
    cost, scales = _model(config, base)
    sequence, groups = _window(config, cost, scales, dataset)
    fullest = [replace(group, count=config.films * -(-group.count // peers)) for group in groups]
    adapters = cost.adapters(config.lora.rank, config.lora.targets) if config.lora else 0
    base_kept = config.half_base, config.quantise
    load = Load(
        sequence=sequence,
        sequences=config.films,
        tokens=sum(group.tokens for group in groups) * config.films,
        flop=cost.step(groups) * config.films * passes(config.checkpoint_every, bool(adapters)),
        parameters=cost.parameters + adapters,
        trained=adapters or cost.parameters,
        frozen_bytes=adapters and frozen_bytes(cost.parameters, cost.block_weights, *base_kept),
        kept_bytes=_kept_bytes(cost, config, fullest),
    )
    return estimated(load, config.loop, devices)


def _model(config: VideoTraining, base: Path | None) -> tuple[WanCost, dict[str, int]]:
    """The transformer, from the base where it has one, and the scales of the autoencoder."""
    scales = SCALES if base is None else {name: int(part_config(base, "vae")[name]) for name in SCALES}
    if base is not None and (base / "transformer").is_dir():
        return WanCost.of(part_config(base, "transformer")), scales
    if config.transformer is None:
        raise MissingError("The model to start from was wanted, to count it. Name it: --init DIR.")
    return WanCost.of(config.transformer.model_dump()), scales


def _window(
    config: VideoTraining, cost: WanCost, scales: dict[str, int], dataset: bool
) -> tuple[str, list[Shots]]:
    """A window in a phrase and as numbers: the shots that are made, and those of which one frame is seen."""
    unit = scales["scale_factor_spatial"] * cost.patch_size[1]
    size = size_near(ASPECT, config.area, unit) if dataset else FRAME_SIZE
    frames = max(config.frames) if dataset else CLIP_FRAMES
    others = config.neighbours if dataset else min(config.neighbours, config.shots - config.window)
    latent, patches = 1 + frames // scales["scale_factor_temporal"], size[0] // unit * (size[1] // unit)
    groups = [
        Shots(config.window, config.text_length, latent, patches),
        Shots(others, config.text_length, 1, patches),
    ]
    told = f"{config.window} shots of {frames} frames of {size[0]} x {size[1]}, {others} keyframes beside"
    return told + (" (the dearest; the dataset is not read)" if dataset else ""), groups


def _kept_bytes(cost: WanCost, config: VideoTraining, groups: list[Shots]) -> int:
    """Activations of one process, in bf16."""
    tokens = sum(group.tokens for group in groups)
    words = sum(group.count * group.text for group in groups)
    whole, inputs = kept_blocks(cost.blocks, config.checkpoint_every)
    own, live = (KEPT_BY_ADAPTERS, LIVE_BY_ADAPTERS) if config.lora else (KEPT_WIDTHS, LIVE_WIDTHS)
    numbers = (whole * own + inputs + live) * cost.width + whole * 2 * cost.ffn_dim
    return 2 * (tokens * numbers + words * whole * KEPT_BY_WORDS * cost.width)
