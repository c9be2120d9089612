import os
import signal
from pathlib import Path

import numpy as np
import pytest

from cinema_cli.errors import InputError, Interrupted
from cinema_cli.progress import Progress
from cinema_cli.sampling import sample as sampling
from cinema_cli.sampling.manifest import Manifest, manifest_path
from cinema_cli.sampling.overlap import most_shared
from cinema_cli.sampling.sample import DatasetSample, SampleConfig, open_sequences, sample_dataset
from kept_films import change_shots, flag, plain_film

SMALL = SampleConfig(pairs=(4, 6), effort=20)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    for name, shots in (("a", 20), ("b", 30), ("short", 3)):
        plain_film(tmp_path / "dataset" / name, shots)
    return tmp_path / "dataset"


def sampled(dataset: Path, config: SampleConfig = SMALL, **options: object) -> DatasetSample:
    with Progress(quiet=True) as progress:
        return sample_dataset(dataset, config, progress, **options)  # type: ignore[arg-type]


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.safetensors"))}


def test_every_film_is_sampled_by_itself_and_counted(dataset: Path) -> None:
    change_shots(dataset / "b", {2: {"flags": (flag("blurred"),)}, 3: {"rejected": "a title"}})
    found = sampled(dataset)
    assert found.kept == 51
    assert found.lost == {"blurred": 1, "rejected": 1}
    four, six = found.sampled
    assert (four.pairs, four.span, six.pairs, six.span) == (4, 40, 6, 60)
    assert four.naive == (20 - 4) // 3 + 1 + (28 - 4) // 3 + 1
    for part in found.sampled:
        read = Manifest.load(part.paths[0])
        assert part.counts == [len(read.sequences)]
        assert part.ratio == len(read.sequences) / part.naive
        assert part.ratio > 1
        assert [film.kept for film in read.header.films] == [20, 28, 3]
        assert len(read.of_film(2)) == 0
        for number in range(2):
            assert most_shared(read.of_film(number)) <= part.pairs // 4
            assert read.of_film(number).max() < read.header.films[number].kept


def test_the_sequences_of_a_film_do_not_depend_on_the_others(dataset: Path, tmp_path: Path) -> None:
    both = sampled(dataset).sampled[0].manifests[0]
    alone = sampled(dataset / "b", out=tmp_path / "alone").sampled[0].manifests[0]
    assert np.array_equal(both.of_film(1), alone.of_film(0))


def test_the_same_command_again_keeps_what_is_there(dataset: Path) -> None:
    sampled(dataset)
    before = {path: path.stat().st_mtime_ns for path in (dataset / "sequences").rglob("*.safetensors")}
    again = sampled(dataset)
    assert [part.fresh for part in again.sampled] == [False, False]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    other = sampled(dataset, SMALL.model_copy(update={"seed": 1}))
    assert [part.fresh for part in other.sampled] == [True, True]


@pytest.mark.parametrize("what", ["damaged", "over the bar", "another film"])
def test_a_manifest_that_does_not_fit_is_drawn_again(dataset: Path, what: str) -> None:
    sampled(dataset)
    wanted = files(dataset)
    path = manifest_path(dataset / "sequences", 4, 0)
    if what == "damaged":
        path.write_bytes(path.read_bytes()[:-1])
    elif what == "over the bar":
        read = Manifest.load(path)
        read.sequences[1] = read.sequences[0]
        read.save(dataset / "sequences")
    else:
        plain_film(dataset / "c", 8)
    again = sampled(dataset)
    assert again.sampled[0].fresh
    assert again.sampled[1].fresh == (what == "another film")
    assert (files(dataset) == wanted) == (what != "another film")


def test_epochs_differ_and_shorter_runs_remove_the_rest(dataset: Path) -> None:
    found = sampled(dataset, SMALL.model_copy(update={"epochs": 3, "pairs": (4,)}))
    rows = [
        tuple(row)
        for manifest in found.sampled[0].manifests
        for number in range(2)
        for row in np.insert(manifest.of_film(number), 0, number, axis=1).tolist()
    ]
    assert len(set(rows)) == len(rows) == sum(found.sampled[0].counts)
    assert len(files(dataset)) == 3
    sampled(dataset, SMALL.model_copy(update={"pairs": (4,)}))
    assert list(files(dataset)) == ["sequences/pairs-04/epoch-000.safetensors"]


def test_a_dry_run_counts_the_same_and_writes_nothing(dataset: Path) -> None:
    dry = sampled(dataset, dry_run=True)
    assert not (dataset / "sequences").exists()
    assert [part.paths for part in dry.sampled] == [[], []]
    assert [part.counts for part in dry.sampled] == [part.counts for part in sampled(dataset).sampled]


def test_a_span_of_32_reports_its_honest_ratio(tmp_path: Path) -> None:
    plain_film(tmp_path / "film", 100)
    found = sampled(tmp_path, SampleConfig(pairs=(16,), span=32)).sampled[0]
    assert found.naive == (100 - 16) // 12 + 1
    assert found.ratio is not None
    assert 1 <= found.ratio <= 2


def test_too_few_keyframes_are_told_with_their_reasons(tmp_path: Path) -> None:
    plain_film(tmp_path / "film", 9)
    change_shots(tmp_path / "film", {n: {"caption": ""} for n in range(1, 7)})
    with pytest.raises(InputError, match=r"at least 4 .* at most 3 in 1 films \(lost: no caption 6\)"):
        sampled(tmp_path)
    assert not (tmp_path / "sequences").exists()


def test_a_length_that_no_film_has_is_none_and_the_others_are_drawn(dataset: Path) -> None:
    found = sampled(dataset, SampleConfig(pairs=(4, 31), effort=2))
    assert found.sampled[1].counts == [0]
    assert found.sampled[1].ratio is None


def test_a_span_shorter_than_a_sequence_is_refused(dataset: Path) -> None:
    with pytest.raises(InputError, match="at least 6 for 6 pairs was wanted, found 5"):
        sampled(dataset, SMALL.model_copy(update={"span": 5}))


def test_a_signal_stops_between_films_and_the_same_command_goes_on(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, films = sampling.draw_sequences, []

    def interrupted(keyframes: int, *rest: object) -> object:
        films.append(keyframes)
        if len(films) == 4:  # the first film of the second manifest
            os.kill(os.getpid(), signal.SIGINT)
        return draw(keyframes, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(sampling, "draw_sequences", interrupted)
    with pytest.raises(Interrupted, match="the same command goes on"):
        sampled(dataset)
    assert films == [20, 30, 3, 20]
    assert list(files(dataset)) == ["sequences/pairs-04/epoch-000.safetensors"]
    again = sampled(dataset)
    assert [part.fresh for part in again.sampled] == [False, True]


def test_two_processes_do_not_draw_into_one_folder(dataset: Path) -> None:
    from cinema_cli.files import locked

    with locked(dataset / "sequences"), pytest.raises(InputError, match="another cinema"):
        sampled(dataset)


def test_what_training_opens_is_checked_against_the_dataset(dataset: Path) -> None:
    change_shots(dataset / "b", {2: {"flags": (flag("blurred"),)}})
    sampled(dataset, SMALL.model_copy(update={"allow": ("blurred",)}))
    manifests, films = open_sequences(dataset, 4)
    assert [len(film.shots) for film in films] == [20, 30, 3]
    assert manifests[0].header.allow == ("blurred",)
    change_shots(dataset / "b", {5: {"rejected": "a title"}})
    with pytest.raises(
        InputError, match=r"changed .*\(b: other films or other kept.*Run `cinema sample` again"
    ):
        open_sequences(dataset, 4)


def test_a_manifest_over_the_bar_is_not_trained_on(dataset: Path) -> None:
    read = sampled(dataset).sampled[0].manifests[0]
    read.sequences[1] = read.sequences[0]
    read.save(dataset / "sequences")
    with pytest.raises(InputError, match="two sequences of a share 4 keyframes, at most 1"):
        open_sequences(dataset, 4)
