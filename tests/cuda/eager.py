#!/usr/bin/env python3
"""The networks of the recipe thesis-resnet in eager PyTorch, timed as cuda-check times limpid's.

    python3 tests/cuda/eager.py --device cuda --out build/cuda-out [--quick]

Reads cuda.json in the folder, which `cuda-check` has written in the same run, and writes eager.json
and beside.md: both beside each other, for each way that both measured. run.sh calls it.
"""
import argparse
import json
import os
import statistics
import sys
import time

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "benchmarks"))
from pytorch_step import decoder, encoder, make_step  # noqa: E402

# Name as cuda-check has it, TF32, bfloat16, channels_last.
WAYS = [("float32", False, False, False), ("TF32", True, False, False),
        ("TF32, channels-last", True, False, True), ("bfloat16", True, True, False),
        ("bfloat16, channels-last", True, True, True)]
SIZES = [(1280, 720), (1920, 1080), (3840, 2160)]


def allow_tf32(on):
    torch.backends.cuda.matmul.allow_tf32 = on
    torch.backends.cudnn.allow_tf32 = on


def wait(device):
    if device != "cpu":
        torch.cuda.synchronize()


def seconds_of(device, quick, body):
    """Median of ten runs after two to warm up, or of as many as one second holds, and three."""
    times, began_all = [], 0.0
    for i in range(-1 if quick else -2, 1 if quick else 10):
        wait(device)
        began = time.perf_counter()
        if i == 0:
            began_all = began
        body()
        wait(device)
        if i >= 0:
            times.append(time.perf_counter() - began)
        if len(times) >= 3 and time.perf_counter() - began_all > 1:
            break
    return statistics.median(times)


def measured(device, quick):
    figures = {}
    for name, tf32, bfloat16, channels_last in WAYS:
        if device == "cpu" and name == "TF32":
            continue
        allow_tf32(tf32)
        step = make_step(3, device, bfloat16, channels_last, crop=64 if quick else 256)
        figures["step of thesis-resnet, three tasks, " + name] = 1000 * seconds_of(device, quick, step)
        del step
        layout = torch.channels_last if channels_last else torch.contiguous_format
        network = torch.nn.Sequential(encoder(), decoder()).eval().to(device, memory_format=layout)
        for width, height in [(64, 48)] if quick else SIZES:
            picture = (torch.rand(1, 3, height, width, device=device) * 2 - 1).to(memory_format=layout)

            def restore():
                with torch.no_grad(), torch.autocast(device, torch.bfloat16, enabled=bfloat16):
                    return (picture + network(picture)).clamp(-1, 1)

            figures[f"restore {width} x {height}, resnet, {name}"] = 1000 * seconds_of(
                device, quick, restore)
        if device != "cpu":
            torch.cuda.empty_cache()
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--out", default="build/cuda-out")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    figures = measured(options.device, options.quick)
    name = torch.cuda.get_device_name() if options.device == "cuda" else "the CPU, as a dry run"
    with open(os.path.join(options.out, "eager.json"), "w") as file:
        json.dump({"device": name, "pytorch": torch.__version__, "ms": figures}, file, indent=2)
    ours = {}
    path = os.path.join(options.out, "cuda.json")
    if os.path.exists(path):
        with open(path) as file:
            ours = {row["what"]: row["value"] for row in json.load(file)["figures"]}
    lines = [f"On {name}, PyTorch {torch.__version__}, by `tests/cuda/run.sh`, milliseconds:", "",
             "| | limpid | eager PyTorch | times as fast |", "|---|---:|---:|---:|"]
    for what, eager in figures.items():
        if what in ours:
            lines.append(f"| {what} | {ours[what]:.4g} | {eager:.4g} | {eager / ours[what]:.2f} |")
        else:
            lines.append(f"| {what} | | {eager:.4g} | |")
    text = "\n".join(lines) + "\n"
    with open(os.path.join(options.out, "beside.md"), "w") as file:
        file.write(text)
    print(text, end="")


if __name__ == "__main__":
    main()
