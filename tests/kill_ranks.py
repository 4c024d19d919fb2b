#!/usr/bin/env python3
"""Kills and stops ranks of trainings at random moments, and sees whether each run nevertheless ends
with the weights of one that nothing disturbed.

    tests/kill_ranks.py --bin build/default/bin --kills 50

tests/programs/processes.cpp is the short form of it. Needs Linux and nothing but Python.
"""
import argparse
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib


def save_png(path, side, dice):
    """Noise and a few rectangles, so that there is something to learn."""
    rows = [bytearray(dice.randbytes(side * 3)) for _ in range(side)]
    for _ in range(6):
        top, left, size = dice.randrange(side), dice.randrange(side), dice.randrange(8, side // 2)
        colour = dice.randbytes(3)
        for row in rows[top:top + size]:
            width = min(size, side - left)
            row[3 * left:3 * (left + width)] = colour * width

    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" +
                     chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))) +
                     chunk(b"IEND", b""))


def weights(path):
    """The tensors of a model file, without what differs from run to run, such as seconds."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    return {name: (entry["dtype"], entry["shape"],
                   data[8 + length + entry["data_offsets"][0]:8 + length + entry["data_offsets"][1]])
            for name, entry in header.items()}


def ranks_of(supervisor):
    """Rank -> process, of those that run."""
    found = {}
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent != supervisor:
                continue
            for variable in (folder / "environ").read_bytes().split(b"\0"):
                if variable.startswith(b"LIMPID_RANK="):
                    found[int(variable.split(b"=")[1])] = int(folder.name)
        except (OSError, ValueError, IndexError):
            continue  # it has just ended
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="folder of limpid-train")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--per-run", type=int, default=10, help="kills in one run")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--timeout", type=float, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("train", nargs="*", help="further arguments of limpid-train, behind --")
    options = parser.parse_args()
    dice = random.Random(options.seed)

    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        for task in ("deblur", "dehaze", "derain"):
            for part in ("input", "target"):
                for i in range(4):
                    save_png(place / task / part / f"{i}.png", 64, dice)

        def train(out, *more):
            command = [str(options.bin / "limpid-train"), "--recipe", "quickstart", "--network",
                       "pixel-unet:width=8", "--steps", str(options.steps), "--crop", "32",
                       "--threads", "1", "--processes", str(options.ranks), "--seed", "3",
                       "--checkpoint-seconds", "0.2", "--timeout", str(options.timeout),
                       "--out", str(place / out), *more, *options.train]
            for task in ("deblur", "dehaze", "derain"):
                command += ["--data", f"{task}=pairs:{place / task}", "--batch", f"{task}=2"]
            return command

        began = time.monotonic()
        subprocess.run(train("undisturbed"), check=True, stderr=subprocess.DEVNULL)
        length = time.monotonic() - began
        expected = weights(place / "undisturbed" / "model.limpid")
        print(f"undisturbed: {length:.1f} s", flush=True)

        done = run = 0
        while done < options.kills:
            out = f"run{run}"
            errors = place / f"{out}.err"
            with errors.open("w") as stream:
                training = subprocess.Popen(train(out, "--restarts", str(options.kills)),
                                            stderr=stream)
            here = 0
            victims = []
            while here < options.per_run and done < options.kills and training.poll() is None:
                time.sleep(dice.uniform(0.1, max(0.5, min(3, length / 3))))
                ranks = ranks_of(training.pid)
                if not ranks or training.poll() is not None:
                    continue
                rank = dice.choice(sorted(ranks))
                how = dice.choice([signal.SIGKILL, signal.SIGSTOP])
                if ranks[rank] in victims:
                    continue
                try:
                    os.kill(ranks[rank], how)
                except ProcessLookupError:
                    continue
                victims.append(ranks[rank])
                here += 1
                done += 1
            code = training.wait()
            text = errors.read_text()
            same = code == 0 and weights(place / out / "model.limpid") == expected
            print(f"{out}: {here} kills, {text.count('start again')} restarts, exit code {code}, "
                  f"weights {'equal' if same else 'DIFFER'}", flush=True)
            if not same:
                sys.exit(text[-4000:])
            run += 1
        print(f"{done} kills, {run} runs: all ended with the weights of the undisturbed one")


if __name__ == "__main__":
    main()
