"""Writes the files that PyTorch writes, and what a reader must find in them.

    python write_weights.py FOLDER

FOLDER/NAME.pth and, in FOLDER/expected.safetensors, each of its tensors as NAME/DOTTED.NAME and
each number or text as metadata under such a name. What is no tensor must be passed over in
beside_*.pth; refused_*.pth must be refused. Needs torch alone; the expected values are written
without it.
"""

import argparse
import collections
import fractions
import json
import pathlib
import struct
import sys

import torch

TYPES = {
    torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
    torch.uint8: "U8", torch.bool: "BOOL", torch.complex64: "C64",
}
FLOAT8 = [getattr(torch, name) for name in ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz",
                                            "float8_e5m2fnuz", "float8_e8m0fnu")
          if hasattr(torch, name)]
WIDER = {kind: torch.float32 for kind in FLOAT8}
if hasattr(torch, "uint32"):
    WIDER.update({torch.uint16: torch.int32, torch.uint32: torch.int64})


def write_safetensors(path, tensors, metadata):
    header, data = {"__metadata__": metadata}, b""
    for name, tensor in tensors.items():
        plain = tensor.detach().contiguous().reshape(-1)
        values = bytes(plain.view(torch.uint8).tolist()) if plain.numel() else b""
        header[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def flatten(value, name, tensors, metadata):
    if isinstance(value, torch.Tensor):
        # What LibTorch has no type for becomes one that holds it.
        wider = next((wide for kind, wide in WIDER.items() if value.dtype == kind), value.dtype)
        tensors[name] = value.to(wider)
    elif isinstance(value, torch.nn.Module):
        flatten(value.state_dict(), name, tensors, metadata)
    elif isinstance(value, dict):
        for key, item in value.items():
            flatten(item, f"{name}.{key}", tensors, metadata)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            flatten(item, f"{name}.{index}", tensors, metadata)
    elif isinstance(value, bool):
        metadata[name] = str(value).lower()
    elif value is None:
        metadata[name] = "none"
    else:
        metadata[name] = str(value)


def every_type():
    whole = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    return {
        **{str(kind)[6:]: torch.tensor([[-3, 0, 5]]).to(kind) for kind in TYPES},
        **{str(kind)[6:]: torch.arange(124, dtype=torch.uint8).view(kind) for kind in FLOAT8},
        **{str(kind)[6:]: torch.tensor([0, 1, 65535]).to(kind) for kind in WIDER
           if kind not in FLOAT8},
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "none": torch.zeros(0),
        "odd": torch.tensor([float("inf"), float("-inf"), 1e-45]),
        "whole": whole,
        "slice": whole[1, :, 1:3],
        "turned": whole.permute(2, 0, 1),
        "repeated": torch.tensor([[1.0], [2.0]]).expand(2, 5),
        "flat": whole.view(-1)[5:9],
    }


class Hostile:
    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        import os
        return os.system, (f"touch '{self.marker}'",)


class Tagged(torch.Tensor):
    pass


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    net(torch.randn(2, 3, 8, 8)).sum().backward()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.125)
    optimizer.step()
    state = net.state_dict()
    prefixed = collections.OrderedDict(("module." + key, value) for key, value in state.items())
    shared = torch.nn.Parameter(torch.randn(4, 4))

    contents = {
        "types": every_type(),
        "state_dict": state,
        "model": {"model": prefixed},
        "checkpoint": {"state_dict": prefixed, "epoch": 12, "best": 0.5, "arch": "net",
                       "done": True, "note": None, "optimizer": optimizer.state_dict()},
        "params": {"params": state, "params_ema": state},
        "parts": {"encoder": state, "decoder0": {"weight": shared}, "decoder1": {"weight": shared}},
        "list": [torch.ones(2), (torch.zeros(3), "text", torch.Size([2, 3]))],
        "half": {key: value.half() if value.is_floating_point() else value
                 for key, value in state.items()},
        "parameter": {"weight": shared, "big": 1 << 40, "negative": -5},
        "module": {"net": net},
        "subclass": {"w": torch.ones(2, 3).as_subclass(Tagged)},
    }
    tensors, metadata = {}, {}
    for name, content in contents.items():
        for kind, options in {
            "zip": {},
            "legacy": {"_use_new_zipfile_serialization": False},
            "zip4": {"pickle_protocol": 4},
        }.items():
            torch.save(content, folder / f"{name}_{kind}.pth", **options)
            flatten(content, f"{name}_{kind}", tensors, metadata)
    if hasattr(torch.serialization, "set_crc32_options"):
        torch.serialization.set_crc32_options(False)
        torch.save(state, folder / "unchecked.pth")
        torch.serialization.set_crc32_options(True)
        flatten(state, "unchecked", tensors, metadata)
    # Names begin with NAME/ rather than NAME.
    tensors = {name.replace(".", "/", 1): value for name, value in tensors.items()}
    metadata = {name.replace(".", "/", 1): value for name, value in metadata.items()}
    write_safetensors(folder / "expected.safetensors", tensors, metadata)

    marker = folder / "executed"
    marker.unlink(missing_ok=True)
    quantised = torch.quantize_per_tensor(torch.ones(2), 0.5, 0, torch.qint8)
    beside = {"w": torch.ones(2), "hostile": Hostile(marker), "optimizer": optimizer,
              "arguments": argparse.Namespace(rate=0.5, weight=shared),
              "sparse": torch.ones(2).to_sparse(), "quantised": quantised,
              "scalar": fractions.Fraction(1, 3)}
    for kind, is_zip in {"zip": True, "legacy": False}.items():
        torch.save(beside, folder / f"beside_{kind}.pth", _use_new_zipfile_serialization=is_zip)
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), str(folder / "refused_script.pth"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
