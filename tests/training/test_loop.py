import pytest
import torch
from diffusers import FluxTransformer2DModel
from torch import Tensor

from cinema_cli.errors import InputError, Interrupted
from cinema_cli.training.checkpoint import faults, list_checkpoints, module_weights, newest_checkpoint
from cinema_cli.training.loop import NonFiniteError
from cinema_cli.training.optimizers import OptimizerConfig, build_optimizers, rate_at
from loop_tasks import LOOP, TINY, Careless, TinyTask, losses, run
from tiny_models import pooled_encoder, text_encoder


class Doubled(TinyTask):
    """One batch that holds two of the plain task's, with the same noise."""

    def batch(self, seed: int) -> list[tuple[int, Tensor]]:
        return [(s, super(Doubled, self).batch(s)) for s in (2 * seed, 2 * seed + 1)]

    def loss(self, batch: list[tuple[int, Tensor]], generator: torch.Generator) -> Tensor:
        losses = [super(Doubled, self).loss(x, torch.Generator().manual_seed(s)) for s, x in batch]
        return torch.stack(losses).mean()


def test_a_run_leaves_checkpoints_previews_and_a_log(tmp_path):
    last = run(TinyTask(), tmp_path)
    assert last.name == "step-000006"
    assert [p.name for p in list_checkpoints(tmp_path)] == ["step-000004", "step-000006"]
    assert sorted(p.name for p in (tmp_path / "previews").iterdir()) == [
        "step-000000.png",
        "step-000003.png",
        "step-000006.png",
    ]
    assert len(losses(tmp_path)) == 6
    assert faults(last) == []
    FluxTransformer2DModel.from_pretrained(last / "transformer")
    FluxTransformer2DModel.from_pretrained(last / "ema" / "transformer")


def test_the_same_command_goes_on_and_ends_in_the_same_weights(tmp_path):
    straight = run(TinyTask(), tmp_path / "straight")
    with pytest.raises(Interrupted, match="step 3"):
        run(TinyTask(stop_at=3), tmp_path / "stopped")
    rest = TinyTask()
    resumed = run(rest, tmp_path / "stopped")
    assert rest.seeds == [3, 4, 5]
    assert losses(tmp_path / "stopped") == losses(tmp_path / "straight")
    for part in ("transformer", "ema/transformer"):
        a, b = module_weights(straight / part), module_weights(resumed / part)
        assert all(torch.equal(a[key], b[key]) for key in a)


def test_what_libraries_draw_is_a_function_of_the_batch_as_well(tmp_path):
    run(Careless(), tmp_path / "straight", preview_every=0)
    with pytest.raises(Interrupted, match="step 3"):
        run(Careless(stop_at=3), tmp_path / "stopped", preview_every=1)
    run(Careless(), tmp_path / "stopped", preview_every=1)
    assert losses(tmp_path / "stopped") == losses(tmp_path / "straight")


def test_a_finished_run_is_left_alone(tmp_path):
    run(TinyTask(), tmp_path)
    again = TinyTask()
    assert run(again, tmp_path).name == "step-000006"
    assert again.seeds == []


def test_a_damaged_checkpoint_is_passed_over_and_a_folder_of_them_is_refused(tmp_path):
    run(TinyTask(), tmp_path)
    with (tmp_path / "step-000006" / "optimizer.safetensors").open("r+b") as file:
        file.truncate(100)
    assert newest_checkpoint(tmp_path).name == "step-000004"
    weights = tmp_path / "step-000004" / "transformer" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(InputError, match="no checkpoint here is whole"):
        newest_checkpoint(tmp_path)


def test_a_changed_config_is_refused(tmp_path):
    run(TinyTask(), tmp_path, steps=2)
    with pytest.raises(InputError, match="another config: seed was 0 and is 5"):
        run(TinyTask(), tmp_path, seed=5)


def test_a_loss_that_is_not_a_number_stops_before_the_step(tmp_path):
    with pytest.raises(NonFiniteError, match="step 3"):
        run(TinyTask(poison=3), tmp_path)
    assert [p.name for p in list_checkpoints(tmp_path)] == ["step-000002"]


def test_two_batches_a_step_are_one_batch_of_both(tmp_path):
    task = TinyTask()
    run(task, tmp_path, accumulate=2, steps=2)
    assert task.seeds == [0, 1, 2, 3]
    run(Doubled(), tmp_path / "doubled", steps=2, preview_every=0)
    a = module_weights(tmp_path / "step-000002" / "transformer")
    b = module_weights(tmp_path / "doubled" / "step-000002" / "transformer")
    assert all(torch.allclose(a[key], b[key], atol=1e-6) for key in a)


def test_the_rate_warms_up_and_falls():
    config = OptimizerConfig(learning_rate=1.0, warmup=4, floor=0.1)
    rates = [rate_at(step, 104, config) for step in range(105)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[54] == pytest.approx(0.55)
    assert rates[104] == pytest.approx(0.1)
    assert rate_at(90, 104, config.model_copy(update={"schedule": "constant"})) == 1.0


def test_every_parameter_has_exactly_one_optimizer():
    model = FluxTransformer2DModel(**TINY)
    optimizers = build_optimizers([model], LOOP.optimizer)
    held = [id(p) for o in optimizers for g in o.param_groups for p in g["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    assert {type(o).__name__ for o in optimizers} == {"AdamW", "Muon"}


def test_muon_moves_the_matrices_inside_blocks_of_every_library() -> None:
    t5 = text_encoder()
    clip = pooled_encoder()
    adamw, muon = build_optimizers([t5, clip], OptimizerConfig(kind="muon"))
    moved = {id(p) for group in muon.param_groups for p in group["params"]}
    names = {n for m in (t5, clip) for n, p in m.named_parameters() if id(p) in moved}
    assert "encoder.block.0.layer.0.SelfAttention.q.weight" in names
    assert "encoder.layers.0.self_attn.q_proj.weight" in {n.removeprefix("text_model.") for n in names}
    assert not [n for n in names if "embed" in n or "shared" in n or "relative_attention_bias" in n]
    both = [id(p) for o in (adamw, muon) for group in o.param_groups for p in group["params"]]
    assert len(both) == len(set(both)) == len({id(p) for m in (t5, clip) for p in m.parameters()})
