"""Writes images, and what content losses make of them that no fixture has.

    python write_losses.py FOLDER

FOLDER/vgg19.pth: random weights under torchvision's names, down to conv3_3. FOLDER/losses.safetensors:
restored and target images in [-1, 1]; focal_frequency, focal_frequency_2 (alpha 2) and style, each
a value and the gradient with respect to the restored image (NAME.gradient), computed in double.
Needs torch only.
"""
import pathlib
import sys

import torch
from torch import nn

from write_weights import write_safetensors


def focal_frequency(restored, target, alpha):
    apart = torch.fft.fft2(restored, norm="ortho") - torch.fft.fft2(target, norm="ortho")
    distance = apart.real ** 2 + apart.imag ** 2
    weight = distance.detach() ** (alpha / 2)
    weight = weight / weight.flatten(2).max(2).values[:, :, None, None]
    return (weight * distance).mean()


def vgg19():
    layers, inputs = [], 3
    for width in (64, 64, 0, 128, 128, 0, 256, 256, 256):
        layers += [nn.MaxPool2d(2)] if width == 0 else [
            nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
        inputs = width or inputs
    return nn.Sequential(*layers)


def gram(x):
    n, c, h, w = x.shape
    return torch.einsum("ncij,ndij->ncd", x, x) / (c * h * w)


def style(features, restored, target):
    mean = torch.tensor([.485, .456, .406], dtype=torch.double)[None, :, None, None]
    deviation = torch.tensor([.229, .224, .225], dtype=torch.double)[None, :, None, None]
    x, y = ((v / 2 + 0.5 - mean) / deviation for v in (restored, target))
    total = 0
    for index, layer in enumerate(features):
        x, y = layer(x), layer(y)
        if index in (3, 8, 15):  # relu1_2, relu2_2, relu3_3
            total = total + ((gram(x) - gram(y)) ** 2).sum((1, 2)).mean()
    return total


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)
    features = vgg19()
    with torch.no_grad():
        for parameter in features.parameters():
            if parameter.dim() > 1:
                nn.init.kaiming_normal_(parameter)
            else:
                parameter.uniform_(-0.1, 0.1)
    torch.save({"features." + key: value for key, value in features.state_dict().items()},
               folder / "vgg19.pth")
    features = features.double()
    target = (torch.rand(2, 3, 33, 40) * 2 - 1).double()
    restored = (target + 0.3 * torch.randn(2, 3, 33, 40)).float().double().requires_grad_()
    tensors = {"restored": restored.detach().float(), "target": target.float()}
    for name, value in {
        "focal_frequency": focal_frequency(restored, target, 1),
        "focal_frequency_2": focal_frequency(restored, target, 2),
        "style": style(features, restored, target),
    }.items():
        gradient, = torch.autograd.grad(value, restored)
        tensors[name] = value.detach().float().reshape(1)
        tensors[name + ".gradient"] = gradient.float()
    write_safetensors(folder / "losses.safetensors", tensors, {})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
