"""Training of the video model: clips of several shots, each conditioned on all keyframes (section 3.3).

Every shot's first latent frame is its keyframe, clean and without loss; the others share one noise level
per shot, so that the model also meets films whose shots are not equally far.

Shapes:  B films   K shots of a film   C channels   F latent frames   h, w latent size   T text tokens
"""

import random
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cinema_cli.config import Config
from cinema_cli.errors import InputError
from cinema_cli.models.encoders import ShotTextEncoder, VideoCodec
from cinema_cli.models.flow_matching import noised, random_levels, schedule, velocity
from cinema_cli.models.sampling import sample_clips
from cinema_cli.models.video import InterleavedWan, ShotGroup, shot_starts
from cinema_cli.models.weights import weights_sha256
from cinema_cli.progress import Progress
from cinema_cli.theatre.captions import write_caption
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import CLIP_FRAMES, CLIP_RATE, MovieShot
from cinema_cli.training.blocks import compile_blocks
from cinema_cli.training.latents import LatentCache
from cinema_cli.training.loop import LoopConfig, train
from cinema_cli.training.preview import save_strip
from cinema_cli.training.sequences import HELD_OUT


class VideoTransformerConfig(Config):
    """Shape of a Wan transformer; the names are diffusers'."""

    in_channels: int
    out_channels: int
    num_attention_heads: int
    attention_head_dim: int
    num_layers: int
    ffn_dim: int
    text_dim: int
    freq_dim: int = 256
    patch_size: tuple[int, int, int] = (1, 2, 2)
    rope_max_seq_len: int = 1024


class VideoTraining(Config):
    """Everything ``cinema train-video`` needs."""

    transformer: VideoTransformerConfig
    """Shape of the model where it is made from scratch."""
    loop: LoopConfig
    """How long and how to train."""
    text_length: int = 512
    """Text tokens of a shot (T): global caption and its own."""
    movies: int = 200
    """Movies of the theatre to draw clips from."""
    shots: int = 8
    """Shots of a movie."""
    window: int = 4
    """Consecutive shots trained together (K)."""
    films: int = 2
    """Windows in a batch (B)."""
    shift: float = 1.0
    """Shift of the noise levels, in training and sampling."""
    cut_phase: float = 0.5
    """Phase offset of positions at every cut, in latent frames."""
    describe: float = 0.5
    """Chance that a caption tells a look again."""
    preview_steps: int = 12
    """Denoising steps of a preview."""
    compile: bool = True
    """Compile the blocks."""


@dataclass(frozen=True)
class Films:
    """A batch: B windows of K shots."""

    latents: Tensor  # (B, K, C, F, h, w), clean
    text: Tensor  # (B, K, T, D_text)


class TheatreClips:
    """Clips of the theatre's movies, drawn on demand and encoded once."""

    def __init__(
        self, codec: VideoCodec, text: ShotTextEncoder, cache: LatentCache, config: VideoTraining
    ) -> None:
        self.codec, self.text, self.cache, self.config = codec, text, cache, config

    def batch(self, seed: int) -> Films:
        """Windows of random movies; the same for the same seed."""
        rng = random.Random(seed)
        windows = [self.window(rng.randrange(self.config.movies), rng) for _ in range(self.config.films)]
        return Films(torch.stack([w[0] for w in windows]), torch.stack([w[1] for w in windows]))

    def window(self, movie: int, rng: random.Random) -> tuple[Tensor, Tensor]:
        """Latents (K, C, F, h, w) and words (K, T, D_text) of consecutive shots."""
        first = rng.randrange(self.config.shots - self.config.window + 1)
        script = write_movie(movie, self.config.shots)
        shots = script.shots[first : first + self.config.window]
        latents = torch.stack(
            [
                self.cache.get(f"clip-{self.config.shots}-{movie}-{first + i}", partial(self._encode, shot))
                for i, shot in enumerate(shots)
            ]
        )
        return latents, self.text.encode(script.caption, self._captions(shots, rng))

    def _encode(self, shot: MovieShot) -> Tensor:
        frames = np.stack([draw_frame(shot.staged, i / CLIP_RATE) for i in range(CLIP_FRAMES)])
        return self.codec.encode(torch.from_numpy(frames)[None])[0].cpu()

    def _captions(self, shots: tuple[MovieShot, ...], rng: random.Random) -> list[str]:
        captions = []
        for shot in shots:
            names = sorted(figure.puppet.name for figure in shot.staged.figures)
            told = {n for n in names if n in shot.described or rng.random() < self.config.describe}
            captions.append(write_caption(shot.staged, told, rng))
        return captions


class VideoTask:
    """What the loop trains: the video transformer."""

    def __init__(self, model: InterleavedWan, data: TheatreClips, config: VideoTraining) -> None:
        self.model, self.data, self.config = model, data, config
        self.modules: dict[str, torch.nn.Module] = {"transformer": model}

    def batch(self, seed: int) -> Films:
        """Films of this seed."""
        return self.data.batch(seed)

    def loss(self, batch: Films, generator: torch.Generator) -> Tensor:
        """Mean squared error of the velocity over all frames but the keyframes."""
        device = next(self.model.parameters()).device
        films, shots, _, frames = batch.latents.shape[:4]
        t = random_levels((films, shots, 1), self.config.shift, generator).repeat(1, 1, frames)
        t[:, :, 0] = 0
        noise = torch.randn(batch.latents.shape, generator=generator)
        per_frame = t[:, :, None, :, None, None]  # (B, K, 1, F, 1, 1)
        group = ShotGroup(
            noised(batch.latents, noise, per_frame.expand_as(batch.latents)).to(device),
            batch.text.to(device),
            t.to(device),
            shot_starts([frames] * shots, self.config.cut_phase),
        )
        (predicted,) = self.model(groups=[group])
        error = predicted.float() - velocity(batch.latents, noise).to(device)
        return error[:, :, :, 1:].square().mean()

    @torch.no_grad()
    def preview(self, path: Path) -> None:
        """A held-out window: first, middle and last frame of each shot, truth above, model below."""
        clean, text = self.data.window(HELD_OUT, random.Random(HELD_OUT))
        generator = torch.Generator().manual_seed(HELD_OUT)
        clips = sample_clips(
            self.model,
            text,
            clean[:, :, :1],
            [torch.randn(shot.shape, generator=generator) for shot in clean],
            schedule(self.config.preview_steps, self.config.shift),
            self.config.cut_phase,
        )
        shown = [0, CLIP_FRAMES // 2, CLIP_FRAMES - 1]
        rows = [self.data.codec.decode(x)[:, shown].flatten(0, 1) for x in (clean, torch.stack(clips))]
        save_strip(path, rows)


def train_video(run: Path, config: VideoTraining, progress: Progress) -> Path:
    """Train the video model from scratch or from its newest checkpoint in ``run/checkpoints/video``.

    ``run/video`` holds the frozen parts in ``WanPipeline`` layout.

    Returns:
        The last checkpoint.

    Raises:
        InputError: the frozen parts are not there.
    """
    base = run / "video"
    if not (base / "vae").is_dir() or not (base / "text_encoder").is_dir():
        raise InputError(f"{base}: vae/ and text_encoder/ were wanted. Make them as the recipe says.")
    torch.manual_seed(config.loop.seed)
    model = InterleavedWan(**config.transformer.model_dump())
    codec, text = VideoCodec.load(base), ShotTextEncoder.load(base, config.text_length)
    for module in (codec.vae, text.t5):
        module.requires_grad_(False).eval()
    if config.compile:
        compile_blocks(model)
    cache = LatentCache(run / "cache", weights_sha256(base / "vae"))
    task = VideoTask(model, TheatreClips(codec, text, cache, config), config)
    return train(task, run / "checkpoints" / "video", config.loop, progress, "video")
