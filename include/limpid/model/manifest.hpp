#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/io/tensor_index.hpp>
#include <limpid/model/state_dict.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// limpid's own files are safetensors files whose metadata entry `limpid` is a JSON manifest: kind,
// format version, library version, architectures and options, tasks, and a CRC-32 for each tensor.

#ifdef LIMPID_BODIES
#include <limpid/core/checksum.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/finite.hpp>
#include <limpid/core/json_text.hpp>
#include <limpid/io/json_file.hpp>
#include <limpid/model/stored_weights.hpp>
#include <limpid/version.hpp>

#include <algorithm>
#include <cstdio>
#endif

namespace limpid::detail {

inline constexpr int kModelFormat = 1;

LIMPID_INLINE std::string checksum_of(const at::Tensor& tensor);

/// Adds a caller's own entries to a manifest.
/// @throws c10::ValueError for a key that the manifest has already.
LIMPID_INLINE void add_facts(nlohmann::json& manifest, const nlohmann::json& facts);

/// Writes tensors and manifest atomically, adding versions and checksums to the manifest.
LIMPID_INLINE void write_with_manifest(const std::filesystem::path& path, nlohmann::json manifest,
                                       TensorMap tensors);

/// A file of limpid's: tensors whose checksums hold, and its manifest.
struct ManifestFile {
  std::string source;  ///< how errors begin: "model 'PATH'"
  nlohmann::json manifest;
  TensorMap tensors;

  /// Of all tensors.
  std::size_t bytes() const;
};

/// What a safetensors file says. Weights stored with 16 bits come as float32.
/// @param kind  "model" or "checkpoint", as errors and the manifest call it.
/// @param name  as errors call the file
LIMPID_INLINE ManifestFile with_manifest(TensorFile file, const std::string& kind,
                                         const std::string& name);

LIMPID_INLINE ManifestFile read_with_manifest(const std::filesystem::path& path,
                                              const std::string& kind);

/// The task names of a manifest, in order.
LIMPID_INLINE std::vector<std::string> tasks_of(const nlohmann::json& manifest);

/// How the names of a task's tensors begin.
LIMPID_INLINE std::string decoder_prefix(std::string_view task);

/// Refuses a file whose tasks are not the model's.
LIMPID_INLINE void check_tasks(const ManifestFile& file, const std::vector<std::string>& expected);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::string checksum_of(const at::Tensor& tensor) {
  const auto plain = tensor.detach().to(at::kCPU).contiguous();
  char text[9];
  std::snprintf(text, sizeof text, "%08x", crc32(plain.data_ptr(), plain.nbytes()));
  return text;
}

LIMPID_INLINE void add_facts(nlohmann::json& manifest, const nlohmann::json& facts) {
  if (facts.is_null()) return;
  TORCH_CHECK_VALUE(facts.is_object(), "facts of a model file: expected a JSON object, got ",
                    facts.type_name());
  for (const auto& [key, value] : facts.items()) {
    const bool reserved = key == "checksums" || key == "format_version" || key == "limpid_version";
    TORCH_CHECK_VALUE(!reserved && !manifest.contains(key), "facts of a model file: '", key,
                      "' is an entry of limpid's own; call yours otherwise");
    manifest[key] = value;
  }
}

LIMPID_INLINE void write_with_manifest(const std::filesystem::path& path, nlohmann::json manifest,
                                       TensorMap tensors) {
  manifest["format_version"] = kModelFormat;
  manifest["limpid_version"] = kVersion;
  auto& checksums = manifest["checksums"] = nlohmann::json::object();
  for (auto& [name, tensor] : tensors) {
    tensor = tensor.detach().to(at::kCPU).contiguous();
    checksums[name] = checksum_of(tensor);
  }
  // Facts may hold names of files, which need not be UTF-8.
  auto text = json_line(manifest);
  write_safetensors(path, {std::move(tensors), {{"limpid", std::move(text)}}});
}

LIMPID_INLINE std::size_t ManifestFile::bytes() const {
  std::size_t all = 0;
  for (const auto& [name, tensor] : tensors) all += tensor.nbytes();
  return all;
}

LIMPID_INLINE ManifestFile with_manifest(TensorFile file, const std::string& kind,
                                         const std::string& name) {
  ManifestFile read{kind + " '" + name + "'", {}, {}};
  TORCH_CHECK(file.metadata.count("limpid") != 0, read.source, ": expected a limpid ", kind,
              ", found a safetensors file without its manifest");
  try {
    read.manifest = parse_json(file.metadata["limpid"], read.source + ": its manifest");
    TORCH_CHECK(read.manifest.at("kind") == kind, read.source, ": expected a limpid ", kind,
                ", found a ", read.manifest.at("kind").get<std::string>());
    const auto version = read.manifest.at("format_version").get<int>();
    TORCH_CHECK(version == kModelFormat, read.source, ": expected format version ", kModelFormat,
                ", found ", version, " (written by limpid ",
                read.manifest.value("limpid_version", std::string{"?"}), ")");
    const auto& checksums = read.manifest.at("checksums");
    for (const auto& [name, tensor] : file.tensors) {
      TORCH_CHECK(checksums.contains(name) && checksums[name] == checksum_of(tensor), read.source,
                  ": the checksum of tensor '", name, "' does not hold; the file is damaged");
    }
  } catch (const nlohmann::json::exception& error) {
    limpid::fail(read.source, ": its manifest is malformed (", error.what(), ")");
  }
  widen(file.tensors);
  check_finite(file.tensors, read.source);
  read.tensors = std::move(file.tensors);
  return read;
}

LIMPID_INLINE ManifestFile read_with_manifest(const std::filesystem::path& path,
                                              const std::string& kind) {
  TORCH_CHECK(std::filesystem::exists(path), kind, " '", path.string(), "': there is no such file");
  return with_manifest(read_safetensors(path), kind, path.string());
}

LIMPID_INLINE std::vector<std::string> tasks_of(const nlohmann::json& manifest) {
  std::vector<std::string> names;
  for (const auto& task : manifest.at("tasks")) names.push_back(task.at("name"));
  return names;
}

LIMPID_INLINE std::string decoder_prefix(std::string_view task) {
  return "decoder." + std::string{task} + ".";
}

LIMPID_INLINE void check_tasks(const ManifestFile& file, const std::vector<std::string>& expected) {
  auto found = tasks_of(file.manifest);
  auto wanted = expected;
  std::sort(found.begin(), found.end());
  std::sort(wanted.begin(), wanted.end());
  TORCH_CHECK(found == wanted, file.source, ": expected the tasks ", listed(wanted), ", found ",
              listed(found));
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
