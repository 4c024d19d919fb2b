"""What training in two processes gains, and what this machine could give at most.

    python3 tests/benchmarks/processes.py build/default/bin --photos ../shared/data/kodak
    python3 tests/benchmarks/processes.py build/default/bin --photos ../shared/data/kodak \\
        --batch 2 --steps 12 -- --recipe thesis-resnet --vgg vgg19.pth --crop 64

makes pairs of three tasks from the photographs, in a temporary folder, and trains on them: one
process of one thread, one of two threads, two processes of one thread each with half the batch, and
two programs that know nothing of each other with half the batch each: their pictures a second
together are the most that two processes could do here. Prints pictures a second, the largest memory
of a process, what a step sends and the share of the time that goes to it, by the run's own word
(metrics.jsonl). Whatever follows -- goes to limpid-train.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

TASKS = ("deblur", "dehaze", "derain")


def start(words, out, threads, batch, rank=None, store=None):
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    if rank is not None:
        environment |= {"LIMPID_RANK": str(rank), "LIMPID_WORLD_SIZE": "2", "LIMPID_STORE": store}
    batches = [word for task in TASKS for word in ("--batch", f"{task}={batch}")]
    return subprocess.Popen(words + batches + ["--threads", str(threads), "--out", out],
                            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def largest_memory(processes):
    """Waits for processes. Returns MB."""
    most = 0
    for process in processes:
        said = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            raise SystemExit(said)
        most = max(most, usage.ru_maxrss / 1024)
    return most


def pictures_a_second(out, steps, batch):
    with open(f"{out}/metrics.jsonl") as file:
        lines = [json.loads(line) for line in file]
    last = [line for line in lines if line["kind"] == "train"][-1]
    return len(TASKS) * batch * steps / last["seconds"], last.get("exchange", {})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("programs")
    parser.add_argument("--photos", required=True)
    parser.add_argument("--batch", type=int, default=4, help="of a task, in all processes together")
    parser.add_argument("--steps", type=int, default=100)
    words = sys.argv[1:]
    split = words.index("--") if "--" in words else len(words)
    given, more = parser.parse_args(words[:split]), words[split + 1:]
    with tempfile.TemporaryDirectory() as folder:
        words = [f"{given.programs}/limpid-train", "--steps", str(given.steps)]
        words += more if "--recipe" in more else ["--recipe", "quickstart", *more]
        for task in TASKS:
            pairs = f"{folder}/{task}"
            subprocess.run([f"{given.programs}/limpid-data", "degrade", "--task", task,
                            given.photos, pairs], check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            words += ["--data", f"{task}=pairs:{pairs}"]

        def report(name, outs, batch, processes, base):
            memory = largest_memory(processes)
            rates = [pictures_a_second(out, given.steps, batch) for out in outs]
            rate, exchange = sum(rate for rate, _ in rates), rates[0][1]
            said = "" if not exchange else (f" | {exchange['bytes_per_step'] / 1e6:.2f} MB a step, "
                                            f"{exchange['share_of_time']:.1%} of the time")
            print(f"{name:44} | {rate:6.2f} pictures/s | {rate / (base or rate):.2f} | "
                  f"{memory:.0f} MB{said}", flush=True)
            return rate

        whole, half = given.batch, given.batch // 2
        run = lambda name: f"{folder}/{name}"
        base = report("one process, one thread", [run("one")], whole,
                      [start(words, run("one"), 1, whole)], None)
        report("one process, one thread, half the batch", [run("half")], half,
               [start(words, run("half"), 1, half)], base)
        report("one process, two threads", [run("threads")], whole,
               [start(words, run("threads"), 2, whole)], base)
        report("two processes of one thread", [run("two")], whole,
               [start(words, run("two"), 1, half, rank, f"file:{folder}/store")
                for rank in range(2)], base)
        report("two programs that know nothing of each other", [run("a"), run("b")], half,
               [start(words, run(name), 1, half) for name in "ab"], base)


if __name__ == "__main__":
    main()
