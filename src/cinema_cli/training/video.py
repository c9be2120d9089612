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

from cinema_cli.errors import InputError
from cinema_cli.models.context_parallel import Peers
from cinema_cli.models.encoders import VideoCodec
from cinema_cli.models.flow_matching import noised, random_levels, schedule, velocity
from cinema_cli.models.sampling import sample_clips
from cinema_cli.models.video import InterleavedWan, ShotGroup
from cinema_cli.models.video_cost import Shots, WanCost
from cinema_cli.training.card import Subject, described
from cinema_cli.training.films import Clips, ClipSource, Films
from cinema_cli.training.lora import LoraLayers
from cinema_cli.training.motion import motion_weights
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

        self.peers: Peers | None = None

    def share(self, peers: Peers) -> None:
        """From now on keep only this peer's shots of every window, and its part of the loss.

        Raises:
            InputError: there are more peers than shots.
        """
        if peers.size > self.config.window:
            raise InputError(
                f"context={peers.size}: at most {self.config.window} processes were wanted, one for each "
                f"shot that is made (window). Take context={self.config.window}, or a longer window."
            )
        self.peers = peers

    def batch(self, seed: int) -> Sequence[Films]:
        """Films of this seed."""
        return self.data.batch(seed)

    def flop(self, batch: Sequence[Films]) -> float:
        """FLOP of a batch, forward and backward, for MFU; windows differ."""
        cost = WanCost.of(self.model.config)
        forward = sum(len(films.groups[0].latents) * cost.step(self._sizes(films)) for films in batch)
        # Through a frozen base the backward only passes; weights' gradients are the adapters' alone.
        return forward * (2 if self.config.lora else 3)

    def _sizes(self, films: Films) -> list[Shots]:
        """The shots of one film as numbers."""
        _, height, width = self.model.config.patch_size
        shapes = [(clips.text.shape[2], clips.latents.shape) for clips in films.groups]
        return [Shots(n, text, f, h // height * (w // width)) for text, (_, n, _, f, h, w) in shapes]

    def loss(self, batch: Sequence[Films], generator: torch.Generator) -> Tensor:
        """Mean squared error of the velocity over all latent frames but the keyframes (3.3).

        What moves has its weight (``motion_weight``); a shot counts as another, however much moves in it.
        """
        errors = [error for films in batch for error in self.squared_errors(films, generator, self.peers)]
        counted = sum(clips.latents[:, :, :, 1:].numel() for films in batch for clips in films.made)
        mean = torch.stack([error.sum() for error in errors]).sum() / counted
        return mean if self.peers is None else self.peers.loss(mean)

    def squared_errors(
        self,
        films: Films,
        generator: torch.Generator,
        peers: Peers | None = None,
        level: float | None = None,
    ) -> list[Tensor]:
        """(B, n, C, F - 1, h, w) of every group that is made, what moves with its weight.

        With ``peers`` only of this one's shots; with ``level`` all frames have that one.
        """
        share = None if peers is None else peers.share([len(clips.places) for clips in films.groups])
        starts = films.starts(self.config.cut_phase)
        groups, targets, weights = [], [], []
        for number, (clips, own) in enumerate(zip(films.groups, starts, strict=True)):
            # All peers draw the same for all shots, so no number has to be sent.
            t = self._levels(clips, generator, level)
            noise = torch.randn(clips.latents.shape, generator=generator)
            group, target = self._group(clips, noise, t, own), velocity(clips.latents, noise)
            weight = motion_weights(clips.motion, self.config.motion_weight)
            if share is not None:
                kept = list(share.places[number])
                group, target, weight = part(group, kept), target[:, kept], weight[:, kept]
            groups.append(group)
            targets.append(target)
            weights.append(weight)
        predicted = self.model(groups=groups, share=share)[: len(films.made)]
        return [
            (made.float() - target.to(made.device))[:, :, :, 1:].square() * weight.to(made.device)
            for made, target, weight in zip(predicted, targets, weights, strict=False)
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
            errors = self.squared_errors(held, generator, level=level)
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


def part(group: ShotGroup, kept: list[int]) -> ShotGroup:
    """Some shots of a group."""
    starts = [group.starts[shot] for shot in kept]
    return ShotGroup(group.latents[:, kept], group.text[:, kept], group.timestep[:, kept], starts)
