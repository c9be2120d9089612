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
from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d
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
from identity import start_video_as_identity

Z = 48
KL_WEIGHT = 5e-4
LOOP = LoopConfig(
    steps=2400,
    optimizer=OptimizerConfig(learning_rate=2e-3, warmup=50, weight_decay=0.0, floor=0.05),
    ema=0.995,
    save_every=250,
    preview_every=250,
)


class FrameConv(WanCausalConv3d):
    """For a clip of one frame a causal convolution is its last tap: the same numbers, a third of the work."""

    def forward(self, x: Tensor, cache_x: Tensor | None = None) -> Tensor:
        """(B, C, 1, H, W) without a cache."""
        assert x.shape[2] == 1, x.shape
        assert cache_x is None
        left, right, top, bottom = self._padding[:4]
        x = torch.nn.functional.pad(x[:, :, 0], (left, right, top, bottom))
        weight = self.weight[:, :, -1]
        return torch.nn.functional.conv2d(x, weight, self.bias, self.stride[1:])[:, :, None]


class VideoAutoencoder:
    """Reconstruct drawn clips: absolute error in colour and hue, and a light pull to a normal."""

    def __init__(self, frames: int, clips: int, decoder_only: bool = False) -> None:
        self.frames, self.clips = frames, clips
        torch.manual_seed(0)
        self.vae = AutoencoderKLWan(
            base_dim=16,
            decoder_base_dim=16,
            z_dim=Z,
            dim_mult=[1, 2, 4, 4],
            num_res_blocks=1,
            temperal_downsample=[False, True, True],
            is_residual=True,
            in_channels=12,
            out_channels=12,
            patch_size=2,
            scale_factor_temporal=4,
            scale_factor_spatial=16,
            latents_mean=[0.0] * Z,
            latents_std=[1.0] * Z,
        )
        start_video_as_identity(self.vae)
        for part in (self.vae.encoder, self.vae.quant_conv):
            part.requires_grad_(not decoder_only)
        self.modules = {"vae": self.vae}
        for module in self.vae.modules():
            if type(module) is WanCausalConv3d and frames == 1:
                module.__class__ = FrameConv

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
        posterior = self.vae.encode(batch).latent_dist
        shown = self.vae.decode(posterior.sample(generator)).sample.float()
        hue = [x[:, [0, 2]] - x[:, 1:2] for x in (shown, batch)]
        prior = posterior.kl().mean() / posterior.mean[0].numel()
        return (shown - batch).abs().mean() + (hue[0] - hue[1]).abs().mean() + KL_WEIGHT * prior

    @torch.no_grad()
    def preview(self, path: Path) -> None:
        """Originals above, reconstructions below."""
        batch = self.batch(-1)[:4]
        shown = self.vae.decode(self.vae.encode(batch).latent_dist.mean).sample
        error = (batch - shown).square().mean().item() / 4
        print(f"PSNR {-10 * np.log10(error):.2f} dB")
        rows = [to_uint8(x[:, :, [0, -1]]).permute(0, 2, 3, 4, 1).flatten(0, 1) for x in (batch, shown)]
        save_strip(path, rows)


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
    save_module(task.vae, folder)


def main() -> None:
    """Train on frames, then on clips, then export."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, default=Path("runs/toy"))
    parser.add_argument("--frame-steps", type=int, default=LOOP.steps)
    parser.add_argument("--clip-steps", type=int, default=700)
    parser.add_argument("--decoder-steps", type=int, default=0)
    options = parser.parse_args()
    checkpoints = options.run / "checkpoints" / "video-autoencoder"
    with Progress() as progress:
        frames = VideoAutoencoder(frames=1, clips=3)
        loop = LOOP.model_copy(update={"steps": options.frame_steps})
        last = train(frames, checkpoints / "frames", loop, progress, "video autoencoder, frames")
        clips = VideoAutoencoder(frames=5, clips=1)
        if newest_checkpoint(checkpoints / "clips") is None:
            clips.vae.load_state_dict(module_weights(last / "ema" / "vae"))
        slower = LOOP.optimizer.model_copy(update={"learning_rate": 1e-3})
        loop = LOOP.model_copy(update={"steps": options.clip_steps, "optimizer": slower, "seed": 1})
        last = train(clips, checkpoints / "clips", loop, progress, "video autoencoder, clips")
        if options.decoder_steps:
            clips = VideoAutoencoder(frames=5, clips=1, decoder_only=True)
            clips.vae.load_state_dict(module_weights(last / "ema" / "vae"))
            loop = loop.model_copy(update={"steps": options.decoder_steps, "seed": 2})
            last = train(clips, checkpoints / "decoder", loop, progress, "video decoder")
    export(clips, last, options.run / "video" / "vae")
    print(options.run / "video" / "vae")


if __name__ == "__main__":
    main()
