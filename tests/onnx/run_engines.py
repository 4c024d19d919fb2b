"""Runs the ONNX files that limpid's test `onnx/for_engines` wrote and compares with what limpid
restored.

    run_engines.py FOLDER

Needs onnxruntime; takes onnx (its checker) and openvino where they are installed.
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np
import onnxruntime

try:
    import onnx
except ImportError:
    onnx = None
try:
    import openvino
except ImportError:
    openvino = None

BOUND = 1e-4


def read_pictures(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    pictures = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        values = np.frombuffer(data[begin:end], dtype=np.float32)
        number, what = name.split(".")
        pictures.setdefault(number, {})[what] = values.reshape(entry["shape"])
    return pictures


def engines_of(path):
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    yield "ONNX Runtime", lambda image: dict(zip(names, session.run(names, {"image": image})))
    if openvino:
        model = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        yield "OpenVINO", lambda image: {name: model(image)[name] for name in names}


def main(folder):
    paths = sorted(Path(folder).glob("*.onnx"))
    assert paths, f"no ONNX files in {folder}"
    failed = False
    for path in paths:
        if onnx:
            onnx.checker.check_model(str(path), full_check=True)
        pictures = read_pictures(path.with_suffix(".safetensors"))
        for engine, run in engines_of(path):
            worst = 0.0
            for picture in pictures.values():
                image = picture.pop("image") if engine != "OpenVINO" else picture["kept"]
                picture["kept"] = image
                for task, expected in picture.items():
                    if task == "kept":
                        continue
                    found = run(image)[task]
                    assert found.shape == expected.shape, (path, found.shape, expected.shape)
                    worst = max(worst, float(np.abs(found - expected).max()))
            print(f"{path.stem:40s} {engine:14s} largest difference {worst:.1e}")
            failed |= not worst <= BOUND
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
