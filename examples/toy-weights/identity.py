"""A start for small autoencoders: at step 0 they already show the right colours, only blurred.

The first channels of every layer carry (r, g, b, -r, -g, -b, c, -c) unchanged from end to end; residual
branches start at zero.  The constant c dominates the statistics of the norms on the way, so they
keep their scale; SiLU(x) - SiLU(-x) = x undoes the last non-linearity.  All other channels start as usual.
From a plain start the colours of small things came last (docs/log.md).
"""

import torch
from torch import Tensor, nn

CARRIED = 8
CONSTANT = 8.0


def first_of_all(weight: Tensor, taps: Tensor, channels: int) -> None:
    """Let output channel i of a convolution be input channel i, spread over ``taps``."""
    weight[:channels] = 0
    for i in range(channels):
        weight[i, i] = taps


def carry_in(conv: nn.Module, colours: int, at: tuple[int, ...]) -> None:
    """Colours enter: +, - and the constant."""
    conv.weight[:CARRIED] = 0
    conv.bias[:CARRIED] = 0
    for i in range(colours):
        conv.weight[(i, i, *at)] = 1
        conv.weight[(i + 3, i, *at)] = -1
    conv.bias[6], conv.bias[7] = CONSTANT, -CONSTANT


def carry_out(conv: nn.Module, at: tuple[int, ...], scale: float) -> None:
    """Colours leave: the difference of + and -."""
    conv.weight[:3] = 0
    conv.bias[:3] = 0
    for i in range(3):
        conv.weight[(i, i, *at)] = scale
        conv.weight[(i, i + 3, *at)] = -scale


@torch.no_grad()
def start_as_identity(vae: nn.Module) -> None:
    """Initialise an ``AutoencoderKL`` so that it blurs instead of scrambling."""
    box, delta = torch.zeros(3, 3), torch.zeros(3, 3)
    box[:2, :2], delta[1, 1] = 0.25, 1.0  # the downsampler pads below and to the right
    for name, module in vae.named_modules():
        if type(module).__name__ == "ResnetBlock2D":
            module.conv2.weight.zero_()
            module.conv2.bias.zero_()
            if module.conv_shortcut is not None:
                first_of_all(module.conv_shortcut.weight, torch.ones(1, 1), CARRIED)
                module.conv_shortcut.bias[:CARRIED] = 0
        elif name.endswith(("downsamplers.0.conv", "upsamplers.0.conv")):
            first_of_all(module.weight, box if "down" in name else delta, CARRIED)
            module.bias[:CARRIED] = 0
    latents = vae.config.latent_channels
    carry_in(vae.encoder.conv_in, 3, (1, 1))
    carry_in(vae.decoder.conv_in, 3, (1, 1))
    carry_out(vae.encoder.conv_out, (1, 1), 4.0)
    vae.encoder.conv_out.weight[latents:].zero_()
    vae.encoder.conv_out.bias[latents:] = -6.0  # hardly any sampling noise at first
    carry_out(vae.decoder.conv_out, (1, 1), 2.3)


@torch.no_grad()
def start_video_as_identity(vae: nn.Module) -> None:
    """The same for an ``AutoencoderKLWan`` of base width 16, whose parameter-free shortcuts do the carrying.

    Its encoder lays the 4 frames of a latent frame side by side (channel 4 c + place in time); the very first
    frame comes alone, as the last of the four.
    """
    for module in vae.modules():
        kind = type(module).__name__
        if kind == "WanResidualBlock":
            module.conv2.weight.zero_()
            module.conv2.bias.zero_()
        elif kind == "WanResample" and module.mode != "none":
            module.resample[1].weight.zero_()
            module.resample[1].bias.zero_()
        elif kind == "WanAttentionBlock":
            module.proj.weight.zero_()
            module.proj.bias.zero_()
    for conv in (vae.quant_conv, vae.post_quant_conv):
        conv.weight.copy_(torch.eye(conv.weight.shape[0])[:, :, None, None, None])
        conv.bias.zero_()
    narrow = vae.decoder.up_blocks[-1].resnets[0].conv_shortcut  # the one place where width halves on the way
    narrow.weight[:CARRIED] = 0
    narrow.bias[:CARRIED] = 0
    for i in range(CARRIED):
        narrow.weight[i, 2 * i : 2 * i + 2] = 0.5
    places, at, cell = 4, (-1, 1, 1), 4  # patches of 2 x 2 pixels
    inward, latent, outward, out = (
        vae.encoder.conv_in,
        vae.encoder.conv_out,
        vae.decoder.conv_in,
        vae.decoder.conv_out,
    )
    inward.weight[:CARRIED] = 0
    outward.weight[: places * CARRIED] = 0
    for conv, width in ((inward, 1), (outward, places)):
        conv.bias[: width * CARRIED] = 0
        conv.bias[6 * width : 7 * width], conv.bias[7 * width : 8 * width] = CONSTANT, -CONSTANT
    latent.weight[:3] = 0
    latent.weight[vae.config.z_dim :].zero_()
    latent.bias[vae.config.z_dim :] = -6.0
    out.weight.zero_()
    out.bias.zero_()
    for i in range(3):
        for k in range(cell):
            inward.weight[(i, i * cell + k, *at)] = 1 / cell
            inward.weight[(i + 3, i * cell + k, *at)] = -1 / cell
            out.weight[(i * cell + k, i, *at)] = 2.85
            out.weight[(i * cell + k, i + 3, *at)] = -2.85
        for k in range(places):
            share = 3.0 if k == places - 1 else 1.0
            latent.weight[(i, places * i + k, *at)] = share
            latent.weight[(i, places * (i + 3) + k, *at)] = -share
            outward.weight[(places * i + k, i, *at)] = 0.47
            outward.weight[(places * (i + 3) + k, i, *at)] = -0.47
