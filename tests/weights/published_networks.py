"""Restores one 8-bit picture with published networks, in PyTorch and through limpid's programs.

    published_networks.py FOLDER_OF_PROGRAMS

For every map of a model in `limpid-convert --list`: the network as it was published, defined here
on its own and with random weights, is saved as its authors save it, converted, and restores the
same picture at two sizes, one of them odd, in both. No value may differ by more than one level.
Needs torch only.
"""
import subprocess
import sys
import tempfile
import zlib
from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F


def read_png(path):
    """An 8-bit RGB PNG as (3, H, W)."""
    data, place, packed = path.read_bytes(), 8, b""
    while place < len(data):
        size, kind = int.from_bytes(data[place:place + 4], "big"), data[place + 4:place + 8]
        body = data[place + 8:place + 8 + size]
        if kind == b"IHDR":
            width, height = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
            assert body[8:10] == b"\x08\x02" and body[12] == 0, "expected 8-bit RGB"
        packed += body if kind == b"IDAT" else b""
        place += 12 + size
    raw, rows, before = zlib.decompress(packed), [], bytearray(3 * width)
    for y in range(height):
        line = bytearray(raw[y * (3 * width + 1):(y + 1) * (3 * width + 1)])
        kind, line = line[0], line[1:]
        for x in range(len(line)):
            a = line[x - 3] if x >= 3 else 0
            b, c = before[x], before[x - 3] if x >= 3 else 0
            nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            line[x] = (line[x] + (0, a, b, (a + b) // 2, nearest)[kind]) & 255
        rows.append(bytes(line))
        before = line
    return torch.frombuffer(bytearray(b"".join(rows)), dtype=torch.uint8).reshape(
        height, width, 3).permute(2, 0, 1)


def write_ppm(path, picture):
    _, height, width = picture.shape
    header = f"P6\n{width} {height}\n255\n".encode()
    path.write_bytes(header + bytes(picture.permute(1, 2, 0).reshape(-1).tolist()))


# The ResNet generator of DeblurGAN and the thesis.

class ResNetBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width),
            nn.ReLU(True), nn.Dropout(0.5), nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width))

    def forward(self, x):
        return x + self.conv_block(x)


def resnet_down(width, blocks):
    return [nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), nn.InstanceNorm2d(width), nn.ReLU(True),
            nn.Conv2d(width, 2 * width, 3, 2, 1), nn.InstanceNorm2d(2 * width), nn.ReLU(True),
            nn.Conv2d(2 * width, 4 * width, 3, 2, 1), nn.InstanceNorm2d(4 * width), nn.ReLU(True),
            *[ResNetBlock(4 * width) for _ in range(blocks)]]


def resnet_up(width):
    return [nn.ConvTranspose2d(4 * width, 2 * width, 3, 2, 1, 1), nn.InstanceNorm2d(2 * width),
            nn.ReLU(True), nn.ConvTranspose2d(2 * width, width, 3, 2, 1, 1),
            nn.InstanceNorm2d(width), nn.ReLU(True), nn.ReflectionPad2d(3),
            nn.Conv2d(width, 3, 7), nn.Tanh()]


class DeblurGAN(nn.Module):
    multiple, tasks = 4, ["deblur"]

    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(*resnet_down(8, 2), *resnet_up(8))

    def forward(self, x, task=0):
        return (x + self.model(x)).clamp(-1, 1)


class Part(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


class ThesisResNet(nn.Module):
    multiple, tasks = 4, ["deblur", "dehaze"]

    def __init__(self):
        super().__init__()
        self.encoder = Part(resnet_down(8, 2))
        self.decoder0, self.decoder1 = Part(resnet_up(8)), Part(resnet_up(8))

    def forward(self, x, task=0):
        return (x + getattr(self, f"decoder{task}")(self.encoder(x))).clamp(-1, 1)


# The feature pyramids of DeblurGAN-v2 and the thesis.

class BasicConv(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride=1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class Branches(nn.Module):
    """Branches side by side; with `scale` their 1x1 convolution is added to the input."""

    def __init__(self, branches, scale=None, width=None, joined=None):
        super().__init__()
        self.count, self.scale = len(branches), scale
        for i, branch in enumerate(branches):
            setattr(self, f"branch{i}", branch)
        if scale is not None:
            self.conv2d = nn.Conv2d(joined, width, 1)

    def forward(self, x):
        joined = torch.cat([getattr(self, f"branch{i}")(x) for i in range(self.count)], 1)
        return joined if self.scale is None else F.relu(x + self.scale * self.conv2d(joined))


def block35():
    c = BasicConv
    return Branches([c(320, 32, 1), nn.Sequential(c(320, 32, 1), c(32, 32, 3, 1, 1)),
                     nn.Sequential(c(320, 32, 1), c(32, 48, 3, 1, 1), c(48, 64, 3, 1, 1))],
                    0.17, 320, 128)


def block17():
    c = BasicConv
    return Branches([c(1088, 192, 1),
                     nn.Sequential(c(1088, 128, 1), c(128, 160, (1, 7), 1, (0, 3)),
                                   c(160, 192, (7, 1), 1, (3, 0)))], 0.10, 1088, 384)


class InceptionResNetV2(nn.Module):
    def __init__(self, repeat, repeat_1):
        super().__init__()
        c, s = BasicConv, nn.Sequential
        self.conv2d_1a, self.conv2d_2a = c(3, 32, 3, 2), c(32, 32, 3)
        self.conv2d_2b, self.conv2d_3b, self.conv2d_4a = c(32, 64, 3, 1, 1), c(64, 80, 1), c(80, 192, 3)
        self.mixed_5b = Branches([
            c(192, 96, 1), s(c(192, 48, 1), c(48, 64, 5, 1, 2)),
            s(c(192, 64, 1), c(64, 96, 3, 1, 1), c(96, 96, 3, 1, 1)),
            s(nn.AvgPool2d(3, 1, 1, count_include_pad=False), c(192, 64, 1))])
        self.repeat = s(*[block35() for _ in range(repeat)])
        self.mixed_6a = Branches([
            c(320, 384, 3, 2), s(c(320, 256, 1), c(256, 256, 3, 1, 1), c(256, 384, 3, 2)),
            nn.MaxPool2d(3, 2)])
        self.repeat_1 = s(*[block17() for _ in range(repeat_1)])
        self.mixed_7a = Branches([
            s(c(1088, 256, 1), c(256, 384, 3, 2)), s(c(1088, 256, 1), c(256, 288, 3, 2)),
            s(c(1088, 256, 1), c(256, 288, 3, 1, 1), c(288, 320, 3, 2)), nn.MaxPool2d(3, 2)])


def top_down(width):
    return nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.InstanceNorm2d(width),
                         nn.ReLU(True))


class InceptionFPN(nn.Module):
    def __init__(self, width, convs):
        super().__init__()
        net = self.inception = InceptionResNetV2(2, 2)
        pool = nn.MaxPool2d(3, 2)
        self.enc0 = net.conv2d_1a
        self.enc1 = nn.Sequential(net.conv2d_2a, net.conv2d_2b, pool)
        self.enc2 = nn.Sequential(net.conv2d_3b, net.conv2d_4a, pool)
        self.enc3 = nn.Sequential(net.mixed_5b, net.repeat, net.mixed_6a)
        self.enc4 = nn.Sequential(net.repeat_1, net.mixed_7a)
        self.convs = convs
        if convs:
            self.td1, self.td2, self.td3 = top_down(width), top_down(width), top_down(width)
        for i, channels in enumerate((32, 64, 192, 1088, 2080)):
            out = width // 2 if i == 0 else width
            setattr(self, f"lateral{i}", nn.Conv2d(channels, out, 1, bias=False))

    def forward(self, x):
        enc0 = self.enc0(x)
        enc1 = self.enc1(enc0)
        enc2 = self.enc2(enc1)
        enc3 = self.enc3(enc2)
        enc4 = self.enc4(enc3)
        td = (self.td1, self.td2, self.td3) if self.convs else (nn.Identity(),) * 3
        reflect = lambda t, sides: F.pad(t, sides, "reflect")
        map4 = reflect(self.lateral4(enc4), (1, 1, 1, 1))
        map3 = td[0](reflect(self.lateral3(enc3), (1, 1, 1, 1)) + doubled(map4))
        map2 = td[1](reflect(self.lateral2(enc2), (1, 2, 1, 2)) + doubled(map3))
        map1 = td[2](reflect(self.lateral1(enc1), (1, 1, 1, 1)) + doubled(map2))
        return reflect(self.lateral0(enc0), (0, 1, 0, 1)), map1, map2, map3, map4


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, stride, ratio):
        super().__init__()
        hidden, layers = inputs * ratio, []
        if ratio != 1:
            layers = [nn.Conv2d(inputs, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6(True)]
        self.conv = nn.Sequential(
            *layers, nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False),
            nn.BatchNorm2d(hidden), nn.ReLU6(True), nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileFPN(nn.Module):
    def __init__(self, width):
        super().__init__()
        layers = [nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6(True))]
        inputs = 32
        for ratio, outputs, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                                              (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
            for i in range(count):
                layers.append(InvertedResidual(inputs, outputs, stride if i == 0 else 1, ratio))
                inputs = outputs
        layers.append(nn.Sequential(nn.Conv2d(320, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6(True)))
        self.features = nn.Sequential(*layers)
        for i, (first, last) in enumerate(((0, 2), (2, 4), (4, 7), (7, 11), (11, 16))):
            setattr(self, f"enc{i}", nn.Sequential(*layers[first:last]))
        self.td1, self.td2, self.td3 = top_down(width), top_down(width), top_down(width)
        for i, channels in enumerate((16, 24, 32, 64, 160)):
            out = width // 2 if i == 0 else width
            setattr(self, f"lateral{i}", nn.Conv2d(channels, out, 1, bias=False))

    def forward(self, x):
        maps = []
        for i in range(5):
            x = getattr(self, f"enc{i}")(x)
            maps.append(getattr(self, f"lateral{i}")(x))
        maps[3] = self.td1(maps[3] + doubled(maps[4]))
        maps[2] = self.td2(maps[2] + doubled(maps[3]))
        maps[1] = self.td3(maps[1] + doubled(maps[2]))
        return maps


class DenseLayer(nn.Module):
    def __init__(self, inputs, growth):
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(4 * growth)
        self.conv1 = nn.Conv2d(inputs, 4 * growth, 1, bias=False)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x)))
        return torch.cat([x, self.conv2(F.relu(self.norm2(y)))], 1)


class Transition(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, channels // 2, 1, bias=False)

    def forward(self, x):
        return F.avg_pool2d(self.conv(F.relu(self.norm(x))), 2)


class DenseNet(nn.Module):
    def __init__(self, stem, growth, layers):
        super().__init__()
        self.conv0, self.norm0 = nn.Conv2d(3, stem, 7, 2, 3, bias=False), nn.BatchNorm2d(stem)
        channels, self.channels = stem, [stem]
        for block, count in enumerate(layers, 1):
            names = [(f"denselayer{i + 1}", DenseLayer(channels + i * growth, growth)) for i in range(count)]
            setattr(self, f"denseblock{block}", nn.Sequential(OrderedDict(names)))
            channels += count * growth
            self.channels.append(channels)
            if block < 4:
                setattr(self, f"transition{block}", Transition(channels))
                channels //= 2
        self.norm5 = nn.BatchNorm2d(channels)


class DenseFPN(nn.Module):
    def __init__(self, width):
        super().__init__()
        net = self.features = DenseNet(16, 8, (2, 3, 2, 2))
        self.enc0 = nn.Sequential(net.conv0, net.norm0, nn.ReLU())
        for i in range(1, 5):
            setattr(self, f"enc{i}", getattr(net, f"denseblock{i}"))
        self.norm = net.norm5
        self.tr1, self.tr2, self.tr3 = net.transition1, net.transition2, net.transition3
        for i, channels in enumerate(net.channels):
            out = width // 2 if i == 0 else width
            setattr(self, f"lateral{i}", nn.Conv2d(channels, out, 1, bias=False))

    def forward(self, x):
        enc0 = self.enc0(x)
        enc1 = self.enc1(F.max_pool2d(enc0, 3, 2, 1))
        enc2 = self.enc2(self.tr1(enc1))
        enc3 = self.enc3(self.tr2(enc2))
        enc4 = self.norm(self.enc4(self.tr3(enc3)))
        maps = [getattr(self, f"lateral{i}")(x) for i, x in enumerate((enc0, enc1, enc2, enc3, enc4))]
        for level in (3, 2, 1):
            maps[level] = maps[level] + doubled(maps[level + 1])
        return maps


def doubled(x, by=2):
    return F.interpolate(x, scale_factor=by, mode="nearest")


class Head(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()
        self.block0 = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
        self.block1 = nn.Conv2d(width, width, 3, padding=1, bias=False)

    def forward(self, x):
        return F.relu(self.block1(F.relu(self.block0(x))))


class FPNEnds(nn.Module):
    """What follows the pyramid; in DeblurGAN-v2 a part of the whole, in the thesis the decoder."""

    def make_ends(self, width, norm=nn.InstanceNorm2d):
        self.smooth = nn.Sequential(nn.Conv2d(4 * width, width, 3, padding=1), norm(width), nn.ReLU())
        self.smooth2 = nn.Sequential(nn.Conv2d(width, width // 2, 3, padding=1), norm(width // 2), nn.ReLU())
        self.final = nn.Conv2d(width // 2, 3, 3, padding=1)

    def merged(self, maps):
        smoothed = doubled(self.smooth(torch.cat(maps[:0:-1], 1)))
        return torch.tanh(self.final(doubled(self.smooth2(smoothed + maps[0]))))


def make_heads(module, pyramid, width):
    for i in range(1, 5):
        setattr(module, f"head{i}", Head(pyramid, width))


def headed(module, maps):
    return [maps[0]] + [doubled(getattr(module, f"head{i}")(maps[i]), 2 ** (i - 1)) for i in range(1, 5)]


class DeblurGANv2(FPNEnds):
    multiple, tasks = 32, ["deblur"]

    def __init__(self, fpn, pyramid, width):
        super().__init__()
        self.fpn = fpn
        make_heads(self, pyramid, width)
        self.make_ends(width)

    def forward(self, x, task=0):
        return (x + self.merged(headed(self, self.fpn(x)))).clamp(-1, 1)


class DeblurGANv2Dense(FPNEnds):
    """Batch norms in its ends, and the picture itself comes out."""
    multiple, tasks = 32, ["deblur"]

    def __init__(self):
        super().__init__()
        self.fpn = DenseFPN(32)
        make_heads(self, 32, 16)
        self.make_ends(16, nn.BatchNorm2d)

    def forward(self, x, task=0):
        return self.merged(headed(self, self.fpn(x)))


class ThesisFPNEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fpn = InceptionFPN(32, False)
        make_heads(self, 32, 16)

    def forward(self, x):
        return headed(self, self.fpn(x))


class ThesisFPNDecoder(FPNEnds):
    def __init__(self):
        super().__init__()
        self.make_ends(16)


class ThesisFPN(nn.Module):
    multiple, tasks = 32, ["deblur", "derain"]

    def __init__(self):
        super().__init__()
        self.encoder = ThesisFPNEncoder()
        self.decoder0, self.decoder1 = ThesisFPNDecoder(), ThesisFPNDecoder()

    def forward(self, x, task=0):
        return (x + getattr(self, f"decoder{task}").merged(self.encoder(x))).clamp(-1, 1)


# NAFNet as its evaluation runs it (NAFNetLocal): [0, 1], zeros at the border, local means.

class LayerNorm2d(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        x = (x - x.mean(1, keepdim=True)) / (x.var(1, keepdim=True, unbiased=False) + 1e-6).sqrt()
        return x * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


class LocalPool(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.side = 384 // stride  # 1.5 times patches of 256 pixels

    def forward(self, x):
        height, width = x.shape[2:]
        rows, columns = min(self.side, height), min(self.side, width)
        if self.side >= height and self.side >= width:
            return x.mean((2, 3), keepdim=True)
        means = F.avg_pool2d(x, (rows, columns), 1)
        missing = (width - means.shape[3], height - means.shape[2])
        return F.pad(means, (missing[0] // 2, (missing[0] + 1) // 2, missing[1] // 2,
                             (missing[1] + 1) // 2), "replicate")


class NAFBlock(nn.Module):
    def __init__(self, c, stride):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(c, 2 * c, 1), nn.Conv2d(2 * c, 2 * c, 3, padding=1, groups=2 * c)
        self.conv3, self.conv4, self.conv5 = nn.Conv2d(c, c, 1), nn.Conv2d(c, 2 * c, 1), nn.Conv2d(c, c, 1)
        self.sca = nn.Sequential(LocalPool(stride), nn.Conv2d(c, c, 1))
        self.norm1, self.norm2 = LayerNorm2d(c), LayerNorm2d(c)
        self.beta, self.gamma = nn.Parameter(torch.zeros(1, c, 1, 1)), nn.Parameter(torch.zeros(1, c, 1, 1))

    def forward(self, x):
        gate = lambda t: t.chunk(2, 1)[0] * t.chunk(2, 1)[1]
        y = gate(self.conv2(self.conv1(self.norm1(x))))
        x = x + self.beta * self.conv3(y * self.sca(y))
        return x + self.gamma * self.conv5(gate(self.conv4(self.norm2(x))))


class NAFNet(nn.Module):
    multiple, tasks = 4, ["deblur"]

    def __init__(self, width=8):
        super().__init__()
        blocks = lambda count, c, stride: nn.Sequential(*[NAFBlock(c, stride) for _ in range(count)])
        self.intro, self.ending = nn.Conv2d(3, width, 3, padding=1), nn.Conv2d(width, 3, 3, padding=1)
        self.encoders = nn.ModuleList([blocks(1, width, 1), blocks(2, 2 * width, 2)])
        self.downs = nn.ModuleList([nn.Conv2d(width, 2 * width, 2, 2), nn.Conv2d(2 * width, 4 * width, 2, 2)])
        self.middle_blks = blocks(1, 4 * width, 4)
        self.ups = nn.ModuleList([
            nn.Sequential(nn.Conv2d(c, 2 * c, 1, bias=False), nn.PixelShuffle(2)) for c in (4 * width, 2 * width)])
        self.decoders = nn.ModuleList([blocks(1, 2 * width, 2), blocks(1, width, 1)])

    def forward(self, x, task=0):
        y, skips = self.intro(x), []
        for encoder, down in zip(self.encoders, self.downs):
            y = encoder(y)
            skips.append(y)
            y = down(y)
        y = self.middle_blks(y)
        for decoder, up, skip in zip(self.decoders, self.ups, skips[::-1]):
            y = decoder(up(y) + skip)
        return x + self.ending(y)


# Restormer.

class ChannelNorm(nn.Module):
    """Layer norm over channels; without bias it keeps the mean."""

    def __init__(self, width, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        if bias:
            self.bias = nn.Parameter(torch.zeros(width))
        self.has_bias = bias

    def forward(self, x):
        scale = (x.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
        weight = self.weight[:, None, None]
        if not self.has_bias:
            return x / scale * weight
        return (x - x.mean(1, keepdim=True)) / scale * weight + self.bias[:, None, None]


class RestormerNorm(nn.Module):
    def __init__(self, width, bias):
        super().__init__()
        self.body = ChannelNorm(width, bias)

    def forward(self, x):
        return self.body(x)


def plain(inputs, outputs, kernel=1, groups=1):
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)


class RestormerAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.temperature = heads, nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv, self.qkv_dwconv = plain(width, 3 * width), plain(3 * width, 3 * width, 3, 3 * width)
        self.project_out = plain(width, width)

    def forward(self, x):
        n, c, h, w = x.shape
        q, k, v = (part.reshape(n, self.heads, c // self.heads, h * w)
                   for part in self.qkv_dwconv(self.qkv(x)).chunk(3, 1))
        weights = (F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(2, 3)
                   * self.temperature).softmax(-1)
        return self.project_out((weights @ v).reshape(n, c, h, w))


class RestormerFeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        hidden = int(width * 2.66)
        self.project_in = plain(width, 2 * hidden)
        self.dwconv, self.project_out = plain(2 * hidden, 2 * hidden, 3, 2 * hidden), plain(hidden, width)

    def forward(self, x):
        gate, value = self.dwconv(self.project_in(x)).chunk(2, 1)
        return self.project_out(F.gelu(gate) * value)


class RestormerBlock(nn.Module):
    def __init__(self, width, heads, bias):
        super().__init__()
        self.norm1, self.attn = RestormerNorm(width, bias), RestormerAttention(width, heads)
        self.norm2, self.ffn = RestormerNorm(width, bias), RestormerFeedForward(width)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.ffn(self.norm2(x))


class Body(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return self.body(x)


class Embed(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.proj = plain(3, width, 3)

    def forward(self, x):
        return self.proj(x)


class Restormer(nn.Module):
    multiple, tasks = 8, ["denoise"]

    def __init__(self, bias=True):
        super().__init__()
        counts, heads, width = (1, 2, 1, 1), (1, 2, 2, 4), 8
        widths = [width << i for i in range(4)]

        def blocks(count, level, width=None):
            return nn.Sequential(*[RestormerBlock(width or widths[level], heads[level], bias)
                                   for _ in range(count)])

        self.patch_embed = Embed(width)
        for i in range(3):
            setattr(self, f"encoder_level{i + 1}", blocks(counts[i], i))
            setattr(self, f"down{i + 1}_{i + 2}",
                    Body(plain(widths[i], widths[i] // 2, 3), nn.PixelUnshuffle(2)))
            setattr(self, f"up{i + 2}_{i + 1}",
                    Body(plain(widths[i + 1], 2 * widths[i + 1], 3), nn.PixelShuffle(2)))
        self.latent = blocks(counts[3], 3)
        self.reduce_chan_level3, self.decoder_level3 = plain(widths[3], widths[2]), blocks(1, 2)
        self.reduce_chan_level2, self.decoder_level2 = plain(widths[2], widths[1]), blocks(1, 1)
        self.decoder_level1 = blocks(1, 0, 2 * width)
        self.refinement = blocks(2, 0, 2 * width)
        self.output = plain(2 * width, 3, 3)

    def forward(self, x, task=0):
        y, skips = self.patch_embed(x), []
        for i in range(1, 4):
            y = getattr(self, f"encoder_level{i}")(y)
            skips.append(y)
            y = getattr(self, f"down{i}_{i + 1}")(y)
        y = self.latent(y)
        for i in (3, 2, 1):
            y = torch.cat([getattr(self, f"up{i + 1}_{i}")(y), skips[i - 1]], 1)
            if i > 1:
                y = getattr(self, f"reduce_chan_level{i}")(y)
            y = getattr(self, f"decoder_level{i}")(y)
        return x + self.output(self.refinement(y))


# gUNet.

class GatedConv(nn.Module):
    def __init__(self, width, kernel):
        super().__init__()
        self.Wv = nn.Sequential(nn.Conv2d(width, width, 1), nn.Conv2d(
            width, width, kernel, padding=kernel // 2, groups=width, padding_mode="reflect"))
        self.Wg = nn.Sequential(nn.Conv2d(width, width, 1), nn.Sigmoid())
        self.proj = nn.Conv2d(width, width, 1)

    def forward(self, x):
        return self.proj(self.Wv(x) * self.Wg(x))


class GUNetBlock(nn.Module):
    def __init__(self, width, kernel):
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(width), GatedConv(width, kernel)

    def forward(self, x):
        return x + self.conv(self.norm(x))


class GUNetStage(nn.Module):
    def __init__(self, width, depth, kernel):
        super().__init__()
        self.blocks = nn.Sequential(*[GUNetBlock(width, kernel) for _ in range(depth)])

    def forward(self, x):
        return self.blocks(x)


class Projected(nn.Module):
    def __init__(self, proj):
        super().__init__()
        self.proj = proj

    def forward(self, x):
        return self.proj(x)


class Fusion(nn.Module):
    def __init__(self, width):
        super().__init__()
        hidden = max(width // 8, 4)
        self.mlp = nn.Sequential(nn.AdaptiveAvgPool2d(1), plain(width, hidden), nn.ReLU(),
                                 plain(hidden, 2 * width))

    def forward(self, x, skip):
        first = (self.mlp(x + skip).unflatten(1, (2, -1))).softmax(1)
        return x * first[:, 0] + skip * first[:, 1]


class GUNet(nn.Module):
    multiple, tasks = 8, ["dehaze"]

    def __init__(self):
        super().__init__()
        depths, kernel = (1, 2, 1, 2, 1, 1, 2), 5
        widths = [8, 16, 32, 64]
        ring = dict(padding=1, padding_mode="reflect")
        self.inconv = Projected(nn.Conv2d(3, widths[0], 3, **ring))
        self.layers = nn.ModuleList([GUNetStage(widths[3 - abs(3 - i)], depths[i], kernel)
                                     for i in range(7)])
        self.downs = nn.ModuleList([Projected(nn.Conv2d(widths[i], widths[i + 1], 2, 2))
                                    for i in range(3)])
        self.ups = nn.ModuleList([
            Projected(nn.Sequential(nn.Conv2d(widths[i + 1], 4 * widths[i], 1), nn.PixelShuffle(2)))
            for i in range(3)])
        self.skips = nn.ModuleList([nn.Conv2d(width, width, 1) for width in widths[:3]])
        self.fusions = nn.ModuleList([Fusion(width) for width in widths[:3]])
        self.outconv = Projected(nn.Sequential(nn.Conv2d(widths[0], 3, 3, **ring)))

    def forward(self, x, task=0):
        y, skips = self.inconv(x), []
        for i in range(3):
            y = self.layers[i](y)
            skips.append(self.skips[i](y))
            y = self.downs[i](y)
        y = self.layers[3](y)
        for i in (2, 1, 0):
            y = self.layers[6 - i](self.fusions[i](self.ups[i](y), skips[i]))
        return x + self.outconv(y)


NETWORKS = {
    "thesis-resnet": ThesisResNet,
    "thesis-fpn-inception": ThesisFPN,
    "deblurgan-resnet": DeblurGAN,
    "deblurgan-v2-fpn-inception": lambda: DeblurGANv2(InceptionFPN(32, True), 32, 16),
    "deblurgan-v2-fpn-mobilenet": lambda: DeblurGANv2(MobileFPN(32), 32, 16),
    "deblurgan-v2-fpn-densenet": DeblurGANv2Dense,
    "nafnet": NAFNet,
    "restormer": Restormer,
    "gunet": GUNet,
}
# What else is published under the names of a map.
VARIANTS = {"restormer": [lambda: Restormer(bias=False)]}
UNIT_RANGE = ("nafnet", "restormer")


def disturb(network):
    """Random values everywhere, so that each tensor matters."""
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif tensor.is_floating_point() and tensor.dim() <= 1 or name.endswith(("beta", "gamma")):
                tensor.add_(0.1 * torch.randn_like(tensor))


def published(name, network, picture, task):
    """What the published code makes of an 8-bit picture."""
    unit = name in UNIT_RANGE
    x = picture[None].float() / 255
    x = x if unit else 2 * x - 1
    height, width = x.shape[2:]
    missing = (0, -width % network.multiple, 0, -height % network.multiple)
    x = F.pad(x, missing) if name == "nafnet" else F.pad(x, missing, "reflect")
    with torch.no_grad():
        restored = network(x, task)[0, :, :height, :width]
    restored = restored if unit else (restored + 1) / 2
    return (restored.clamp(0, 1) * 255).round()


def picture_of(height, width):
    y, x = torch.arange(height)[:, None].float(), torch.arange(width)[None].float()
    waves = [((x * (3 + c) / 40).sin() + (y * (5 - c) / 30).cos()) / 4 + 0.5 for c in range(3)]
    noise = 0.1 * torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))
    return ((torch.stack(waves) + noise).clamp(0, 1) * 255).round().byte()


def main(programs):
    listed = subprocess.run([programs / "limpid-convert", "--list"], check=True, text=True,
                            capture_output=True).stdout.splitlines()
    models = [line.split()[0] for line in listed
              if "read as it is" not in line and line.split()[0] not in ("same", "own")]
    assert sorted(models) == sorted(NETWORKS), f"maps without a definition here: {models}"
    for name, make in [(name, make) for name in models
                       for make in (NETWORKS[name], *VARIANTS.get(name, []))]:
        torch.manual_seed(7)
        network = make()
        disturb(network)
        network.eval()
        # NAFNet's windows of 384 pixels: larger than the picture, than one side, than neither.
        sizes = ((64, 96), (61, 437), (389, 437)) if name == "nafnet" else ((128, 160), (141, 163))
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            weights = network.state_dict()
            saved = {"params": weights} if name in UNIT_RANGE else weights
            if name == "gunet":
                saved = {"state_dict": {f"module.{key}": value for key, value in weights.items()}}
            torch.save(saved, folder / "published.pth")
            subprocess.run([programs / "limpid-convert", folder / "published.pth", folder / "m.limpid",
                            "--map", name, "--task", *network.tasks], check=True,
                           stdout=subprocess.DEVNULL)
            for height, width in sizes:
                picture = picture_of(height, width)
                write_ppm(folder / "in.ppm", picture)
                for index, task in enumerate(network.tasks):
                    subprocess.run([programs / "limpid-restore", "--model", folder / "m.limpid",
                                    "--task", task, "--out", folder / f"out-{height}-{task}",
                                    "--threads", "1", folder / "in.ppm"], check=True,
                                   stderr=subprocess.DEVNULL)
                    found = read_png(folder / f"out-{height}-{task}" / "in.png").float()
                    expected = published(name, network, picture, index)
                    changed = (expected - picture).abs().mean().item()
                    worst = (found - expected).abs().max().item()
                    print(f"{name} {task} {height} x {width}: largest difference {worst:g} levels, "
                          f"the network changes {changed:.1f} on average")
                    assert worst <= 1, f"{name} differs by {worst} levels"
                    assert 2 < changed < 120, f"{name} changes pictures by {changed} levels"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
