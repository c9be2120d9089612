"""Training of the video model: clips of several shots, each conditioned on all keyframes (section 3.3).

Every shot's first latent frame is its keyframe, clean and without loss; the others share one noise level
per shot, so that the model also meets films whose shots are not equally far.  Shots may differ in length:
every noised latent frame counts alike.

Shapes:  B films   n shots of a group   C channels   F latent frames   h, w latent size
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from cinema_cli.models.encoders import VideoCodec
from cinema_cli.models.flow_matching import noised, random_levels, schedule, velocity
from cinema_cli.models.sampling import sample_clips
from cinema_cli.models.video import InterleavedWan, ShotGroup
from cinema_cli.training.card import Subject, described
from cinema_cli.training.films import Clips, ClipSource, Films
from cinema_cli.training.lora import LoraLayers
from cinema_cli.training.preview import save_strip
from cinema_cli.training.sequences import HELD_OUT
from cinema_cli.training.video_config import VideoTraining

VALIDATION_LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Noise levels of the validation loss."""


class VideoTask:
    """What the loop trains: the video transformer, or adapters in it."""

    def __init__(
        self, model: InterleavedWan, codec: VideoCodec, data: ClipSource, config: VideoTraining
    ) -> None:
        self.model, self.codec, self.data, self.config = model, codec, data, config
        self.facts = data.facts
        trained = model if config.lora is None else LoraLayers(model, config.lora)
        self.modules: dict[str, torch.nn.Module] = {"transformer" if config.lora is None else "lora": trained}

    def batch(self, seed: int) -> Sequence[Films]:
        """Films of this seed."""
        return self.data.batch(seed)

    def loss(self, batch: Sequence[Films], generator: torch.Generator) -> Tensor:
        """Mean squared error of the velocity over all latent frames but the keyframes (3.3)."""
        errors = [error for films in batch for error in self.squared_errors(films, generator)]
        return torch.stack([error.sum() for error in errors]).sum() / sum(error.numel() for error in errors)

    def squared_errors(
        self, films: Films, generator: torch.Generator, level: float | None = None
    ) -> list[Tensor]:
        """(B, n, C, F - 1, h, w) of every group that is made; with ``level`` all frames have that one."""
        starts = films.starts(self.config.cut_phase)
        groups, targets = [], []
        for clips, own in zip(films.groups, starts, strict=True):
            t = self._levels(clips, generator, level)
            noise = torch.randn(clips.latents.shape, generator=generator)
            groups.append(self._group(clips, noise, t, own))
            targets.append(velocity(clips.latents, noise))
        predicted = self.model(groups=groups)[: len(films.made)]
        return [
            (made.float() - target.to(made.device))[:, :, :, 1:].square()
            for made, target in zip(predicted, targets[: len(films.made)], strict=True)
        ]

    def _levels(self, clips: Clips, generator: torch.Generator, level: float | None) -> Tensor:
        """(B, n, F): one level for a shot, 0 for its keyframe."""
        films, shots, _, frames = clips.latents.shape[:4]
        if level is None:
            t = random_levels((films, shots, 1), self.config.shift, generator).repeat(1, 1, frames)
        else:
            t = torch.full((films, shots, frames), level)
        t[:, :, 0] = 0
        return t

    def _group(self, clips: Clips, noise: Tensor, t: Tensor, starts: Sequence[float]) -> ShotGroup:
        device = next(self.model.parameters()).device
        per_frame = t[:, :, None, :, None, None].expand_as(clips.latents)
        latents = noised(clips.latents, noise, per_frame)
        return ShotGroup(latents.to(device), clips.text.to(device), t.to(device), starts)

    @property
    def card(self) -> Subject:
        """What the model card tells of the data."""
        theatre = f"{self.config.movies:,} movies of {self.config.shots} shots"
        return Subject(described(theatre, self.facts), self.config.films, f"{self.config.window} shots")

    @torch.no_grad()
    def validate(self) -> float:
        """Loss on the preview's film at fixed levels; a held-out one of the theatre."""
        held, losses = self.data.preview(), []
        for number, level in enumerate(VALIDATION_LEVELS):
            generator = torch.Generator().manual_seed(HELD_OUT + number)
            errors = self.squared_errors(held, generator, level)
            losses.append(sum(float(e.sum()) for e in errors) / sum(e.numel() for e in errors))
        return sum(losses) / len(losses)

    @torch.no_grad()
    def preview(self, path: Path) -> None:
        """A window: first, middle and last frame of each shot, truth above, model below."""
        held = self.data.preview()
        device = next(self.model.parameters()).device
        by_place = {
            place: (clips.latents[0, i], clips.text[0, i])
            for clips in held.groups
            for i, place in enumerate(clips.places)
        }
        clean = [by_place[place][0] for place in sorted(by_place)]
        generator = torch.Generator().manual_seed(HELD_OUT)
        drawn = sample_clips(
            self.model,
            torch.stack([by_place[place][1] for place in sorted(by_place)]).to(device),
            torch.stack([shot[:, :1] for shot in clean]).to(device),
            [torch.randn(shot.shape, generator=generator).to(device) for shot in clean],
            schedule(self.config.preview_steps, self.config.shift),
            self.config.cut_phase,
        )
        made = sorted(place for clips in held.made for place in clips.places)
        save_strip(path, [torch.cat([self._shown(shots[i]) for i in made]) for shots in (clean, drawn)])

    def _shown(self, latents: Tensor) -> Tensor:
        """First, middle and last frame of a clip: uint8 (3, H, W, 3)."""
        frames = self.codec.decode(latents[None].to(self.codec.vae.device))[0]
        return frames[[0, len(frames) // 2, len(frames) - 1]]
