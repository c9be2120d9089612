"""What a training of the video model would cost, against real modules and the presets."""

import json
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from alive import Alive, kept_bytes
from cinema_cli.config import build, load_preset, with_overrides
from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.encoders import VideoCodec
from cinema_cli.models.quantise import quantise_blocks
from cinema_cli.models.video import InterleavedWan, ShotGroup
from cinema_cli.models.video_cost import WAN_TI2V_5B, Shots, WanCost
from cinema_cli.models.weights import model_folder
from cinema_cli.training.devices import Devices
from cinema_cli.training.estimate import frozen_bytes
from cinema_cli.training.films import Clips, Films
from cinema_cli.training.lora import LoraLayers
from cinema_cli.training.video import VideoTask
from cinema_cli.training.video_config import VideoLoraConfig, VideoTraining
from cinema_cli.training.video_estimate import (
    KEPT_BY_ADAPTERS,
    KEPT_BY_WORDS,
    KEPT_WIDTHS,
    LIVE_BY_ADAPTERS,
    LIVE_WIDTHS,
    estimate_video,
)
from clipped_films import tiny_video
from tiny_models import TEXT, video_autoencoder, video_transformer

H100 = Devices(count=8, name="NVIDIA H100 80GB HBM3", rate=3e14)
WIDTH, INSIDE, TOKENS = 64, 298, 3 * 4 * 8
"""D of the small models below, width inside their MLP (Wan2.2-TI2V-5B's 14336 / 3072), tokens of a shot."""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The configs of Wan2.2-TI2V-5B as a folder; no weights."""
    with torch.device("meta"):
        model = InterleavedWan(
            num_attention_heads=24,
            attention_head_dim=128,
            in_channels=48,
            out_channels=48,
            ffn_dim=14336,
            num_layers=30,
        )
    model.save_config(tmp_path / "transformer")
    (tmp_path / "vae").mkdir()
    scales = {"scale_factor_spatial": 16, "scale_factor_temporal": 4}
    (tmp_path / "vae" / "config.json").write_text(json.dumps(scales))
    return tmp_path


def preset(name: str, *changes: str) -> VideoTraining:
    return build(VideoTraining, with_overrides(load_preset(name)["train_video"], changes), name)


def test_a_dataset_s_dearest_window_is_four_forwards_where_it_is_checkpointed(base: Path) -> None:
    forward = WAN_TI2V_5B.step([Shots(4, 512, 31, 242), Shots(8, 512, 1, 242)]) / 1e12
    made = estimate_video(preset("wan-ti2v-5b"), base, True, H100)
    assert "4 shots of 121 frames of 352 x 704, 8 keyframes beside (the dearest" in made.sequence
    assert made.trained == made.parameters == WAN_TI2V_5B.parameters
    assert (made.sequences, made.tokens) == (8, 8 * (4 * 31 + 8) * 242)
    assert made.step_tflop == pytest.approx(4 * forward * 8)
    assert made.step_seconds == pytest.approx(4 * forward * 1e12 / H100.rate)
    assert made.sharded
    plain = estimate_video(preset("wan-ti2v-5b", "checkpoint_every=0"), base, True, H100)
    assert plain.step_tflop == pytest.approx(3 * forward * 8)
    assert plain.bytes_per_device > 5 * made.bytes_per_device
    short = estimate_video(preset("wan-ti2v-5b", "frames=[25]"), base, True, H100)
    assert short.tokens == 8 * (4 * 7 + 8) * 242
    lora = estimate_video(preset("wan-ti2v-5b-lora"), base, True, H100)
    assert lora.step_tflop == pytest.approx(3 * forward * 8)
    assert (lora.trained, lora.sharded) == (161_218_560, False)
    assert lora.parameters == WAN_TI2V_5B.parameters + lora.trained


def test_the_theatre_s_windows_are_counted_as_they_are() -> None:
    toy = model_folder("toy", "video")
    for given in (None, toy):
        made = estimate_video(preset("toy"), given, False, Devices(1, "CPU", 1e11))
        assert made.sequence == "4 shots of 17 frames of 128 x 256, 4 keyframes beside"
        assert made.tokens == 2 * (4 * 5 + 4) * 4 * 8
    with torch.device("meta"):
        model = InterleavedWan(**InterleavedWan.load_config(toy / "transformer"))
    assert made.parameters == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("kind", ["int8", "nf4"])
def test_a_quantised_base_is_counted_as_it_is_kept(kind: str) -> None:
    with torch.device("meta"):
        model = InterleavedWan(**InterleavedWan.load_config(model_folder("toy", "video") / "transformer"))
    model = model.to_empty(device="cpu").bfloat16()
    quantise_blocks(model, kind, torch.device("cpu"))
    kept = sum(x.nbytes for x in model.state_dict().values())
    cost = WanCost.of(model.config)
    assert kept == pytest.approx(frozen_bytes(cost.parameters, cost.block_weights, True, kind), rel=0.02)


def test_processes_that_share_a_window_take_longer_ones_or_fewer(base: Path) -> None:
    one, two = (
        estimate_video(preset("wan-ti2v-5b", f"loop.context={peers}"), base, True, H100) for peers in (1, 2)
    )
    assert (one.sequences, two.sequences) == (8, 4)
    assert two.step_seconds == pytest.approx(one.step_seconds / 2)
    assert two.bytes_per_device < one.bytes_per_device
    for peers in (3, 8):
        with pytest.raises(InputError, match=f"context={peers}: a multiple of it"):
            estimate_video(preset("wan-ti2v-5b", f"loop.context={peers}"), base, True, H100)


def test_what_cannot_be_counted_is_told(base: Path) -> None:
    with pytest.raises(MissingError, match="--init DIR"):
        estimate_video(preset("wan-ti2v-5b"), None, True, H100)
    (base / "vae" / "config.json").unlink()
    with pytest.raises(MissingError, match=r"vae.config.json: wanted"):
        estimate_video(preset("wan-ti2v-5b"), base, True, H100)


def small(blocks: int, adapters: bool, every: int = 0) -> InterleavedWan:
    model = InterleavedWan(
        num_attention_heads=2,
        attention_head_dim=WIDTH // 2,
        in_channels=8,
        out_channels=8,
        text_dim=8,
        freq_dim=16,
        ffn_dim=INSIDE,
        num_layers=blocks,
    )
    if adapters:
        LoraLayers(model, VideoLoraConfig(rank=2))
    if every:
        model.checkpoint_every(every)
    return model


def film(shots: int, words: int = 4) -> list[ShotGroup]:
    text = torch.ones(1, shots, words, 8)
    starts = [4.0 * shot for shot in range(shots)]
    return [ShotGroup(torch.ones(1, shots, 8, 3, 8, 16), text, torch.rand(1, shots, 3), starts)]


@pytest.mark.parametrize(("adapters", "told"), [(False, KEPT_WIDTHS), (True, KEPT_BY_ADAPTERS)])
def test_blocks_keep_as_much_as_is_said(adapters: bool, told: int) -> None:
    def kept(blocks: int, shots: int, words: int) -> int:
        model = small(blocks, adapters)
        return kept_bytes(model, lambda: model(groups=film(shots, words)))

    # Two blocks and six shots, or so many words, more: what does not grow with tokens is out.
    token, word = (
        (grown[1] - grown[0]) / 2 / more / WIDTH / 2
        for grown, more in (
            ([kept(blocks, 8, 4) - kept(blocks, 2, 4) for blocks in (1, 3)], 6 * TOKENS),
            ([kept(blocks, 2, 132) - kept(blocks, 2, 4) for blocks in (1, 3)], 2 * 128),
        )
    )
    words_of_a_shot = 4 / TOKENS * word
    assert told - 1 < token - words_of_a_shot - 2 * INSIDE / WIDTH < told + 0.5
    assert word == pytest.approx(KEPT_BY_WORDS, abs=0.5)


@pytest.mark.parametrize("adapters", [False, True])
@pytest.mark.parametrize("every", [0, 1])
def test_a_step_takes_as_much_memory_as_is_said(adapters: bool, every: int) -> None:
    def most(shots: int) -> int:
        model = small(3, adapters, every)
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter) if parameter.requires_grad else None
        with Alive() as alive:
            with torch.autocast("cpu", torch.bfloat16):
                loss = model(groups=film(shots))[0].float().square().mean()
            loss.backward()
        return alive.peak

    measured = (most(8) - most(2)) / (6 * TOKENS) / WIDTH / 2
    whole, inputs = (1, 3) if every else (3, 0)
    own, live = (KEPT_BY_ADAPTERS, LIVE_BY_ADAPTERS) if adapters else (KEPT_WIDTHS, LIVE_WIDTHS)
    told = whole * (own + 2 * INSIDE / WIDTH + KEPT_BY_WORDS * 4 / TOKENS) + inputs + live
    assert 0.98 < told / measured < 1.1


class TwoLengths:
    """Two films of shots of two lengths with another shot beside, and two of one length."""

    facts: dict[str, object] = {}  # noqa: RUF012 - it is never changed

    def __init__(self) -> None:
        def clips(shots: int, frames: int, places: tuple[int, ...]) -> Clips:
            latents, text = torch.randn(2, shots, 4, frames, 4, 4), torch.randn(2, shots, 6, TEXT)
            return Clips(latents, text, torch.zeros(2, shots, 4, 4), places)

        self.films = Films((clips(1, 2, (2,)), clips(2, 3, (0, 3))), clips(1, 1, (1,)))
        self.others = Films((clips(3, 2, (0, 1, 2)),), None)

    def batch(self, seed: int) -> list[Films]:
        return [self.films, self.others][: 1 + seed]

    def preview(self) -> Films:
        return self.films


@pytest.mark.parametrize("adapters", [False, True])
def test_mfu_counts_the_windows_of_the_batch(adapters: bool) -> None:
    config = tiny_video(*(["lora.rank=2"] if adapters else []))
    data, model = TwoLengths(), video_transformer()
    forwards = []
    for seed in (0, 1):
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            for films in data.batch(seed):
                VideoTask(model, VideoCodec(video_autoencoder()), data, tiny_video()).squared_errors(
                    films, torch.Generator().manual_seed(0)
                )
        forwards.append(counter.get_total_flops())
    task = VideoTask(model, VideoCodec(video_autoencoder()), data, config)
    told = [task.flop(data.batch(seed)) for seed in (0, 1)]
    assert told == [(2 if adapters else 3) * forward for forward in forwards]
