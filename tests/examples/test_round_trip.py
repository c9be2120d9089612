"""The worked example from movies to training, run as its README says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cinema_cli.sampling.sample import open_sequences
from cinema_cli.storyboard import Storyboard
from cinema_cli.theatre.movies import Truth
from cinema_cli.training.checkpoint import faults, newest_checkpoint

SCRIPT = Path(__file__).parents[2] / "examples" / "round-trip" / "run.sh"


def run(out: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    surroundings = {**os.environ, "PATH": path, "MINUTES": "0.6", "STEPS": "2"}
    done = subprocess.run(["bash", SCRIPT, out], capture_output=True, text=True, env=surroundings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def states(folder: Path) -> dict[Path, int]:
    """When each result was written; what a command notes for itself lies in hidden folders."""
    kinds = (".mp4", ".jpg", ".png", ".safetensors", ".json")
    files = [path for path in folder.rglob("*") if path.suffix in kinds]
    hidden = [path for path in files if any(part[0] == "." for part in path.relative_to(folder).parts)]
    return {path: path.stat().st_mtime_ns for path in files if path not in hidden}


@pytest.mark.slow
def test_movies_become_a_dataset_and_train_the_model(tmp_path: Path) -> None:
    run(tmp_path)
    captions = set()
    for sidecar in (tmp_path / "movies").glob("*.truth.json"):
        captions |= {shot.caption for shot in Truth.load(sidecar).shots}
    manifests, films = open_sequences(tmp_path / "dataset", 8)
    assert len(films) == 2
    assert len(manifests[0].sequences) >= 2
    for film in films:
        assert Storyboard.load(film.folder).frame_size == (400, 800)
        assert len(film.shots) >= 8
        assert {shot.caption for shot in film.shots} <= captions
    stage = tmp_path / "run/checkpoints/keyframes/stage-8"
    last = newest_checkpoint(stage)
    assert last is not None
    assert (last.name, faults(last)) == ("step-000002", [])
    assert json.loads((stage / "data.json").read_text())["sequences_in_a_batch"] == 1
    assert (stage / "previews/step-000002.png").is_file()
    assert (tmp_path / "sequences.html").is_file()
    before = states(tmp_path)
    assert len(before) > 30
    run(tmp_path)
    assert states(tmp_path) == before
