"""What a stage of the keyframe model would cost (Table 3, Table 4).

Shapes:  P pairs   D width
"""

from pathlib import Path

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.cost import FluxCost
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
from cinema_cli.training.extension import step_kinds
from cinema_cli.training.keyframe_config import KeyframeTraining

PATCH = 16
"""Pixels along a side of a token: 8 by the autoencoder, 2 by the packing (FLUX.1)."""
KEPT_WIDTHS = 29
"""Numbers of width D that a block keeps for its backward, for a token, where it is not checkpointed.

Measured under bf16 autocast, as a test does: 29.2 in a double-stream block, 26.1 in a single-stream one."""


def estimate_stage(
    stage: int, config: KeyframeTraining, base: Path | None, devices: Devices
) -> TrainingEstimate:
    """What a stage would cost.

    Args:
        stage: Pairs in a sequence.
        config: The whole.
        base: The folder of the model that it starts from, where the config has no shape of its own.
        devices: On what.

    Raises:
        InputError: the stage is unknown, or the base is no FLUX transformer.
        MissingError: there is no base.
    """
    if stage not in config.stages:
        known = ", ".join(str(s) for s in sorted(config.stages))
        raise InputError(f"A stage among {known} was wanted, found {stage}.")
    wanted, cost = config.stages[stage], _model(config, base)
    peers = wanted.loop.context
    if devices.count % peers or stage % peers:
        raise InputError(
            f"context={peers}: devices and pairs that it divides were wanted, found {devices.count} devices "
            f"and {stage} pairs."
        )
    height, width = config.frame_size
    kinds = step_kinds(stage, wanted, config.text_length, (height // PATCH, width // PATCH))
    tokens = [sum(group.tokens for group in groups) for _, groups in kinds]
    forward = sum(share * cost.step(groups) for share, groups in kinds)
    adapters, base_kept = _adapters(cost, config), (config.half_base, config.quantise)
    forwards = passes(config.checkpoint_every, bool(adapters)) + config.keep_guidance
    load = Load(
        sequence=f"{stage} pairs of {height} x {width} pixels",
        sequences=wanted.sequences,
        tokens=sum(share * count for (share, _), count in zip(kinds, tokens, strict=True)) * wanted.sequences,
        flop=forward * forwards * wanted.sequences,
        parameters=cost.parameters + adapters,
        trained=adapters or cost.parameters,
        frozen_bytes=adapters and frozen_bytes(cost.parameters, cost.block_weights, *base_kept),
        kept_bytes=_kept_bytes(cost, config, max(tokens) * wanted.sequences // peers),
    )
    return estimated(load, wanted.loop, devices)


def _model(config: KeyframeTraining, base: Path | None) -> FluxCost:
    if config.transformer is not None:
        return FluxCost.of(config.transformer.model_dump())
    if base is None:
        raise MissingError("The model to start from was wanted, to count it. Name it: --init DIR.")
    return FluxCost.of(part_config(base, "transformer"))


def _adapters(cost: FluxCost, config: KeyframeTraining) -> int:
    """Parameters of adapters in all linear layers of the blocks: rank x (inputs + outputs) of each."""
    if config.lora is None:
        return 0
    double = 2 * (4 * 2 + 2 * 5)
    single = 3 * 2 + 5 + 6
    return config.lora.rank * cost.width * (cost.num_layers * double + cost.num_single_layers * single)


def _kept_bytes(cost: FluxCost, config: KeyframeTraining, tokens: int) -> int:
    """Activations of so many tokens, in bf16."""
    whole, inputs = kept_blocks(cost.blocks, config.checkpoint_every)
    return (whole * KEPT_WIDTHS + inputs) * tokens * cost.width * 2
