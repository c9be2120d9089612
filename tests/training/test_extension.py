import random
from dataclasses import astuple, replace

import pytest
import torch

from cinema_cli.context.goldenmem import GoldenMem, shrink
from cinema_cli.errors import InputError
from cinema_cli.models.flow_matching import noised
from cinema_cli.training.extension import Split, draw_split, extension_groups, step_kinds, step_sizes
from cinema_cli.training.keyframe_config import StageConfig
from cinema_cli.training.keyframes import KeyframeTask
from cinema_cli.training.loop import LoopConfig
from keyframe_runs import frozen_parts
from keyframe_runs import tiny_training as config
from keyframe_tasks import theatre_task

GRID = (16, 32)
EXTENDING = ("extend=1", "extensions=[[6, 2]]", "golden=1", "drop_pair=0", "drop_captions=0")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return frozen_parts(tmp_path_factory.mktemp("run"))


def task(run, *changes: str) -> KeyframeTask:
    return theatre_task(run, 8, *(f"stages.8.{change}" for change in (*EXTENDING, *changes)))


def stage(**changes) -> StageConfig:
    return StageConfig(sequences=1, loop=LoopConfig(steps=1), **changes)


def test_a_share_of_the_steps_extends_and_mostly_at_the_end():
    config = stage(extend=0.4, golden=0.5, extensions=((6, 1), (4, 4)), memory=GoldenMem())
    splits = [draw_split(random.Random(seed), config, GRID) for seed in range(2000)]
    extending = [split for split in splits if split is not None]
    assert 0.35 < len(extending) / len(splits) < 0.45
    last = [s for s in extending if s.new.stop == sum(len(p) for _, p in s.known) + len(s.new)]
    assert 0.75 < len(last) / len(extending) < 0.95
    assert {len(split.new) for split in extending} == {1, 4}
    shrunk = [split for split in extending if split.known[0][0] != GRID]
    assert 0.4 < len(shrunk) / len(extending) < 0.6
    for split in extending:
        places = sorted([p for _, group in split.known for p in group] + list(split.new))
        assert places == list(range(len(places)))


def test_what_a_step_is_counted_as_is_one_of_the_kinds_of_its_stage():
    config = stage(extend=0.5, golden=0.5, extensions=((6, 1), (4, 4)), memory=GoldenMem())
    kinds = [groups for _, groups in step_kinds(8, config, 5, GRID)]
    found = [step_sizes(draw_split(random.Random(seed), config, GRID), 8, 5, GRID) for seed in range(200)]
    assert all(sorted(map(astuple, sizes)) in [sorted(map(astuple, k)) for k in kinds] for sizes in found)
    assert len({tuple(sizes) for sizes in found}) >= len(kinds)


def test_every_film_is_extended_as_often_as_any_other(run):
    made = task(run, "extend=0.5")
    first = [made.data._picks(random.Random(seed), 1, 8)[0][0] for seed in range(240)]
    extended = [made.batch(seed).split is not None for seed in range(240)]
    for movie in range(3):
        share = [was for was, picked in zip(extended, first, strict=True) if picked == movie]
        assert 0.3 < sum(share) / len(share) < 0.7


def test_memory_is_shrunk_by_the_golden_ratio_newest_largest():
    split = draw_split(random.Random(3), stage(extend=1, golden=1, extensions=((6, 2),)), GRID)
    assert split == Split((((3, 6), (0, 1)), ((5, 10), (2, 3)), ((9, 18), (4, 5))), range(6, 8))


def test_frames_drawn_again_have_their_nearest_neighbours_largest():
    config = stage(extend=1, golden=1, extensions=((6, 1),))
    splits = [draw_split(random.Random(seed), config, GRID) for seed in range(200)]
    (middle,) = {split for split in splits if split is not None and split.new == range(3, 4)}
    assert middle.known == (((3, 6), (0, 6)), ((5, 10), (1, 5)), ((9, 18), (2, 4)))


def test_the_loss_sees_shrunken_memory_and_counts_new_frames_alone(run):
    made = task(run)
    batch = made.batch(0)
    assert batch.split is not None
    assert set(batch.small) == {(9, 18), (5, 10), (3, 6)}

    def loss(changed):
        return float(made.loss(changed, torch.Generator().manual_seed(1)).detach())

    known = [place for place in range(8) if place not in batch.split.new]
    latents = batch.sequences.latents.clone()
    latents[:, known] += 1
    assert loss(replace(batch, sequences=replace(batch.sequences, latents=latents))) == loss(batch)
    other = {grid: tokens + 1 for grid, tokens in batch.small.items()}
    assert loss(replace(batch, small=other)) != loss(batch)
    latents = batch.sequences.latents.clone()
    latents[:, list(batch.split.new)] += 1
    assert loss(replace(batch, sequences=replace(batch.sequences, latents=latents))) != loss(batch)


def test_memory_stands_at_the_level_the_model_is_told(run):
    made = task(run, "memory.groups=1", "extensions=[[2, 1]]")
    batch = made.batch(4)
    assert batch.split is not None
    levels = made.draw_levels(torch.Generator().manual_seed(0), batch.split)
    known = [place for _, places in batch.split.known for place in places]
    assert levels.t[:, known].max() <= made.config.context_level
    assert not levels.counts[:, known].any()
    assert levels.counts[:, list(batch.split.new)].all()
    sequences = batch.sequences
    whole = made.pairs_of(sequences, levels.t, sequences.latents, levels.dropped)
    first, new = extension_groups(whole, batch.split, batch.small, torch.Generator().manual_seed(2))
    assert first.remembered
    assert first.full_grid == new.grid == GRID
    noise = torch.randn(first.latents.shape, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(first.latents, noised(batch.small[first.grid], noise, first.timestep))
    assert sorted([*first.ranks, *new.ranks]) == [0, 1, 2]


def test_shrunken_frames_are_those_of_the_batch(run):
    data = task(run).data
    batch = data.batch(5, 2, 8)
    small = data.shrunken(5, 2, 8, [2, 3], (8, 16))
    assert torch.equal(data.shrunken(5, 2, 8, [2, 3], GRID), batch.latents[:, [2, 3]])
    (movie, places), _ = data._picks(random.Random(5), 2, 8)
    from cinema_cli.theatre.draw import draw_frame
    from cinema_cli.theatre.screenplay import write_movie

    frame = torch.from_numpy(draw_frame(write_movie(movie, 8).shots[places[2]].staged).copy())
    expected = data.codec.encode(shrink(frame[None], (64, 128)))
    assert torch.allclose(small[0, 0], expected[0], atol=2e-3)  # kept as float16


def test_more_frames_than_a_sequence_has_are_refused():
    with pytest.raises(InputError, match=r"at most 8 frames were wanted, found 7 remembered and 2 new"):
        config("stages.8.extend=0.5", "stages.8.extensions=[[7, 2]]")
