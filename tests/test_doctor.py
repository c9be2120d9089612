import sys
from pathlib import Path

import pytest

from cinema_cli import doctor


def by_name(folder: Path) -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in doctor.examine(folder)}


def test_everything_is_looked_at_and_what_lacks_has_an_advice(tmp_path: Path) -> None:
    findings = by_name(tmp_path)
    assert list(findings) == [
        *("python", "torch", "device", "torchvision", "libraries", "compiler", "ffmpeg", "disk", "memory"),
        *("weights: keyframes", "weights: video"),
    ]
    for finding in findings.values():
        assert finding.found
        assert bool(finding.advice) == (finding.state != "ok"), finding
    for name in (
        "python",
        "torch",
        "torchvision",
        "libraries",
        "ffmpeg",
    ):  # these tests ran, so these are here
        assert findings[name].state == "ok", findings[name]


def test_every_library_that_cinema_declares_is_compared() -> None:
    bounds = doctor._lower_bounds()
    assert {"torch", "diffusers", "transformers", "accelerate", "pydantic"} <= set(bounds)
    assert "pytest" not in bounds


@pytest.mark.parametrize(
    ("installed", "bound", "old"),
    [("0.42.0", "0.42", False), ("0.9", "0.42", True), ("2.11.0+cu130", "2.11", False)],
)
def test_versions_are_compared_as_numbers(installed: str, bound: str, old: bool) -> None:
    assert (doctor._numbers(installed) < doctor._numbers(bound)) == old


def test_a_folder_that_cannot_be_written_is_missing() -> None:
    finding = doctor._disk(Path("/proc"))
    assert finding.state == "missing"
    assert "/proc" in finding.found


def test_a_compiler_that_is_not_there_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", sys.executable)
    assert doctor._compiler() == doctor.Finding("compiler", "ok", sys.executable)
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert doctor._compiler().state == "warn"


def test_weights_are_told_when_absent_or_damaged(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    assert doctor._weights("video", tmp_path).found == "none are installed"
    folder = tmp_path / "video" / "transformer"
    folder.mkdir(parents=True)
    save_file({"a": torch.zeros(1000, 1000)}, folder / "model.safetensors")
    assert doctor._weights("video", tmp_path) == doctor.Finding(
        "weights: video", "ok", "1.0 M parameters, 4.0 MB"
    )
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])
    assert doctor._weights("video", tmp_path).found.startswith("damaged")
