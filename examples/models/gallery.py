#!/usr/bin/env python3
"""Makes docs/gallery.md, docs/images/gallery/ and docs/images/strip.jpg: free photographs, damaged
and restored.

    examples/models/gallery.py [--model FILE] [--programs FOLDER]

Photographs are cut from packages of Debian 12 (`apt-get download`; nothing is installed), damaged by
limpid-data, restored by limpid-restore, and shown side by side in their own pixels. Whoever wants
other pictures changes PICTURES. Needs python3-pil.
"""
import argparse
import glob
import math
import os
import subprocess
import sys
import tempfile
import textwrap

from PIL import Image, ImageChops, ImageStat

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIDE = 720              # longer side of a photograph, pixels
SHOWN = (470, 330)      # what is shown of it, from its middle
QUALITY = 82
STRIP = ("haze", "drops-1", "noise-1")  # one above the other in strip.jpg
STRIP_WIDTH = 760

LOMIRI_16 = "lomiri-wallpapers-16.04"
LOMIRI_20 = "lomiri-wallpapers-20.04"
SKY = "endless-sky-high-dpi"
LAND = "usr/share/games/endless-sky/plugins/endless-sky-high-dpi/images/land/"
WALL = "usr/share/backgrounds/"

# Name, task, what damages it (None: nothing, it is as the camera saw it), package, file, author and
# licence as the package's copyright file gives them, whether the model in the box was trained on it.
PICTURES = [
    ("fog-1", "dehaze", None, SKY, LAND + "fog1@2x.jpg", "public domain, from morguefile.com", False),
    ("fog-2", "dehaze", None, SKY, LAND + "fog6@2x.jpg", "public domain, from morguefile.com", False),
    ("haze", "dehaze", "haze,beta=1.4,airlight=0.9", LOMIRI_16,
     WALL + "aitzgorri_by_Aitzol_Berasategi.jpg", "Aitzol Berasategi, CC-BY-4.0", True),
    ("drops-1", "derain", "raindrops", LOMIRI_20, WALL + "Kleiber_by_Lukas_Baubkus.jpg",
     "Lukas Baubkus, CC-BY-SA-3.0", False),
    ("drops-2", "derain", "raindrops", LOMIRI_16, WALL + "picosdeeuropa_by_Aitzol_Berasategi.jpg",
     "Aitzol Berasategi, CC-BY-4.0", True),
    ("noise-1", "denoise", "noise,sigma=30", LOMIRI_16,
     WALL + "friends_by_Aitzol_Berasategi.jpg", "Aitzol Berasategi, CC-BY-4.0", True),
    ("noise-2", "denoise", "noise,sigma=50", LOMIRI_16,
     WALL + "seeding_by_Clements_Engelhardt.jpg", "Clemens Engelhardt, CC0-1.0", True),
    ("blur-1", "deblur", "camera-motion,size=8", LOMIRI_16,
     WALL + "life_by_Aitzol_Berasategi.jpg", "Aitzol Berasategi, CC-BY-4.0", True),
    ("blur-2", "deblur", "camera-motion,size=12", LOMIRI_16,
     WALL + "Picture_1A_by_freespace.jpg", 'Trevor "Freespace", CC-BY-4.0', True),
]


def run(*words):
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)


def unpacked(package, work):
    tree = f"{work}/{package}"
    if not os.path.isdir(tree):
        subprocess.run(["apt-get", "download", package], cwd=work, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        [archive] = glob.glob(f"{work}/{package}_*.deb")
        run("dpkg", "-x", archive, tree)
    return tree


def psnr(one, other):
    squares = ImageStat.Stat(ImageChops.difference(one, other)).sum2
    mean = sum(squares) / (3 * one.width * one.height)
    return 10 * math.log10(255 ** 2 / mean) if mean else math.inf


def wrapped(text):
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


def middle(picture):
    width, height = min(SHOWN[0], picture.width), min(SHOWN[1], picture.height)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def beside(one, other, gap=6):
    both = Image.new("RGB", (2 * one.width + gap, one.height), "white")
    both.paste(one, (0, 0))
    both.paste(other, (one.width + gap, 0))
    return both


def write_strip(pictures):
    rows = [Image.open(f"{pictures}/{name}.jpg") for name in STRIP]
    rows = [row.resize((STRIP_WIDTH, row.height * STRIP_WIDTH // row.width), Image.LANCZOS)
            for row in rows]
    strip = Image.new("RGB", (STRIP_WIDTH, sum(row.height + 4 for row in rows) - 4), "white")
    top = 0
    for row in rows:
        strip.paste(row, (0, top))
        top += row.height + 4
    strip.save(f"{ROOT}/docs/images/strip.jpg", quality=QUALITY, optimize=True, progressive=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=f"{ROOT}/examples/models/everyday.limpid")
    parser.add_argument("--programs", default=f"{ROOT}/build/default/bin",
                        help="folder of limpid-data and limpid-restore (default build/default/bin)")
    options = parser.parse_args()
    pictures = f"{ROOT}/docs/images/gallery"
    os.makedirs(pictures, exist_ok=True)
    for old in glob.glob(f"{pictures}/*.jpg"):
        os.remove(old)
    blocks = []
    with tempfile.TemporaryDirectory() as work:
        for name, task, damage, package, path, source, was_trained_on in PICTURES:
            place = f"{work}/{name}"
            os.makedirs(f"{place}/photo")
            photo = Image.open(f"{unpacked(package, work)}/{path}").convert("RGB")
            photo.thumbnail((SIDE, SIDE), Image.LANCZOS)
            photo.save(f"{place}/photo/{name}.png")
            degraded = f"{place}/photo/{name}.png"
            if damage is not None:
                run(f"{options.programs}/limpid-data", "degrade", "--degradation", damage,
                    f"{place}/photo", f"{place}/made")
                degraded = f"{place}/made/input/{name}.png"
            run(f"{options.programs}/limpid-restore", "--model", options.model, "--task", task,
                "--out", f"{place}/restored", degraded)
            before = Image.open(degraded).convert("RGB")
            after = Image.open(f"{place}/restored/{name}.png").convert("RGB")
            beside(middle(before), middle(after)).save(f"{pictures}/{name}.jpg", quality=QUALITY,
                                                       optimize=True, progressive=True)
            if damage is None:
                did = f"`{task}`. Nothing was added: the camera saw it so."
            else:
                did = (f"`{task}`. Damaged by `{damage}`: {psnr(before, photo):.1f} dB before, "
                       f"{psnr(after, photo):.1f} dB after.")
            seen = "The model was trained on it, with other damages" if was_trained_on else \
                "The model has never seen it"
            text = (f"{did} {seen}. Photograph: {source}; Debian package `{package}`, file "
                    f"`{os.path.basename(path)}`, cut and changed.")
            blocks.append(f"![{task}: before and after](images/gallery/{name}.jpg)\n\n"
                          f"{wrapped(text)}\n")
            print(f"{name}: {did}", file=sys.stderr)
    write_strip(pictures)
    total = sum(os.path.getsize(file) for file in glob.glob(f"{pictures}/*.jpg"))
    with open(f"{ROOT}/docs/gallery.md", "w") as page:
        page.write("# Gallery\n\n" + wrapped(
            "Photographs before (left) and after (right), each in its own pixels, restored by the "
            "model in the box ([everyday.limpid](../examples/models/README.md)) as it is; none was "
            "left out because the model did badly on it. Made by `examples/models/gallery.py`. PSNR "
            "is of the whole photograph in RGB. Each shown picture has the licence of its "
            "photograph.") + "\n\n" + "\n".join(blocks))
    print(f"docs/gallery.md, {len(PICTURES)} pictures, {total / 1e6:.2f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
