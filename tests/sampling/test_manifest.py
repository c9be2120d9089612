import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from cinema_cli.errors import InputError, MissingError
from cinema_cli.sampling.manifest import (
    Header,
    Manifest,
    SampledFilm,
    load_epochs,
    manifest_path,
    remove_later,
)

FILMS = tuple(SampledFilm(name=name, kept=9, sha256="a" * 64) for name in ("a", "b", "c"))
ROWS = np.array([[0, 1, 2], [2, 3, 4], [5, 6, 8]], np.uint16)
ENDS = np.array([2, 2, 3])


def header(**changes: object) -> Header:
    facts = {"pairs": 3, "span": 5, "overlap": 0.34, "seed": 1, "effort": 2, "epoch": 0, "epochs": 1}
    return Header(**{**facts, "films": FILMS, **changes})


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = Manifest(header(), ROWS, ENDS).save(tmp_path)
    assert path == tmp_path / "pairs-03" / "epoch-000.safetensors"
    read = Manifest.load(path)
    assert read.header == header()
    assert np.array_equal(read.sequences, ROWS)
    assert [read.of_film(number).tolist() for number in range(3)] == [
        ROWS[:2].tolist(),
        [],
        ROWS[2:].tolist(),
    ]
    assert [read.film_of(number) for number in range(3)] == [0, 0, 2]


def test_the_sequences_of_some_films_keep_their_films_numbers() -> None:
    whole = Manifest(header(), ROWS, ENDS)
    last = whole.only({1, 2})
    assert last.sequences.tolist() == ROWS[2:].tolist()
    assert [last.film_of(number) for number in range(1)] == [2]
    assert whole.only({0, 1, 2}).sequences.tolist() == ROWS.tolist()
    assert whole.only({1}).sequences.shape == (0, 3)


@pytest.mark.parametrize(
    ("rows", "ends", "told"),
    [
        ([[0, 1, 1]], [1, 1, 1], "is not in the order"),
        ([[2, 1, 3]], [1, 1, 1], "is not in the order"),
        ([[0, 1, 9]], [1, 1, 1], "does not have"),
        ([[0, 1, 5]], [1, 1, 1], "spans more than 5"),
        ([[0, 1, 2]], [1, 0, 1], "do not add up"),
        ([[0, 1, 2]], [1, 1, 2], "do not add up"),
        ([[0, 1, 2]], [1], "3 films were wanted"),
        ([[0, 1]], [1, 1, 1], "3 keyframes a sequence"),
    ],
)
def test_a_manifest_that_breaks_its_definition_is_refused(
    tmp_path: Path, rows: list[list[int]], ends: list[int], told: str
) -> None:
    path = Manifest(header(), np.array(rows, np.uint16), np.array(ends)).save(tmp_path)
    with pytest.raises(InputError, match=f"{told}.*Run `cinema sample` again"):
        Manifest.load(path)


def test_other_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_file(
        {"sequences": ROWS.astype(np.int64), "ends": ENDS}, path, {"header": header().model_dump_json()}
    )
    with pytest.raises(InputError, match="uint16"):
        Manifest.load(path)


@pytest.mark.parametrize("what", ["text", "half", "no header", "newer", "other field", "other tensors"])
def test_other_files_are_refused_in_one_sentence(tmp_path: Path, what: str) -> None:
    path = Manifest(header(), ROWS, ENDS).save(tmp_path)
    facts = header().model_dump(mode="json")
    if what == "text":
        path.write_text("sequences")
    elif what == "half":
        path.write_bytes(path.read_bytes()[:-3])
    elif what == "no header":
        save_file({"sequences": ROWS, "ends": ENDS}, path)
    elif what == "other tensors":
        save_file({"weights": ROWS}, path, {"header": json.dumps(facts)})
    else:
        changed = {"newer": {"version": 2}, "other field": {"colour": "red"}}[what]
        save_file({"sequences": ROWS, "ends": ENDS}, path, {"header": json.dumps({**facts, **changed})})
    with pytest.raises(InputError, match=r"a manifest .*was wanted, found"):
        Manifest.load(path)


def test_epochs_belong_together(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="cinema sample` with --pairs 3"):
        load_epochs(tmp_path, 3)
    Manifest(header(epochs=2), ROWS, ENDS).save(tmp_path)
    with pytest.raises(MissingError, match="epoch 1 of 2 is missing"):
        load_epochs(tmp_path, 3)
    Manifest(header(epochs=2, epoch=1, seed=5), ROWS, ENDS).save(tmp_path)
    with pytest.raises(InputError, match="other settings"):
        load_epochs(tmp_path, 3)
    Manifest(header(epochs=2, epoch=1), ROWS[:1], np.array([1, 1, 1])).save(tmp_path)
    assert [len(manifest.sequences) for manifest in load_epochs(tmp_path, 3)] == [3, 1]


def test_a_manifest_in_another_one_s_place_is_refused(tmp_path: Path) -> None:
    path = Manifest(header(), ROWS, ENDS).save(tmp_path)
    other = manifest_path(tmp_path, 8, 0)
    other.parent.mkdir()
    path.rename(other)
    with pytest.raises(InputError, match="8 pairs and epoch 0 were wanted, found 3 and 0"):
        load_epochs(tmp_path, 8)


def test_only_later_epochs_are_removed(tmp_path: Path) -> None:
    for epoch in range(3):
        Manifest(header(epochs=3, epoch=epoch), ROWS, ENDS).save(tmp_path)
    own = tmp_path / "pairs-03" / "epoch-notes.safetensors"
    own.touch()
    assert remove_later(tmp_path, 3, 1) == [manifest_path(tmp_path, 3, epoch) for epoch in (1, 2)]
    assert manifest_path(tmp_path, 3, 0).exists()
    assert own.exists()
