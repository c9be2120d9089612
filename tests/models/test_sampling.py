import torch

from cinema_cli.models.encoders import Words
from cinema_cli.models.flow_matching import schedule
from cinema_cli.models.keyframes import InterleavedFlux
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


def test_known_frames_come_back_untouched_and_are_seen():
    model = flux()
    args = (words(3), words(1, 1), noise(3), GRID, schedule(4, 1.0))
    seen = torch.randn(6, 8)
    drawn = sample_keyframes(model, *args, known={1: seen}, context_level=0.1)
    assert torch.equal(drawn[1], seen)
    other = sample_keyframes(model, *args, known={1: seen + 1}, context_level=0.1)
    assert not torch.allclose(drawn[0], other[0])


def test_guidance_of_one_is_none_and_two_goes_further():
    model = flux()
    args = (words(2), words(1, 1), noise(2), GRID, schedule(1, 1.0))
    plain = sample_keyframes(model, *args)
    empty = Words(args[1].text.expand(2, -1, -1), args[1].pooled.expand(2, -1))
    wordless = sample_keyframes(model, empty, *args[1:])
    twice = sample_keyframes(model, *args, guidance=2.0)
    assert torch.allclose(twice, 2 * plain - wordless, atol=1e-5)


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
