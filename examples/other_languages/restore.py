"""Restores a picture from Python without any package: through liblimpid_restore and ctypes.

    restore.py LIBLIMPID_RESTORE.so MODEL.limpid TASK IN.ppm OUT.ppm

The classes below are all that a program of your own needs. With NumPy, an array's memory is
restored where it lies: `pixels=array.ctypes.data, stride=array.strides[0]`.
"""
import ctypes
import sys

RGB8, BGR8, RGBA8, BGRA8, GREY8, RGB_FLOAT32 = range(6)
PROGRESS = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)


class Options(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("device", ctypes.c_char_p),
                ("threads", ctypes.c_int32), ("precision", ctypes.c_int32),
                ("tile", ctypes.c_int64), ("memory", ctypes.c_uint64),
                ("fast", ctypes.c_int32), ("ensemble", ctypes.c_int32)]


class Picture(ctypes.Structure):
    _fields_ = [("pixels", ctypes.c_void_p), ("width", ctypes.c_int64),
                ("height", ctypes.c_int64), ("stride", ctypes.c_int64),
                ("format", ctypes.c_int32), ("reserved", ctypes.c_int32)]


class Guess(ctypes.Structure):
    _fields_ = [("task", ctypes.c_char_p), ("probability", ctypes.c_double),
                ("done", ctypes.c_int32), ("reserved", ctypes.c_int32)]


class Restorer:
    """A model, ready to restore."""

    def __init__(self, library, model, **options):
        self.library = ctypes.CDLL(library)
        self.library.limpid_last_error.restype = ctypes.c_char_p
        self.library.limpid_restorer_task.restype = ctypes.c_char_p
        self.library.limpid_restorer_close.restype = None
        self.handle = ctypes.c_void_p()
        asked = Options(ctypes.sizeof(Options), **options)
        self._check(self.library.limpid_restorer_open(
            model.encode(), ctypes.byref(asked), ctypes.byref(self.handle)))

    def close(self):
        self.library.limpid_restorer_close(self.handle)
        self.handle = ctypes.c_void_p()

    @property
    def tasks(self):
        count = self.library.limpid_restorer_tasks(self.handle)
        return [self.library.limpid_restorer_task(self.handle, i).decode() for i in range(count)]

    def restore(self, task, pixels, width, height, format=RGB8, stride=0, progress=None):
        """Restores pixels in place: a writable buffer, or the address of one.

        `progress(tiles_done, tiles)` is called between tiles; what is true cancels."""
        picture = self._picture(pixels, width, height, format, stride)
        called = PROGRESS(lambda done, tiles, _: bool(progress(done, tiles))) if progress else None
        self._check(self.library.limpid_restore(
            self.handle, task.encode(), ctypes.byref(picture), ctypes.byref(picture),
            called, None))

    def restore_auto(self, pixels, width, height, format=RGB8, stride=0):
        """Does what the model's router is sure of: [(task, how sure it is, whether it was done)]."""
        picture = self._picture(pixels, width, height, format, stride)
        guesses = (Guess * len(self.tasks))()
        count = ctypes.c_int32()
        self._check(self.library.limpid_restore_auto(
            self.handle, ctypes.byref(picture), ctypes.byref(picture), guesses, len(guesses),
            ctypes.byref(count), None, None))
        return [(guess.task.decode(), guess.probability, guess.done != 0)
                for guess in guesses[:count.value]]

    @staticmethod
    def _picture(pixels, width, height, format, stride):
        if not isinstance(pixels, int):
            view = (ctypes.c_ubyte * memoryview(pixels).nbytes).from_buffer(pixels)
            pixels = ctypes.addressof(view)
        return Picture(pixels, width, height, stride, format, 0)

    def _check(self, status):
        if status != 0:
            raise RuntimeError(self.library.limpid_last_error().decode(errors="replace"))


def main(library, model, task, source, result):
    with open(source, "rb") as file:
        kind, width, height, highest, pixels = file.read().split(maxsplit=4)
    if kind != b"P6" or highest != b"255":
        raise ValueError("expected a binary PPM of 8 bits")
    width, height = int(width), int(height)
    pixels = bytearray(pixels[:3 * width * height])
    Restorer(library, model).restore(task, pixels, width, height)
    with open(result, "wb") as file:
        file.write(b"P6\n%d %d\n255\n" % (width, height) + pixels)


if __name__ == "__main__":
    main(*sys.argv[1:])
