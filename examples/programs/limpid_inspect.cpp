// What is in a file of tensors: safetensors, limpid's models and checkpoints, PyTorch's .pth (zip
// and legacy), NumPy's .npz and .npy, told apart by what they hold. Nothing in them is executed,
// and no number is read unless it is asked for:
//
//   limpid-inspect run/model.limpid
//   limpid-inspect --stats --checksums --names 'features.*' vgg19.pth
#include <limpid/core/checksum.hpp>
#include <limpid/core/finite.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/io/json_file.hpp>
#include <limpid/io/tensor_file.hpp>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include <fnmatch.h>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "program.hpp"

namespace {

namespace fs = std::filesystem;
using limpid::IndexedTensor, limpid::printable, limpid::RecognisedIndex;
using nlohmann::json;

/// The command line.
struct Plan {
  std::vector<fs::path> files;
  std::string names = "*";
  fs::path json;
  bool checksums = false, stats = false;

  bool reads_numbers() const { return checksums || stats; }
  bool shows(const std::string& name) const { return fnmatch(names.c_str(), name.c_str(), 0) == 0; }
};

std::string shape_text(const IndexedTensor& tensor) {
  std::string text;
  for (const auto side : tensor.shape) text += (text.empty() ? "" : " x ") + std::to_string(side);
  return text.empty() ? "scalar" : text;
}

std::string bytes_text(double bytes) {
  constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB"};
  int unit = 0;
  while (bytes >= 1000 && unit < 4) {
    bytes /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
  return text;
}

std::string hexadecimal(std::uint32_t number) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", number);
  return text;
}

/// What the numbers of a tensor are like. Those that are not finite count and are left out.
struct Stats {
  std::int64_t not_finite = 0;
  double lowest = 0, highest = 0, mean = 0, deviation = 0;
};

/// In pieces, each widened by itself.
/// Source: Chan, Golub and LeVeque, "Algorithms for Computing the Sample Variance", 1983, of the
/// mean and the squares of two parts.
std::optional<Stats> stats_of(const at::Tensor& tensor) {
  if (tensor.is_complex() || tensor.numel() == 0) return std::nullopt;
  constexpr std::int64_t kPiece = 1 << 20;
  Stats stats;
  double count = 0, squares = 0;
  for (const auto& piece : tensor.reshape({-1}).split(kPiece)) {
    auto values = piece.to(at::kDouble);
    if (!limpid::is_finite(piece)) values = values.masked_select(at::isfinite(values));
    stats.not_finite += piece.numel() - values.numel();
    if (values.numel() == 0) continue;
    const auto lowest = values.min().item<double>(), highest = values.max().item<double>();
    stats.lowest = count > 0 ? std::min(stats.lowest, lowest) : lowest;
    stats.highest = count > 0 ? std::max(stats.highest, highest) : highest;
    const auto more = static_cast<double>(values.numel());
    const auto mean = values.mean().item<double>(), apart = mean - stats.mean;
    squares += (values - mean).square_().sum().item<double>() +
               apart * apart * count * more / (count + more);
    stats.mean += apart * more / (count + more);
    count += more;
  }
  if (count > 0) stats.deviation = std::sqrt(squares / count);
  return stats;
}

/// One tensor, as far as it was asked for.
struct Row {
  std::string name, checksum;
  std::optional<Stats> stats;
};

/// What a file says, and what its numbers are like where that was asked for.
struct Findings {
  std::vector<Row> rows;
  json manifest;                     ///< of a file of limpid's, without its checksums
  std::vector<std::string> damaged;  ///< tensors that do not fit their checksums there
};

/// Parses a manifest; takes its checksums out.
std::map<std::string, std::string> take_checksums(const std::string& where, json& manifest) {
  try {
    auto checksums = manifest.at("checksums").get<std::map<std::string, std::string>>();
    manifest.erase("checksums");
    return checksums;
  } catch (const json::exception& error) {
    limpid::fail(where, " is malformed (", printable(error.what()), ")");
  }
}

/// Goes through the tensors, one in memory at a time.
Findings look_into(const fs::path& path, const RecognisedIndex& file, const Plan& plan) {
  Findings found;
  std::map<std::string, std::string> known;
  const bool is_limpid = file.format == limpid::TensorFormat::limpid;
  if (is_limpid) {
    const auto where = "'" + path.string() + "': its manifest";
    found.manifest = limpid::parse_json(file.metadata.at("limpid"), where);
    known = take_checksums(where, found.manifest);
    for (const auto& [name, checksum] : known) {
      if (file.tensors.count(name) == 0) found.damaged.push_back(name);
    }
  }
  for (const auto& [name, tensor] : file.tensors) {
    const bool is_shown = plan.shows(name);
    Row row{name, {}, {}};
    if (plan.reads_numbers() && (is_shown || (is_limpid && plan.checksums))) {
      const auto numbers = tensor.read();
      if (plan.checksums) {
        row.checksum = hexadecimal(limpid::crc32(numbers.data_ptr(), numbers.nbytes()));
      }
      if (plan.stats && is_shown) row.stats = stats_of(numbers);
    }
    const auto expected = known.find(name);
    const bool holds =
        expected != known.end() && (row.checksum.empty() || row.checksum == expected->second);
    if (is_limpid && !holds) found.damaged.push_back(name);
    if (is_shown) found.rows.push_back(std::move(row));
  }
  return found;
}

void print_text(const std::string& name, const std::string& value) {
  constexpr std::size_t kLongest = 120;
  examples::print("  %s: %s\n", printable(name).c_str(), printable(value, kLongest).c_str());
}

/// One line each, the first few of them.
template <class Texts>
void print_texts(const Texts& texts, const char* before, const char* what) {
  constexpr std::size_t kShown = 20;
  std::size_t shown = 0;
  for (const auto& [name, value] : texts) {
    if (++shown <= kShown) print_text(before + name, value);
  }
  if (shown > kShown) examples::print("  and %zu more %s (--json has all)\n", shown - kShown, what);
}

/// What a router leads to, without its numbers.
std::string router_text(const json& router) {
  try {
    std::string text;
    for (const auto& line : router.at("tasks")) {
      char from[40];
      std::snprintf(from, sizeof from, " from %.2g on",
                    line.value("sure", router.at("sure").get<double>()));
      text += (text.empty() ? "" : ", ") + line.at("task").get<std::string>() + from;
    }
    char rest[40];
    std::snprintf(rest, sizeof rest, "; by %zu features", router.at("mean").size());
    return text + rest;
  } catch (const json::exception& error) {
    return std::string{"malformed ("} + error.what() + ")";
  }
}

void print_manifest(const Findings& found, const Plan& plan) {
  for (const auto& [name, value] : found.manifest.items()) {
    if (name == "router") {
      print_text(name, router_text(value));
      continue;
    }
    print_text(name,
               value.is_string() ? value.get<std::string>() : limpid::json_excerpt(value, 120));
  }
  if (found.damaged.empty()) {
    examples::print("  checksums: %s\n",
                    plan.checksums ? "all hold" : "not compared (--checksums)");
  }
  for (const auto& name : found.damaged)
    examples::print("  damaged: %s\n", printable(name).c_str());
}

void print_tensors(const RecognisedIndex& file, const Findings& found, const Plan& plan) {
  std::size_t name_width = 4, shape_width = 5, type_width = 0;
  for (const auto& row : found.rows) {
    const auto& tensor = file.tensors.at(row.name);
    name_width = std::max(name_width, printable(row.name).size());
    shape_width = std::max(shape_width, shape_text(tensor).size());
    if (plan.reads_numbers()) type_width = std::max(type_width, tensor.stored.size());
  }
  for (const auto& row : found.rows) {
    const auto& tensor = file.tensors.at(row.name);
    examples::print("  %-*s  %-*s  %-*s", static_cast<int>(name_width), printable(row.name).c_str(),
                    static_cast<int>(shape_width), shape_text(tensor).c_str(),
                    static_cast<int>(type_width), tensor.stored.c_str());
    if (plan.checksums) examples::print("  %s", row.checksum.c_str());
    if (row.stats) {
      const auto& stats = *row.stats;
      examples::print("  %.4g to %.4g, mean %.4g, deviation %.4g", stats.lowest, stats.highest,
                      stats.mean, stats.deviation);
      if (stats.not_finite > 0) {
        examples::print(", not finite: %lld", static_cast<long long>(stats.not_finite));
      }
    }
    examples::print("\n");
  }
  if (found.rows.size() < file.tensors.size()) {
    examples::print("  %zu of %zu tensors fit '%s'\n", found.rows.size(), file.tensors.size(),
                    printable(plan.names).c_str());
  }
}

void print(const fs::path& path, const RecognisedIndex& file, const Findings& found,
           const Plan& plan) {
  std::int64_t numbers = 0;
  for (const auto& [name, tensor] : file.tensors) numbers += tensor.numel();
  examples::print("%s: %s, %s, %zu tensor%s, %lld number%s\n",
                  printable(path.string(), 4096).c_str(), std::string{name_of(file.format)}.c_str(),
                  bytes_text(static_cast<double>(fs::file_size(path))).c_str(), file.tensors.size(),
                  file.tensors.size() == 1 ? "" : "s", static_cast<long long>(numbers),
                  numbers == 1 ? "" : "s");
  auto metadata = file.metadata;
  if (file.format == limpid::TensorFormat::limpid) {
    print_manifest(found, plan);
    metadata.erase("limpid");
  }
  print_texts(metadata, "", "entries");
  print_texts(file.passed_over, "passed over: ", "that are passed over");
  print_tensors(file, found, plan);
}

json to_json(const fs::path& path, const RecognisedIndex& file, const Findings& found) {
  json tensors = json::array();
  for (const auto& row : found.rows) {
    const auto& tensor = file.tensors.at(row.name);
    tensors.push_back({{"name", row.name}, {"shape", tensor.shape}, {"type", tensor.stored}});
    if (!row.checksum.empty()) tensors.back()["crc32"] = row.checksum;
    if (row.stats) {
      const auto& stats = *row.stats;
      tensors.back()["stats"] = {{"min", stats.lowest},
                                 {"max", stats.highest},
                                 {"mean", stats.mean},
                                 {"std", stats.deviation},
                                 {"not_finite", stats.not_finite}};
    }
  }
  json facts{{"file", path.string()},           {"format", std::string{name_of(file.format)}},
             {"bytes", fs::file_size(path)},    {"tensors", std::move(tensors)},
             {"passed_over", file.passed_over}, {"metadata", file.metadata}};
  if (file.format == limpid::TensorFormat::limpid) {
    facts["metadata"].erase("limpid");
    facts["manifest"] = found.manifest;
    facts["damaged"] = found.damaged;
  }
  return facts;
}

/// @return what --json says of it, and whether the file is whole.
std::pair<json, bool> inspect(const fs::path& path, const Plan& plan) {
  const auto file = limpid::index_tensor_file(path);
  const auto found = look_into(path, file, plan);
  print(path, file, found, plan);
  for (const auto& name : found.damaged) {
    examples::complain("limpid-inspect: '" + path.string() + "': the checksum of tensor '" + name +
                       "' does not hold");
  }
  return {plan.json.empty() ? json{} : to_json(path, file, found), found.damaged.empty()};
}

int inspect_all(const Plan& plan) {
  examples::try_output("--json", plan.json);
  int code = 0;
  json all = json::array();
  for (const auto& path : plan.files) {
    try {
      auto [facts, is_whole] = inspect(path, plan);
      if (!is_whole) code = 1;
      all.push_back(std::move(facts));
    } catch (const c10::Error& error) {
      examples::complain(std::string{"limpid-inspect: "} + error.what_without_backtrace());
      code = 1;
    }
  }
  examples::write_json(plan.json, all);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Shows what files of tensors hold: safetensors, limpid's models and checkpoints, PyTorch's "
      ".pth, NumPy's .npz and .npy. Nothing in them is executed; numbers are read only for "
      "--checksums and --stats.",
      "limpid-inspect"};
  Plan plan;
  app.add_option("FILE", plan.files, "Files to look into")->required();
  app.add_option("--names", plan.names,
                 "Only tensors that fit this, as the shell matches names: *, ?, [a-z]")
      ->type_name("PATTERN");
  app.add_flag("--checksums", plan.checksums,
               "Show the CRC-32 of each tensor's bytes; of limpid's files, compare them");
  app.add_flag("--stats", plan.stats,
               "Show lowest, highest, mean and deviation of each tensor, and what is not finite");
  examples::add_json(app, plan.json, "Write it as JSON");
  return examples::run_program(app, argc, argv, [&] { return inspect_all(plan); });
}
