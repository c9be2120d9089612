import pytest
import torch

from cinema_cli.errors import MissingError
from cinema_cli.models.contents import Component, Contents
from cinema_cli.models.room import Room, machine_memory, require_room, room_for


def flux(tmp_path):
    """FLUX.1-dev by its numbers of parameters."""
    sizes = {"transformer": 11_901_408_320, "vae": 83_819_683, "text_encoder": 123_060_480}
    sizes["text_encoder_2"] = 4_762_310_656
    parts = tuple(Component(name, "x", count, 2 * count, ("BF16",)) for name, count in sizes.items())
    return Contents(tmp_path, "keyframes", "FluxPipeline", parts)


def test_weights_are_counted_in_the_number_type_that_they_are_computed_in(tmp_path):
    cpu = torch.device("cpu")
    half, full = (room_for(flux(tmp_path), cpu, dtype) for dtype in (torch.bfloat16, torch.float32))
    assert half.needed == 2 * flux(tmp_path).parameters == flux(tmp_path).bytes
    assert full.needed == 2 * half.needed
    assert full.memory == machine_memory() > 1 << 28
    assert half.largest == "transformer"


def test_a_video_autoencoder_is_counted_in_float32_on_a_cpu(tmp_path):
    sizes = {"transformer": 4_999_787_712, "vae": 704_687_000, "text_encoder": 5_680_910_336}
    parts = tuple(Component(name, "x", count, 2 * count, ("BF16",)) for name, count in sizes.items())
    wan = Contents(tmp_path, "video", "WanPipeline", parts)
    room = room_for(wan, torch.device("cpu"), torch.bfloat16)
    assert room.needed == wan.bytes + 2 * sizes["vae"]
    assert room_for(wan, torch.device("cpu"), torch.float32).needed == 2 * wan.bytes


@pytest.mark.parametrize(
    ("memory", "said"),
    [
        (24 << 30, "Each part fits by itself, the largest is transformer; take a larger device."),
        (16 << 30, "transformer alone is 23.8 GB: take a larger device."),
    ],
)
def test_what_does_not_fit_is_told_before_it_is_read(tmp_path, memory, said):
    room = Room(flux(tmp_path).bytes_as(2), "cuda", "bfloat16", memory)
    with pytest.raises(MissingError) as raised:
        require_room(room, "FLUX.1-dev")
    assert str(raised.value) == (
        "FLUX.1-dev: room for all weights was wanted, but there are 33.7 GB of weights as bfloat16 on cuda, "
        f"which has {memory / 1e9:.1f} GB. {said}"
    )
    require_room(Room(flux(tmp_path).bytes_as(2), "cuda", "bfloat16", 80 << 30), "FLUX.1-dev")
