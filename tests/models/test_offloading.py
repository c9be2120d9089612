import torch
from torch import nn

from cinema_cli.models.offloading import CPU, Turns, bring, device_of
from tiny_models import keyframe_transformer


class Part(nn.Linear):
    """Notes where it is put."""

    def __init__(self, name: str, told: list[tuple[str, str]]) -> None:
        super().__init__(1, 1)
        self.name, self.told = name, told

    def to(self, place):  # type: ignore[override]
        self.told.append((self.name, torch.device(place).type))
        return self


def test_parts_take_turns_and_never_meet():
    told: list[tuple[str, str]] = []
    turns = Turns(torch.device("meta"))
    text, transformer = Part("text", told), Part("transformer", told)
    for part in (text, transformer):
        turns.add(part)
    assert device_of(text) == torch.device("meta")  # where it will compute
    for part in (text, text, transformer, text):
        assert bring(part) == torch.device("meta")
    assert told == [
        ("text", "meta"),
        ("text", "cpu"),
        ("transformer", "meta"),
        ("transformer", "cpu"),
        ("text", "meta"),
    ]


def test_a_part_without_turns_stays_where_it_lies():
    assert bring(nn.Linear(1, 1)) == CPU
    model = keyframe_transformer()
    assert model.device == CPU
    Turns(torch.device("meta")).add(model)
    assert model.device == torch.device("meta")
