"""Step 5 of the recipe: the video autoencoder of the toy preset, on single frames, half clips and whole ones.

    python examples/toy-weights/video_autoencoder.py --run runs/toy
    python examples/toy-weights/video_autoencoder.py --run runs/toy --decoder-steps 2300

Writes ``RUN/video/vae`` in diffusers' layout.  With ``--decoder-steps`` the decoder alone learns on, as for
images.  The same command goes on where it stopped.
"""

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from torch import Tensor

from cinema_cli.models.encoders import to_uint8
from cinema_cli.progress import Progress
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import random_shot
from cinema_cli.theatre.world import CLIP_FRAMES, CLIP_RATE
from cinema_cli.training.checkpoint import module_weights, newest_checkpoint, save_module
from cinema_cli.training.loop import LoopConfig, train
from cinema_cli.training.optimizers import OptimizerConfig
from cinema_cli.training.preview import save_strip
from matrices import as_convolutions, as_matrices

Z = 48
PATCH = 4
"""Pixels that go into a cell side by side: all the rest is computed at a quarter of the height and width."""
KL_WEIGHT = 5e-4
QUIET = -6.0
"""Logarithm of the latents' variance at the start: hardly any noise while there is little to say."""
FIRST = 6
"""What the first frame counts, each other 1: it is coded alone, and a clip has to keep its keyframe."""
MOVING = 12
"""What a pixel that moves counts more than one that stands still: an arm that waves is a few pixels wide."""
MOVED = 0.25
"""How far from its mean over time, of a range of 2, a pixel's colour wholly counts as moving."""
NOISE = 0.5
"""Most noise on the latents of whole clips, of their spread; none on the keyframe's.

Sampled ones have some left, as with images; and an encoder learns to say louder what noise would hide."""
HALF = 9
"""Frames of half a clip.  Whole ones must follow: what is carried on in time drifts after the last frame that
training saw."""
LOOP = LoopConfig(
    steps=4000,
    optimizer=OptimizerConfig(kind="muon", learning_rate=4e-3, warmup=50, weight_decay=0.0, floor=0.02),
    ema=0.995,
    save_every=250,
    preview_every=500,
)


class VideoAutoencoder:
    """Reconstruct drawn clips: absolute and squared error in colour and hue, and a light pull to a normal."""

    def __init__(self, frames: int, clips: int, decoder_only: bool = False) -> None:
        self.frames, self.clips = frames, clips
        torch.manual_seed(0)
        self.vae = AutoencoderKLWan(
            base_dim=32,
            decoder_base_dim=32,
            z_dim=Z,
            dim_mult=[1, 2, 2],
            num_res_blocks=1,
            temperal_downsample=[True, True],
            is_residual=True,
            in_channels=3 * PATCH**2,
            out_channels=3 * PATCH**2,
            patch_size=PATCH,
            scale_factor_temporal=4,
            scale_factor_spatial=16,
            latents_mean=[0.0] * Z,
            latents_std=[1.0] * Z,
        )
        _start_straight(self.vae)
        as_matrices(self.vae)
        for part in (self.vae.encoder, self.vae.quant_conv):
            part.requires_grad_(not decoder_only)
        self.modules = {"vae": self.vae}
        # Not the whole pass: all latent frames but the first two share what is compiled.
        self.vae.encoder.compile()
        self.vae.decoder.compile()

    def batch(self, seed: int) -> Tensor:
        """Random clips (n, 3, F, H, W) in [-1, 1]; a clip starts anywhere in its two seconds."""
        rng = random.Random(seed)
        clips = []
        for _ in range(self.clips):
            shot, start = random_shot(rng)[0], rng.randrange(CLIP_FRAMES - self.frames + 1)
            clips.append(np.stack([draw_frame(shot, (start + i) / CLIP_RATE) for i in range(self.frames)]))
        return torch.from_numpy(np.stack(clips)).permute(0, 4, 1, 2, 3) / 127.5 - 1

    def loss(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Reconstruction and prior."""
        clips, _, frames, height, width = batch.shape
        cells = (clips, Z, 1 + frames // 4, height // 16, width // 16)
        noise, rough = torch.randn(cells, generator=generator), torch.zeros(clips, 1, cells[2], 1, 1)
        if frames == CLIP_FRAMES:
            rough[:, :, 1:] = NOISE * torch.rand(clips, 1, 1, 1, 1, generator=generator)
        shown, prior = self._pass(batch, noise, rough)
        weights, error = _weights(batch), shown - batch
        hue = error[:, [0, 2]] - error[:, 1:2]
        absolute = (weights * error.abs()).mean() + (weights * hue.abs()).mean()
        squared = (weights * error.square()).mean() + (weights * hue.square()).mean() / 2
        return absolute / 2 + 3 * squared + KL_WEIGHT * prior

    def _pass(self, batch: Tensor, noise: Tensor, rough: Tensor) -> tuple[Tensor, Tensor]:
        """The clips as they come back, and how far the latents are from a normal.

        ``rough`` (n, 1, F, 1, 1): noise beside the latents' own, of their spread over the batch.
        """
        mean, spread = self.vae._encode(batch).float().chunk(2, dim=1)
        spread = spread.clamp(-30, 20)
        usual = mean.detach().std(dim=(0, 2, 3, 4), keepdim=True)
        shown = self.vae._decode(mean + noise * ((spread / 2).exp() + rough * usual)).sample.float()
        return shown, (mean.square() + spread.exp() - 1 - spread).mean() / 2

    @torch.no_grad()
    @torch.compiler.set_stance("force_eager")  # it is too seldom for a compilation of its own
    def preview(self, path: Path) -> None:
        """Originals above, reconstructions below."""
        batch = self.batch(-1)[:4]
        shown = self.vae.decode(self.vae.encode(batch).latent_dist.mean).sample
        error = (batch - shown).square().mean(dim=(1, 2, 3, 4)) / 4
        print(f"PSNR {-10 * error.log10().mean().item():.2f} dB")
        rows = [to_uint8(x[:, :, [0, -1]]).permute(0, 2, 3, 4, 1).flatten(0, 1) for x in (batch, shown)]
        save_strip(path, rows)


def _weights(clips: Tensor) -> Tensor:
    """What each pixel counts (n, 1, F, H, W), 1 on average."""
    moved = (clips - clips.mean(dim=2, keepdim=True)).abs().amax(dim=1, keepdim=True)
    weights = 1 + MOVING * (moved / MOVED).clamp(max=1)
    weights[:, :, 0] *= FIRST
    return weights / weights.mean()


@torch.no_grad()
def _start_straight(vae: AutoencoderKLWan) -> None:
    """Residual branches start at zero, so that colours pass; a plain start scrambles them at first."""
    for module in vae.modules():
        kind = type(module).__name__
        if kind == "WanResidualBlock":
            module.conv2.weight.zero_()
            module.conv2.bias.zero_()
        elif kind == "WanAttentionBlock":
            module.proj.weight.zero_()
            module.proj.bias.zero_()
    vae.quant_conv.weight[Z:].zero_()
    vae.quant_conv.bias[Z:] = QUIET


@torch.no_grad()
@torch.compiler.set_stance("force_eager")
def export(task: VideoAutoencoder, checkpoint: Path, folder: Path) -> None:
    """Save the averaged weights with the latents' measured mean and spread per channel, as Wan's has them."""
    task.vae.load_state_dict(module_weights(checkpoint / "ema" / "vae"))
    task.vae.eval()
    latents = torch.cat(
        [task.vae.encode(task.batch(seed)).latent_dist.mean for seed in range(10**6, 10**6 + 16)]
    )
    mean, std = latents.mean(dim=(0, 2, 3, 4)), latents.std(dim=(0, 2, 3, 4))
    task.vae.register_to_config(latents_mean=mean.tolist(), latents_std=std.clamp(min=0.1).tolist())
    as_convolutions(task.vae)
    save_module(task.vae, folder)


def main() -> None:
    """Train on frames, halves and wholes, then export."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, default=Path("runs/toy"))
    parser.add_argument("--frame-steps", type=int, default=LOOP.steps, help="of 16 frames")
    parser.add_argument("--half-steps", type=int, default=1400, help="of 2 clips of 9 frames")
    parser.add_argument("--whole-steps", type=int, default=3500, help="of a clip of 17 frames")
    parser.add_argument("--decoder-steps", type=int, default=0, help="of a clip of 17 frames")
    options = parser.parse_args()
    checkpoints = options.run / "checkpoints" / "video-autoencoder"
    stages = [
        ("frames", VideoAutoencoder(1, 16), options.frame_steps, 4e-3),
        ("halves", VideoAutoencoder(HALF, 2), options.half_steps, 2e-3),
        ("wholes", VideoAutoencoder(CLIP_FRAMES, 1), options.whole_steps, 2e-3),
        ("decoder", VideoAutoencoder(CLIP_FRAMES, 1, decoder_only=True), options.decoder_steps, 2e-3),
    ]
    last = None
    with Progress() as progress:
        for seed, (name, task, steps, rate) in enumerate(stages):
            if not steps:
                continue
            if last is not None and newest_checkpoint(checkpoints / name) is None:
                task.vae.load_state_dict(module_weights(last / "ema" / "vae"))
            optimizer = LOOP.optimizer.model_copy(update={"learning_rate": rate})
            loop = LOOP.model_copy(update={"steps": steps, "optimizer": optimizer, "seed": seed})
            last = train(task, checkpoints / name, loop, progress, f"video autoencoder, {name}")
    assert last is not None
    export(task, last, options.run / "video" / "vae")
    print(options.run / "video" / "vae")


if __name__ == "__main__":
    main()
