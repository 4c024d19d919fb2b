#!/usr/bin/env python3
"""What limpid-restore needs for one large picture, and for a folder of small ones.

    restoring.py large PROGRAM MODEL TASK [OPTION...]       12000 x 9000 pixels: seconds, peak memory
    restoring.py batch PROGRAM MODEL TASK [OPTION...]       100 pictures of 640 x 480: pictures a second
    restoring.py start PROGRAM MODEL TASK [OPTION...]       one of 64 x 64: seconds, the best of seven

Pictures are made here (standard library only): blocks of colour with noise. Peak memory is the
kernel's ru_maxrss of the program."""
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zlib


def png(path, width, height, seed):
    """Blocks of colour with noise: it compresses about as badly as a photograph."""
    source = random.Random(seed)
    noise = bytes(source.choice(b"\0\0\0\1\2\3\5\7") for _ in range(1 << 16))
    packed = zlib.compressobj(1)
    parts = []
    block = max(8, width // 40)
    for y in range(height):
        if y % block == 0:
            colours = [bytes(source.randrange(240) for _ in range(3))
                       for _ in range(width // block + 1)]
            row = b"".join(colour * block for colour in colours)[:3 * width]
        at = source.randrange(1 << 15)
        grain = (noise[at:] + noise * (3 * width // len(noise) + 1))[:3 * width]
        # Sums byte by byte: colours stay below 248.
        mixed = (int.from_bytes(row, "little") + int.from_bytes(grain, "little"))
        parts.append(packed.compress(b"\0" + mixed.to_bytes(3 * width, "little")))
    data = b"".join(parts) + packed.flush()

    def chunk(kind, body):
        return (struct.pack(">I", len(body)) + kind + body +
                struct.pack(">I", zlib.crc32(kind + body)))

    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" +
                   chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                   chunk(b"IDAT", data) + chunk(b"IEND", b""))


def run(program, model, task, options, inputs, out):
    began = time.monotonic()
    ended = subprocess.run([program, "--model", model, "--task", task, "--out", out, "--overwrite",
                            *options, inputs], stderr=subprocess.PIPE, text=True, check=False)
    if ended.returncode != 0:
        sys.exit(ended.stderr)
    return time.monotonic() - began, ended.stderr


def main():
    if len(sys.argv) < 5 or sys.argv[1] not in ("large", "batch", "start"):
        sys.exit(__doc__)
    what, program, model, task, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        inputs, out = os.path.join(folder, "in"), os.path.join(folder, "out")
        os.mkdir(inputs)
        if what == "large":
            png(os.path.join(inputs, "large.png"), 12000, 9000, 1)
        elif what == "batch":
            for i in range(100):
                png(os.path.join(inputs, f"{i:03}.png"), 640, 480, i)
        else:
            png(os.path.join(inputs, "small.png"), 64, 64, 1)
        runs = 7 if what == "start" else 1
        took, said = min(run(program, model, task, options, inputs, out) for _ in range(runs))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(said, end="")
        print(f"{what}: {took:.2f} s, {100 / took:.2f} pictures a second, peak {peak:.0f} MiB"
              if what == "batch" else f"{what}: {took:.2f} s, peak {peak:.0f} MiB")


if __name__ == "__main__":
    main()
