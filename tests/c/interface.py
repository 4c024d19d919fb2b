"""The C interface through ctypes, as examples/other_languages/restore.py wraps it.

    interface.py LIBLIMPID_RESTORE.so MODEL.limpid FOLDER RESTORE_OF_C

Python and the lesson in C restore the same picture to the same bytes; several threads at once
restore what one does; cancelling and errors come through.
"""
import os
import subprocess
import sys
import threading

source = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(source, "..", "..", "examples", "other_languages"))
import restore  # noqa: E402

library, model, folder, restore_of_c = sys.argv[1:]
WIDTH, HEIGHT = 90, 61


def picture(seed):
    return bytearray((i * (7 + seed) + i // 251) % 256 for i in range(3 * WIDTH * HEIGHT))


def error_of(action):
    try:
        action()
    except RuntimeError as error:
        return str(error)
    return "no error"


restorer = restore.Restorer(library, model, tile=32, threads=1)
assert restorer.tasks, "a model without tasks"
task = restorer.tasks[0]

# Alone, then four threads at once with one restorer.
expected = []
for seed in range(4):
    expected.append(picture(seed))
    restorer.restore(task, expected[seed], WIDTH, HEIGHT)
    assert expected[seed] != picture(seed)
found = [picture(seed) for seed in range(4)]
threads = [threading.Thread(target=restorer.restore, args=(task, pixels, WIDTH, HEIGHT))
           for pixels in found]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert found == expected, "threads restore something else"

# Cancelled behind the second tile; the picture is as it was.
pixels, seen = picture(0), []


def cancel(done, tiles):
    seen.append((done, tiles))
    return done == 2


error = error_of(lambda: restorer.restore(task, pixels, WIDTH, HEIGHT, progress=cancel))
assert error == "restore: cancelled after 2 of 6 tiles", error
assert seen[0] == (0, 6) and seen[-1] == (2, 6), seen
assert pixels == picture(0)

# Errors of one thread are not those of another.
assert "stride" in error_of(lambda: restorer.restore(task, pixels, WIDTH, HEIGHT, stride=5))
last = []
other = threading.Thread(target=lambda: last.append(restorer.library.limpid_last_error()))
other.start()
other.join()
assert last == [b""], last

# What "auto" did is what its tasks do one after another.
pixels, by_tasks = picture(2), picture(2)
guesses = restorer.restore_auto(pixels, WIDTH, HEIGHT)
assert sorted(task for task, _, _ in guesses) == sorted(restorer.tasks), guesses
for name, probability, done in guesses:
    assert 0 <= probability <= 1
    if done:
        restorer.restore(name, by_tasks, WIDTH, HEIGHT)
assert pixels == by_tasks
restorer.close()
assert "there is no such file" in error_of(lambda: restore.Restorer(library, "missing"))

# The lessons, on one file.
os.makedirs(folder, exist_ok=True)
given, by_c, by_python = (os.path.join(folder, name) for name in ("in.ppm", "c.ppm", "python.ppm"))
with open(given, "wb") as file:
    file.write(b"P6\n%d %d\n255\n" % (WIDTH, HEIGHT) + picture(1))
subprocess.run([restore_of_c, model, task, given, by_c], check=True)
restore.main(library, model, task, given, by_python)
with open(by_c, "rb") as one, open(by_python, "rb") as two:
    assert one.read() == two.read(), "C and Python restore differently"
print("the C interface holds in Python")
