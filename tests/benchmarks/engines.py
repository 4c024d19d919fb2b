#!/usr/bin/env python3
"""Restores one picture of 1280 x 720 by limpid and by other engines on the CPU, side by side.

    python3 -m venv engines && engines/bin/pip install torch onnx onnxruntime openvino ncnn pnnx
    engines/bin/python tests/benchmarks/engines.py --limpid build/default/bin/limpid-benchmark

Three networks with random weights, the shapes of limpid's defaults (pixel-unet, resnet, nafnet),
written here in PyTorch and given to each engine as it wants them: traced, compiled, as ONNX, as
ncnn's files. Prints a table in Markdown: the median of the runs in seconds, and how many times as
fast as eager PyTorch that is. An engine that is missing or fails has a dash, and its reason stands
on standard error. limpid's time includes what the others leave out: from 8-bit pixels and back."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

ENGINES = ("eager", "channels_last", "compile", "onnxruntime", "openvino", "ncnn", "limpid-exact",
           "limpid-fast")
NETWORKS = ("pixel-unet", "resnet", "nafnet")


def networks():
    import torch
    from torch import nn
    from torch.nn import functional as F

    class Residual(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.conv1 = nn.Conv2d(width, width, 3, padding=1)
            self.conv2 = nn.Conv2d(width, width, 3, padding=1)

        def forward(self, x):
            return x + self.conv2(F.relu(self.conv1(x)))

    def residuals(count, width):
        return nn.Sequential(*(Residual(width) for _ in range(count)))

    class PixelUNet(nn.Module):
        def __init__(self, w=32, blocks=(1, 1, 2)):
            super().__init__()
            self.head = nn.Conv2d(12, w, 3, padding=1)
            self.fine, self.fine2 = residuals(blocks[0], w), residuals(blocks[0], w)
            self.down1 = nn.Conv2d(w, 2 * w, 2, 2)
            self.middle, self.middle2 = residuals(blocks[1], 2 * w), residuals(blocks[1], 2 * w)
            self.down2 = nn.Conv2d(2 * w, 4 * w, 2, 2)
            self.coarse, self.coarse2 = residuals(blocks[2], 4 * w), residuals(blocks[2], 4 * w)
            self.up2, self.up1 = nn.Conv2d(4 * w, 8 * w, 1), nn.Conv2d(2 * w, 4 * w, 1)
            self.tail = nn.Conv2d(w, 12, 3, padding=1)

        def forward(self, x):
            fine = self.fine(self.head(F.pixel_unshuffle(x, 2)))
            middle = self.middle(self.down1(fine))
            coarse = self.coarse2(self.coarse(self.down2(middle)))
            middle = self.middle2(middle + F.pixel_shuffle(self.up2(coarse), 2))
            fine = self.fine2(fine + F.pixel_shuffle(self.up1(middle), 2))
            return x + F.pixel_shuffle(self.tail(fine), 2)

    class ResNetBlock(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.body = nn.Sequential(
                nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width),
                nn.ReLU(), nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3),
                nn.InstanceNorm2d(width))

        def forward(self, x):
            return x + self.body(x)

    class ResNet(nn.Module):
        def __init__(self, w=64, blocks=9):
            super().__init__()
            layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, w, 7), nn.InstanceNorm2d(w), nn.ReLU()]
            for c in (w, 2 * w):
                layers += [nn.Conv2d(c, 2 * c, 3, 2, 1), nn.InstanceNorm2d(2 * c), nn.ReLU()]
            layers += [ResNetBlock(4 * w) for _ in range(blocks)]
            for c in (4 * w, 2 * w):
                layers += [nn.ConvTranspose2d(c, c // 2, 3, 2, 1, 1), nn.InstanceNorm2d(c // 2),
                           nn.ReLU()]
            self.body = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(w, 3, 7), nn.Tanh())

        def forward(self, x):
            return (x + self.body(x)).clamp(-1, 1)

    class LayerNorm(nn.Module):
        def __init__(self, c):
            super().__init__()
            self.weight, self.bias = nn.Parameter(torch.ones(c)), nn.Parameter(torch.zeros(c))

        def forward(self, x):
            centred = x - x.mean(1, keepdim=True)
            scale = torch.rsqrt(centred.square().mean(1, keepdim=True) + 1e-6)
            return centred * scale * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)

    class NAFBlock(nn.Module):
        def __init__(self, c):
            super().__init__()
            self.norm1, self.norm2 = LayerNorm(c), LayerNorm(c)
            self.conv1 = nn.Conv2d(c, 2 * c, 1)
            self.conv2 = nn.Conv2d(2 * c, 2 * c, 3, padding=1, groups=2 * c)
            self.sca, self.conv3 = nn.Conv2d(c, c, 1), nn.Conv2d(c, c, 1)
            self.conv4, self.conv5 = nn.Conv2d(c, 2 * c, 1), nn.Conv2d(c, c, 1)
            self.beta = nn.Parameter(torch.full((1, c, 1, 1), 0.1))
            self.gamma = nn.Parameter(torch.full((1, c, 1, 1), 0.1))

        def forward(self, x):
            a, b = self.conv2(self.conv1(self.norm1(x))).chunk(2, 1)
            gated = a * b
            gated = gated * self.sca(gated.mean((2, 3), keepdim=True))
            x = x + self.conv3(gated) * self.beta
            a, b = self.conv4(self.norm2(x)).chunk(2, 1)
            return x + self.conv5(a * b) * self.gamma

    class NAFNet(nn.Module):
        def __init__(self, w=32, down=(2, 2, 4, 8), middle=12, up=(2, 2, 2, 2)):
            super().__init__()
            def blocks(count, c):
                return nn.Sequential(*(NAFBlock(c) for _ in range(count)))
            self.intro, c = nn.Conv2d(3, w, 3, padding=1), w
            self.encoders, self.downs = nn.ModuleList(), nn.ModuleList()
            for count in down:
                self.encoders.append(blocks(count, c))
                self.downs.append(nn.Conv2d(c, 2 * c, 2, 2))
                c *= 2
            self.middle = blocks(middle, c)
            self.ups, self.decoders = nn.ModuleList(), nn.ModuleList()
            for count in up:
                self.ups.append(nn.Sequential(nn.Conv2d(c, 2 * c, 1, bias=False),
                                              nn.PixelShuffle(2)))
                c //= 2
                self.decoders.append(blocks(count, c))
            self.ending = nn.Conv2d(c, 3, 3, padding=1)

        def forward(self, x):
            y, skips = self.intro(x), []
            for encode, down in zip(self.encoders, self.downs):
                y = encode(y)
                skips.append(y)
                y = down(y)
            y = self.middle(y)
            for up, decode in zip(self.ups, self.decoders):
                y = decode(up(y) + skips.pop())
            return x + self.ending(y)

    torch.manual_seed(0)
    return {"pixel-unet": PixelUNet, "resnet": ResNet, "nafnet": NAFNet}


def median_of(run, runs):
    """Seconds of a run, after one for warm-up."""
    run()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def by_torch(options, kind):
    import torch
    torch.set_num_threads(options.threads)
    model = networks()[options.network]().eval().requires_grad_(False)
    image = torch.rand(1, 3, options.height, options.width)
    if kind == "channels_last":
        model = model.to(memory_format=torch.channels_last)
        image = image.to(memory_format=torch.channels_last)
    if kind == "compile":
        import torch._inductor.config
        torch._inductor.config.freezing = True
        model = torch.compile(model)

    def run():
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
            model(image)
    return run


def onnx_file(options, folder):
    import torch
    model = networks()[options.network]().eval().requires_grad_(False)
    path = os.path.join(folder, "network.onnx")
    torch.onnx.export(model, torch.rand(1, 3, options.height, options.width), path, dynamo=False,
                      opset_version=17, input_names=["image"], output_names=["restored"])
    return path


def by_onnxruntime(options, folder):
    import numpy
    import onnxruntime
    if options.bfloat16:
        raise RuntimeError("ONNX Runtime computes no bfloat16 convolutions on the CPU")
    session = onnxruntime.SessionOptions()
    session.intra_op_num_threads = options.threads
    run = onnxruntime.InferenceSession(onnx_file(options, folder), session,
                                       providers=["CPUExecutionProvider"])
    image = numpy.random.rand(1, 3, options.height, options.width).astype(numpy.float32)
    return lambda: run.run(None, {"image": image})


def by_openvino(options, folder):
    import numpy
    import openvino
    hints = {"INFERENCE_NUM_THREADS": options.threads, "PERFORMANCE_HINT": "LATENCY",
             "INFERENCE_PRECISION_HINT": "bf16" if options.bfloat16 else "f32"}
    request = openvino.Core().compile_model(onnx_file(options, folder), "CPU",
                                            hints).create_infer_request()
    image = numpy.random.rand(1, 3, options.height, options.width).astype(numpy.float32)
    return lambda: request.infer({0: image})


def by_ncnn(options, folder):
    import ncnn
    import numpy
    import torch
    model = networks()[options.network]().eval().requires_grad_(False)
    traced = os.path.join(folder, "network.pt")
    torch.jit.trace(model, torch.rand(1, 3, options.height, options.width)).save(traced)
    tool = os.path.join(os.path.dirname(sys.executable), "pnnx")
    subprocess.run([tool, traced, f"inputshape=[1,3,{options.height},{options.width}]", "fp16=0"],
                   cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    net = ncnn.Net()
    net.opt.num_threads = options.threads
    net.opt.use_bf16_storage = options.bfloat16
    net.load_param(os.path.join(folder, "network.ncnn.param"))
    net.load_model(os.path.join(folder, "network.ncnn.bin"))
    image = numpy.random.rand(3, options.height, options.width).astype(numpy.float32)

    def run():
        with net.create_extractor() as extractor:
            extractor.input("in0", ncnn.Mat(image))
            numpy.array(extractor.extract("out0")[1])
    return run


def by_limpid(options, convolution):
    said = subprocess.run(
        [options.limpid, "restore", "--network", options.network, "--tile", "0",
         "--size", f"{options.width}x{options.height}", "--runs", str(options.runs),
         "--threads", str(options.threads), "--convolution", convolution,
         "--precision", "bfloat16" if options.bfloat16 else "float32"],
        check=True, capture_output=True, text=True).stdout
    return json.loads(said)["median_s"]


def seconds_here(options):
    with tempfile.TemporaryDirectory() as folder:
        engine = options.engine
        if engine.startswith("limpid-"):
            return by_limpid(options, engine.removeprefix("limpid-"))
        if engine in ("eager", "channels_last", "compile"):
            run = by_torch(options, engine)
        else:
            run = {"onnxruntime": by_onnxruntime, "openvino": by_openvino,
                   "ncnn": by_ncnn}[engine](options, folder)
        return median_of(run, options.runs)


def seconds(options, engine, network, bfloat16):
    """In a process of its own, so that no engine's threads are in another's way."""
    command = [sys.executable, __file__, "--engine", engine, "--networks", network,
               "--threads", str(options.threads), "--runs", str(options.runs),
               "--size", options.size, "--limpid", options.limpid or ""]
    done = subprocess.run(command + ["--bfloat16"] * bfloat16, capture_output=True, text=True,
                          check=False)
    if done.returncode == 0:
        return float(done.stdout.split()[-1])
    lines = done.stderr.strip().splitlines() or ["no reason"]
    print(f"{engine}, {network}: {lines[-1]}", file=sys.stderr)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limpid", help="limpid-benchmark; without it limpid is left out")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=NETWORKS)
    parser.add_argument("--engines", nargs="+", default=list(ENGINES), choices=ENGINES)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--bfloat16", action="store_true", help="of convolutions")
    parser.add_argument("--engine", choices=ENGINES, help="this one alone, in this process")
    options = parser.parse_args()
    options.width, options.height = (int(side) for side in options.size.split("x"))
    options.network = options.networks[0]
    if options.engine:
        os.environ["OMP_NUM_THREADS"] = str(options.threads)
        print(seconds_here(options))
        return
    print("| engine | " + " | ".join(options.networks) + " |")
    print("|---" * (len(options.networks) + 1) + "|")
    eager = {}
    for engine in options.engines:
        if engine.startswith("limpid") and not options.limpid:
            continue
        cells = []
        for network in options.networks:
            took = seconds(options, engine, network, options.bfloat16)
            if engine == "eager":
                eager[network] = took
            times = f", {eager[network] / took:.2f}x" if took and eager.get(network) else ""
            cells.append(f"{took:.3f} s{times}" if took else "-")
        print(f"| {engine} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
