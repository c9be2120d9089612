"""Benchmarks of other people that films can be laid out for, by name."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cinema_cli.evaluation.export_vbench import export_vbench
from cinema_cli.evaluation.export_vistorybench import export_vistorybench
from cinema_cli.evaluation.films import Film

EXPORTERS: Mapping[str, Callable[[Sequence[Film], Path], Path]] = {
    "vbench": export_vbench,
    "vistorybench": export_vistorybench,
}
"""Each writes films into a folder, and gives it back."""
