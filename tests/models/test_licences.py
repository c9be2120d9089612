import json
import stat
from pathlib import Path

import pytest

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.acceptance import accept, is_accepted, require_accepted, settings_file
from cinema_cli.models.licences import APACHE, FLUX_2, FLUX_DEV, HUNYUAN, LTX_2, MIT, UNKNOWN, licence_of


@pytest.fixture(autouse=True)
def _settings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.mark.parametrize(
    ("model", "licence"),
    [
        ("toy", APACHE),
        ("black-forest-labs/FLUX.1-dev@0123abc", FLUX_DEV),
        ("black-forest-labs/FLUX.1-Kontext-dev", FLUX_DEV),
        ("black-forest-labs/FLUX.1-schnell", APACHE),
        ("black-forest-labs/FLUX.2-dev", FLUX_2),
        ("black-forest-labs/FLUX.2-klein-9B", FLUX_2),
        ("black-forest-labs/FLUX.2-klein-4B", APACHE),
        ("Qwen/Qwen-Image-Edit", APACHE),
        ("Wan-AI/Wan2.2-TI2V-5B-Diffusers", APACHE),
        ("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", APACHE),
        ("Lightricks/LTX-2.3", LTX_2),
        ("tencent/HunyuanVideo-1.5", HUNYUAN),
        ("openai/clip-vit-large-patch14", MIT),
        ("google/umt5-xxl", APACHE),
        ("some-lab/no-such", UNKNOWN),
        ("black-forest-labs/FLUX.1-devil", UNKNOWN),
    ],
)
def test_known_models(model, licence):
    assert licence_of(model, None) == licence


def test_the_lines_tell_what_may_be_done():
    assert APACHE.line.startswith("Apache-2.0: any use, commercial too")
    assert "non-commercial" in FLUX_DEV.line
    assert "European Union, the United Kingdom and South Korea" in HUNYUAN.line
    assert UNKNOWN.line == "licence unknown: read its card"
    for licence in (APACHE, FLUX_DEV, HUNYUAN, LTX_2):
        assert "https://" in licence.line


def card(folder: Path, head: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(f"---\n{head}\n---\n# A model\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("head", "licence"),
    [
        ("base_model: black-forest-labs/FLUX.1-dev", FLUX_DEV),  # a fine-tune, as our cards say it
        ("base_model: FLUX.1-dev", FLUX_DEV),
        ("base_model:\n- Wan-AI/Wan2.2-TI2V-5B-Diffusers\nlicense: other", APACHE),
        ("license: other\nlicense_name: flux-1-dev-non-commercial-license", FLUX_DEV),
        ("license: mit", MIT),
        ("license: [", UNKNOWN),
        ("title: none", UNKNOWN),
    ],
)
def test_a_folder_tells_by_its_card(tmp_path, head, licence):
    folder = card(tmp_path / "mine", head)
    assert licence_of(str(folder), folder) == licence
    assert licence_of(str(folder), folder / "keyframes") == licence


def test_a_licence_that_the_table_lacks_is_named_as_its_card_does(tmp_path):
    folder = card(tmp_path / "mine", "license: openrail")
    assert licence_of(str(folder), folder).line == "openrail: so its card says; read it there"


def test_a_record_and_a_place_in_the_cache_tell_too(tmp_path):
    (tmp_path / "cinema.json").write_text(json.dumps({"pairs": 8, "base": "black-forest-labs/FLUX.1-dev"}))
    assert licence_of("mine", tmp_path) == FLUX_DEV
    cached = tmp_path / "models--black-forest-labs--FLUX.1-schnell" / "snapshots" / "0123"
    assert licence_of(str(cached), cached) == APACHE


def test_a_licence_is_accepted_once_for_a_model():
    model = "black-forest-labs/FLUX.1-dev"
    assert is_accepted("toy", APACHE)
    assert is_accepted("some-lab/no-such", UNKNOWN)
    assert not is_accepted(model, FLUX_DEV)
    with pytest.raises(
        MissingError, match=r"was to be accepted once.*doctor --model .*FLUX\.1-dev@abc --accept"
    ):
        require_accepted(f"{model}@abc", FLUX_DEV)
    accept(f"{model}@abc", FLUX_DEV)
    require_accepted(f"{model}@def", FLUX_DEV)
    assert not is_accepted("black-forest-labs/FLUX.1-Kontext-dev", FLUX_DEV)
    accept("tencent/HunyuanVideo", HUNYUAN)
    noted = json.loads(settings_file().read_text())["accepted"]
    assert [entry["model"] for entry in noted] == [model, "tencent/HunyuanVideo"]
    assert {"licence", "address", "date", "version"} < set(noted[0])
    assert stat.S_ISREG(settings_file().stat().st_mode)
    settings_file().write_text("[]")
    with pytest.raises(InputError, match=r"licences\.json: a list of accepted licences was wanted"):
        is_accepted(model, FLUX_DEV)
