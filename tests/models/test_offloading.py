import torch
from torch import nn

from cinema_cli.models.offloading import CPU, Turns, bring, device_of, in_blocks
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


def test_of_a_part_that_is_hooked_the_rest_comes_each_time_again():
    told: list[tuple[str, str]] = []
    turns = Turns(torch.device("meta"))
    whole, rest, other = Part("whole", told), Part("rest", told), Part("other", told)
    turns.add(whole, [rest])
    turns.add(other)
    for part in (whole, whole, other):  # the hooks sent the rest away after a forward
        bring(part)
    assert told == [("rest", "meta"), ("rest", "meta"), ("rest", "cpu"), ("other", "meta")]


def test_what_is_outside_the_blocks_is_brought_for_every_door():
    model = keyframe_transformer()
    rest = in_blocks(model, CPU)
    inside = {
        id(p)
        for blocks in (model.transformer_blocks, model.single_transformer_blocks)
        for p in blocks.parameters()
    }
    outside = {id(p) for part in rest for p in part.parameters()}
    assert outside | inside == {id(p) for p in model.parameters()}
    assert not outside & inside


def test_a_part_without_turns_stays_where_it_lies():
    assert bring(nn.Linear(1, 1)) == CPU
    model = keyframe_transformer()
    assert model.device == CPU
    Turns(torch.device("meta")).add(model)
    assert model.device == torch.device("meta")
