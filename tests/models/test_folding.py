import torch

from cinema_cli.models.folding import fold, join_groups, split_groups, unfold


def test_fold_and_unfold():
    x = torch.arange(24).reshape(2, 3, 4)
    assert torch.equal(unfold(fold(x), 3), x)
    assert torch.equal(fold(x)[1], x[0, 1])


def test_groups_of_any_size_join_pair_after_pair_and_come_back():
    a, b = torch.randn(2 * 3, 5, 7), torch.randn(2 * 1, 4, 7)
    joined = join_groups([a, b], (3, 1))
    assert joined.shape == (2, 19, 7)
    assert torch.equal(joined[1, 5:10], a[4])
    assert torch.equal(joined[1, 15:], b[1])
    for whole, part in zip((a, b), split_groups(joined, [a, b], (3, 1)), strict=True):
        assert torch.equal(whole, part)
