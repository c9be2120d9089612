"""Sampling: keyframes of a film, all together or beside memory (appendix F), then its clips (section 3.3).

Remembered frames keep a small fixed noise, and the model is told that level as their timestep (Fig. 9).

Shapes:  P pairs   L image tokens   C channels   K shots   F latent frames   h, w latent size   T text tokens
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from cinema_cli.models.encoders import Words
from cinema_cli.models.flow_matching import sample_euler
from cinema_cli.models.keyframes import InterleavedFlux, Memory
from cinema_cli.models.offloading import bring
from cinema_cli.models.pairs import PairGroup
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
    memory: Sequence[PairGroup] = (),
    ranks: Sequence[int] | None = None,
    on_step: Callable[[], None] = lambda: None,
    embedded: Tensor | None = None,
    guidance_above: float = 0.0,
) -> Tensor:
    """Draw frames of one film together, beside remembered ones if there are any.

    Args:
        model: the keyframe model.
        words: captions of the P new pairs, in order.
        empty: the encoded empty caption (n = 1); only read when ``guidance`` is not 1.
        noise: (P, L, C), one draw per frame.
        grid: frame size in tokens.
        levels: the schedule, from 1 to 0.
        guidance: scale of true guidance between captions and no captions; 1 for none.
        memory: remembered pairs (B = 1) at the noise level that they keep.  They do not see the new frames,
            so their keys and values are computed once, before the first step.
        ranks: places of the new pairs in the sequence, where memory takes some; else 0 to P - 1.
        on_step: called after every step.
        embedded: (1,) the guidance that a guidance-distilled model is told; none for others.
        guidance_above: noise level above which there is guidance; below it only captions are followed
            (Kynkaanniemi et al., arXiv 2404.07724).

    Returns:
        Tokens (P, L, C).
    """
    bring(model)
    ranks = range(noise.shape[0]) if ranks is None else ranks
    known = model.remember(memory, embedded) if memory else None
    # Without words nobody is named: what guidance strengthens is also whom the memory's captions name.
    doubled = bool(memory) and guidance != 1
    wordless = model.remember([without_words(g, empty) for g in memory], embedded) if doubled else None

    def velocity(x: Tensor, t: Tensor, text: Tensor, pooled: Tensor, seen: Memory | None) -> Tensor:
        times = t.to(x).expand(1, x.shape[0])
        group = PairGroup(x[None], text[None], pooled[None], times, ranks, grid)
        return model(groups=[group], guidance=embedded, memory=seen)[0][0]

    def guided(x: Tensor, t: Tensor) -> Tensor:
        with_words = velocity(x, t, words.text, words.pooled, known)
        if guidance == 1.0 or t <= guidance_above:
            return with_words
        text, pooled = empty.text.expand_as(words.text), empty.pooled.expand_as(words.pooled)
        without = velocity(x, t, text, pooled, wordless)
        return without + guidance * (with_words - without)

    return sample_euler(guided, noise, levels, on_step)


def without_words(group: PairGroup, empty: Words) -> PairGroup:
    """The same pairs, each with the encoded empty caption (n = 1)."""
    return replace(
        group,
        text=empty.text[:, : group.text.shape[2]].to(group.text).expand_as(group.text),
        pooled=empty.pooled.to(group.pooled).expand_as(group.pooled),
    )


@torch.no_grad()
def sample_clips(
    model: InterleavedWan,
    words: Tensor,
    keyframes: Tensor,
    noise: Sequence[Tensor],
    levels: Tensor,
    cut_phase: float,
    on_step: Callable[[], None] = lambda: None,
    guidance: float = 1.0,
    negative: Tensor | None = None,
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
        guidance: scale of true guidance between the words and ``negative``; 1 for none.
        negative: encoded words that guidance leads away from (1, T, D_text); only read with guidance.

    Returns:
        Latents (C, F, h, w) of each shot.
    """
    bring(model)
    frames = [clip.shape[1] for clip in noise]
    starts = shot_starts(frames, cut_phase)
    shots = [
        torch.cat([keyframe, clip[:, 1:]], dim=1) for keyframe, clip in zip(keyframes, noise, strict=True)
    ]
    by_length = {n: [i for i, count in enumerate(frames) if count == n] for n in sorted(set(frames))}

    def velocities(t: Tensor, told: Tensor) -> list[Tensor]:
        groups = []
        for n, members in by_length.items():
            times = torch.full((1, len(members), n), float(t)).to(words)
            times[:, :, 0] = 0
            latents = torch.stack([shots[i] for i in members])[None]
            groups.append(ShotGroup(latents, told[members][None], times, [starts[i] for i in members]))
        predicted: list[Tensor] = model(groups=groups)
        return predicted

    for t, following in pairwise(levels):
        led = velocities(t, words)
        if guidance != 1:
            assert negative is not None
            away = velocities(t, negative.to(words).expand_as(words))
            led = [without + guidance * (v - without) for v, without in zip(led, away, strict=True)]
        for members, velocity in zip(by_length.values(), led, strict=True):
            for i, v in zip(members, velocity[0], strict=True):
                shots[i][:, 1:] += float(following - t) * v[:, 1:]
        on_step()
    return shots
