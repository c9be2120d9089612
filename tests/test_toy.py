"""The embedded weights: small enough, safe to load, and in layouts that stock diffusers reads."""

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

TOY = Path(str(resources.files("cinema_cli"))) / "toy"
MAX_BYTES = 48_000_000

STOCK_FLUX = """
import sys, torch
from diffusers import FluxPipeline
pipe = FluxPipeline.from_pretrained(sys.argv[1])
pipe.set_progress_bar_config(disable=True)
image = pipe(
    "Wide shot. In the forest at night, <Mira>, a tall puppet in a red coat, waves on the left.",
    height=128, width=256, num_inference_steps=2, max_sequence_length=96,
    generator=torch.Generator().manual_seed(0),
).images[0]
assert image.size == (256, 128), image.size
assert len(image.getcolors(1 << 20)) > 100
assert not any(name.startswith("cinema") for name in sys.modules)
print(type(pipe.transformer).__name__)
"""

STOCK_WAN = """
import sys, torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
model = WanTransformer3DModel.from_pretrained(sys.argv[1], subfolder="transformer")
vae = AutoencoderKLWan.from_pretrained(sys.argv[1], subfolder="vae")
latents = vae.encode(torch.zeros(1, 3, 5, 128, 256)).latent_dist.mean
out = model(latents, torch.tensor([500.0]), torch.zeros(1, 8, model.config.text_dim)).sample
assert out.shape == latents.shape and out.isfinite().all()
print(type(model).__name__)
"""


def test_they_are_small_and_hold_no_pickle():
    files = [path for path in TOY.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MAX_BYTES
    assert {path.suffix for path in files} <= {".safetensors", ".json", ".md"}
    assert {"keyframes", "video", "README.md"} <= {path.name for path in TOY.iterdir()}


@pytest.mark.parametrize(
    ("part", "code", "name"),
    [("keyframes", STOCK_FLUX, "FluxTransformer2DModel"), ("video", STOCK_WAN, "WanTransformer3DModel")],
)
def test_stock_diffusers_loads_and_runs_them(part, code, name):
    done = subprocess.run(
        [sys.executable, "-c", code, str(TOY / part)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == name
