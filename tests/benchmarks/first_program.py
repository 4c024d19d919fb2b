#!/usr/bin/env python3
"""How long the README's first program takes to compile, beside a file that only includes
torch/torch.h. Both at -O0, one after the other, on one core.

    python3 tests/benchmarks/first_program.py [--compiled] [LIBTORCH'S CMAKE PREFIX]

--compiled also compiles it against limpid::compiled (which is built first, some minutes), as it is
and with limpid/limpid.hpp precompiled, as target_precompile_headers does. Prints a table in
Markdown: seconds of the processor, how many times torch/torch.h that is, and memory."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(first_program CXX)
add_subdirectory("{source}" limpid EXCLUDE_FROM_ALL)
add_library(bare OBJECT EXCLUDE_FROM_ALL bare.cpp)
target_link_libraries(bare PRIVATE limpid::limpid)
add_library(headers OBJECT EXCLUDE_FROM_ALL "{source}/examples/first_training.cpp")
target_link_libraries(headers PRIVATE limpid::limpid)
add_library(compiled OBJECT EXCLUDE_FROM_ALL "{source}/examples/first_training.cpp")
target_link_libraries(compiled PRIVATE limpid::compiled)
add_library(precompiled OBJECT EXCLUDE_FROM_ALL "{source}/examples/first_training.cpp")
target_link_libraries(precompiled PRIVATE limpid::compiled)
target_precompile_headers(precompiled PRIVATE <limpid/limpid.hpp>)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiled", action="store_true", help="limpid::compiled, too")
    parser.add_argument("prefix", nargs="?", help="where LibTorch's CMake files are")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "CMakeLists.txt").write_text(PROJECT.format(source=SOURCE))
        (folder / "bare.cpp").write_text("#include <torch/torch.h>\nint main() {}\n")
        build = folder / "build"
        configure = ["cmake", "-G", "Ninja", "-S", folder, "-B", build, "-DCMAKE_BUILD_TYPE=Debug",
                     "-DCMAKE_CXX_FLAGS_DEBUG=-O0"]
        if arguments.prefix:
            configure.append("-DCMAKE_PREFIX_PATH=" + arguments.prefix)
        run(configure)
        print("| program | processor | torch/torch.h | memory |\n|---|---|---|---|", flush=True)
        bare = row("torch/torch.h alone", build, "bare", None)
        row("examples/first_training.cpp", build, "headers", bare)
        if arguments.compiled:
            run(["cmake", "--build", build, "--target", "limpid_compiled", "-j2"])
            row("the same with limpid::compiled", build, "compiled", bare)
            row("limpid/limpid.hpp, precompiled once", build,
                "CMakeFiles/precompiled.dir/cmake_pch.hxx.gch", bare)
            row("then the same", build, "precompiled", bare)


def row(name, build, target, bare):
    process = subprocess.Popen(["cmake", "--build", build, "--target", target, "-j1"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env={**os.environ, "CCACHE_DISABLE": "1"})
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{target} does not compile:\n{output}")
    seconds = usage.ru_utime
    print(f"| {name} | {seconds:.1f} s | {seconds / (bare or seconds):.1f} times | "
          f"{usage.ru_maxrss / 2**20:.1f} GB |", flush=True)
    return seconds


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)


if __name__ == "__main__":
    main()
