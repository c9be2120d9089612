from dataclasses import replace

import torch

from cinema_cli.models.encoders import Words
from cinema_cli.models.flow_matching import sample_euler, schedule
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.pairs import PairGroup
from cinema_cli.models.sampling import sample_clips, sample_keyframes
from cinema_cli.models.video import InterleavedWan

GRID = (2, 3)


def flux() -> InterleavedFlux:
    torch.manual_seed(0)
    return InterleavedFlux(
        in_channels=8,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=12,
        num_attention_heads=2,
        joint_attention_dim=16,
        pooled_projection_dim=10,
        axes_dims_rope=(4, 4, 4),
    ).requires_grad_(False)


def words(n: int, seed: int = 0) -> Words:
    g = torch.Generator().manual_seed(seed)
    return Words(torch.randn(n, 5, 16, generator=g), torch.randn(n, 10, generator=g))


def noise(n: int) -> torch.Tensor:
    return torch.randn(n, 6, 8, generator=torch.Generator().manual_seed(7))


def test_frames_are_drawn_together_and_repeatably():
    model, steps = flux(), []
    args = (words(3), words(1, 1), noise(3), GRID, schedule(4, 1.0))
    first = sample_keyframes(model, *args, on_step=lambda: steps.append(1))
    assert torch.equal(first, sample_keyframes(model, *args))
    assert first.shape == (3, 6, 8)
    assert len(steps) == 4
    other = words(3)
    other.text[2] += 1
    changed = sample_keyframes(model, other, *args[1:])
    assert not torch.allclose(changed[0], first[0])  # frame 0 sees frame 2's words through the global blocks


def memory(seed: int = 3) -> PairGroup:
    g = torch.Generator().manual_seed(seed)
    told = words(2, 5)
    latents = torch.randn(1, 2, 2, 8, generator=g)
    return PairGroup(
        latents, told.text[None], told.pooled[None], torch.full((1, 2), 0.1), [0, 1], (1, 2), GRID, True
    )


def test_memory_is_computed_once_and_drawing_beside_it_is_extension():
    model, calls = flux(), []
    args = (words(2), words(1, 1), noise(2), GRID, schedule(3, 1.0))
    model.register_forward_pre_hook(lambda *_: calls.append(1))
    remember, remembered = model.remember, []
    model.remember = lambda groups, told: remembered.append(1) or remember(groups, told)
    drawn = sample_keyframes(model, *args, memory=[memory()], ranks=[2, 3])
    assert (len(calls), len(remembered)) == (3, 1)

    def uncached(x, t):
        times = t.expand(1, 2)
        new = PairGroup(x[None], words(2).text[None], words(2).pooled[None], times, [2, 3], GRID)
        return model(groups=[memory(), new], regime="extend")[1][0]

    assert torch.allclose(drawn, sample_euler(uncached, noise(2), schedule(3, 1.0)), atol=1e-5)
    other = sample_keyframes(model, *args, memory=[memory(4)], ranks=[2, 3])
    assert not torch.allclose(drawn, other)


def test_a_distilled_model_is_told_its_guidance():
    torch.manual_seed(0)
    model = InterleavedFlux(**{**flux().config, "guidance_embeds": True}).requires_grad_(False)
    args = (words(1), words(1, 1), noise(1), GRID, schedule(1, 1.0))
    drawn = [
        sample_keyframes(model, *args, memory=[memory()], ranks=[2], embedded=torch.tensor([scale]))
        for scale in (1.0, 3.5, 3.5)
    ]
    assert not torch.allclose(drawn[0], drawn[1])
    assert torch.equal(drawn[1], drawn[2])


def test_without_words_memory_has_none_either():
    model = flux()
    args = (words(1), words(1, 1), noise(1), GRID, schedule(1, 1.0))
    empty = words(1, 1)
    silent = replace(
        memory(), text=empty.text.expand(2, -1, -1)[None], pooled=empty.pooled.expand(2, -1)[None]
    )
    plain = sample_keyframes(model, *args, memory=[memory()], ranks=[2])
    wordless = sample_keyframes(model, empty, *args[1:], memory=[silent], ranks=[2])
    twice = sample_keyframes(model, *args, guidance=2.0, memory=[memory()], ranks=[2])
    assert torch.allclose(twice, 2 * plain - wordless, atol=1e-5)


def test_guidance_of_one_is_none_and_two_goes_further():
    model = flux()
    args = (words(2), words(1, 1), noise(2), GRID, schedule(1, 1.0))
    plain = sample_keyframes(model, *args)
    empty = Words(args[1].text.expand(2, -1, -1), args[1].pooled.expand(2, -1))
    wordless = sample_keyframes(model, empty, *args[1:])
    twice = sample_keyframes(model, *args, guidance=2.0)
    assert torch.allclose(twice, 2 * plain - wordless, atol=1e-5)


def test_guidance_may_end_early():
    model = flux()
    args = (words(2), words(1, 1), noise(2), GRID)
    levels = schedule(2, 1.0)  # 1, 0.5, 0
    first = sample_keyframes(model, *args, levels[:2], guidance=2.0)
    then = sample_keyframes(model, args[0], args[1], first, GRID, levels[1:])
    early = sample_keyframes(model, *args, levels, guidance=2.0, guidance_above=0.5)
    assert torch.allclose(early, then, atol=1e-6)
    assert not torch.allclose(early, sample_keyframes(model, *args, levels, guidance=2.0), atol=1e-3)


def wan() -> InterleavedWan:
    torch.manual_seed(0)
    return InterleavedWan(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=4,
        out_channels=4,
        text_dim=10,
        freq_dim=16,
        ffn_dim=32,
        num_layers=1,
    ).requires_grad_(False)


def test_clips_keep_their_keyframes_and_their_own_lengths():
    keyframes = torch.randn(3, 4, 1, 4, 6)
    clips = [torch.randn(4, n, 4, 6, generator=torch.Generator().manual_seed(n)) for n in (3, 2, 3)]
    before = [clip.clone() for clip in clips]
    made = sample_clips(wan(), torch.randn(3, 5, 10), keyframes, clips, schedule(3, 1.0), cut_phase=0.5)
    assert [m.shape[1] for m in made] == [3, 2, 3]
    for keyframe, m, clip, was in zip(keyframes, made, clips, before, strict=True):
        assert torch.equal(m[:, :1], keyframe)
        assert not torch.allclose(m[:, 1:], clip[:, 1:])
        assert torch.equal(clip, was)


def test_guidance_of_clips_leads_away_from_the_negative_words():
    model, levels = wan(), schedule(1, 1.0)
    told, negative = torch.randn(2, 5, 10), torch.randn(1, 5, 10)
    given = (torch.randn(2, 4, 1, 4, 6), [torch.randn(4, 3, 4, 6), torch.randn(4, 2, 4, 6)], levels, 0.5)
    plain = sample_clips(model, told, *given)
    away = sample_clips(model, negative.expand(2, -1, -1), *given)
    for one, p, a in zip(
        sample_clips(model, told, *given, guidance=3.0, negative=negative), plain, away, strict=True
    ):
        assert torch.allclose(one, a + 3 * (p - a), atol=1e-5)
    untouched = sample_clips(model, told, *given, guidance=1.0, negative=negative)
    assert all(torch.equal(a, b) for a, b in zip(untouched, plain, strict=True))
