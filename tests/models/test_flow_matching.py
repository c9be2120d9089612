import torch

from cinema_cli.models.flow_matching import noised, random_levels, sample_euler, schedule, shifted, velocity


def test_one_is_noise_and_zero_is_data():
    data, noise = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    assert torch.equal(noised(data, noise, torch.zeros(2)), data)
    assert torch.equal(noised(data, noise, torch.ones(2)), noise)


def test_each_frame_has_its_own_level():
    data, noise = torch.zeros(1, 3, 4), torch.ones(1, 3, 4)
    x = noised(data, noise, torch.tensor([[0.0, 0.5, 1.0]]))
    assert torch.allclose(x[0, :, 0], torch.tensor([0.0, 0.5, 1.0]))


def test_a_true_velocity_leads_from_noise_to_data():
    data, noise = torch.randn(5), torch.randn(5)
    steps = []
    levels = schedule(7, 2.0)
    out = sample_euler(lambda x, t: velocity(data, noise), noise, levels, lambda: steps.append(1))
    assert torch.allclose(out, data, atol=1e-5)
    assert len(steps) == 7


def test_the_schedule_falls_from_one_to_zero_and_shift_keeps_more_noise():
    levels = schedule(10, 3.0)
    assert levels[0] == 1
    assert levels[-1] == 0
    assert (levels[:-1] > levels[1:]).all()
    assert (levels[1:-1] > schedule(10, 1.0)[1:-1]).all()
    assert torch.equal(shifted(levels, 1.0), levels)


def test_random_levels_are_repeatable_and_inside():
    a = random_levels((50, 8), 1.5, torch.Generator().manual_seed(1))
    assert torch.equal(a, random_levels((50, 8), 1.5, torch.Generator().manual_seed(1)))
    assert a.min() > 0
    assert a.max() < 1
    assert a.unique().numel() == a.numel()
