"""Step 2 of the recipe: the image autoencoder of the toy preset, trained on single drawn frames.

    python examples/toy-weights/image_autoencoder.py --run runs/toy
    python examples/toy-weights/image_autoencoder.py --run runs/toy --decoder-steps 2000

Writes ``RUN/keyframes/vae`` in diffusers' layout.  With ``--decoder-steps`` the decoder of what lies there
learns on alone: the latents stay what they are, so this can wait until the transformer is trained on them.
The same command goes on where it stopped.
"""

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch import Tensor

from cinema_cli.progress import Progress
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import random_shot
from cinema_cli.training.checkpoint import module_weights, save_module
from cinema_cli.training.loop import LoopConfig, train
from cinema_cli.training.optimizers import OptimizerConfig
from identity import start_as_identity
from matrices import as_convolutions, as_matrices

LEVELS = 4
KL_WEIGHT = 5e-4
DECODER_FRAMES = 8
NOISE = 0.4
"""Most noise on the latents that a decoder learns from, of their spread.

Sampled ones have some left, and a decoder that never saw any shows it as speckles."""
DECODER_LOOP = LoopConfig(
    steps=2000,
    optimizer=OptimizerConfig(kind="muon", learning_rate=2e-3, warmup=50, weight_decay=0.0, floor=0.02),
    ema=0.995,
    save_every=250,
    preview_every=250,
)
LOOP = LoopConfig(
    steps=1600,
    optimizer=OptimizerConfig(learning_rate=2e-3, warmup=50, weight_decay=0.0, floor=0.02),
    ema=0.995,
    save_every=300,
    preview_every=300,
)


class ImageAutoencoder:
    """Reconstruct drawn frames: mean absolute error, and a light pull of the latents to a normal."""

    def __init__(self, frames: int) -> None:
        self.frames = frames
        torch.manual_seed(0)
        self.vae = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * LEVELS,
            up_block_types=("UpDecoderBlock2D",) * LEVELS,
            block_out_channels=(16, 32, 64, 64),
            layers_per_block=1,
            latent_channels=8,
            norm_num_groups=2,
            mid_block_add_attention=False,
            use_quant_conv=False,
            use_post_quant_conv=False,
            sample_size=256,
        )
        start_as_identity(self.vae)
        self.modules = {"vae": self.vae}

    def batch(self, seed: int) -> Tensor:
        """Random frames (n, 3, H, W) in [-1, 1]."""
        rng = random.Random(seed)
        frames = [draw_frame(random_shot(rng)[0], rng.uniform(0, 2)) for _ in range(self.frames)]
        return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2) / 127.5 - 1

    def loss(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Reconstruction and prior."""
        posterior = self.vae.encode(batch).latent_dist
        shown = self.vae.decode(posterior.sample(generator)).sample.float()
        prior = posterior.kl().mean() / posterior.mean[0].numel()
        colour = (_differences(shown) - _differences(batch)).abs().mean()
        return (shown - batch).abs().mean() + colour + KL_WEIGHT * prior

    @torch.no_grad()
    def preview(self, path: Path) -> None:
        """Originals above, reconstructions below."""
        batch = self.batch(-1)[:6]
        shown = self.vae.decode(self.vae.encode(batch).latent_dist.mean).sample
        rows = torch.cat([torch.cat(list(x), dim=2) for x in (batch, shown)], dim=1)
        error = (batch - shown.clamp(-1, 1)).square().mean().item() / 4
        print(f"PSNR {-10 * np.log10(error):.2f} dB")
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = ((rows.clamp(-1, 1) + 1) * 127.5).byte().permute(1, 2, 0).numpy()
        Image.fromarray(picture).save(path)


class ImageDecoder(ImageAutoencoder):
    """The decoder of a finished autoencoder learns on, now by squared errors too."""

    def __init__(self, frames: int, finished: Path) -> None:
        self.frames = frames
        self.vae = AutoencoderKL.from_config(AutoencoderKL.load_config(finished))
        self.vae.load_state_dict(module_weights(finished))
        self.vae.encoder.requires_grad_(False)
        as_matrices(self.vae.decoder)
        self.modules = {"vae": self.vae}
        self._decode = torch.compile(self.vae.decoder)

    def loss(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Reconstruction."""
        with torch.no_grad():
            latents = self.vae.encode(batch).latent_dist.sample(generator)
            level = (
                NOISE
                / self.vae.config.scaling_factor
                * torch.rand(len(latents), 1, 1, 1, generator=generator)
            )
            latents = latents + level * torch.randn(latents.shape, generator=generator)
        error = self._decode(latents).float() - batch
        hue = _differences(error)
        squared = error.square().mean() + hue.square().mean() / 2
        return (error.abs().mean() + hue.abs().mean()) / 2 + 3 * squared


def _differences(x: Tensor) -> Tensor:
    """Red against green, blue against green: without this term hues come long after outlines."""
    return x[:, [0, 2]] - x[:, 1:2]


@torch.no_grad()
def export(task: ImageAutoencoder, checkpoint: Path, folder: Path) -> None:
    """Save the averaged weights with the latents' measured shift and scale, as FLUX's VAE has them."""
    task.vae.load_state_dict(module_weights(checkpoint / "ema" / "vae"))
    task.vae.eval()
    latents = torch.cat(
        [task.vae.encode(task.batch(seed)).latent_dist.mean for seed in range(10**6, 10**6 + 8)]
    )
    task.vae.register_to_config(shift_factor=latents.mean().item(), scaling_factor=1 / latents.std().item())
    save_module(task.vae, folder)


def main() -> None:
    """Train what is not there yet, then export."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, default=Path("runs/toy"))
    parser.add_argument("--frames", type=int, default=3, help="frames in a batch")
    parser.add_argument("--steps", type=int, default=LOOP.steps)
    parser.add_argument("--decoder-steps", type=int, default=0, help="of 8 frames each")
    options = parser.parse_args()
    checkpoints = options.run / "checkpoints" / "image-autoencoder"
    folder = options.run / "keyframes" / "vae"
    with Progress() as progress:
        if not options.decoder_steps:
            task = ImageAutoencoder(options.frames)
            loop = LOOP.model_copy(update={"steps": options.steps})
            export(task, train(task, checkpoints / "both", loop, progress, "image autoencoder"), folder)
        else:
            decoder = ImageDecoder(DECODER_FRAMES, folder)
            loop = DECODER_LOOP.model_copy(update={"steps": options.decoder_steps})
            last = train(decoder, checkpoints / "decoder", loop, progress, "image decoder")
            decoder.vae.load_state_dict(module_weights(last / "ema" / "vae"))
            as_convolutions(decoder.vae)
            save_module(decoder.vae, folder)
    print(folder)


if __name__ == "__main__":
    main()
