"""Writes networks of LPIPS with random weights, and the distances that they find.

    python write_lpips.py FOLDER

For alex, vgg and squeeze: FOLDER/NET.pth under torchvision's names, FOLDER/NET_heads.pth as the
package lpips ships it, FOLDER/NET_whole.pth under the names of that package's module (not of vgg:
it is large), and FOLDER/NET.safetensors: restored and target images in [-1, 1], their distances,
and the gradient of the distances' mean. The networks are defined here on their own, the values
computed in double. Needs torch only.
"""
import pathlib
import sys

import torch
from torch import nn

from write_weights import write_safetensors


class Fire(nn.Module):
    def __init__(self, inputs, squeezed, outputs):
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, outputs, 1)
        self.expand3x3 = nn.Conv2d(squeezed, outputs, 3, padding=1)

    def forward(self, x):
        x = self.squeeze(x).relu()
        return torch.cat([self.expand1x1(x).relu(), self.expand3x3(x).relu()], 1)


def vgg16():
    layers, inputs = [], 3
    for width in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
        if width == 0:
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
            inputs = width
    return nn.Sequential(*layers)


def alexnet():
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(), nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(3, 2))


def squeezenet():
    pool = lambda: nn.MaxPool2d(3, 2, ceil_mode=True)
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, 2), nn.ReLU(), pool(), Fire(64, 16, 64), Fire(128, 16, 64), pool(),
        Fire(128, 32, 128), Fire(256, 32, 128), pool(), Fire(256, 48, 192), Fire(384, 48, 192),
        Fire(384, 64, 256), Fire(512, 64, 256))


# The layers behind which the maps are compared, and their channels.
NETWORKS = {
    "alex": (alexnet, (1, 4, 7, 9, 11), (64, 192, 384, 256, 256)),
    "vgg": (vgg16, (3, 8, 15, 22, 29), (64, 128, 256, 512, 512)),
    "squeeze": (squeezenet, (1, 4, 7, 9, 10, 11, 12), (64, 128, 256, 384, 384, 512, 512)),
}


def distances(features, maps, heads, restored, target):
    shift = torch.tensor([-.030, -.088, -.188], dtype=torch.double)[None, :, None, None]
    scale = torch.tensor([.458, .448, .450], dtype=torch.double)[None, :, None, None]
    x, y, found, total = (restored - shift) / scale, (target - shift) / scale, 0, 0
    for index, layer in enumerate(features[:maps[-1] + 1]):
        x, y = layer(x), layer(y)
        if index not in maps:
            continue
        unit = lambda v: v / ((v ** 2).sum(1, keepdim=True).sqrt() + 1e-10)
        total = total + (heads[found] * (unit(x) - unit(y)) ** 2).sum(1).mean((1, 2))
        found += 1
    return total


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(3)
    for name, (make, maps, channels) in NETWORKS.items():
        features = make()
        with torch.no_grad():
            for parameter in features.parameters():
                if parameter.dim() > 1:  # deep maps neither die nor blow up
                    nn.init.kaiming_normal_(parameter)
                else:
                    parameter.uniform_(-0.1, 0.1)
        heads = [torch.rand(1, count, 1, 1) / count for count in channels]
        state = {"features." + key: value for key, value in features.state_dict().items()}
        lins = {f"lin{i}.model.1.weight": head for i, head in enumerate(heads)}
        # An ImageNet classifier stands in torchvision's file.
        torch.save({**state, "classifier.1.weight": torch.ones(2, 2)}, folder / f"{name}.pth")
        torch.save(lins, folder / f"{name}_heads.pth")
        if name != "vgg":
            whole = {"scaling_layer.shift": torch.zeros(1, 3, 1, 1)}
            for key, value in features.state_dict().items():
                index = int(key.split(".")[0])
                part = 1 + sum(layer < index for layer in maps)
                whole[f"net.slice{part}.{key}"] = value
            whole.update(lins)
            whole.update({f"lins.{key[3:]}": value for key, value in lins.items()})
            torch.save(whole, folder / f"{name}_whole.pth")

        features = features.double()
        # Odd sides, so that each pooling drops or keeps a border.
        target = torch.rand(2, 3, 61, 75, dtype=torch.double) * 2 - 1
        restored = (target + 0.3 * torch.randn_like(target)).float().double().requires_grad_()
        target = target.float().double()
        found = distances(features, maps, [head.double() for head in heads], restored, target)
        gradient, = torch.autograd.grad(found.mean(), restored)
        write_safetensors(folder / f"{name}.safetensors", {
            "restored": restored.detach().float(), "target": target.float(),
            "distances": found.detach().float(), "gradient": gradient.float()}, {})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
