"""The training step of the recipe thesis-resnet in eager PyTorch, to compare limpid with.

    python3 tests/benchmarks/pytorch_step.py --tasks 3 --steps 5 --threads 2

prints the same JSON as `limpid-benchmark step --recipe thesis-resnet --tasks 3 --steps 5`. Build
limpid with the LibTorch of this PyTorch, so that both run the same kernels.
"""
import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width), nn.ReLU(True),
            nn.Dropout(0.5),
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width))

    def forward(self, x):
        return x + self.body(x)


def encoder():
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, 64, 7), nn.InstanceNorm2d(64), nn.ReLU(True)]
    for width in (64, 128):
        layers += [nn.Conv2d(width, 2 * width, 3, 2, 1), nn.InstanceNorm2d(2 * width), nn.ReLU(True)]
    return nn.Sequential(*layers, *[Block(256) for _ in range(9)])


def decoder():
    layers = []
    for width in (256, 128):
        layers += [nn.ConvTranspose2d(width, width // 2, 3, 2, 1, 1),
                   nn.InstanceNorm2d(width // 2), nn.ReLU(True)]
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(64, 3, 7), nn.Tanh())


def critic():
    layers = [nn.Conv2d(3, 64, 4, 2, 2), nn.LeakyReLU(0.2, True)]
    for width, stride in ((64, 2), (128, 2), (256, 1)):
        layers += [nn.Conv2d(width, 2 * width, 4, stride, 2), nn.InstanceNorm2d(2 * width),
                   nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(512, 1, 4, 1, 2))


def vgg_to_conv3_3():
    widths, layers, last = (64, 64, "M", 128, 128, "M", 256, 256, 256), [], 3
    for width in widths:
        if width == "M":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(last, width, 3, padding=1), nn.ReLU(True)]
            last = width
    return nn.Sequential(*layers[:-1]).requires_grad_(False)


MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def maps(vgg, image):
    return vgg(((image + 1) / 2 - MEAN.to(image.device)) / STD.to(image.device))


def penalty(judge, target, restored):
    alpha = torch.rand(target.size(0), 1, 1, 1, device=target.device)
    point = (alpha * target + (1 - alpha) * restored).requires_grad_()
    gradient, = torch.autograd.grad(judge(point).sum(), point, create_graph=True)
    return 10 * (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def make_step(tasks=3, device="cpu", bfloat16=False, channels_last=False, crop=256):
    """One training step, as a function without arguments."""
    torch.manual_seed(0)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    fused = {"fused": True} if device != "cpu" else {}

    def there(module):
        return module.to(device, memory_format=layout)

    shared = there(encoder())
    decoders = [there(decoder()) for _ in range(tasks)]
    critics = [there(critic()) for _ in range(tasks)]
    vgg = there(vgg_to_conv3_3())
    generator = torch.optim.Adam([*shared.parameters(), *(p for d in decoders for p in d.parameters())],
                                 1e-4, **fused)
    critic_adams = [torch.optim.Adam(c.parameters(), 1e-4, **fused) for c in critics]

    def pictures(count):
        made = torch.rand(count, 3, crop, crop) * 2 - 1
        return made if device == "cpu" else made.pin_memory()

    batches = [(pictures(size), pictures(size)) for size in [2] + [1] * (tasks - 1)]

    def autocast():
        return torch.autocast(device, torch.bfloat16, enabled=bfloat16)

    def step():
        generator.zero_grad()
        losses = []
        for batch, decode, judge, adam in zip(batches, decoders, critics, critic_adams):
            degraded, target = (pictures.to(device, non_blocking=True, memory_format=layout)
                                for pictures in batch)
            with autocast():
                restored = (degraded + decode(shared(degraded))).clamp(-1, 1).float()
            adam.zero_grad()
            with autocast():
                fake = restored.detach()
                loss = 0.01 * (judge(fake).mean() - judge(target).mean() + penalty(judge, target, fake))
            loss.backward()
            losses.append(loss.detach())
            adam.step()
            judge.requires_grad_(False)
            with autocast():
                with torch.no_grad():
                    wanted = maps(vgg, target)
                loss = (F.mse_loss(maps(vgg, restored), wanted) + 0.5 * F.l1_loss(restored, target)
                        - 0.01 * judge(restored).mean())
            loss.backward()
            losses.append(loss.detach())
            judge.requires_grad_(True)
        generator.step()
        return torch.stack(losses).tolist()  # the step's one wait for the device

    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bfloat16", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    step = make_step(options.tasks, bfloat16=options.bfloat16)

    times = []
    for i in range(options.warmup + options.steps):
        began = time.perf_counter()
        step()
        if i >= options.warmup:
            times.append(time.perf_counter() - began)
    print(json.dumps({"what": "step, eager PyTorch " + torch.__version__, "tasks": options.tasks,
                      "threads": options.threads, "runs": len(times),
                      "median_s": statistics.median(times), "min_s": min(times),
                      "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
