from dataclasses import replace

import pytest
import torch

from cinema_cli.errors import InputError
from cinema_cli.models.flow_matching import velocity
from cinema_cli.training.extension import extension_groups
from cinema_cli.training.sequences import HELD_OUT
from keyframe_runs import frozen_parts, tiny_training
from keyframe_tasks import theatre_task


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return frozen_parts(tmp_path_factory.mktemp("run"))


task = theatre_task


def test_levels_follow_the_mixture(run):
    mixture = ("clean_context=0.5", "own_levels=0.2", "drop_pair=0", "sequences=400")
    made = task(run, 8, *(f"stages.8.{share}" for share in mixture))
    levels = made.draw_levels(torch.Generator().manual_seed(0))
    context = ~levels.counts
    with_context = context.any(dim=1)
    assert 0.4 < with_context.float().mean() < 0.6
    assert levels.t[context].max() <= made.config.context_level
    assert levels.counts.any(dim=1).all()  # a frame is always left to draw
    shared = (levels.t == levels.t[:, :1]).all(dim=1)
    assert 0.2 < shared.float().mean() < 0.4
    assert set(context.sum(dim=1).tolist()) == set(range(8))


def test_dropped_pairs_are_noise_without_words_and_carry_no_loss(run):
    made = task(run, 8, "stages.8.sequences=200", "stages.8.drop_pair=0.3", "stages.8.clean_context=0")
    levels = made.draw_levels(torch.Generator().manual_seed(0))
    assert 0.25 < levels.dropped.float().mean() < 0.35
    assert (levels.t[levels.dropped] == 1).all()
    assert torch.equal(levels.counts, ~levels.dropped)


def test_the_loss_of_context_frames_does_not_count(run):
    made = task(run, 8, "stages.8.clean_context=1", "stages.8.drop_pair=0", "stages.8.drop_captions=0")
    batch = made.batch(0)
    loss = made.loss(batch, torch.Generator().manual_seed(3))
    levels = made.draw_levels(torch.Generator().manual_seed(3))
    shifted = batch.sequences.latents + 5.0 * (~levels.counts)[:, :, None, None]
    made.model.proj_out.weight.data.zero_()  # a model that ignores its input: only its targets can matter
    made.model.proj_out.bias.data.zero_()
    blind = made.loss(batch, torch.Generator().manual_seed(3))
    moved = made.loss(
        replace(batch, sequences=replace(batch.sequences, latents=shifted)), torch.Generator().manual_seed(3)
    )
    assert loss.isfinite()
    assert torch.allclose(blind, moved)


def test_places_are_consecutive_unless_they_are_drawn_from_more(run):
    assert task(run, 8).draw_ranks(torch.Generator()) == list(range(8))
    made, generator = task(run, 8, "stages.8.positions=20"), torch.Generator().manual_seed(0)
    drawn = [made.draw_ranks(generator) for _ in range(600)]
    assert all(len(set(ranks)) == 8 and ranks == sorted(ranks) for ranks in drawn)
    assert {rank for ranks in drawn for rank in ranks} == set(range(20))
    reaches = [ranks[-1] - ranks[0] + 1 for ranks in drawn]
    assert set(reaches) == set(range(8, 21))  # neighbours as well as pairs that are far apart


def test_the_loss_is_taken_at_the_drawn_places(run):
    plain = ("stages.8.clean_context=0", "stages.8.drop_pair=0")
    made = task(run, 8, *plain, "stages.8.positions=40")
    batch = made.batch(0)
    seen, forward = [], made.model.forward

    def watched(*given, groups, **more):
        seen.append(list(groups[-1].ranks))
        return forward(*given, groups=groups, **more)

    made.model.forward = watched
    losses = {made.loss(batch, torch.Generator().manual_seed(seed)).item() for seed in (3, 3, 4)}
    assert seen[0] == seen[1] != seen[2]
    assert len(losses) == 2


@pytest.mark.parametrize("positions", [1, 7])
def test_fewer_places_than_pairs_are_refused(positions):
    with pytest.raises(
        InputError, match=rf"stages\.8\.positions: at least 8, one a pair, .* found {positions}"
    ):
        tiny_training(f"stages.8.positions={positions}")


def test_batches_repeat_by_seed_and_never_show_held_out_movies(run):
    data = task(run, 8).data
    a, b, c = data.batch(5, 1, 8), data.batch(5, 1, 8), data.batch(6, 1, 8)
    assert torch.equal(a.latents, b.latents)
    assert a.captions == b.captions
    assert a.captions != c.captions
    assert data.movies < HELD_OUT
    assert a.latents.shape == (1, 8, 16 * 32, 16)


def test_tokens_that_show_a_puppet_weigh_more(run):
    plain = ("stages.8.clean_context=0", "stages.8.drop_pair=0", "stages.8.own_levels=1")
    made = task(run, 8, *plain, "stages.8.subject_weight=4")
    made.model.proj_out.weight.data.zero_()  # a model that says nothing: the error is the target itself
    made.model.proj_out.bias.data.zero_()
    batch = made.batch(0)
    noise_at = torch.Generator().manual_seed(3)
    made.draw_levels(noise_at)
    target = velocity(batch.sequences.latents, torch.randn(batch.sequences.latents.shape, generator=noise_at))
    weights = torch.where(batch.sequences.subjects, 4.0, 1.0)
    by_hand = ((target.square().mean(dim=3) * weights).sum(dim=2) / weights.sum(dim=2)).mean()
    loss = made.loss(batch, torch.Generator().manual_seed(3))
    torch.testing.assert_close(loss, by_hand)
    assert not torch.isclose(loss, target.square().mean())


ALL_COUNT = ("stages.8.clean_context=0", "stages.8.drop_pair=0", "stages.8.drop_captions=0")


@pytest.mark.parametrize("extend", [0, 1])
def test_what_lies_beneath_the_guidance_is_fitted_where_it_is_kept(run, extend):
    kept = ("keep_guidance=true", "guidance=4", "transformer.guidance_embeds=true")
    made = task(run, 8, *kept, *ALL_COUNT, f"stages.8.extend={extend}", "stages.8.extensions=[[2, 2]]")
    batch, seed = made.batch(1), torch.Generator().manual_seed(3)
    clean, split = batch.sequences.latents, batch.split
    levels = made.draw_levels(seed, split)
    noise = torch.randn(clean.shape, generator=seed)
    torch.rand(len(clean), 1, generator=seed)  # whose captions are dropped: nobody's
    whole = made.pairs_of(batch.sequences, levels.t, noise, torch.zeros(clean.shape[:2], dtype=torch.bool))
    groups, new = [whole], list(range(8))
    if split is not None:
        groups, new = extension_groups(whole, split, batch.small, seed), list(split.new)
    empty = made.text.encode([""])
    bare = [
        replace(group, text=empty.text.expand_as(group.text), pooled=empty.pooled.expand_as(group.pooled))
        for group in groups
    ]
    told = {"guidance": torch.full((len(clean),), 4.0), "regime": "extend" if extend else "joint"}
    with torch.no_grad():
        without = made.model(groups=bare, **told)[-1]
    beneath = (made.model(groups=groups, **told)[-1] + 3 * without) / 4
    expected = (beneath - velocity(clean, noise)[:, new]).square().mean()
    parameters = list(made.model.parameters())
    wanted = torch.autograd.grad(expected, parameters, allow_unused=True)
    loss = made.loss(batch, torch.Generator().manual_seed(3))
    found = torch.autograd.grad(loss, parameters, allow_unused=True)
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    for a, b in zip(found, wanted, strict=True):
        assert (a is None and b is None) or torch.allclose(a, b, atol=1e-6)
    assert any(grad is not None and grad.any() for grad in found)


def test_kept_guidance_costs_a_forward_more_and_wants_a_scale(run):
    plain, kept = task(run, 8), task(run, 8, "keep_guidance=true", "guidance=3.5")
    batch = plain.batch(0)
    assert kept.flop(batch) == pytest.approx(plain.flop(batch) * 4 / 3)
    with pytest.raises(InputError, match=r"above 1, such as 3\.5, was wanted to keep_guidance, found 1\.0"):
        tiny_training("keep_guidance=true")
