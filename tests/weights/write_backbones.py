"""Writes networks' weights as PyTorch writes them, and what the networks make of a picture.

    write_backbones.py FOLDER

Narrow ResNet-34, DenseNet-121 and SE-ResNeXt-50, under the names of their ImageNet checkpoints and
with a classifier, and a U-Net critic with torch.nn.utils.spectral_norm: each defined here on its
own, as FOLDER/NAME.pth, and FOLDER/NAME_expected.pth with the picture `image` and what follows from
it. Needs torch only.
"""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm


def conv(inputs, outputs, kernel, stride=1, groups=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)


def projection(inputs, outputs, stride):
    return nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs, 3), nn.BatchNorm2d(outputs)
        if stride != 1 or inputs != outputs:
            self.downsample = projection(inputs, outputs, stride)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class Squeeze(nn.Module):
    def __init__(self, width, squeezed):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(width, squeezed, 1), nn.Conv2d(squeezed, width, 1)

    def forward(self, x):
        means = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(means))))


class SEBlock(nn.Module):
    def __init__(self, inputs, outputs, groups, stride):
        super().__init__()
        inside = outputs // 2
        self.conv1, self.bn1 = conv(inputs, inside, 1), nn.BatchNorm2d(inside)
        self.conv2, self.bn2 = conv(inside, inside, 3, stride, groups), nn.BatchNorm2d(inside)
        self.conv3, self.bn3 = conv(inside, outputs, 1), nn.BatchNorm2d(outputs)
        self.se_module = Squeeze(outputs, max(4, outputs // 16))
        if stride != 1 or inputs != outputs:
            self.downsample = projection(inputs, outputs, stride)

    def forward(self, x):
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        y = self.se_module(self.bn3(self.conv3(y)))
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


def stages(module, inputs, widths, counts, block):
    for i, (width, count) in enumerate(zip(widths, counts)):
        blocks = []
        for j in range(count):
            blocks.append(block(inputs, width, 2 if i > 0 and j == 0 else 1))
            inputs = width
        setattr(module, f"layer{i + 1}", nn.Sequential(*blocks))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 7, 2, 3, bias=False), nn.BatchNorm2d(4)
        stages(self, 4, (4, 8, 16, 32), (1, 2, 1, 1), BasicBlock)
        self.fc = nn.Linear(32, 10)

    def forward(self, x):
        maps = [F.relu(self.bn1(self.conv1(x)))]
        x = F.max_pool2d(maps[0], 3, 2, 1)
        for i in range(1, 5):
            x = getattr(self, f"layer{i}")(x)
            maps.append(x)
        return maps


class SEResNeXt(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer0 = nn.Sequential()
        self.layer0.add_module("conv1", nn.Conv2d(3, 4, 7, 2, 3, bias=False))
        self.layer0.add_module("bn1", nn.BatchNorm2d(4))
        stages(self, 4, (16, 32, 64, 128), (1, 2, 1, 1), lambda i, o, s: SEBlock(i, o, 2, s))
        self.last_linear = nn.Linear(128, 10)

    def forward(self, x):
        maps = [F.relu(self.layer0(x))]
        x = F.max_pool2d(maps[0], 3, 2, 0, ceil_mode=True)
        for i in range(1, 5):
            x = getattr(self, f"layer{i}")(x)
            maps.append(x)
        return maps


class DenseLayer(nn.Module):
    def __init__(self, inputs, growth):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, 4 * growth, 1)
        self.norm2, self.conv2 = nn.BatchNorm2d(4 * growth), conv(4 * growth, growth, 3)

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x)))
        return torch.cat([x, self.conv2(F.relu(self.norm2(y)))], 1)


class DenseNet(nn.Module):
    def __init__(self):
        super().__init__()
        f = self.features = nn.Module()
        f.conv0, f.norm0 = nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8)
        channels = 8
        for block, count in enumerate((1, 2, 1, 1), 1):
            layers = nn.Sequential()
            for i in range(count):
                layers.add_module(f"denselayer{i + 1}", DenseLayer(channels, 4))
                channels += 4
            setattr(f, f"denseblock{block}", layers)
            if block < 4:
                transition = nn.Module()
                transition.norm = nn.BatchNorm2d(channels)
                transition.conv = conv(channels, channels // 2, 1)
                setattr(f, f"transition{block}", transition)
                channels //= 2
        f.norm5 = nn.BatchNorm2d(channels)
        self.classifier = nn.Linear(channels, 10)

    def forward(self, x):
        f = self.features
        maps = [F.relu(f.norm0(f.conv0(x)))]
        x = F.max_pool2d(maps[0], 3, 2, 1)
        for block in range(1, 5):
            maps.append(getattr(f, f"denseblock{block}")(x))
            if block < 4:
                transition = getattr(f, f"transition{block}")
                x = F.avg_pool2d(transition.conv(F.relu(transition.norm(maps[-1]))), 2)
        maps[-1] = f.norm5(maps[-1])
        return maps


class UNetCritic(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv0, self.conv9 = nn.Conv2d(3, width, 3, 1, 1), nn.Conv2d(width, 1, 3, 1, 1)
        for i, (inputs, outputs) in enumerate(((1, 2), (2, 4), (4, 8), (8, 4), (4, 2), (2, 1), (1, 1), (1, 1)), 1):
            kernel, stride = (4, 2) if i <= 3 else (3, 1)
            setattr(self, f"conv{i}", spectral_norm(
                nn.Conv2d(inputs * width, outputs * width, kernel, stride, 1, bias=False)))

    def forward(self, x):
        act = lambda i, t: F.leaky_relu(getattr(self, f"conv{i}")(t), 0.2)
        up = lambda t: F.interpolate(t, scale_factor=2, mode="bilinear", align_corners=False)
        down = [act(0, x)]
        for i in (1, 2, 3):
            down.append(act(i, down[-1]))
        y = down[3]
        for i in (4, 5, 6):
            y = act(i, up(y)) + down[6 - i]
        return self.conv9(act(8, act(7, y)))


def disturb(network):
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif tensor.is_floating_point() and tensor.dim() == 1 and "weight_" not in name:
                tensor.add_(0.1 * torch.randn_like(tensor))


def write_backbone(folder, name, network, rename=lambda key: key):
    disturb(network)
    network.eval()
    image = 2 * torch.rand(1, 3, 64, 96) - 1
    torch.save({rename(key): value for key, value in network.state_dict().items()},
               folder / f"{name}.pth")
    with torch.no_grad():
        maps = network(image)
    torch.save({"image": image, **{f"map{i}": each for i, each in enumerate(maps)}},
               folder / f"{name}_expected.pth")


def write_critic(folder):
    network = UNetCritic(4)
    image = 2 * torch.rand(2, 3, 24, 16) - 1
    torch.save({"params": network.state_dict()}, folder / "unet_critic.pth")
    expected = {"image": image}
    for step in range(3):  # each pass while training moves the singular vectors
        expected[f"scores{step}"] = network(image).detach()
    leaf = image.clone().requires_grad_()
    slope, = torch.autograd.grad(network(leaf).sum(), leaf, create_graph=True)
    slope.square().sum().backward()
    expected["slope"] = slope.detach()
    for name in ("conv1.weight_orig", "conv4.weight_orig", "conv8.weight_orig"):
        expected[f"gradient.{name}"] = dict(network.named_parameters())[name].grad
    expected["vector"] = network.conv3.weight_u.clone()
    network.eval()
    expected["scores_eval"] = network(image).detach()
    torch.save(expected, folder / "unet_critic_expected.pth")


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)
    write_backbone(folder, "resnet34", ResNet())
    write_backbone(folder, "se_resnext50", SEResNeXt())
    write_backbone(folder, "densenet121", DenseNet())

    def as_downloaded(key):
        for layer in ("norm", "conv"):
            for number in "12":
                key = key.replace(f".{layer}{number}.", f".{layer}.{number}.")
        return key

    write_backbone(folder, "densenet121_file", DenseNet(), as_downloaded)
    write_critic(folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
