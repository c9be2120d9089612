from dataclasses import replace

import pytest
import torch

from cinema_cli.training.sequences import HELD_OUT
from keyframe_runs import frozen_parts
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


def test_batches_repeat_by_seed_and_never_show_held_out_movies(run):
    data = task(run, 8).data
    a, b, c = data.batch(5, 1, 8), data.batch(5, 1, 8), data.batch(6, 1, 8)
    assert torch.equal(a.latents, b.latents)
    assert a.captions == b.captions
    assert a.captions != c.captions
    assert data.movies < HELD_OUT
    assert a.latents.shape == (1, 8, 16 * 32, 16)
