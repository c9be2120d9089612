import torch

from cinema_cli.models.rates import measured_rate, rate


def test_a_rate_is_measured_where_none_is_known():
    cpu = torch.device("cpu")
    assert measured_rate(cpu, torch.float32, seconds=0.01) > rate(cpu, torch.float32) / 10 > 1e6
