"""What a weighting costs beside equal weights: time and memory of a training step.

    python3 tests/benchmarks/weighting_cost.py build/default/bin/limpid-benchmark --weightings pcgrad upgrad

Runs `limpid-benchmark step` for equal weights and for each weighting in turns, several rounds, each
in a process of its own, and prints one line of JSON for each weighting:

- `time`: its step over that of equal weights, of the fastest step of all rounds; `cpu` the same of
  the processor's time of the whole processes, which other work on the machine changes less;
- `peak_mb` of both, `arena_mb` (tasks times the encoder's parameters, 4 bytes each), and `memory`:
  its peak over that of equal weights plus the arena.

The bounds that limpid holds itself to are 1.03 and 1.05 (3 tasks, recipe thesis-resnet, pcgrad);
`within` says whether they are kept. Time counts on an idle machine only; memory does not mind.
"""
import argparse
import json
import resource
import subprocess

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
parser.add_argument("benchmark", help="the program limpid-benchmark")
parser.add_argument("--weightings", nargs="+", default=["pcgrad"])
parser.add_argument("--recipe", default="thesis-resnet")
parser.add_argument("--tasks", type=int, default=3)
parser.add_argument("--crop", type=int, default=0, help="0: the recipe's")
parser.add_argument("--steps", type=int, default=3)
parser.add_argument("--rounds", type=int, default=2)
parser.add_argument("--threads", type=int, default=2)
arguments = parser.parse_args()


def step(weighting):
    command = [arguments.benchmark, "step", "--recipe", arguments.recipe, "--weighting", weighting,
               "--tasks", str(arguments.tasks), "--crop", str(arguments.crop),
               "--steps", str(arguments.steps), "--threads", str(arguments.threads)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    measured = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    measured["cpu_s"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return measured


everything = ["equal", *arguments.weightings]
rounds = [{weighting: step(weighting) for weighting in everything} for _ in range(arguments.rounds)]


def least(weighting, what):
    return min(measured[weighting][what] for measured in rounds)


first = rounds[0]["equal"]
arena = first["tasks"] * first["encoder_parameters"] * 4 / 2**20
for weighting in arguments.weightings:
    peak = max(measured[weighting]["peak_mb"] for measured in rounds)
    plain = max(measured["equal"]["peak_mb"] for measured in rounds)
    time = least(weighting, "min_s") / least("equal", "min_s")
    memory = peak / (plain + arena)
    print(json.dumps({
        "weighting": weighting, "time": round(time, 4),
        "cpu": round(least(weighting, "cpu_s") / least("equal", "cpu_s"), 4),
        "step_s": least(weighting, "min_s"), "equal_s": least("equal", "min_s"),
        "peak_mb": peak, "equal_mb": plain, "arena_mb": round(arena, 1),
        "memory": round(memory, 4),
        "within": {"time": time <= 1.03, "memory": memory <= 1.05}}))
