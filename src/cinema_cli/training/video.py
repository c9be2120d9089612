"""Training of the video model: clips of several shots, each conditioned on all keyframes (section 3.3).

Every shot's first latent frame is its keyframe, clean and without loss; the others share one noise level
per shot, so that the model also meets films whose shots are not equally far.

Shapes:  B films   K shots to be made   N others   C channels   F latent frames   h, w latent size
         T text tokens
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
    """Consecutive shots made together (K); of the others the model sees the keyframe alone."""
    films: int = 2
    """Films in a batch (B)."""
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
    """A batch: B films, K shots to be made in each and N others that only show their keyframe."""

    latents: Tensor  # (B, K, C, F, h, w), clean
    text: Tensor  # (B, K, T, D_text)
    seen: Tensor  # (B, N, C, 1, h, w), clean
    seen_text: Tensor  # (B, N, T, D_text)
    first: int  # place of the K shots in the film


class TheatreClips:
    """Clips of the theatre's movies, drawn on demand and encoded once."""

    def __init__(
        self, codec: VideoCodec, text: ShotTextEncoder, cache: LatentCache, config: VideoTraining
    ) -> None:
        self.codec, self.text, self.cache, self.config = codec, text, cache, config

    def batch(self, seed: int) -> Films:
        """Random movies; the same for the same seed."""
        rng = random.Random(seed)
        movies = [rng.randrange(self.config.movies) for _ in range(self.config.films)]
        return self.films(movies, rng)

    def films(self, movies: list[int], rng: random.Random) -> Films:
        """Whole movies, of which ``window`` consecutive shots are to be made, the same places in each."""
        first = rng.randrange(self.config.shots - self.config.window + 1)
        inside = range(first, first + self.config.window)
        outside = [i for i in range(self.config.shots) if i not in inside]
        scripts = [write_movie(movie, self.config.shots) for movie in movies]
        text = torch.stack(
            [self.text.encode(script.caption, self._captions(script.shots, rng)) for script in scripts]
        )
        made, seen = (
            torch.stack([torch.stack([self._latents(m, i, n) for i in places]) for m in movies])
            for places, n in ((inside, CLIP_FRAMES), (outside, 1))
        )
        return Films(made, text[:, list(inside)], seen, text[:, outside], first)

    def _latents(self, movie: int, shot: int, frames: int) -> Tensor:
        """(C, F, h, w) of a shot's first frames."""
        key = f"clip-{self.config.shots}-{movie}-{shot}-{frames}"
        return self.cache.get(key, partial(self._encode, movie, shot, frames))

    def _encode(self, movie: int, shot: int, frames: int) -> Tensor:
        staged = write_movie(movie, self.config.shots).shots[shot].staged
        clip = np.stack([draw_frame(staged, i / CLIP_RATE) for i in range(frames)])
        return self.codec.encode(torch.from_numpy(clip)[None])[0].cpu()

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
        per_frame = t[:, :, None, :, None, None].expand_as(batch.latents)
        starts = self.starts(batch)
        inside = slice(batch.first, batch.first + shots)
        made = ShotGroup(
            noised(batch.latents, noise, per_frame).to(device),
            batch.text.to(device),
            t.to(device),
            starts[inside],
        )
        seen = ShotGroup(
            batch.seen.to(device),
            batch.seen_text.to(device),
            torch.zeros((*batch.seen.shape[:2], 1), device=device),
            starts[: inside.start] + starts[inside.stop :],
        )
        groups = [made, seen] if batch.seen.shape[1] else [made]
        predicted = self.model(groups=groups)[0]
        error = predicted.float() - velocity(batch.latents, noise).to(device)
        return error[:, :, :, 1:].square().mean()

    def starts(self, batch: Films) -> list[float]:
        """Time positions of all shots of the film, those that only show their keyframe included."""
        lengths = [1] * (batch.latents.shape[1] + batch.seen.shape[1])
        for shot in range(batch.first, batch.first + batch.latents.shape[1]):
            lengths[shot] = batch.latents.shape[3]
        return shot_starts(lengths, self.config.cut_phase)

    @torch.no_grad()
    def preview(self, path: Path) -> None:
        """A held-out window: first, middle and last frame of each shot, truth above, model below."""
        held = self.data.films([HELD_OUT], random.Random(HELD_OUT))
        clean = held.latents[0]
        generator = torch.Generator().manual_seed(HELD_OUT)
        clips = sample_clips(
            self.model,
            held.text[0],
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
