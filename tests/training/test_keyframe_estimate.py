"""What a stage would cost, against the cost model, real modules and the presets."""

from pathlib import Path

import pytest
import torch
from diffusers import FluxTransformer2DModel

from alive import kept_bytes
from cinema_cli.config import build, load_preset
from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.cost import FLUX_DEV, FluxCost, Pairs
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.pairs import PairGroup
from cinema_cli.models.quantise import quantise_blocks
from cinema_cli.training.devices import Devices
from cinema_cli.training.estimate import frozen_bytes
from cinema_cli.training.extension import step_kinds
from cinema_cli.training.keyframe_config import KeyframeTraining
from cinema_cli.training.keyframe_estimate import KEPT_WIDTHS, estimate_stage
from cinema_cli.training.lora import LoraConfig, LoraLayers

H100 = Devices(count=16, name="NVIDIA H100 80GB HBM3", rate=3e14)
FLUX = {
    "num_layers": 19,
    "num_single_layers": 38,
    "attention_head_dim": 128,
    "num_attention_heads": 24,
    "joint_attention_dim": 4096,
    "pooled_projection_dim": 768,
    "in_channels": 64,
    "guidance_embeds": True,
}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The config of FLUX.1-dev as a folder; no weights."""
    with torch.device("meta"):
        FluxTransformer2DModel(**FLUX).save_config(tmp_path / "transformer")
    return tmp_path


def preset(name: str) -> KeyframeTraining:
    return build(KeyframeTraining, load_preset(name)["train_keyframes"], name)


@pytest.mark.parametrize("name", ["flux-dev", "flux-dev-lora", "flux-schnell", "flux-schnell-lora", "toy"])
def test_every_preset_can_be_counted_at_every_stage(name: str, base: Path) -> None:
    config = preset(name)
    for stage in config.stages:
        made = estimate_stage(stage, config, None if config.transformer else base, H100)
        assert made.sequences == 16 * config.stages[stage].sequences * config.stages[stage].loop.accumulate
        assert 0 < made.trained <= made.parameters
        assert made.step_tflop > 0
        assert made.days > 0


def test_a_joint_stage_is_three_forwards_and_four_where_it_is_checkpointed(base: Path) -> None:
    config = preset("flux-dev")
    stages = {16: config.stages[16].model_copy(update={"extend": 0.0})}
    config = config.model_copy(update={"stages": stages})
    forward = FLUX_DEV.step([Pairs(16, 512, 1250)]) / 1e12
    made = estimate_stage(16, config, base, H100)
    assert made.step_tflop == pytest.approx(4 * forward * 16)
    assert made.tokens == 16 * 16 * 1762
    assert made.trained == made.parameters == FLUX_DEV.parameters
    assert made.step_seconds == pytest.approx(4 * forward * 1e12 / H100.rate)
    plain = estimate_stage(16, config.model_copy(update={"checkpoint_every": 0}), base, H100)
    assert plain.step_tflop == pytest.approx(3 * forward * 16)
    assert plain.bytes_per_device > made.bytes_per_device
    lora = estimate_stage(16, config.model_copy(update={"lora": LoraConfig(rank=16)}), base, H100)
    assert lora.step_tflop == pytest.approx(3 * forward * 16)


def test_processes_that_share_a_sequence_take_longer_ones_or_fewer(base: Path) -> None:
    config = preset("flux-dev")
    alone = config.stages[16].model_copy(update={"extend": 0.0})
    shared = alone.model_copy(update={"loop": alone.loop.model_copy(update={"context": 4})})
    one, four = (
        estimate_stage(16, config.model_copy(update={"stages": {16: stage}}), base, H100)
        for stage in (alone, shared)
    )
    assert (one.sequences, four.sequences) == (16, 4)
    assert four.step_seconds == pytest.approx(one.step_seconds / 4)
    assert four.bytes_per_device < one.bytes_per_device
    three = alone.model_copy(update={"loop": alone.loop.model_copy(update={"context": 3})})
    with pytest.raises(InputError, match="context=3: devices and pairs that it divides"):
        estimate_stage(16, config.model_copy(update={"stages": {16: three}}), base, H100)


def test_the_mean_of_all_kinds_of_steps_is_counted() -> None:
    config = preset("flux-dev")
    kinds = step_kinds(48, config.stages[48], 512, (25, 50))
    ((share, groups),) = kinds  # GoldenMem alone: Table 3's window
    assert share == 1
    assert [(g.count, g.image) for g in groups] == [(12, 50), (12, 162), (12, 450), (12, 1250)]
    shares = [share for share, _ in step_kinds(8, config.stages[8], 512, (25, 50))]
    assert sum(shares) == pytest.approx(1)
    assert len(shares) == 1 + 2 * 3


def test_adapters_are_counted_as_peft_makes_them(base: Path) -> None:
    shape = preset("toy").transformer
    assert shape is not None
    config = preset("toy").model_copy(update={"lora": LoraConfig(rank=8)})
    layers = LoraLayers(InterleavedFlux(**shape.model_dump()), LoraConfig(rank=8))
    assert estimate_stage(8, config, None, H100).trained == sum(p.numel() for p in layers.parameters())


@pytest.mark.parametrize("kind", ["int8", "nf4"])
def test_a_quantised_base_is_counted_as_it_is_kept(kind: str) -> None:
    shape = preset("toy").transformer
    assert shape is not None
    model = InterleavedFlux(**shape.model_dump()).bfloat16()
    quantise_blocks(model, kind, torch.device("cpu"))
    kept = sum(x.nbytes for x in model.state_dict().values())
    cost = FluxCost.of(model.config)
    told = frozen_bytes(cost.parameters, cost.block_weights, True, kind)
    assert kept == pytest.approx(told, rel=0.02)  # int8 has a scale for each output besides
    smaller, whole = (
        estimate_stage(
            8, preset("toy").model_copy(update={"lora": LoraConfig(), "quantise": how}), None, H100
        )
        for how in (kind, "none")
    )
    assert whole.bytes_per_device - smaller.bytes_per_device == cost.parameters * 2 - told


def test_the_optimizer_s_bytes_are_counted(base: Path) -> None:
    config = preset("flux-dev")
    loop = config.stages[16].loop
    light = loop.model_copy(update={"optimizer": loop.optimizer.model_copy(update={"kind": "adamw8bit"})})
    stages = {16: config.stages[16].model_copy(update={"loop": light})}
    one, other = (
        estimate_stage(16, each, base, H100)
        for each in (config, config.model_copy(update={"stages": stages}))
    )
    saved = one.bytes_per_device - other.bytes_per_device
    assert saved == pytest.approx((8 - 2.03125) * FLUX_DEV.parameters / 16, rel=1e-6)


@pytest.mark.parametrize(("more", "least"), [({"num_layers": 3}, 28), ({"num_single_layers": 3}, 25)])
def test_blocks_keep_as_much_as_is_said(more: dict[str, int], least: float) -> None:
    shape = {"num_layers": 1, "num_single_layers": 1, "attention_head_dim": 32, "num_attention_heads": 2}
    rest = {
        "in_channels": 8,
        "joint_attention_dim": 8,
        "pooled_projection_dim": 8,
        "axes_dims_rope": (8, 12, 12),
    }

    def kept(pairs: int, **changes: int) -> int:
        model = InterleavedFlux(**{**shape, **rest, **changes})
        ones = PairGroup(
            torch.ones(1, pairs, 32, 8),
            torch.ones(1, pairs, 32, 8),
            torch.ones(1, pairs, 8),
            torch.ones(1, pairs),
            range(pairs),
            (4, 8),
        )
        return kept_bytes(model, lambda: model(groups=[ones]))

    # Two blocks and six pairs more: what does not grow with tokens, such as half-precision weights, is out.
    grown = [kept(8, **changes) - kept(2, **changes) for changes in ({}, more)]
    widths = (grown[1] - grown[0]) / 2 / (6 * 64) / 64 / 2
    assert least < widths < KEPT_WIDTHS + 1


def test_what_cannot_be_counted_is_told(base: Path) -> None:
    with pytest.raises(InputError, match="among 8, 16, 32, 48 was wanted, found 5"):
        estimate_stage(5, preset("flux-dev"), base, H100)
    with pytest.raises(MissingError, match="--init DIR"):
        estimate_stage(8, preset("flux-dev"), None, H100)
