"""Writes a narrow Inception v3 with random weights, and the features that it finds.

    python write_inception.py FOLDER

FOLDER/inception.pth under the names of pytorch-fid's pt_inception-2015-12-05-6726825d.pth, an
eighth as wide, and FOLDER/features.safetensors: a picture of 8 bits over 255, (3, 61, 83), and its
features. The network is defined here on its own, as functions of its state, and computed in
double. Needs torch only.
"""
import pathlib
import sys

import torch
from torch.nn import functional as F

from write_weights import write_safetensors

DIVISOR = 8


class Network:
    """Makes the weights of a unit when it is first used."""

    def __init__(self):
        self.state = {}

    def unit(self, name, x, out, kernel, padding=0, stride=1):
        out //= DIVISOR
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        if name + ".conv.weight" not in self.state:
            shape = (out, x.shape[1], *kernel)
            fan = x.shape[1] * kernel[0] * kernel[1]
            self.state[name + ".conv.weight"] = torch.randn(shape) * (2 / fan) ** 0.5
            self.state[name + ".bn.weight"] = 1 + 0.2 * torch.randn(out)
            self.state[name + ".bn.bias"] = 0.2 * torch.randn(out)
            self.state[name + ".bn.running_mean"] = 0.1 * torch.randn(out)
            self.state[name + ".bn.running_var"] = 0.5 + torch.rand(out)
            self.state[name + ".bn.num_batches_tracked"] = torch.tensor(7)
        of = lambda key: self.state[f"{name}.{key}"].double()
        x = F.conv2d(x, of("conv.weight"), None, stride, padding)
        x = F.batch_norm(x, of("bn.running_mean"), of("bn.running_var"), of("bn.weight"),
                         of("bn.bias"), False, 0.0, 0.001)
        return x.relu()

    def a(self, name, x, pooled):
        u = lambda part, *rest: self.unit(f"{name}.{part}", *rest)
        five = u("branch5x5_2", u("branch5x5_1", x, 48, 1), 64, 5, 2)
        three = u("branch3x3dbl_2", u("branch3x3dbl_1", x, 64, 1), 96, 3, 1)
        three = u("branch3x3dbl_3", three, 96, 3, 1)
        means = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return torch.cat([u("branch1x1", x, 64, 1), five, three,
                          u("branch_pool", means, pooled, 1)], 1)

    def c(self, name, x, inner):
        u = lambda part, *rest: self.unit(f"{name}.{part}", *rest)
        flat, tall = ((1, 7), (0, 3)), ((7, 1), (3, 0))
        one = u("branch7x7_2", u("branch7x7_1", x, inner, 1), inner, *flat)
        one = u("branch7x7_3", one, 192, *tall)
        two = u("branch7x7dbl_2", u("branch7x7dbl_1", x, inner, 1), inner, *tall)
        two = u("branch7x7dbl_3", two, inner, *flat)
        two = u("branch7x7dbl_4", two, inner, *tall)
        two = u("branch7x7dbl_5", two, 192, *flat)
        means = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return torch.cat([u("branch1x1", x, 192, 1), one, two,
                          u("branch_pool", means, 192, 1)], 1)

    def e(self, name, x, pooled):
        u = lambda part, *rest: self.unit(f"{name}.{part}", *rest)
        flat, tall = ((1, 3), (0, 1)), ((3, 1), (1, 0))
        one = u("branch3x3_1", x, 384, 1)
        two = u("branch3x3dbl_2", u("branch3x3dbl_1", x, 448, 1), 384, 3, 1)
        return torch.cat([u("branch1x1", x, 320, 1), u("branch3x3_2a", one, 384, *flat),
                          u("branch3x3_2b", one, 384, *tall),
                          u("branch3x3dbl_3a", two, 384, *flat),
                          u("branch3x3dbl_3b", two, 384, *tall),
                          u("branch_pool", pooled(x), 192, 1)], 1)

    def features(self, unit_range):
        x = F.interpolate(unit_range[None], size=(299, 299), mode="bilinear", align_corners=False)
        x = self.unit("Conv2d_1a_3x3", 2 * x - 1, 32, 3, 0, 2)
        x = self.unit("Conv2d_2a_3x3", x, 32, 3)
        x = F.max_pool2d(self.unit("Conv2d_2b_3x3", x, 64, 3, 1), 3, 2)
        x = self.unit("Conv2d_3b_1x1", x, 80, 1)
        x = F.max_pool2d(self.unit("Conv2d_4a_3x3", x, 192, 3), 3, 2)
        for name, pooled in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
            x = self.a(name, x, pooled)
        three = self.unit("Mixed_6a.branch3x3dbl_1", x, 64, 1)
        three = self.unit("Mixed_6a.branch3x3dbl_2", three, 96, 3, 1)
        x = torch.cat([self.unit("Mixed_6a.branch3x3", x, 384, 3, 0, 2),
                       self.unit("Mixed_6a.branch3x3dbl_3", three, 96, 3, 0, 2),
                       F.max_pool2d(x, 3, 2)], 1)
        for name, inner in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160),
                            ("Mixed_6e", 192)):
            x = self.c(name, x, inner)
        three = self.unit("Mixed_7a.branch3x3_1", x, 192, 1)
        seven = self.unit("Mixed_7a.branch7x7x3_1", x, 192, 1)
        seven = self.unit("Mixed_7a.branch7x7x3_2", seven, 192, (1, 7), (0, 3))
        seven = self.unit("Mixed_7a.branch7x7x3_3", seven, 192, (7, 1), (3, 0))
        x = torch.cat([self.unit("Mixed_7a.branch3x3_2", three, 320, 3, 0, 2),
                       self.unit("Mixed_7a.branch7x7x3_4", seven, 192, 3, 0, 2),
                       F.max_pool2d(x, 3, 2)], 1)
        x = self.e("Mixed_7b", x, lambda v: F.avg_pool2d(v, 3, 1, 1, count_include_pad=False))
        x = self.e("Mixed_7c", x, lambda v: F.max_pool2d(v, 3, 1, 1))
        return F.adaptive_avg_pool2d(x, 1)[0, :, 0, 0]


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)
    picture = torch.randint(0, 256, (3, 61, 83)).float() / 255
    network = Network()
    features = network.features(picture.double())
    network.state["fc.weight"] = torch.ones(1008, 2048 // DIVISOR)
    network.state["fc.bias"] = torch.ones(1008)
    torch.save(network.state, folder / "inception.pth")
    write_safetensors(folder / "features.safetensors",
                      {"picture": picture, "features": features.float()}, {})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
