"""Every benchmark that the command names has its exporter."""

from pathlib import Path

import pytest

from cinema_cli.evaluation.export_files import RECORD
from cinema_cli.evaluation.exporters import EXPORTERS
from cinema_cli.evaluation.films import Film
from cinema_cli.files import read_json
from clipped_films import clipped_film


@pytest.mark.parametrize("name", EXPORTERS)
def test_an_exporter_is_found_by_its_name(tmp_path: Path, name: str) -> None:
    film = Film.open(clipped_film(tmp_path / "film", [5, 5]))
    out = EXPORTERS[name]([film], tmp_path / name)
    assert read_json(out / RECORD, 1 << 20)["kind"] == name
    assert (out / "README.md").read_text().startswith("# For V")
