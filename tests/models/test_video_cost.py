import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from cinema_cli.errors import InputError
from cinema_cli.models.video import InterleavedWan, ShotGroup
from cinema_cli.models.video_cost import WAN_TI2V_5B, Shots, WanCost
from cinema_cli.training.lora import LoraLayers
from cinema_cli.training.video_config import VideoLoraConfig

TINY = {
    "num_attention_heads": 2,
    "attention_head_dim": 12,
    "in_channels": 4,
    "out_channels": 4,
    "text_dim": 10,
    "freq_dim": 16,
    "ffn_dim": 32,
    "num_layers": 2,
}
SHAPES = {
    "tiny": TINY,
    "uneven": TINY | {"num_attention_heads": 3, "out_channels": 6, "ffn_dim": 20, "num_layers": 3},
    "no weights in the other norm": TINY | {"cross_attn_norm": False},
}
# shots and latent frames of each group; the last only show their keyframe
LENGTHS = [(2, 3), (1, 5), (3, 1)]
GROUPS = [Shots(n, 5, frames, 2 * 3) for n, frames in LENGTHS]
FULL_SIZE = {
    "num_attention_heads": 24,
    "attention_head_dim": 128,
    "in_channels": 48,
    "out_channels": 48,
    "text_dim": 4096,
    "freq_dim": 256,
    "ffn_dim": 14336,
    "num_layers": 30,
}
"""transformer/config.json of Wan2.2-TI2V-5B; everything else is diffusers' default."""
WINDOW = [Shots(4, 512, 19, 11 * 22), Shots(8, 512, 1, 11 * 22)]
"""Four shots of 73 frames at 352 x 704 beside eight keyframes."""


def tensors(films: int = 1) -> list[ShotGroup]:
    return [
        ShotGroup(
            torch.randn(films, n, 4, frames, 4, 6),
            torch.randn(films, n, 5, 10),
            torch.rand(films, n, frames),
            [4.0 * i for i in range(n)],
        )
        for n, frames in LENGTHS
    ]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_parameters_are_those_of_the_model(shape):
    model = InterleavedWan(**shape)
    assert WanCost.of(model.config).parameters == sum(p.numel() for p in model.parameters())


def test_wan_is_the_model_that_diffusers_builds():
    with torch.device("meta"):
        model = InterleavedWan(**FULL_SIZE)
    assert WanCost.of(model.config) == WAN_TI2V_5B
    assert WAN_TI2V_5B.parameters == sum(p.numel() for p in model.parameters()) == 4_999_787_712


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_step_is_what_torch_counts(shape):
    model = InterleavedWan(**shape)
    for films in (1, 2):
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(groups=tensors(films))
        assert films * WanCost.of(model.config).step(GROUPS) == counter.get_total_flops()


def test_a_training_step_is_close_to_three_forwards():
    """Attention's backward makes the scores again; inputs need no gradient."""
    model = InterleavedWan(**TINY)
    with FlopCounterMode(display=False) as counter:
        sum(out.sum() for out in model(groups=tensors())).backward()
    told = 3 * WanCost.of(model.config).step(GROUPS)
    assert told == pytest.approx(counter.get_total_flops(), rel=0.06)


@pytest.mark.parametrize("targets", [VideoLoraConfig().targets, r".*(to_q|time_proj|proj_out)"])
def test_adapters_are_counted_as_peft_makes_them(targets):
    model = InterleavedWan(**SHAPES["uneven"])
    cost = WanCost.of(model.config)
    layers = LoraLayers(model, VideoLoraConfig(rank=4, targets=targets))
    assert cost.adapters(4, targets) == sum(p.numel() for p in layers.parameters()) > 0


def test_wan_by_hand():
    assert WAN_TI2V_5B.linear_per_token == 30 * 4 * 3072 * (3 * 3072 + 14336) == 8_682_209_280
    assert WAN_TI2V_5B.attention_per_pair == 4 * 3072 * 30 == 368_640
    assert WAN_TI2V_5B.modulation_per_frame == 2 * 3072 * (256 + 7 * 3072) == 133_693_440


def test_noise_levels_of_latent_frames_cost_next_to_nothing():
    frames = sum(group.count * group.frames for group in WINDOW)
    assert sum(group.tokens for group in WINDOW) == 20_328
    assert frames * WAN_TI2V_5B.modulation_per_frame / WAN_TI2V_5B.step(WINDOW) < 5e-5


def test_a_config_without_its_numbers_is_an_error():
    with pytest.raises(InputError, match=r"ffn_dim, patch_size wanted, found"):
        WanCost.of({name: 1 for name in TINY if name != "ffn_dim"})


def test_a_model_with_parts_that_see_an_image_is_an_error():
    with pytest.raises(InputError, match=r"without image_dim was wanted, found image_dim=1280"):
        WanCost.of({**TINY, "patch_size": [1, 2, 2], "image_dim": 1280})
