"""How a step of data-parallel training would grow with the number of ranks: a model, no measurement.

    python3 tests/benchmarks/scale_simulation.py                      the tables of docs/scale.md
    python3 tests/benchmarks/scale_simulation.py --step 0.2 --megabytes 48.5 11.1 11.1 11.1

Weak scaling: every rank keeps its batch. The step of n ranks takes

    the slowest of n single steps                  each: the measured time, with a spread (normal)
    + for each buffer of b bytes, one after another, a ring all-reduce:
      2 (n - 1) / n * b / rate + 2 (n - 1) * latency

`rate` is the network's, at most what Gloo itself moved between two processes of one machine (NCCL
has no such bound). Nothing overlaps. On one machine ranks talk over its memory or NVLink; between
machines a ring passes each network card once each way, however many ranks share it.
"""
import argparse
import math
import random
import statistics

GLOO = 1.28e9  # bytes/s: 45.6 MB summed by two processes in 35.5 ms over the loopback (measured)

# name: bytes/s, seconds for one message
NETWORKS = {
    "10 GbE": (1.25e9 * 0.94, 50e-6),
    "25 GbE": (3.125e9 * 0.94, 30e-6),
    "100 GbE": (12.5e9 * 0.94, 20e-6),
    "NVLink": (300e9, 5e-6),
}

# name: seconds of a step on one rank, megabytes of its all-reduces, pictures of a step
STEPS = {
    # pixel-unet, 3 tasks x 4 crops of 128, float32, one thread, idle
    "quickstart, one CPU thread": (0.147, [8.1], 12),
    # 3 tasks x 2 crops of 256, float32, two threads, --convolution fast, idle; the encoder's and
    # decoders' sum, and one buffer for each critic
    "thesis-resnet, two CPU threads": (3.98, [48.5, 11.1, 11.1, 11.1], 6),
    # the same on an NVIDIA H200 in TF32, by tests/cuda
    "thesis-resnet, one H200": (0.0726, [48.5, 11.1, 11.1, 11.1], 6),
}


def all_reduce(ranks, megabytes, rate, latency):
    """Seconds of one ring all-reduce."""
    return 2 * (ranks - 1) / ranks * megabytes * 1e6 / rate + 2 * (ranks - 1) * latency


def slowest(ranks, seconds, spread, draws=200):
    """Mean of the slowest of `ranks` steps."""
    dice = random.Random(ranks)
    return statistics.fmean(
        max(max(0.0, dice.gauss(seconds, spread * seconds)) for _ in range(ranks))
        for _ in range(draws))


def simulate(seconds, buffers, network, ranks, spread, engine):
    """Seconds of a step, and of them those that go to waiting and to the network."""
    rate, latency = NETWORKS[network]
    if engine == "gloo":
        rate = min(rate, GLOO)
    compute = slowest(ranks, seconds, spread)
    bandwidth = sum(all_reduce(ranks, size, rate, 0) for size in buffers)
    delay = sum(all_reduce(ranks, 0, rate, latency) for _ in buffers)
    return compute + bandwidth + delay, compute - seconds, bandwidth, delay


def table(name, seconds, buffers, pictures, spread, engine):
    print(f"\n### {name}: {seconds} s, {sum(buffers):.1f} MB a step, {engine}\n")
    print("| network | ranks | step | efficiency | slowest rank | bandwidth | latency | pictures/s |")
    print("|---|---|---|---|---|---|---|---|")
    for network in NETWORKS:
        if network == "NVLink" and engine == "gloo":
            continue
        for ranks in (8, 64, 512):
            if network == "NVLink" and ranks > 64:
                continue  # no machine, and no rack, is that large
            step, waits, bandwidth, delay = simulate(seconds, buffers, network, ranks, spread, engine)
            print(f"| {network} | {ranks} | {step:.3g} s | {seconds / step:.0%} | {waits:.2g} s | "
                  f"{bandwidth:.2g} s | {delay:.2g} s | {ranks * pictures / step:.4g} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--step", type=float, help="seconds of a step on one rank")
    parser.add_argument("--megabytes", type=float, nargs="+", default=[48.5, 11.1, 11.1, 11.1],
                        help="of each all-reduce of a step")
    parser.add_argument("--pictures", type=int, default=6, help="crops of a step on one rank")
    parser.add_argument("--spread", type=float, default=0.01,
                        help="standard deviation of a step's time, as a share of it")
    parser.add_argument("--engine", choices=["gloo", "nccl"], help="default: both where they differ")
    options = parser.parse_args()
    if not math.isfinite(options.spread) or options.spread < 0:
        parser.error("--spread: expected a number from 0")
    if options.step is None:
        for name, (seconds, buffers, pictures) in STEPS.items():
            engine = options.engine or ("nccl" if "card" in name else "gloo")
            table(name, seconds, buffers, pictures, options.spread, engine)
    else:
        for engine in [options.engine] if options.engine else ["gloo", "nccl"]:
            table("as given", options.step, options.megabytes, options.pictures, options.spread, engine)


if __name__ == "__main__":
    main()
