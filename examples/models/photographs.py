#!/usr/bin/env python3
"""Gathers the photographs that the model `everyday` is trained on, all from packages of Debian 12.

    examples/models/photographs.py FOLDER [--side 720] [--quality 92]

FOLDER  is made; one JPEG a photograph, its longer side at most --side pixels (40 MB or less), and
        photographs.tsv: file, package, version, path in it, licence, SHA-256 of the JPEG.

Fetches packages with `apt-get download`, installs nothing. Needs python3-pil. Photographs without
detail at that size, drawings, and pictures of fog (a sharp target must not be foggy) are left out.
"""
import argparse
import glob
import hashlib
import io
import os
import subprocess
import sys
import tempfile

from PIL import Image

# Package, files in it, licence as its copyright file gives it.
SOURCES = [
    ("endless-sky-high-dpi", "usr/share/games/endless-sky/plugins/endless-sky-high-dpi/images/land/*.jpg",
     "public domain, CC-BY-SA-3.0 or CC-BY-SA-4.0, by file: see the package's copyright"),
    ("gcompris-qt-data", "usr/**/*.rcc", "free, by file: see the package's copyright"),
    ("lomiri-wallpapers-16.04", "usr/share/backgrounds/*.jpg", "CC-BY-SA-3.0 or 4.0, by file"),
    ("palapeli-data", "usr/share/palapeli/collection/*.jpg", "free, by file: see the copyright"),
    ("mate-backgrounds", "usr/share/backgrounds/mate/nature/*.jpg", "free, by file"),
    ("lxqt-themes", "usr/share/lxqt/wallpapers/*.[jp][pn]g", "free, by file"),
    ("plasma-workspace-wallpapers", "usr/share/wallpapers/*/contents/images/2560x1600.jpg",
     "LGPL-3 or free, by file"),
]
# Parts of names: fog, drawings, and pictures without detail.
LEFT_OUT = ("/fog", "earthrise", "umang", "Fossa", "Infinite", "details", "babyshapes", "puzzle",
            "origami", "plasma", "waves", "triangles", "simple", "beam", "logo", "Blinds",
            "Painting", "Wood", "Aqua", "PastelHills", "EveningGlow", "BytheWater", "Autumn/",
            "Grey/", "summer", "Storm", "cloud", "drop.png", "2560x1600.png")
LEAST_SIDE = 500


def photographs_of(path):
    """The pictures in a file: one, or those inside a resource file of Qt, cut at RIFF marks."""
    if not path.endswith(".rcc"):
        yield "", Image.open(path)
        return
    data = open(path, "rb").read()
    at = data.find(b"RIFF")
    while at >= 0:
        length = int.from_bytes(data[at + 4:at + 8], "little") + 8
        if data[at + 8:at + 12] == b"WEBP":
            try:
                picture = Image.open(io.BytesIO(data[at:at + length]))
                picture.load()
                if picture.mode == "RGB":
                    yield f"@{at}", picture
            except Exception:  # marks that only look like a picture's
                length = 4
        at = data.find(b"RIFF", at + max(length, 4))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--side", type=int, default=720, help="longer side, pixels (default 720)")
    parser.add_argument("--quality", type=int, default=92, help="of the JPEGs (default 92)")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    rows, seen = [], set()
    with tempfile.TemporaryDirectory() as work:
        for package, pattern, licence in SOURCES:
            subprocess.run(["apt-get", "download", package], cwd=work, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            [archive] = glob.glob(f"{work}/{package}_*.deb")
            version = os.path.basename(archive).split("_")[1].replace("%3a", ":")
            tree = f"{work}/{package}"
            os.mkdir(tree)
            subprocess.run(["dpkg", "-x", archive, tree], check=True)
            os.remove(archive)
            for path in sorted(glob.glob(f"{tree}/{pattern}", recursive=True)):
                if any(part in path[len(tree):] for part in LEFT_OUT):
                    continue
                for place, picture in photographs_of(path):
                    picture = picture.convert("RGB")
                    if min(picture.size) < LEAST_SIDE:
                        continue
                    content = hashlib.sha256(picture.tobytes()).hexdigest()
                    if content in seen:
                        continue
                    seen.add(content)
                    # Never enlarged, and at least a third smaller: compression and softness go.
                    side = min(options.side, max(picture.size) * 2 // 3)
                    scale = side / max(picture.size)
                    small = picture.resize([round(s * scale) for s in picture.size], Image.LANCZOS)
                    name = f"{len(rows):03d}.jpg"
                    small.save(f"{options.folder}/{name}", quality=options.quality, subsampling=0)
                    digest = hashlib.sha256(open(f"{options.folder}/{name}", "rb").read()).hexdigest()
                    where = os.path.relpath(path, tree) + place
                    rows.append("\t".join([name, package, version, where, licence, digest]))
            print(f"{package} {version}: {len(rows)} photographs so far", file=sys.stderr)
    with open(f"{options.folder}/photographs.tsv", "w") as table:
        table.write("file\tpackage\tversion\tpath\tlicence\tsha256\n" + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
