import json
import subprocess
import sys
from pathlib import Path

import pytest

from cinema_cli import files
from cinema_cli.errors import CinemaError, InputError, MissingError


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_is_written_whole_with_its_folder(tmp_path: Path) -> None:
    files.write_atomic(tmp_path / "a" / "b.txt", "Grüße")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "Grüße".encode()
    assert entries(tmp_path / "a") == {"b.txt"}


def test_a_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    files.write_atomic(tmp_path / "ours", "x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def fail_in_file(target: Path) -> None:
    with files.atomic_path(target) as temporary:
        assert temporary.suffix == target.suffix
        assert temporary.parent == target.parent
        temporary.write_text("half")
        raise ZeroDivisionError


def fail_in_folder(target: Path) -> None:
    with files.atomic_folder(target) as temporary:
        (temporary / "weights").write_text("w")
        raise ZeroDivisionError


def fill_the_disk(target: Path) -> None:
    with files.atomic_path(target) as temporary:
        temporary.write_text("half")
        with open("/dev/full", "wb", buffering=0) as full:
            full.write(b"x")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError):
        fail_in_file(target)
    assert target.read_text() == "old"
    assert entries(tmp_path) == {"film.mp4"}


def test_an_encoder_that_writes_nothing_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(CinemaError, match="nothing was"), files.atomic_path(tmp_path / "film.mp4"):
        pass


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with files.atomic_folder(tmp_path / "step") as temporary:
        (temporary / "inner").mkdir()
        (temporary / "inner" / "weights").write_text("w")
        assert not (tmp_path / "step").exists()
    assert (tmp_path / "step" / "inner" / "weights").read_text() == "w"
    with pytest.raises(ZeroDivisionError):
        fail_in_folder(tmp_path / "next")
    assert entries(tmp_path) == {"step"}


def test_a_folder_that_exists_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "step").mkdir()
    with pytest.raises(InputError, match="it exists"), files.atomic_folder(tmp_path / "step"):
        pytest.fail("the block must not run")
    assert entries(tmp_path) == {"step"}


def test_where_nothing_can_be_written_the_path_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file" / "inner.txt", Path("/proc/cinema/inner.txt")):
        with pytest.raises(InputError) as caught:
            files.write_atomic(path, "x")
        assert str(path) in str(caught.value)


def test_a_target_that_is_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").mkdir()
    with pytest.raises(InputError, match="Is a directory"):
        files.write_atomic(tmp_path / "film.mp4", "x")
    assert entries(tmp_path) == {"film.mp4"}


def test_a_full_disk_is_something_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="disk is full"):
        fill_the_disk(tmp_path / "film.mp4")
    assert entries(tmp_path) == set()


def test_an_error_about_another_file_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), files.atomic_path(tmp_path / "film.mp4"):
        (tmp_path / "elsewhere" / "input").read_text()


KILLED = """
import os, signal
from pathlib import Path
from cinema_cli import files
with files.locked(Path("film")), files.atomic_path(Path("film/keyframes/0001.png")) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_command_left_is_swept_by_the_next(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, check=False)
    assert ran.returncode == -9
    assert len(entries(tmp_path / "film" / "keyframes")) == 1
    with files.locked(tmp_path / "film"):
        assert entries(tmp_path / "film" / "keyframes") == set()


def test_two_commands_do_not_work_in_one_folder(tmp_path: Path) -> None:
    with files.locked(tmp_path):
        with pytest.raises(InputError, match="another cinema"), files.locked(tmp_path):
            pytest.fail("the block must not run")
        with files.locked(tmp_path / "other"):
            pass
    with files.locked(tmp_path):
        pass


def test_hashes_tell_content_and_not_the_order_of_keys(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert files.sha256_file(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223")
    assert files.sha256_json({"a": 1, "b": [2]}) == files.sha256_json({"b": [2], "a": 1})
    assert files.sha256_json({"a": 1}) != files.sha256_json({"a": 2})


def test_the_journal_remembers_across_runs(tmp_path: Path) -> None:
    journal = files.Journal(tmp_path / "film" / "journal.jsonl")
    assert journal.get("0001") is None
    journal.record("0001", seconds=1.5)
    journal.record("0002")
    journal.record("0001", seconds=2.5)
    for read in (journal, files.Journal(journal.path)):
        assert read.get("0001") == {"seconds": 2.5}
        assert read.get("0002") == {}
        assert read.get("0003") is None


def test_a_torn_last_line_does_not_count_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    files.Journal(path).record("0001")
    with path.open("a") as file:
        file.write('{"key": "0002"')
    journal = files.Journal(path)
    assert journal.get("0002") is None
    journal.record("0003")
    assert [json.loads(line)["key"] for line in path.read_text().splitlines()] == ["0001", "0003"]


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"no": "key"}', '{"key": []}'])
def test_a_spoiled_journal_names_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"key": "0001"}\n' + line + "\n")
    with pytest.raises(InputError, match="line 2"):
        files.Journal(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": NaN}', "NaN is not a number"),
        ('{"a": 1, "a": 2}', "'a' is given twice"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        (" " * 200_001, "at most 200000 bytes"),
        ("1" * 5000, "not valid JSON"),
    ],
)
def test_json_is_read_strictly(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError) as caught:
        files.read_json(tmp_path / "x.json", max_bytes=200_000)
    assert told in str(caught.value)
    assert "x.json" in str(caught.value)
