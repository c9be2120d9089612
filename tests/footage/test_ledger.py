import os
import subprocess
import sys
from pathlib import Path

import pytest

from cinema_cli.errors import InputError
from cinema_cli.files import sha256_file
from cinema_cli.footage import ledger as ledger_module
from cinema_cli.footage.ledger import FRESH, Ledger

SHA = "a" * 64


@pytest.fixture
def remembering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a test are young; let them be remembered all the same."""
    monkeypatch.setattr(ledger_module, "RACY_SECONDS", -1.0)


@pytest.mark.usefixtures("remembering")
def test_a_hash_is_remembered_until_the_file_may_have_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    movie = tmp_path / "a.mp4"
    movie.write_bytes(b"one")
    books = Ledger(tmp_path / "ds")
    first = books.sha256(movie)
    assert first == sha256_file(movie)
    read = []
    monkeypatch.setattr(ledger_module, "sha256_file", lambda path: read.append(path) or sha256_file(path))
    assert books.sha256(movie) == Ledger(tmp_path / "ds").sha256(movie) == first
    assert read == []
    os.utime(movie)
    assert books.sha256(movie) == first
    assert read == [movie]


@pytest.mark.usefixtures("remembering")
def test_other_bytes_of_the_same_size_and_date_are_seen(tmp_path: Path) -> None:
    movie = tmp_path / "a.mp4"
    movie.write_bytes(b"one")
    books, dates = Ledger(tmp_path / "ds"), movie.stat()
    first = books.sha256(movie)
    movie.write_bytes(b"two")
    os.utime(movie, ns=(dates.st_atime_ns, dates.st_mtime_ns))
    assert movie.stat().st_mtime_ns == dates.st_mtime_ns
    assert books.sha256(movie) == sha256_file(movie) != first
    other = tmp_path / "other"
    other.write_bytes(b"six")
    os.utime(other, ns=(dates.st_atime_ns, dates.st_mtime_ns))
    os.replace(other, movie)
    assert books.sha256(movie) == sha256_file(movie)


def test_a_file_that_has_just_changed_is_not_remembered(tmp_path: Path) -> None:
    movie = tmp_path / "a.mp4"
    movie.write_bytes(b"one")
    Ledger(tmp_path / "ds").sha256(movie)
    assert not (tmp_path / "ds" / ".ingest" / "hashes").exists()


def test_a_movie_is_held_by_one_process_and_let_go_when_it_dies(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from cinema_cli.footage.ledger import Ledger
with Ledger(Path({str(tmp_path)!r})).hold({SHA!r}) as folder:
    (folder / "half").write_text("")
    print("held", flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with Ledger(tmp_path).hold(SHA) as folder:
            assert folder is None
        with Ledger(tmp_path).hold("b" * 64) as folder:
            assert folder is not None
        other.kill()
        other.wait()
    with Ledger(tmp_path).hold(SHA) as folder:
        assert folder is not None
        assert [entry.name for entry in folder.iterdir()] == ["half"]
    assert list((tmp_path / ".ingest").iterdir()) == []


def test_a_whole_film_that_found_no_place_waits(tmp_path: Path) -> None:
    books = Ledger(tmp_path)
    with books.hold(SHA) as folder:
        assert folder is not None
        (folder / FRESH).mkdir()
    with books.hold(SHA) as folder:
        assert folder is not None
        assert (folder / FRESH).is_dir()


def test_failures_are_told_until_they_are_settled(tmp_path: Path) -> None:
    one, two = Ledger(tmp_path), Ledger(tmp_path)
    one.settle(Path("/a.mp4"), "broken")
    two.settle(Path("/b.mp4"), "too\nnew")
    assert one.failures() == {"/a.mp4": "broken", "/b.mp4": "too\nnew"}
    one.settle(Path("/b.mp4"), None)
    one.settle(Path("/c.mp4"), None)
    assert two.failures() == {"/a.mp4": "broken"}
    two.settle(Path("/a.mp4"), None)
    assert not (tmp_path / "ingest-failures.json").exists()


def test_a_list_of_failures_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "ingest-failures.json").write_text('{"movies": []}')
    with pytest.raises(InputError, match="list of failures"):
        Ledger(tmp_path).settle(Path("/a.mp4"), "broken")
