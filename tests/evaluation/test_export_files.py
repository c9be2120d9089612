"""Folders for others: linked, written, done again, and never at the cost of somebody else's file."""

import os
from pathlib import Path

import pytest

from cinema_cli.errors import InputError
from cinema_cli.evaluation.export_files import RECORD, Plan


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source" / "picture.png"
    path.parent.mkdir()
    path.write_bytes(b"a picture")
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def plan(source: Path, *names: str, **texts: str) -> Plan:
    made = Plan()
    for name in names:
        made.link(name, source)
    for name, text in texts.items():
        made.write(name, text)
    return made


def there(out: Path) -> dict[str, bytes]:
    """All files, but for our own notes."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in (RECORD, ".cinema.lock")
    }


def test_files_are_linked_and_written(source: Path, out: Path) -> None:
    plan(source, "a/b/1.png", "2.png", note="Words.").carry_out(out, "vbench")
    assert there(out) == {"2.png": b"a picture", "a/b/1.png": b"a picture", "note": b"Words."}
    assert os.path.samefile(source, out / "2.png")
    assert not any(path.is_symlink() for path in out.rglob("*"))


def test_where_there_are_no_hard_links_files_are_copied(
    source: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    plan(source, "1.png").carry_out(out, "vbench")
    assert there(out) == {"1.png": b"a picture"}
    assert not os.path.samefile(source, out / "1.png")
    before = (out / "1.png").stat().st_mtime_ns
    plan(source, "1.png").carry_out(out, "vbench")
    assert (out / "1.png").stat().st_mtime_ns == before  # a copy of the same is left alone


def test_a_link_is_followed_not_made(source: Path, out: Path, tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to(source)
    plan(tmp_path / "link.png", "1.png").carry_out(out, "vbench")
    assert not (out / "1.png").is_symlink()
    assert (out / "1.png").read_bytes() == b"a picture"


def test_done_again_it_is_the_same(source: Path, out: Path) -> None:
    plan(source, "a/1.png", note="Words.").carry_out(out, "vbench")
    first, record = there(out), (out / RECORD).read_bytes()
    plan(source, "a/1.png", note="Words.").carry_out(out, "vbench")
    assert (there(out), (out / RECORD).read_bytes()) == (first, record)


def test_a_picture_made_anew_takes_the_place_of_the_old_one(source: Path, out: Path) -> None:
    plan(source, "1.png").carry_out(out, "vbench")
    source.unlink()  # as commands write: a new file under the old name
    source.write_bytes(b"a new one")
    assert there(out) == {"1.png": b"a picture"}
    plan(source, "1.png").carry_out(out, "vbench")
    assert there(out) == {"1.png": b"a new one"}


def test_what_is_no_longer_wanted_goes_and_foreign_files_stay(source: Path, out: Path) -> None:
    plan(source, "a/1.png", "b/2.png", "b/3.png", old="Words.").carry_out(out, "vbench")
    (out / "b/results.json").write_text("somebody's")
    plan(source, "c/1.png").carry_out(out, "vbench")
    assert there(out) == {"b/results.json": b"somebody's", "c/1.png": b"a picture"}
    assert not (out / "a").exists()


@pytest.mark.parametrize("name", ["1.png", "note"])
def test_a_foreign_file_is_never_overwritten(source: Path, out: Path, name: str) -> None:
    out.mkdir()
    (out / name).write_text("somebody's")
    with pytest.raises(InputError, match=f"{name}: an export was to be written here, but this file is not"):
        plan(source, "0.png", "1.png", note="Words.").carry_out(out, "vbench")
    assert there(out) == {name: b"somebody's"}


def test_a_foreign_link_is_not_written_through(source: Path, out: Path, tmp_path: Path) -> None:
    out.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (out / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="a link leads out"):
        plan(source, "a/1.png").carry_out(out, "vbench")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_holds_one_kind_of_export(source: Path, out: Path) -> None:
    plan(source, "1.png").carry_out(out, "vbench")
    with pytest.raises(InputError, match="it holds an export for vbench"):
        plan(source, "1.png").carry_out(out, "vistorybench")


def test_a_killed_export_is_gone_on_with(source: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import cinema_cli.evaluation.export_files as module

    place = module._place

    def killed(path: Path, to: Path) -> None:
        if to.name == "2.png":
            (to.parent / ".2.abcd1234.part.png").write_bytes(b"ha")
            raise KeyboardInterrupt
        place(path, to)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_place", killed)
        with pytest.raises(KeyboardInterrupt):
            plan(source, "a/b/1.png", "a/b/2.png").carry_out(out, "vbench")
    (out / "a/b/1.png").unlink()
    (out / "a/b/1.png").write_bytes(b"other bytes")  # ours by the record, whatever it holds
    plan(source, "a/b/1.png", "a/b/2.png").carry_out(out, "vbench")
    assert there(out) == {"a/b/1.png": b"a picture", "a/b/2.png": b"a picture"}


def test_a_record_that_leads_out_of_the_folder_is_refused(source: Path, out: Path) -> None:
    plan(source, "1.png").carry_out(out, "vbench")
    record = out / RECORD
    record.write_text(record.read_text().replace('"1.png"', '"../source/picture.png"'))
    with pytest.raises(InputError, match="a relative path inside the folder"):
        plan(source, "2.png").carry_out(out, "vbench")
    assert source.exists()
