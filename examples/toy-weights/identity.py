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
