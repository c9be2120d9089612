import itertools
import random

import pytest

from cinema_cli.errors import InputError
from cinema_cli.models.encoders import ImageCodec
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import FRAME_SIZE
from cinema_cli.training.latents import LatentCache
from cinema_cli.training.sequences import HELD_OUT, TheatreSequences, renamed
from keyframe_runs import frozen_parts, tiny_training


def test_puppets_get_new_names_and_keep_their_looks() -> None:
    shots = write_movie(5, 8).shots
    other = renamed(shots, random.Random(0))
    old, new = ([f.puppet for s in film for f in s.staged.figures] for film in (shots, other))
    binding = {a.name: b.name for a, b in zip(old, new, strict=True)}
    assert len(set(binding.values())) == len(binding) > 1
    for a, b in zip(old, new, strict=True):
        assert binding[a.name] == b.name != a.name
        assert (a.coat, a.hat, a.hat_shape, a.skin, a.build, a.prop) == (
            b.coat,
            b.hat,
            b.hat_shape,
            b.skin,
            b.build,
            b.prop,
        )
    assert [s.staged.place for s in shots] == [s.staged.place for s in other]
    assert renamed(shots, random.Random(0)) == other


def places(span: int | None) -> list[list[int]]:
    """Shots of 400 sequences of 4 pairs, of movies of 12 shots."""
    theatre = TheatreSequences(None, None, 3, 12, 1.0, span)
    return [own for _, own in theatre._picks(random.Random(1), 400, 4)]


def test_sequences_are_consecutive_unless_they_may_span_more():
    assert all(own == list(range(own[0], own[0] + 4)) for own in places(None))
    assert {own[0] for own in places(None)} == set(range(9))


def test_strided_sequences_rise_within_their_span_and_reach_all_of_it():
    found = places(9)
    assert all(own == sorted(set(own)) and own[-1] - own[0] < 9 for own in found)
    assert {own[-1] - own[0] for own in found} == set(range(3, 9))
    assert {shot for own in found for shot in own} == set(range(12))
    strides = {b - a for own in found for a, b in itertools.pairwise(own)}
    assert strides >= {1, 2, 3, 4}


@pytest.mark.parametrize("span", [7, 13])
def test_a_span_below_the_pairs_or_above_the_movie_is_refused(span):
    with pytest.raises(InputError, match=r"stages\.8\.span: 8 pairs to 12 shots were wanted, found"):
        tiny_training("shots=12", f"stages.8.span={span}")


def test_the_preview_is_of_movies_that_are_never_trained_on(tmp_path):
    cache = LatentCache(tmp_path / "cache", "b" * 64)
    theatre = TheatreSequences(ImageCodec.load(frozen_parts(tmp_path) / "keyframes"), cache, 3, 8, 1.0)
    theatre.preview(4, 2)
    movies = {int(key.rsplit("-", 1)[1]) for key in cache.held}
    assert movies
    assert min(movies) >= HELD_OUT


def test_it_is_known_which_tokens_show_a_puppet(tmp_path):
    codec = ImageCodec.load(frozen_parts(tmp_path) / "keyframes")
    theatre = TheatreSequences(codec, LatentCache(tmp_path / "cache", "c" * 64), 8, 12, 1.0)
    height, width = codec.grid(FRAME_SIZE)
    seen = set()
    for movie in range(8):
        shown = theatre._find_subjects(movie).unflatten(1, (height, width))
        for shot, tokens in zip(write_movie(movie, 12).shots, shown, strict=True):
            columns = tokens.any(dim=0).nonzero().flatten() / width
            positions = tuple(figure.position for figure in shot.staged.figures)
            seen.add(positions)
            assert tokens.float().mean() < 0.75
            assert len(columns) == 0 or positions
            assert not positions or len(columns)
            if positions == ("left",):
                assert columns.mean() < 0.5
            if positions == ("right",):
                assert columns.mean() > 0.5
    assert {(), ("left",), ("right",), ("left", "right")} <= seen
