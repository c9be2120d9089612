"""Training of the keyframe model: interleaved pairs, a noise level for every frame (sections 3.2, 4.2).

Three kinds of sequences are mixed, so that one model serves every way of drawing:
all frames at one level (drawn jointly), each at its own (diffusion forcing), and some frames nearly clean
as context for the others (memory, Fig. 9).  Frames that are context or dropped carry no loss.

A share of the steps extends a film instead (``extension.py``): memory, shrunk by GoldenMem if the stage says
so, does not see the new frames, so that its keys and values may be cached when a film is drawn (appendix F).

Shapes:  B sequences   P pairs   L image tokens   C channels of a token
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from cinema_cli.context.goldenmem import Grid
from cinema_cli.models.context_parallel import Peers
from cinema_cli.models.cost import FluxCost
from cinema_cli.models.encoders import ImageCodec, TextEncoder, Words
from cinema_cli.models.flow_matching import noised, random_levels, schedule, velocity
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.pairs import PairGroup
from cinema_cli.models.regimes import Regime
from cinema_cli.models.sampling import sample_keyframes, without_words
from cinema_cli.sampling.loader import Sequences
from cinema_cli.training.card import Subject, described
from cinema_cli.training.extension import Split, draw_split, extension_groups, part, step_sizes
from cinema_cli.training.keyframe_config import KeyframeTraining
from cinema_cli.training.lora import LoraLayers
from cinema_cli.training.preview import save_strip
from cinema_cli.training.sequences import HELD_OUT, SequenceSource

VALIDATION = 4
"""Sequences that the validation loss is measured on."""
VALIDATION_LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""At these noise levels."""


@dataclass(frozen=True)
class Levels:
    """Noise levels of a batch and where the loss counts."""

    t: Tensor  # (B, P)
    counts: Tensor  # (B, P) bool
    dropped: Tensor  # (B, P) bool


@dataclass(frozen=True)
class KeyframeBatch:
    """What a step is made of."""

    sequences: Sequences
    split: Split | None = None
    """Which frames are memory and which are new, where the step extends a film."""
    small: Mapping[Grid, Tensor] = field(default_factory=dict)
    """Clean latents (B, places, L, C) of memory that is shrunk, by size."""


class KeyframeTask:
    """What the loop trains: the transformer, and in the first stage the text encoders."""

    def __init__(
        self,
        model: InterleavedFlux,
        codec: ImageCodec,
        text: TextEncoder,
        data: SequenceSource,
        pairs: int,
        config: KeyframeTraining,
    ) -> None:
        self.model, self.codec, self.text, self.data = model, codec, text, data
        self.pairs, self.config, self.stage = pairs, config, config.stages[pairs]
        self.grid = codec.grid(config.frame_size)
        trained = model if config.lora is None else LoraLayers(model, config.lora)
        self.modules: dict[str, torch.nn.Module] = {"transformer" if config.lora is None else "lora": trained}
        self.peers: Peers | None = None
        if self.stage.train_text:
            self.modules |= {"text_encoder": text.clip, "text_encoder_2": text.t5}

    def share(self, peers: Peers) -> None:
        """From now on keep only this peer's pairs of every sequence, and its part of the loss."""
        self.peers = peers

    def batch(self, seed: int) -> KeyframeBatch:
        """Sequences of this seed, and which of their frames are memory where the step extends a film."""
        sequences = self.data.batch(seed, self.stage.sequences, self.pairs)
        # A stream of its own: from the data's, films of some seeds would be all that is ever extended.
        split = draw_split(random.Random(f"split {seed}"), self.stage, self.grid)
        if split is None:
            return KeyframeBatch(sequences)
        small = {
            grid: self.data.shrunken(seed, self.stage.sequences, self.pairs, places, grid)
            for grid, places in split.known
            if grid != self.grid
        }
        return KeyframeBatch(sequences, split, small)

    def loss(self, batch: KeyframeBatch, generator: torch.Generator) -> Tensor:
        """Mean squared error of the velocity, over the frames that count."""
        levels = self.draw_levels(generator, batch.split)
        clean = batch.sequences.latents
        noise = torch.randn(clean.shape, generator=generator)
        untold = torch.rand(len(clean), 1, generator=generator) < self.stage.drop_captions
        whole = self.pairs_of(batch.sequences, levels.t, noise, untold | levels.dropped)
        whole = replace(whole, ranks=self.draw_ranks(generator))
        regime: Regime = "joint" if batch.split is None else "extend"
        groups, new = [whole], list(range(self.pairs))
        if batch.split is not None:
            groups = extension_groups(whole, batch.split, batch.small, generator)
            new = list(batch.split.new)
        share = None
        if self.peers is not None:
            # All peers drew the same noise and count the same frames, so no number has to be sent.
            share = self.peers.share([len(group.ranks) for group in groups])
            groups = [part(group, own) for group, own in zip(groups, share.places, strict=True)]
            new = [new[place] for place in share.places[-1]]
        guidance = self._guidance(self.config.guidance, len(clean))
        predicted = self.model(groups=groups, guidance=guidance, regime=regime, share=share)
        fitted = predicted[-1].float()
        if self.config.keep_guidance:
            with torch.no_grad():
                empty = self.text.encode([""])
                wordless = [without_words(group, empty) for group in groups]
                bare = self.model(groups=wordless, guidance=guidance, regime=regime, share=share)[-1].float()
            fitted = (fitted + (self.config.guidance - 1) * bare) / self.config.guidance
        target = velocity(clean, noise)[:, new].to(fitted.device)
        error = self._mean_error((fitted - target).square().mean(dim=3), batch.sequences.subjects, new)
        counts = levels.counts.to(error.device)
        mean = (error * counts[:, new]).sum() / counts.sum().clamp(min=1)
        return mean if self.peers is None else self.peers.loss(mean, predicted)

    def _mean_error(self, error: Tensor, subjects: Tensor | None, new: list[int]) -> Tensor:
        """Mean over the tokens of each frame (B, new, L), those that show somebody with their weight."""
        if subjects is None or self.stage.subject_weight == 1:
            return error.mean(dim=2)
        weights = 1 + (self.stage.subject_weight - 1) * subjects[:, new].to(error)
        return (error * weights).sum(dim=2) / weights.sum(dim=2)

    def pairs_of(self, sequences: Sequences, t: Tensor, noise: Tensor, gone: Tensor) -> PairGroup:
        """All pairs at full size as the model takes them, noised to levels ``t``, (B, P) words emptied."""
        device = next(self.model.parameters()).device
        words = self._words(sequences, gone)
        return PairGroup(
            noised(sequences.latents, noise, t).to(device),
            words.text.to(device),
            words.pooled.to(device),
            t.to(device),
            range(self.pairs),
            self.grid,
        )

    def draw_ranks(self, generator: torch.Generator) -> list[int]:
        """(P) places of the pairs, oldest first: 0 to P - 1, or some of the stage's ``positions``.

        How far they reach is drawn first, so that near and far neighbours are both common.
        """
        if self.stage.positions is None:
            return list(range(self.pairs))
        reach = int(torch.randint(self.pairs, self.stage.positions + 1, (), generator=generator))
        first = int(torch.randint(0, self.stage.positions - reach + 1, (), generator=generator))
        chosen = torch.randperm(reach, generator=generator)[: self.pairs].sort().values
        return [first + int(place) for place in chosen]

    def _guidance(self, scale: float, sequences: int) -> Tensor | None:
        """(B,), where the model was distilled to be told one."""
        if not self.model.config.guidance_embeds:
            return None
        return torch.full((sequences,), scale, device=next(self.model.parameters()).device)

    def draw_levels(self, generator: torch.Generator, split: Split | None = None) -> Levels:
        """Noise levels by the stage's mixture; where ``split`` tells memory, that alone is context."""
        shape = (self.stage.sequences, self.pairs)
        kind = torch.rand(shape[0], 1, generator=generator)
        own = random_levels(shape, self.config.shift, generator)
        t = torch.where(kind < self.stage.own_levels, own, own[:, :1])
        # Context: a random number of frames at random places, at a level of their own below the bound.
        ranks = torch.rand(shape, generator=generator).argsort(dim=1)
        known = torch.randint(1, max(2, self.pairs), (shape[0], 1), generator=generator)
        context = (kind >= 1 - self.stage.clean_context) & (ranks < known) & (self.pairs > 1)
        if split is not None:
            context = torch.ones(shape, dtype=torch.bool)
            context[:, list(split.new)] = False
        floor, level = self.config.context_floor, self.config.context_level
        low = floor + torch.rand(shape, generator=generator) * (level - floor)
        t = torch.where(context, low, t)
        dropped = (torch.rand(shape, generator=generator) < self.stage.drop_pair) & (self.pairs > 1)
        t = torch.where(dropped, torch.ones_like(t), t)
        return Levels(t, ~context & ~dropped, dropped)

    def _words(self, batch: Sequences, gone: Tensor) -> Words:
        """(B, P, ...) encoded captions, empty ones where they are ``gone`` (B, P)."""
        if batch.words is not None:
            return self._emptied(batch.words, gone)
        captions = [
            "" if gone[b, p] else caption
            for b, sequence in enumerate(batch.captions)
            for p, caption in enumerate(sequence)
        ]
        with torch.set_grad_enabled(self.stage.train_text and torch.is_grad_enabled()):
            words = self.text.encode(captions)
        shape = (len(batch.captions), self.pairs)
        return Words(words.text.unflatten(0, shape), words.pooled.unflatten(0, shape))

    @torch.no_grad()
    def _emptied(self, words: Words, gone: Tensor) -> Words:
        """Words that were encoded before, with those of the empty caption where they are gone (B, P)."""
        empty = self.text.encode([""])
        device = empty.text.device
        gone = gone.to(device)
        return Words(
            torch.where(gone[:, :, None, None], empty.text, words.text.to(device)),
            torch.where(gone[:, :, None], empty.pooled, words.pooled.to(device)),
        )

    @property
    def card(self) -> Subject:
        """What the model card tells of the data."""
        theatre = f"{self.config.movies:,} movies of {self.stage.shots or self.config.shots} shots"
        return Subject(described(theatre, self.data.facts), self.stage.sequences, f"{self.pairs} pairs")

    def flop(self, batch: KeyframeBatch) -> float:
        """FLOP of a batch, forward and backward, for MFU."""
        groups = step_sizes(batch.split, self.pairs, self.config.text_length, self.grid)
        forward = FluxCost.of(self.model.config).step(groups)
        # Through a frozen base the backward only passes; weights' gradients are the adapters' alone.
        forwards = (2 if self.config.lora else 3) + self.config.keep_guidance
        return self.stage.sequences * forward * forwards

    @torch.no_grad()
    def validate(self) -> float:
        """Loss on the preview's sequences at fixed levels, all frames alike; held-out ones of the theatre."""
        held = self.data.preview(VALIDATION, self.pairs)
        losses = []
        for number, level in enumerate(VALIDATION_LEVELS):
            generator = torch.Generator().manual_seed(HELD_OUT + number)
            noise = torch.randn(held.latents.shape, generator=generator)
            t = torch.full(held.latents.shape[:2], level)
            group = self.pairs_of(held, t, noise, torch.zeros_like(t, dtype=torch.bool))
            (predicted,) = self.model(groups=[group], guidance=self._guidance(self.config.guidance, len(t)))
            target = velocity(held.latents, noise).to(predicted.device)
            losses.append(float((predicted.float() - target).square().mean()))
        return sum(losses) / len(losses)

    @torch.no_grad()
    def preview(self, path: Path) -> None:
        """Some sequences: the truth above, the model's frames below."""
        rows = max(1, 8 // self.pairs)
        held = self.data.preview(rows, self.pairs)
        generator = torch.Generator().manual_seed(HELD_OUT)
        levels = schedule(self.config.preview_steps, self.config.shift)
        drawn = [
            sample_keyframes(
                self.model,
                self.text.encode(captions),
                self.text.encode([""]),
                torch.randn(truth.shape, generator=generator),
                self.grid,
                levels,
                embedded=self._guidance(self.config.preview_guidance, 1),
            )
            for captions, truth in zip(held.captions, held.latents, strict=True)
        ]
        truth_frames = self.codec.decode(held.latents.flatten(0, 1), self.grid)
        save_strip(path, [truth_frames, self.codec.decode(torch.cat(drawn), self.grid)])
