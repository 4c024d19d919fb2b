"""Loads the weights that limpid's test `for_python` wrote into PyTorch modules, strictly, and
compares every value with the one that follows from its name.

    read_weights.py FOLDER

Needs torch only: the safetensors format is read by hand.
"""
import json
import struct
import sys
import zlib
from pathlib import Path

import torch
from torch import nn

TYPES = {"F32": torch.float32, "I64": torch.int64}


def read_safetensors(path):
    data = bytearray(path.read_bytes())
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        values = torch.frombuffer(data[begin:end], dtype=TYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def noise(name, shape):
    count = 1
    for side in shape:
        count *= side
    mask = 0xFFFFFFFF
    seed = zlib.crc32(name.encode())
    values = []
    for i in range(count):
        h = (i * 2654435761 + seed) & mask
        h = (h ^ (h >> 16)) * 0x45D9F3B & mask
        h = (h ^ (h >> 16)) * 0x45D9F3B & mask
        h ^= h >> 16
        values.append(h / 2147483648.0 - 1.0)
    return torch.tensor(values, dtype=torch.float64).reshape(shape).float()


def check_values(tensors, where, ignored=()):
    compared = 0
    for name, tensor in tensors.items():
        if any(part in name for part in ignored) or not tensor.is_floating_point():
            continue
        assert torch.equal(tensor, noise(name, tensor.shape)), f"{where}: {name} differs"
        compared += 1
    assert compared > 10, f"{where}: only {compared} tensors"
    return compared


class ResidualBlock(nn.Module):
    def __init__(self, width, norm):
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), norm(width), nn.ReLU(),
            nn.Dropout(0.5), nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), norm(width))

    def forward(self, x):
        return x + self.conv_block(x)


class Generator(nn.Module):
    """The ResNet generator of the DeblurGAN paper as one sequence."""

    def __init__(self, width, blocks, norm):
        super().__init__()
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), norm(width), nn.ReLU()]
        for scale in (1, 2):
            layers += [nn.Conv2d(scale * width, 2 * scale * width, 3, 2, 1),
                       norm(2 * scale * width), nn.ReLU()]
        layers += [ResidualBlock(4 * width, norm) for _ in range(blocks)]
        for scale in (4, 2):
            layers += [nn.ConvTranspose2d(scale * width, scale * width // 2, 3, 2, 1, 1),
                       norm(scale * width // 2), nn.ReLU()]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return torch.clamp(x + self.model(x), -1, 1)


def tracked(width):
    return nn.InstanceNorm2d(width, affine=False, track_running_stats=True)


class Head(nn.Module):
    def __init__(self, pyramid, width):
        super().__init__()
        self.block0 = nn.Conv2d(pyramid, width, 3, padding=1, bias=False)
        self.block1 = nn.Conv2d(width, width, 3, padding=1, bias=False)


def smoothing(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), tracked(outputs), nn.ReLU())


class FPNWithoutBackbone(nn.Module):
    def __init__(self, channels, pyramid, width):
        super().__init__()
        self.fpn = nn.Module()
        for i, inputs in enumerate(channels):
            outputs = width if i == 0 else pyramid
            self.fpn.add_module(f"lateral{i}", nn.Conv2d(inputs, outputs, 1, bias=False))
        for i in (1, 2, 3):
            self.fpn.add_module(f"td{i}", smoothing(pyramid, pyramid))
        for i in (1, 2, 3, 4):
            self.add_module(f"head{i}", Head(pyramid, width))
        self.smooth = smoothing(4 * width, width)
        self.smooth2 = smoothing(width, width // 2)
        self.final = nn.Conv2d(width // 2, 3, 3, padding=1)


def check_resnet(folder):
    tensors = read_safetensors(folder / "resnet.safetensors")
    generator = Generator(4, 2, nn.InstanceNorm2d)
    generator.load_state_dict(tensors, strict=True)
    count = check_values(generator.state_dict(), "resnet")
    with torch.no_grad():
        restored = generator.eval()(noise("degraded", (1, 3, 24, 32)))
    expected = read_safetensors(folder / "resnet_restored.safetensors")["restored"]
    difference = (restored - expected).abs().max().item()
    assert difference < 1e-4, f"resnet: restored images differ by {difference}"
    published = read_safetensors(folder / "resnet_statistics.safetensors")
    Generator(4, 2, tracked).load_state_dict(published, strict=True)
    print(f"resnet: {count} tensors equal, restored within {difference:.1e}, also with statistics")


def check_fpn(folder):
    tensors = read_safetensors(folder / "fpn.safetensors")
    backbone = {n: t for n, t in tensors.items() if n.startswith(("fpn.features.", "fpn.enc"))}
    rest = {n: t for n, t in tensors.items() if n not in backbone}
    channels = [rest[f"fpn.lateral{i}.weight"].shape[1] for i in range(5)]
    FPNWithoutBackbone(channels, 8, 4).load_state_dict(rest, strict=True)
    count = check_values(rest, "fpn", ignored=("running_",))
    count += check_values({n: t for n, t in backbone.items() if n.startswith("fpn.features.")},
                          "backbone")
    copies = [n for n in backbone if n.startswith("fpn.enc")]
    assert len(copies) == len(backbone) // 2, "fpn: every tensor of the backbone is there twice"
    assert torch.equal(backbone["fpn.enc4.4.conv.7.bias"], backbone["fpn.features.15.conv.7.bias"])
    print(f"fpn: {count} tensors equal")


if __name__ == "__main__":
    check_resnet(Path(sys.argv[1]))
    check_fpn(Path(sys.argv[1]))
