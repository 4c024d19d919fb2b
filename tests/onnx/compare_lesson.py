"""Whether an engine's lesson restores as limpid does: each 8-bit value within 1, nearly all equal.

    compare_lesson.py LESSON MODEL.onnx RESTORE_OF_C MODEL.limpid [TASK]
"""
import os
import random
import subprocess
import sys
import tempfile

lesson, onnx, restore_of_c, limpid, *task = sys.argv[1:]
task = task[0] if task else "deblur"
width, height = 93, 62
random.seed(1)
with tempfile.TemporaryDirectory() as folder:
    given, by_engine, by_limpid = (os.path.join(folder, name)
                                   for name in ("in.ppm", "engine.ppm", "limpid.ppm"))
    with open(given, "wb") as file:
        shades = [(x * 2 + y * c + random.randrange(24)) % 256
                  for y in range(height) for x in range(width) for c in range(3)]
        file.write(b"P6\n%d %d\n255\n" % (width, height) + bytes(shades))
    subprocess.run([lesson, onnx, task, given, by_engine], check=True)
    subprocess.run([restore_of_c, limpid, task, given, by_limpid], check=True)
    values = []
    for path in (by_engine, by_limpid):
        with open(path, "rb") as file:
            values.append(file.read()[-3 * width * height:])
apart = [abs(a - b) for a, b in zip(*values)]
changed = sum(a != b for a, b in zip(values[0], shades))
print(f"{sum(d > 0 for d in apart)} of {len(apart)} values differ, by at most {max(apart)}; "
      f"{changed} are not those of the picture")
assert max(apart) <= 1 and sum(d > 0 for d in apart) < len(apart) / 100 and changed > 0
