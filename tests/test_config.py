from pathlib import Path

import pytest
from pydantic import Field

from cinema_cli import config
from cinema_cli.errors import InputError


class Optimizer(config.Config):
    lr: float = 1e-3
    """Step size."""
    betas: tuple[float, float] = (0.9, 0.99)
    """Of Adam."""


class Training(config.Config):
    steps: int = Field(default=100, ge=1)
    """How many."""
    optimizer: Optimizer = Optimizer()
    """How."""


def test_yaml_overrides_and_defaults_meet_in_one_frozen_config(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("steps: 5\noptimizer:\n  lr: 0.5\n")
    data = config.with_overrides(config.read_yaml(file), ["optimizer.betas=[0.8, 0.9]", "optimizer.lr=1e-4"])
    built = config.build(Training, data, "run.yaml")
    assert built == Training(steps=5, optimizer=Optimizer(lr=1e-4, betas=(0.8, 0.9)))
    with pytest.raises(ValueError, match="frozen"):
        built.steps = 6  # type: ignore[misc]


def test_overrides_leave_their_source_alone() -> None:
    data = {"optimizer": {"lr": 1}}
    config.with_overrides(data, ["optimizer.lr=2", "steps=3"])
    assert data == {"optimizer": {"lr": 1}}


def test_the_expanded_config_reads_back_the_same(tmp_path: Path) -> None:
    built = Training(steps=7, optimizer=Optimizer(lr=2e-5))
    (tmp_path / "config.yaml").write_text(config.to_yaml(built))
    assert config.build(Training, config.read_yaml(tmp_path / "config.yaml"), "again") == built


def test_the_sentence_under_a_field_is_its_description() -> None:
    assert Training.model_fields["steps"].description == "How many."


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"stepps": 5}, "unknown field stepps (found 5). Did you mean steps?"),
        ({"steps": 0}, "steps: Input should be greater than or equal to 1, found 0"),
        ({"optimizer": {"lr": "fast"}}, "optimizer.lr: Input should be a valid number"),
        ({"optimizer": {"lr": float("nan")}}, "optimizer.lr: Input should be a finite number, found nan"),
        ({"optimizer": {"rate": 1}}, "unknown field optimizer.rate"),
    ],
)
def test_an_error_names_the_place_the_field_and_the_value(data: dict[str, object], told: str) -> None:
    with pytest.raises(InputError) as caught:
        config.build(Training, data, "here.yaml")
    assert str(caught.value).startswith("here.yaml: ")
    assert told in str(caught.value)


def test_several_faults_are_told_at_once_and_the_rest_counted() -> None:
    with pytest.raises(InputError) as caught:
        config.build(Training, {f"x{number}": 1 for number in range(8)}, "here")
    lines = str(caught.value).splitlines()
    assert len(lines) == 1 + config.MAX_TOLD + 1
    assert lines[-1].strip() == "... and 3 more."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\na: 2\n", "line 2: this is not valid YAML: the key 'a' is given twice"),
        ("a: [1\n", "line 2"),
        ("- 1\n", "lines of `name: value` were wanted"),
        ("1: 2\n", "lines of `name: value` were wanted"),
        ("a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
        ("[" * 1500, "nested too deeply"),
        ("a: " + "x" * config.MAX_YAML_BYTES, "bytes was wanted"),
    ],
)
def test_yaml_that_is_no_config_is_told(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        config.read_yaml(file)
    assert told in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_missing_or_binary_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        config.read_yaml(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        config.read_yaml(tmp_path / "binary.yaml")


@pytest.mark.parametrize("setting", ["steps", "=5", "optimizer..lr=1", "a=[", "optimizer.lr.x=1"])
def test_a_setting_that_cannot_be_read_is_told(setting: str) -> None:
    with pytest.raises(InputError) as caught:
        config.with_overrides({"optimizer": {"lr": 1}}, [setting])
    assert f"--set {setting}" in str(caught.value)


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        config.load_preset("../toy")
    for name in config.preset_names():
        assert name in str(caught.value)


@pytest.mark.parametrize("name", config.preset_names())
def test_every_shipped_preset_is_read(name: str) -> None:
    assert config.load_preset(name)


def test_a_preset_that_extends_another_says_only_what_differs() -> None:
    whole, own = config.load_preset("flux-dev"), config.load_preset("flux-dev-lora")
    assert "extends" not in own
    assert own["plan"] == whole["plan"]
    optimizers = [preset["train_keyframes"]["stages"]["16"]["loop"]["optimizer"] for preset in (whole, own)]
    assert [each["learning_rate"] for each in optimizers] == [4e-4, 1e-4]
    assert [each["warmup"] for each in optimizers] == [500, 500]
