"""Pairs a second of random crops: limpid's PairLoader beside PyTorch's DataLoader with OpenCV.

    python3 tests/benchmarks/data_line.py --photos ../shared/data/kodak

makes sets of pairs from the photographs, in a temporary folder: PNGs of 481 x 321 and of 768 x 512,
JPEGs of 768 x 512. Then both load them in turn, with as many workers on as many cores, and a table
is printed. What a pair costs is the same for both: two pictures decoded, one crop of both, flipped
and turned at random, as floats in [-1, 1]. Needs torch and opencv-python-headless; pictures come
from the page cache.
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

import cv2
import numpy
import torch
from torch.utils.data import DataLoader, Dataset, RandomSampler

SETS = [("PNG", ".png", 481, 321), ("PNG", ".png", 768, 512), ("JPEG", ".jpg", 768, 512)]


class Crops(Dataset):
    """The crops that limpid draws, in the words of OpenCV and NumPy."""

    def __init__(self, folder, crop):
        self.names = sorted(os.listdir(os.path.join(folder, "input")))
        self.folder, self.crop = folder, crop

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        cv2.setNumThreads(0)
        pair = [cv2.imread(os.path.join(self.folder, part, self.names[index]), cv2.IMREAD_COLOR)
                for part in ("input", "target")]
        height, width = pair[0].shape[:2]
        top = random.randint(0, height - self.crop)
        left = random.randint(0, width - self.crop)
        flip, turns = random.random() < 0.5, random.randrange(4)

        def tensor(image):
            image = image[top:top + self.crop, left:left + self.crop]
            image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            if flip:
                image = image[:, ::-1]
            image = numpy.rot90(image, turns).transpose(2, 0, 1)
            return torch.from_numpy(numpy.ascontiguousarray(image)).float().div_(127.5).sub_(1)

        return tensor(pair[0]), tensor(pair[1])


def make_set(photos, folder, extension, width, height):
    for part in ("input", "target"):
        os.makedirs(os.path.join(folder, part))
    for i, path in enumerate(photos):
        sharp = cv2.imread(path, cv2.IMREAD_COLOR)
        if sharp.shape[0] > sharp.shape[1]:
            sharp = cv2.rotate(sharp, cv2.ROTATE_90_CLOCKWISE)
        if sharp.shape[:2] != (height, width):
            sharp = cv2.resize(sharp, (width, height), interpolation=cv2.INTER_AREA)
        for part, image in (("input", cv2.GaussianBlur(sharp, (0, 0), 1.5)), ("target", sharp)):
            cv2.imwrite(os.path.join(folder, part, f"{i}{extension}"), image)


def by_limpid(options, folder):
    run = subprocess.run(
        [options.benchmark, "data", "--data", f"deblur=pairs:{folder}", "--batch", str(options.batch),
         "--crop", str(options.crop), "--workers", str(options.workers), "--batches",
         str(options.batches), "--runs", str(options.runs), "--threads", "1"],
        check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(run.stdout)["images_per_s"]


def by_pytorch(options, folder):
    dataset = Crops(folder, options.crop)
    many = options.batch * options.batches * (options.runs + 1) + 64
    loader = DataLoader(dataset, batch_size=options.batch, num_workers=options.workers,
                        prefetch_factor=4,
                        sampler=RandomSampler(dataset, replacement=True, num_samples=many))
    batches = iter(loader)
    seconds = []
    for run in range(options.runs + 1):  # the first is not counted
        begin = time.perf_counter()
        for _ in range(options.batches):
            next(batches)
        seconds.append(time.perf_counter() - begin)
    return options.batch * options.batches / statistics.median(seconds[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", required=True, help="a folder of photographs")
    parser.add_argument("--benchmark", default="build/default/bin/limpid-benchmark")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--batches", type=int, default=100, help="batches of a run")
    parser.add_argument("--runs", type=int, default=5, help="runs; the median counts")
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:options.workers])
    torch.set_num_threads(1)
    photos = sorted(os.path.join(options.photos, name) for name in os.listdir(options.photos))
    photos = [path for path in photos if cv2.haveImageReader(path)]
    if not photos:
        sys.exit(f"data_line.py: no photographs in '{options.photos}'")
    print(f"{len(photos)} pairs, crop {options.crop}, batch {options.batch}, {options.workers} "
          f"workers, torch {torch.__version__}, OpenCV {cv2.__version__}, "
          f"load {os.getloadavg()[0]:.1f}\n")
    print("| pictures | limpid, pairs a second | DataLoader with OpenCV | times |")
    print("| --- | --- | --- | --- |", flush=True)
    for name, extension, width, height in SETS:
        with tempfile.TemporaryDirectory() as folder:
            make_set(photos, folder, extension, width, height)
            ours, theirs = by_limpid(options, folder), by_pytorch(options, folder)
            print(f"| {name}, {width} x {height} | {ours:.0f} | {theirs:.0f} | {ours / theirs:.2f} |",
                  flush=True)


if __name__ == "__main__":
    main()
