"""Sampling: keyframes of a film together (appendix F, offline), then the clips of its shots (section 3.3).

Known frames may stand among the new ones as context: they keep a small fixed noise, and the model is told
that level as their timestep (Fig. 9).

Shapes:  P pairs   L image tokens   C channels   K shots   F latent frames   h, w latent size   T text tokens
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from cinema_cli.models.encoders import Words
from cinema_cli.models.flow_matching import noised, sample_euler
from cinema_cli.models.keyframes import InterleavedFlux, PairGroup
from cinema_cli.models.video import InterleavedWan, ShotGroup, shot_starts


@torch.no_grad()
def sample_keyframes(
    model: InterleavedFlux,
    words: Words,
    empty: Words,
    noise: Tensor,
    grid: tuple[int, int],
    levels: Tensor,
    guidance: float = 1.0,
    known: dict[int, Tensor] | None = None,
    context_level: float = 0.0,
    on_step: Callable[[], None] = lambda: None,
) -> Tensor:
    """Draw the frames of one film together.

    Args:
        model: the keyframe model.
        words: captions of the P pairs, in order.
        empty: the encoded empty caption (n = 1); only read when ``guidance`` is not 1.
        noise: (P, L, C), one draw per frame.
        grid: frame size in tokens.
        levels: the schedule, from 1 to 0.
        guidance: scale of true guidance between captions and no captions; 1 for none.
        known: clean tokens (L, C) of pairs that are context and are not drawn, by place.
        context_level: noise level of the known frames, in [0, 1].
        on_step: called after every step.

    Returns:
        Tokens (P, L, C), the known ones as given.
    """
    known = known or {}
    places = sorted(known)
    ranks = list(range(noise.shape[0]))
    context = None
    if places:
        clean = torch.stack([known[i] for i in places])
        context = noised(clean, noise[places], torch.full((len(places),), context_level))

    def velocity(x: Tensor, t: Tensor, text: Tensor, pooled: Tensor) -> Tensor:
        times = t.to(x).expand(x.shape[0]).clone()
        if context is not None:
            x = x.index_copy(0, torch.tensor(places, device=x.device), context)
            times[places] = context_level
        group = PairGroup(x[None], text[None], pooled[None], times[None], ranks, grid)
        return model(groups=[group])[0][0]

    def guided(x: Tensor, t: Tensor) -> Tensor:
        with_words = velocity(x, t, words.text, words.pooled)
        if guidance == 1.0:
            return with_words
        without = velocity(x, t, empty.text.expand_as(words.text), empty.pooled.expand_as(words.pooled))
        return without + guidance * (with_words - without)

    drawn = sample_euler(guided, noise, levels, on_step)
    for place, tokens in known.items():
        drawn[place] = tokens
    return drawn


@torch.no_grad()
def sample_clips(
    model: InterleavedWan,
    words: Tensor,
    keyframes: Tensor,
    noise: Sequence[Tensor],
    levels: Tensor,
    cut_phase: float,
    on_step: Callable[[], None] = lambda: None,
) -> list[Tensor]:
    """Fill in the motion of all shots together, each from its keyframe (section 3.3).

    Args:
        model: the video model.
        words: c_tiled of the K shots (K, T, D_text).
        keyframes: latent of each keyframe (K, C, 1, h, w); a shot's first latent frame, clean throughout.
        noise: per shot (C, F, h, w); shots may differ in F.
        levels: the schedule, from 1 to 0.
        cut_phase: phase offset of positions at every cut.
        on_step: called after every step.

    Returns:
        Latents (C, F, h, w) of each shot.
    """
    frames = [clip.shape[1] for clip in noise]
    starts = shot_starts(frames, cut_phase)
    shots = [
        torch.cat([keyframe, clip[:, 1:]], dim=1) for keyframe, clip in zip(keyframes, noise, strict=True)
    ]
    by_length = {n: [i for i, count in enumerate(frames) if count == n] for n in sorted(set(frames))}
    for t, following in pairwise(levels):
        groups = []
        for n, members in by_length.items():
            times = torch.full((1, len(members), n), float(t)).to(words)
            times[:, :, 0] = 0
            latents = torch.stack([shots[i] for i in members])[None]
            groups.append(ShotGroup(latents, words[members][None], times, [starts[i] for i in members]))
        velocities = model(groups=groups)
        for members, velocity in zip(by_length.values(), velocities, strict=True):
            for i, v in zip(members, velocity[0], strict=True):
                shots[i][:, 1:] += float(following - t) * v[:, 1:]
        on_step()
    return shots
