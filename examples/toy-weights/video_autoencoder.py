"""Step 5 of the recipe: the video autoencoder of the toy preset, first on single frames, then on short clips.

    python examples/toy-weights/video_autoencoder.py --run runs/toy
    python examples/toy-weights/video_autoencoder.py --run runs/toy --decoder-steps 700

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
LONG = 9
"""Frames of a clip: its first, second and third latent frame pass the model in different ways, all later ones
as the third."""
LOOP = LoopConfig(
    steps=4500,
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
        self._compiled = torch.compile(self._pass)

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
        shown, prior = self._compiled(batch, torch.randn(cells, generator=generator))
        error = shown - batch
        hue = error[:, [0, 2]] - error[:, 1:2]
        absolute = error.abs().mean() + hue.abs().mean()
        squared = error.square().mean() + hue.square().mean() / 2
        return absolute / 2 + 3 * squared + KL_WEIGHT * prior

    def _pass(self, batch: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The clips as they come back, and how far the latents are from a normal."""
        mean, spread = self.vae._encode(batch).float().chunk(2, dim=1)
        spread = spread.clamp(-30, 20)
        shown = self.vae._decode(mean + noise * (spread / 2).exp()).sample.float()
        return shown, (mean.square() + spread.exp() - 1 - spread).mean() / 2

    @torch.no_grad()
    def preview(self, path: Path) -> None:
        """Originals above, reconstructions below."""
        batch = self.batch(-1)[:4]
        shown = self.vae.decode(self.vae.encode(batch).latent_dist.mean).sample
        error = (batch - shown).square().mean(dim=(1, 2, 3, 4)) / 4
        print(f"PSNR {-10 * error.log10().mean().item():.2f} dB")
        rows = [to_uint8(x[:, :, [0, -1]]).permute(0, 2, 3, 4, 1).flatten(0, 1) for x in (batch, shown)]
        save_strip(path, rows)


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
    """Train on frames, then on clips, then export."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, default=Path("runs/toy"))
    parser.add_argument("--frame-steps", type=int, default=LOOP.steps)
    parser.add_argument("--clip-steps", type=int, default=1500)
    parser.add_argument("--decoder-steps", type=int, default=0)
    parser.add_argument("--frames", type=int, default=16, help="frames in a batch of the first stage")
    parser.add_argument("--clips", type=int, default=2, help="clips in a batch of the others")
    options = parser.parse_args()
    checkpoints = options.run / "checkpoints" / "video-autoencoder"
    with Progress() as progress:
        frames = VideoAutoencoder(frames=1, clips=options.frames)
        loop = LOOP.model_copy(update={"steps": options.frame_steps})
        last = train(frames, checkpoints / "frames", loop, progress, "video autoencoder, frames")
        clips = VideoAutoencoder(LONG, options.clips)
        if newest_checkpoint(checkpoints / "clips") is None:
            clips.vae.load_state_dict(module_weights(last / "ema" / "vae"))
        slower = LOOP.optimizer.model_copy(update={"learning_rate": 2e-3})
        loop = LOOP.model_copy(update={"steps": options.clip_steps, "optimizer": slower, "seed": 1})
        last = train(clips, checkpoints / "clips", loop, progress, "video autoencoder, clips")
        if options.decoder_steps:
            clips = VideoAutoencoder(LONG, options.clips, decoder_only=True)
            clips.vae.load_state_dict(module_weights(last / "ema" / "vae"))
            loop = loop.model_copy(update={"steps": options.decoder_steps, "seed": 2})
            last = train(clips, checkpoints / "decoder", loop, progress, "video decoder")
    export(clips, last, options.run / "video" / "vae")
    print(options.run / "video" / "vae")


if __name__ == "__main__":
    main()
