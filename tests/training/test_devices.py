import pytest

from cinema_cli.errors import InputError
from cinema_cli.training.devices import Devices, devices_here, known_devices


def test_devices_are_named_in_words() -> None:
    assert known_devices("32 x H100") == Devices(32, "NVIDIA H100 80GB HBM3", 0.34 * 989e12)
    assert known_devices("1x4090").name == "NVIDIA GeForce RTX 4090"
    for wrong in ("H100", "0 x H100", "8 x abacus", "8 x "):
        with pytest.raises(InputError, match="8 x H100"):
            known_devices(wrong)


def test_what_is_here_has_a_rate() -> None:
    here = devices_here()
    assert here.count >= 1
    assert here.rate > 1e6
