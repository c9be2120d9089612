import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cinema_cli.cli.app import app
from kept_films import change_shots, flag, plain_film


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    for name in "ab":
        plain_film(tmp_path / "dataset" / name, 24)
    change_shots(tmp_path / "dataset/a", {3: {"flags": (flag("blurred"),)}, 4: {"rejected": "a title"}})
    return tmp_path / "dataset"


def cinema(*words: object) -> Result:
    return CliRunner().invoke(app, ["sample", *(str(word) for word in words)])


def test_counts_ratio_and_losses_are_printed(dataset: Path) -> None:
    ran = cinema(dataset, "--pairs", "4,8", "--quiet")
    assert ran.exit_code == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert "films      2" in lines
    assert "keyframes  kept 46, lost 2" in lines
    assert "lost       blurred 1, rejected 1" in lines
    four = next(line for line in lines if "pairs 4" in line)
    assert "span 40" in four
    assert "naive 14" in four
    assert "ratio" in four
    assert ran.stderr == ""


def test_json_is_one_document_and_the_page_is_written(dataset: Path, tmp_path: Path) -> None:
    page, out = tmp_path / "page.html", tmp_path / "out"
    words = [
        "--pairs",
        "4",
        "--epochs",
        "2",
        "--allow",
        "blurred",
        "--seed",
        "3",
        "--out",
        out,
        "--show",
        page,
    ]
    ran = cinema(dataset, *words, "--json")
    assert ran.exit_code == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["keyframes"] == {"kept": 47, "lost": 1}
    (found,) = told["sequences"]
    assert found["by epoch"][0] == found["drawn"]
    assert found["ratio"] == round(found["drawn"] / found["naive"], 1)
    assert [Path(path).relative_to(out).as_posix() for path in told["manifests"]] == [
        "pairs-04/epoch-000.safetensors",
        "pairs-04/epoch-001.safetensors",
    ]
    assert all(Path(path).is_file() for path in told["manifests"])
    assert "4 pairs" in page.read_text(encoding="utf-8")
    assert "4 pairs: 47/47 keyframes" in ran.stderr
    again = cinema(dataset, *words)
    assert "4 pairs: already there, kept" in again.stderr


def test_a_dry_run_writes_nothing(dataset: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    ran = cinema(dataset, "--pairs", "4", "--span", "8", "--dry-run", "--show", tmp_path / "page.html")
    assert ran.exit_code == 0
    assert "span 8" in ran.stdout
    assert "page.html" not in ran.stdout
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--pairs", "8,,16"], 2, "8,16,32"),
        (["--pairs", "eight"], 2, "8,16,32"),
        (["--pairs", "0"], 3, "greater than or equal to 1"),
        (["--pairs", "8,8"], 3, "each number of pairs once"),
        (["--overlap", "1"], 3, "overlap"),
        (["--allow", "boring"], 3, "near-black"),
        (["--pairs", "8", "--span", "7"], 3, "at least 8 for 8 pairs"),
        (["--pairs", "25"], 3, "found at most 24 in 2 films (lost: blurred 1, rejected 1)"),
        (["--set", "colour=red"], 3, "colour"),
    ],
)
def test_what_cannot_be_asked_is_told(dataset: Path, words: list[str], code: int, told: str) -> None:
    ran = cinema(dataset, *words)
    assert ran.exit_code == code, ran.stderr
    assert told in ran.stderr
    assert not (dataset / "sequences").exists()


def test_no_dataset_is_told(tmp_path: Path) -> None:
    ran = cinema(tmp_path / "nowhere")
    assert ran.exit_code == 3
    assert "a folder of ingested films" in ran.stderr


def test_the_help_says_what_epochs_do_not_promise() -> None:
    told = " ".join(cinema("--help").stdout.replace("│", " ").split())
    assert "overlap between sequences of different epochs is not bounded" in told
