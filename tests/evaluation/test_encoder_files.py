"""An encoder's folder: what must be in it, and how it comes from a hub."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cinema_cli.errors import InputError, MissingError
from cinema_cli.evaluation.encoder_files import model_type
from hub_server import COMMIT, Hub, Repository, served
from tiny_encoders import build_clip, build_dino, build_dinov2

OTHERS = {"pytorch_model.bin": "a pickle", "own.py": "raise AssertionError('was run')", "README.md": "Words."}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build_dino(tmp_path / "dino")


@pytest.mark.parametrize(
    ("build", "kind"), [(build_clip, "clip"), (build_dinov2, "dinov2"), (build_dino, "vit")]
)
def test_the_config_says_what_it_is(tmp_path: Path, build: object, kind: str) -> None:
    assert callable(build)
    assert model_type(build(tmp_path / "model")) == kind


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_a_file_that_is_lacking_is_told(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(MissingError, match=name):
        model_type(folder)


def test_pickles_are_not_read(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(MissingError, match=r"found pytorch_model.bin, a pickle, which may hold code"):
        model_type(folder)


@pytest.mark.parametrize("found", ['{"model_type": "bert"}', "{}", "[]", '{"model_type": ["vit"]}'])
def test_another_kind_of_model_is_told(folder: Path, found: str) -> None:
    (folder / "config.json").write_text(found)
    with pytest.raises(InputError, match=r"CLIP, DINOv2, a ViT such as DINO was wanted, found"):
        model_type(folder)


# -- the hub -------------------------------------------------------------------------------------

FETCH = """
import sys
from cinema_cli.errors import CinemaError
from cinema_cli.evaluation.encoder_files import fetched, model_type
try:
    folder = fetched(sys.argv[1])
    print(model_type(folder), folder)
except CinemaError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def fetch(hub: Hub, home: Path, name: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Fetch in a process of its own: the hub's address is read once, at import."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
    own = {"HF_ENDPOINT": hub.address, "HF_HOME": str(home / "hf"), "NO_PROXY": "127.0.0.1"}
    return subprocess.run(
        [sys.executable, "-c", FETCH, name], capture_output=True, text=True, env=clean | own | environment
    )


def test_a_model_of_the_hub_is_fetched_once(folder: Path, tmp_path: Path) -> None:
    for name, words in OTHERS.items():
        (folder / name).write_text(words)
    with served() as hub:
        hub.repositories["org/dino"] = Repository(folder)
        alone = fetch(hub, tmp_path, "org/dino", HF_HUB_OFFLINE="1")
        assert "MissingError: org/dino: an encoder was wanted that is not whole" in alone.stderr
        assert hub.calls == []
        first = fetch(hub, tmp_path, "org/dino")
        assert first.stdout.startswith("vit "), first.stderr
        fetched = {path.name for path in Path(first.stdout.split()[1]).iterdir()}
        assert fetched == {"config.json", "preprocessor_config.json", "model.safetensors"}
        assert hub.fetched()[-1] == "model.safetensors"
        hub.calls.clear()
        assert fetch(hub, tmp_path, "org/dino", HF_HUB_OFFLINE="1").stdout == first.stdout
        assert fetch(hub, tmp_path, f"org/dino@{COMMIT}").stdout == first.stdout
        assert hub.calls == []


def test_what_broke_off_is_fetched_again(folder: Path, tmp_path: Path) -> None:
    with served() as hub:
        hub.repositories["org/dino"] = Repository(folder)
        hub.cuts["model.safetensors"] = [100] * 20
        broken = fetch(hub, tmp_path, "org/dino")
        assert "MissingError: org/dino: an encoder was wanted that is not in the local cache" in broken.stderr
        hub.cuts.clear()
        assert fetch(hub, tmp_path, "org/dino").stdout.startswith("vit ")


def test_what_the_hub_does_not_have_is_told(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with served() as hub:
        hub.repositories["org/dino"] = Repository(folder)
        assert "weights as model.safetensors were wanted" in fetch(hub, tmp_path, "org/dino").stderr
        missing = fetch(hub, tmp_path, "org/other")
        assert (
            "MissingError: org/other: an encoder was wanted that is not in the local cache" in missing.stderr
        )
        hub.repositories["org/other"] = Repository(tmp_path / "empty")
        assert "a model of transformers was wanted, found none" in fetch(hub, tmp_path, "org/other").stderr
