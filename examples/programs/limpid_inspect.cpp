// What is in a file of tensors: safetensors, limpid's models and checkpoints, PyTorch's .pth (zip
// and legacy), NumPy's .npz and .npy, told apart by what they hold. Nothing in them is executed:
//
//   limpid-inspect run/model.limpid
//   limpid-inspect --checksums --names 'features.*' vgg19.pth
#include <limpid/core/json_text.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/io/tensor_file.hpp>
#include <limpid/model/model_file.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "program.hpp"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// The command line.
struct Plan {
  std::vector<fs::path> files;
  std::string names = "*";
  fs::path json;
  bool checksums = false;
};

/// Whether `text` fits `pattern`, in which * stands for anything and ? for one character.
bool fits(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = pattern.npos, retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

std::string type_name(at::ScalarType type) {
  for (const auto& known : limpid::detail::kTorchTypes) {
    if (known.type == type) return std::string{known.dtype.substr(known.dtype.find('.') + 1)};
  }
  return c10::toString(type);
}

std::string shape_text(const at::Tensor& tensor) {
  std::string text;
  for (const auto side : tensor.sizes()) text += (text.empty() ? "" : " x ") + std::to_string(side);
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

/// The manifest of a file of limpid's, without the checksums, and the tensors that do not fit
/// those.
struct Manifest {
  json facts;
  std::vector<std::string> damaged;
};

Manifest manifest_of(const fs::path& path, const limpid::TensorFile& file) {
  Manifest manifest;
  try {
    manifest.facts = json::parse(file.metadata.at("limpid"));
    const auto checksums = manifest.facts.at("checksums").get<std::map<std::string, std::string>>();
    for (const auto& [name, tensor] : file.tensors) {
      const auto known = checksums.find(name);
      if (known == checksums.end() || known->second != limpid::detail::checksum_of(tensor)) {
        manifest.damaged.push_back(name);
      }
    }
    for (const auto& [name, checksum] : checksums) {
      if (file.tensors.count(name) == 0) manifest.damaged.push_back(name);
    }
    manifest.facts.erase("checksums");
  } catch (const json::exception& error) {
    TORCH_CHECK(false, "'", path.string(), "': its manifest is malformed (", error.what(), ")");
  }
  return manifest;
}

void print_text(const std::string& name, const std::string& value) {
  constexpr std::size_t kLongest = 120;
  examples::print("  %s: %s\n", limpid::printable(name).c_str(),
                  limpid::printable(value, kLongest).c_str());
}

/// One line each, the first few of them.
void print_metadata(const limpid::RecognisedFile& file) {
  constexpr std::size_t kShown = 20;
  std::size_t shown = 0;
  for (const auto& [name, value] : file.metadata) {
    if (name == "limpid" && file.format == limpid::TensorFormat::limpid) continue;
    if (++shown <= kShown) print_text(name, value);
  }
  if (shown > kShown) examples::print("  and %zu more entries (--json has all)\n", shown - kShown);
}

void print_manifest(const Manifest& manifest) {
  for (const auto& [name, value] : manifest.facts.items()) {
    const auto text = value.is_string() ? value.get<std::string>() : limpid::json_line(value);
    print_text(name, text);
  }
  if (manifest.damaged.empty()) examples::print("  checksums: all hold\n");
  for (const auto& name : manifest.damaged) {
    examples::print("  damaged: %s\n", limpid::printable(name).c_str());
  }
}

void print_tensors(const limpid::TensorFile& file, const Plan& plan) {
  std::size_t name_width = 4, shape_width = 5;
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file.tensors) {
    if (!fits(plan.names, name)) continue;
    names.push_back(name);
    name_width = std::max(name_width, limpid::printable(name).size());
    shape_width = std::max(shape_width, shape_text(tensor).size());
  }
  for (const auto& name : names) {
    const auto& tensor = file.tensors.at(name);
    const int type_width = plan.checksums ? 8 : 0;
    examples::print("  %-*s  %-*s  %-*s", static_cast<int>(name_width),
                    limpid::printable(name).c_str(), static_cast<int>(shape_width),
                    shape_text(tensor).c_str(), type_width,
                    type_name(tensor.scalar_type()).c_str());
    if (plan.checksums) examples::print("  %s", limpid::detail::checksum_of(tensor).c_str());
    examples::print("\n");
  }
  if (names.size() < file.tensors.size()) {
    examples::print("  %zu of %zu tensors fit '%s'\n", names.size(), file.tensors.size(),
                    limpid::printable(plan.names).c_str());
  }
}

json to_json(const fs::path& path, const limpid::RecognisedFile& file, const Manifest& manifest,
             const Plan& plan) {
  json tensors = json::array();
  for (const auto& [name, tensor] : file.tensors) {
    if (!fits(plan.names, name)) continue;
    tensors.push_back({{"name", name},
                       {"shape", tensor.sizes().vec()},
                       {"type", type_name(tensor.scalar_type())}});
    if (plan.checksums) tensors.back()["crc32"] = limpid::detail::checksum_of(tensor);
  }
  json facts{{"file", path.string()},
             {"format", std::string{name_of(file.format)}},
             {"bytes", fs::file_size(path)},
             {"tensors", std::move(tensors)},
             {"metadata", file.metadata}};
  if (file.format == limpid::TensorFormat::limpid) {
    facts["metadata"].erase("limpid");
    facts["manifest"] = manifest.facts;
    facts["damaged"] = manifest.damaged;
  }
  return facts;
}

/// @return what --json says of it, and whether the file is whole.
std::pair<json, bool> inspect(const fs::path& path, const Plan& plan) {
  const auto file = limpid::read_tensor_file(path);
  const bool is_limpid = file.format == limpid::TensorFormat::limpid;
  const auto manifest = is_limpid ? manifest_of(path, file) : Manifest{};
  if (plan.json != "-") {
    std::int64_t numbers = 0;
    for (const auto& [name, tensor] : file.tensors) numbers += tensor.numel();
    examples::print("%s: %s, %s, %zu tensor%s, %lld number%s\n", path.string().c_str(),
                    std::string{name_of(file.format)}.c_str(),
                    bytes_text(static_cast<double>(fs::file_size(path))).c_str(),
                    file.tensors.size(), file.tensors.size() == 1 ? "" : "s",
                    static_cast<long long>(numbers), numbers == 1 ? "" : "s");
    if (is_limpid) print_manifest(manifest);
    print_metadata(file);
    print_tensors(file, plan);
  }
  for (const auto& name : manifest.damaged) {
    examples::complain("limpid-inspect: '" + path.string() + "': the checksum of tensor '" + name +
                       "' does not hold");
  }
  return {plan.json.empty() ? json{} : to_json(path, file, manifest, plan),
          manifest.damaged.empty()};
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
      ".pth, NumPy's .npz and .npy. Nothing in them is executed.",
      "limpid-inspect"};
  Plan plan;
  app.add_option("FILE", plan.files, "Files to look into")->required();
  app.add_option("--names", plan.names,
                 "Only tensors that fit this; * is anything, ? one character")
      ->type_name("PATTERN");
  app.add_flag("--checksums", plan.checksums, "Show the CRC-32 of each tensor's bytes");
  examples::add_json(app, plan.json, "Write it as JSON");
  return examples::run_program(app, argc, argv, [&] { return inspect_all(plan); });
}
