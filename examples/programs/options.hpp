#pragma once

#include <limpid/core/autocast.hpp>
#include <limpid/core/errors.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/memory_format.hpp>
#include <limpid/datasets/data_argument.hpp>
#include <limpid/inference/restorer_options.hpp>
#include <limpid/io/image_limits.hpp>
#include <limpid/io/make_folder.hpp>
#include <limpid/kernels/convolution_switch.hpp>

#include <ATen/Context.h>
#include <c10/core/Device.h>
#include <c10/util/Exception.h>
#include <CLI/CLI.hpp>

#include <cstdint>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "program.hpp"

// Options that several programs have.
namespace examples {

using limpid::make_folder;

/// What `read` returns; a value that it refuses is wrong usage, and the error begins with `prefix`.
template <class Read>
auto as_usage(const std::string& prefix, Read read) {
  try {
    return read();
  } catch (const c10::ValueError& error) {
    throw UsageError(prefix + error.what_without_backtrace());
  }
}

/// Takes the names of a table (`core/named.hpp`).
template <class Table>
CLI::Validator one_of(const Table& table) {
  return CLI::Validator{[&table](std::string& text) -> std::string {
                          try {
                            text = table.spelled(text);
                          } catch (const c10::ValueError& error) {
                            return error.what_without_backtrace();
                          }
                          return {};
                        },
                        ""};
}

/// The values "TASK=FORMAT:PATH[@PART]" of `option`, each task at most once.
inline std::vector<limpid::DataArgument> parse_data(const std::string& option,
                                                    const std::vector<std::string>& texts) {
  std::vector<limpid::DataArgument> arguments;
  for (const auto& text : texts) {
    auto argument = as_usage(option + ": ", [&] { return limpid::DataArgument::parse(text); });
    for (const auto& other : arguments) {
      if (other.task != argument.task) continue;
      throw UsageError(option + ": task '" + argument.task + "' is named twice");
    }
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

/// The command as one could type it, with quotes where a word needs them.
inline std::string command_line(int argc, char** argv) {
  constexpr auto kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@+%";
  std::string line;
  for (int i = 0; i < argc; ++i) {
    const std::string word = argv[i];
    const bool is_plain = !word.empty() && word.find_first_not_of(kPlain) == word.npos;
    line += i > 0 ? " " : "";
    if (is_plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char letter : word)
      line += letter == '\'' ? std::string{"'\\''"} : std::string{letter};
    line += '\'';
  }
  return line;
}

/// "cpu" or "cuda". @throws c10::Error where there is no CUDA device.
inline at::Device device_of(const std::string& name) {
  if (name != "cuda") return at::kCPU;
  TORCH_CHECK(at::hasCUDA(),
              "--device cuda: expected a CUDA device, found none that LibTorch can use");
  return at::kCUDA;
}

/// "float32", "bfloat16" or "auto".
inline limpid::Precision precision_of(const std::string& name) {
  return name == "bfloat16" ? limpid::Precision::bfloat16
         : name == "auto"   ? limpid::Precision::automatic
                            : limpid::Precision::float32;
}

/// Where and how a program computes.
struct Compute {
  std::string device = "cpu";
  std::string precision = "float32";
  std::string convolution = "exact";
  std::string memory_format = "contiguous";
  int threads = 1;
};

/// The text of --convolution.
inline std::string convolution_help() {
  return "How convolutions are computed on the CPU:\n" + limpid::kConvolutions.help();
}

/// The text of --memory-format.
inline std::string memory_format_help() {
  return "How pictures and kernels lie in memory:\n" + limpid::kMemoryFormats.help();
}

/// Adds --device, --precision, --convolution, --memory-format and --threads.
inline void add_compute(CLI::App& app, Compute& compute) {
  app.add_option("--device", compute.device, "Where to compute")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--precision", compute.precision, "Of convolutions; auto: what is fast here")
      ->check(CLI::IsMember({"float32", "bfloat16", "auto"}))
      ->capture_default_str();
  app.add_option("--convolution", compute.convolution, convolution_help())
      ->check(one_of(limpid::kConvolutions))
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--memory-format", compute.memory_format, memory_format_help())
      ->check(one_of(limpid::kMemoryFormats))
      ->capture_default_str()
      ->type_name("NAME");
  add_threads(app, compute.threads);
}

/// Adds an option that takes a whole number from `least` on.
inline void add_count(CLI::App& app, const std::string& name, std::int64_t& value,
                      const std::string& text, int least = 1) {
  app.add_option(name, value, text)
      ->check(Whole{least, 1 << 20})
      ->capture_default_str()
      ->type_name("N");
}

/// Adds --max-pixels, which holds for all pictures that the program reads.
inline void add_max_pixels(CLI::App& app) {
  app.add_option_function<std::int64_t>(
         "--max-pixels",
         [](std::int64_t pixels) {
           limpid::ImageLimits::of_process() = limpid::ImageLimits::up_to(pixels);
         },
         "Largest picture to read, height x width; from here on also where a small file asks for "
         "much memory [" +
             std::to_string(limpid::ImageLimits{}.max_pixels) + "]")
      ->check(Whole{1, std::int64_t{1} << 40})
      ->type_name("N");
}

/// Adds --tile and --overlap.
inline void add_tiling(CLI::App& app, limpid::Tiling& tiling) {
  const bool automatic = tiling.tile == limpid::Tiling::automatic;
  auto* tile = app.add_option("--tile", tiling.tile,
                              "Work in tiles of this side, pixels, to save memory; 0: the whole "
                              "picture at once")
                   ->check(Whole{0, 1 << 20})
                   ->type_name("N");
  auto* overlap = app.add_option("--overlap", tiling.overlap,
                                 automatic ? "Pixels around each tile that are restored with it"
                                           : "Pixels over which tiles are blended")
                      ->check(Whole{0, 1 << 20})
                      ->type_name("N");
  if (automatic) {
    tile->default_str("tiles where memory would not do");
    overlap->default_str("as far as the network looks");
  } else {
    tile->capture_default_str();
    overlap->capture_default_str();
  }
}

/// Adds --tiling, for programs that restore with models.
inline void add_tiling_kind(CLI::App& app, limpid::Tiling& tiling) {
  app.add_option_function<std::string>(
         "--tiling",
         [&tiling](const std::string& name) {
           tiling.kind =
               name == "approximate" ? limpid::TilingKind::approximate : limpid::TilingKind::exact;
         },
         "exact: tiles show what the whole picture would, which networks with instance norm or "
         "channel attention pay with more passes; approximate: one pass, statistics of a sample "
         "[exact]")
      ->check(CLI::IsMember({"exact", "approximate"}))
      ->type_name("NAME");
}

/// Adds --ensemble.
inline void add_ensemble(CLI::App& app, int& count) {
  app.add_option("--ensemble", count,
                 "Restore each picture in so many ways, mirrored (2, 4) and turned (8), and take "
                 "the mean: better, and so many times slower")
      ->check(CLI::IsMember({1, 2, 4, 8}))
      ->capture_default_str()
      ->type_name("N");
}

/// Stops where tiles could not be blended over --overlap pixels.
inline void check_overlap(const limpid::Tiling& tiling) {
  if (tiling.tile > 0 && 2 * tiling.overlap > tiling.tile) {
    throw UsageError("--overlap: expected at most half of --tile, got " +
                     std::to_string(tiling.overlap));
  }
}

/// What `work` returns; where memory ran out the error says what needs less.
template <class Work>
auto hinting_at_tiles(Work work) {
  try {
    return work();
  } catch (const std::exception& error) {
    if (!limpid::is_out_of_memory(error)) throw;
    limpid::fail("out of memory; smaller tiles need less: --tile 512");
  }
}

/// What the command line says of how to restore.
inline limpid::RestorerOptions restorer_options(const Compute& compute,
                                                const limpid::Tiling& tiling, int ensemble = 1) {
  if (tiling.tile > 0 && tiling.tile < 16) {
    throw UsageError("--tile: expected 0 or at least 16, got " + std::to_string(tiling.tile));
  }
  return {.tiling = tiling,
          .device = device_of(compute.device),
          .precision = precision_of(compute.precision),
          .convolution = limpid::kConvolutions.at(compute.convolution),
          .memory_format = limpid::kMemoryFormats.at(compute.memory_format),
          .ensemble = ensemble};
}

}  // namespace examples
