from pathlib import Path

import numpy as np
import pytest
import torch

from cinema_cli.errors import InputError
from cinema_cli.models.encoders import ImageCodec, TextEncoder
from cinema_cli.progress import Progress
from cinema_cli.sampling.features import PairFeatures
from cinema_cli.sampling.loader import Loader, Order, Place, Sequences
from cinema_cli.sampling.sample import SampleConfig, open_sequences, sample_dataset
from kept_films import drawn_film
from keyframe_runs import frozen_parts


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for seed in range(2):
        drawn_film(folder / "dataset" / f"film-{seed}", 19, seed)
    frozen_parts(folder / "run")
    with Progress(quiet=True) as progress:
        sample_dataset(folder / "dataset", SampleConfig(pairs=(4,), epochs=2, effort=3), progress)
    return folder


def loader(folder: Path, sequences: int = 4, **options: int) -> Loader:
    manifests, films = open_sequences(folder / "dataset", 4)
    base = folder / "run" / "keyframes"
    codec, text = ImageCodec.load(base), TextEncoder.load(base, 24)
    features = PairFeatures(films, codec, text, (16, 32), folder / "run" / "cache", print)
    return Loader(manifests, films, features, sequences, **{"seed": 0, "workers": 0, **options})


def same(a: Sequences, b: Sequences) -> bool:
    assert a.words is not None
    assert b.words is not None
    pairs = [(a.latents, b.latents), (a.words.text, b.words.text), (a.words.pooled, b.words.pooled)]
    return a.captions == b.captions and all(torch.equal(x, y) for x, y in pairs)


@pytest.mark.parametrize("world", [1, 2, 4])
def test_all_ranks_and_steps_of_an_epoch_are_the_manifest_once_each(dataset: Path, world: int) -> None:
    ranks = [loader(dataset, rank=rank, world=world) for rank in range(world)]
    count = len(ranks[0].manifests[0].sequences)
    assert count > 20
    assert count % 4  # the last batch runs into the next epoch
    steps = -(-count // 4)
    places = [place for step in range(steps) for one in ranks for place in one.places(step)]
    assert sorted(place.row for place in places[:count]) == list(range(count))
    assert {place.manifest for place in places[:count]} == {0}
    assert {place.manifest for place in places[count:]} == {1}
    assert [place.row for place in places[:count]] != list(range(count))


def test_the_whole_stream_is_epoch_after_epoch_without_a_gap() -> None:
    order = Order([5, 7], seed=3)
    places = [order.at(number) for number in range(36)]
    parts = [places[a:b] for a, b in ((0, 5), (5, 12), (12, 17), (17, 24), (24, 29), (29, 36))]
    for number, part in enumerate(parts):
        assert sorted(place.row for place in part) == list(range(len(part)))
        assert {place.manifest for place in part} == {number % 2}
    assert parts[0] != parts[2]  # the same sequences in another order
    assert [Order([5, 7], seed=4).at(number) for number in range(5)] != parts[0]
    assert [Order([5, 7], seed=3).at(number) for number in (35, 0, 20)] == [places[35], places[0], places[20]]


def test_the_same_order_on_every_machine() -> None:
    assert [Order([6], seed=0).at(number).row for number in range(6)] == [2, 3, 0, 4, 5, 1]


def test_another_number_of_ranks_goes_on_where_the_first_stopped(dataset: Path) -> None:
    one, two, four = (
        [loader(dataset, rank=rank, world=world) for rank in range(world)] for world in (1, 2, 4)
    )
    whole = [place for step in range(12) for place in one[0].places(step)]
    before = [place for step in range(5) for rank in two for place in rank.places(step)]
    after = [place for step in range(5, 12) for rank in four for place in rank.places(step)]
    assert before + after == whole


def test_resumed_is_uninterrupted(dataset: Path) -> None:
    straight = loader(dataset)
    batches = [straight.batch(step) for step in range(6)]
    resumed = loader(dataset)
    assert all(same(resumed.batch(step), batches[step]) for step in range(3, 6))


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing(dataset: Path, workers: int) -> None:
    plain, ahead = loader(dataset), loader(dataset, workers=workers)
    for step in (0, 1, 2, 3, 9, 10, 2):  # also when it jumps
        assert same(plain.batch(step), ahead.batch(step))


def test_a_batch_is_interleaved_pairs_as_the_dataset_has_them(dataset: Path) -> None:
    held = loader(dataset)
    batch = held.batch(3)
    assert batch.latents.shape == (4, 4, 2 * 4, 16)
    for place, captions, latents in zip(held.places(3), batch.captions, batch.latents, strict=True):
        manifest = held.manifests[place.manifest]
        film = held.films[manifest.film_of(place.row)]
        shots = [film.shots[index] for index in manifest.sequences[place.row]]
        assert captions == [shot.caption for shot in shots]
        number = held.films.index(film)
        for index, latent in zip(manifest.sequences[place.row].tolist(), latents, strict=True):
            assert torch.equal(held.features.latents(number, [index])[0], latent)


def test_a_broken_keyframe_is_named_through_the_workers(dataset: Path, tmp_path: Path) -> None:
    drawn_film(tmp_path / "dataset" / "broken", 8)
    with Progress(quiet=True) as progress:
        sample_dataset(tmp_path / "dataset", SampleConfig(pairs=(4,)), progress)
    (tmp_path / "dataset/broken/keyframes/0002.png").write_bytes(b"half")
    (tmp_path / "run").symlink_to(dataset / "run")
    with pytest.raises(InputError, match=r"0002\.png.*shot 0002 of broken"):
        loader(tmp_path, workers=2).batch(0)


def test_what_cannot_be_shared_is_refused(dataset: Path) -> None:
    with pytest.raises(InputError, match="3 processes can share equally were wanted, found 4"):
        loader(dataset, world=3)


def test_no_sequences_are_told(dataset: Path) -> None:
    held = loader(dataset)
    empty = [type(m)(m.header, m.sequences[:0], np.zeros(2, np.int64)) for m in held.manifests]
    with pytest.raises(InputError, match="no film keeps enough"):
        Loader(empty, held.films, held.features, 4, 0)
    assert held.order.at(0) != Place(0, -1)
