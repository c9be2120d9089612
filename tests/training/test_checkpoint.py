import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from diffusers import FluxTransformer2DModel
from safetensors.torch import load_file

from cinema_cli.errors import InputError, Interrupted
from cinema_cli.files import locked, sha256_file
from cinema_cli.training.checkpoint import faults, list_checkpoints, newest_checkpoint
from cinema_cli.training.pieces import load_tensors, module_weights, save_module, write_pieces
from loop_tasks import TINY, TinyTask, losses, run


@pytest.fixture(scope="module")
def straight(tmp_path_factory) -> Path:
    """Six steps in one go."""
    folder = tmp_path_factory.mktemp("straight")
    run(TinyTask(), folder, preview_every=0)
    return folder


@pytest.fixture
def begun(straight, tmp_path) -> Path:
    return shutil.copytree(straight, tmp_path / "begun")


def truncate(checkpoint: Path) -> None:
    with (checkpoint / "optimizer.safetensors").open("r+b") as file:
        file.truncate(100)


def test_a_truncated_newest_is_told_in_one_line_and_its_steps_are_taken_again(begun, straight, capsys):
    truncate(begun / "step-000006")
    task = TinyTask()
    run(task, begun, quiet=False, preview_every=0)
    assert task.seeds == [4, 5]
    skipped = [line for line in capsys.readouterr().err.splitlines() if "Skipped" in line]
    assert len(skipped) == 1
    assert "step-000006: optimizer.safetensors has 100 bytes instead of" in skipped[0]
    assert "step-000004" in skipped[0]
    assert (begun / "step-000006.aside").is_dir()
    assert losses(begun) == losses(straight)
    assert faults(begun / "step-000006") == []


def test_a_folder_without_a_whole_checkpoint_is_refused(begun):
    for checkpoint in list_checkpoints(begun):
        truncate(checkpoint)
    with pytest.raises(InputError, match="no checkpoint here is whole"):
        run(TinyTask(), begun)


def test_a_changed_byte_is_found(begun):
    weights = begun / "step-000006/transformer/diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    assert newest_checkpoint(begun).name == "step-000004"


def test_a_named_checkpoint_is_taken_and_later_ones_are_put_aside(begun, straight):
    task = TinyTask()
    run(task, begun, preview_every=0, checkpoint="step-000004")
    assert task.seeds == [4, 5]
    assert losses(begun) == losses(straight)
    assert (begun / "step-000006.aside").is_dir()


@pytest.mark.parametrize("name", ["step-000005", "../straight", "step-000006"])
def test_a_named_checkpoint_that_cannot_be_taken_is_an_error(begun, name):
    truncate(begun / "step-000006")
    with pytest.raises(InputError, match=r"a whole checkpoint was wanted, but .* There are: step-000004"):
        run(TinyTask(), begun, checkpoint=name)
    assert len(losses(begun)) == 6


def test_a_checkpoint_of_another_model_is_refused(begun):
    task = TinyTask()
    task.modules = {"transformer": FluxTransformer2DModel(**TINY | {"joint_attention_dim": 6})}
    with pytest.raises(InputError, match=r"context_embedder.weight has the shape \[6, 4\]"):
        run(task, begun, steps=8)
    task.modules = {"transformer": FluxTransformer2DModel(**TINY | {"num_layers": 2})}
    with pytest.raises(InputError, match=r"tensors are missing, such as transformer_blocks\.1"):
        run(task, begun, steps=8)


def test_what_a_task_says_of_itself_must_not_change(tmp_path):
    task = TinyTask()
    task.facts = {"sequences": 2}
    run(task, tmp_path, steps=2, preview_every=0)
    task.facts = {"sequences": 4}
    with pytest.raises(InputError, match=r"task was \{.sequences.: 2\} and is \{.sequences.: 4\}"):
        run(task, tmp_path, preview_every=0)


def test_a_change_that_may_be_is_told(begun, capsys):
    run(TinyTask(), begun, quiet=False, steps=7, clip=0.5, preview_every=0)
    assert "From step 6 on: steps was 6 and is 7; clip was 1.0 and is 0.5" in capsys.readouterr().err


def test_random_numbers_of_all_libraries_are_kept(straight):
    kept = load_file(straight / "step-000006/random.safetensors")
    assert {"0.python", "0.numpy", "0.torch"} <= set(kept)


def test_a_checkpoint_of_the_first_version_goes_on(begun, straight):
    shutil.rmtree(begun / "step-000006")
    old = begun / "step-000004"
    (old / "random.safetensors").unlink()
    state = json.loads((old / "state.json").read_text())
    new = ("batches", "task", "run", "guards")
    (old / "state.json").write_text(json.dumps({key: state[key] for key in state if key not in new}))
    manifest = json.loads((old / "manifest.json").read_text())
    del manifest["files"]["random.safetensors"]
    told = {"bytes": (old / "state.json").stat().st_size, "sha256": sha256_file(old / "state.json")}
    manifest["files"]["state.json"] = told
    (old / "manifest.json").write_text(json.dumps(manifest))
    run(TinyTask(), begun, preview_every=0)
    assert losses(begun) == losses(straight)


def test_two_trainings_in_one_folder_are_refused(tmp_path):
    with locked(tmp_path), pytest.raises(InputError, match="another cinema is working"):
        run(TinyTask(), tmp_path)


def test_pieces_are_read_by_stock_libraries_and_by_us(tmp_path):
    model = FluxTransformer2DModel(**TINY)
    save_module(model, tmp_path / "whole")
    save_module(model, tmp_path / "pieces")
    (tmp_path / "pieces/diffusion_pytorch_model.safetensors").unlink()
    weights = model.state_dict()
    write_pieces(tmp_path / "pieces", "diffusion_pytorch_model", weights, piece_bytes=2000)
    index = json.loads((tmp_path / "pieces/diffusion_pytorch_model.safetensors.index.json").read_text())
    assert len(set(index["weight_map"].values())) > 2
    stock = FluxTransformer2DModel.from_pretrained(tmp_path / "pieces").state_dict()
    empty = {key: torch.zeros_like(value) for key, value in weights.items()}
    load_tensors(empty, tmp_path / "pieces")
    for found in (stock, empty, module_weights(tmp_path / "whole")):
        assert all(torch.equal(found[key], weights[key]) for key in weights)


FULL = """
import sys
from pathlib import Path
from cinema_cli.errors import CinemaError
from loop_tasks import TinyTask, run
try:
    run(TinyTask(), Path(sys.argv[1]), steps=40, save_every=1, preview_every=0)
except CinemaError as error:
    print(type(error).__name__, error.exit_code, error)
"""


def small_disk(folder: Path, kilobytes: int) -> list[str]:
    """What goes before a command so that it sees a disk of so much in a folder."""
    mount = f'mount -t tmpfs -o size={kilobytes}k none "{folder}" && exec "$@"'
    return ["unshare", "-Urm", "sh", "-c", mount, "sh"]


def test_a_full_disk_is_told_and_what_was_there_stays_whole(tmp_path, straight):
    disk = tmp_path / "disk"
    disk.mkdir()
    size = sum(path.stat().st_size for path in (straight / "step-000006").rglob("*")) // 1024
    before = small_disk(disk, size * 3)
    if not shutil.which("unshare") or subprocess.run([*before, "true"], capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    look = f"""{FULL}
from cinema_cli.training.checkpoint import faults, list_checkpoints
print([faults(path) for path in list_checkpoints(Path(sys.argv[1]))], list(Path(sys.argv[1]).glob(".step*")))
"""
    tests = Path(__file__).parents[1]
    command = [*before, sys.executable, "-c", look, str(disk)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tests)
    said, left = done.stdout.splitlines()
    assert said.startswith("MissingError 4")
    assert "the disk is full. Free some space and run it again." in said
    assert left in ("[[]] []", "[[], []] []")


def test_a_file_that_may_not_grow_is_told_and_the_same_command_goes_on(begun, straight):
    largest = max(path.stat().st_size for path in (straight / "step-000006").rglob("*"))
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({largest // 2},) * 2)\n"
    shutil.rmtree(begun / "step-000006")
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-c", limit + FULL, str(begun)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tests)
    assert "InputError 3" in done.stdout
    assert "cannot be written (File too large)" in done.stdout
    assert newest_checkpoint(begun).name == "step-000004"
    run(TinyTask(), begun, preview_every=0)
    assert losses(begun) == losses(straight)


def test_a_second_signal_stops_at_once_and_leaves_no_half(tmp_path):
    class Impatient(TinyTask):
        def batch(self, seed: int) -> torch.Tensor:
            for _ in range(2 if seed == 3 else 0):
                signal.raise_signal(signal.SIGTERM)
            return super().batch(seed)

    with pytest.raises(KeyboardInterrupt):
        run(Impatient(), tmp_path, preview_every=0)
    assert [path.name for path in list_checkpoints(tmp_path)] == ["step-000002"]


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGUSR1"])
def test_every_signal_that_asks_saves_and_exits_5(tmp_path, number):
    task = TinyTask(stop_at=3)
    task.signal = signal.Signals[number]
    with pytest.raises(Interrupted, match="after step 3") as stopped:
        run(task, tmp_path, preview_every=0)
    assert stopped.value.exit_code == 5
    assert newest_checkpoint(tmp_path).name == "step-000003"
