#pragma once

#include <limpid/core/json_text.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/io/check_bools.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace limpid {

/// Named tensors and the free-text metadata of one file.
struct TensorFile {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

namespace detail {

struct SafetensorsType {
  const char* name;
  at::ScalarType type;
};

inline constexpr SafetensorsType kSafetensorsTypes[] = {
    {"F32", at::kFloat}, {"F64", at::kDouble}, {"F16", at::kHalf},  {"BF16", at::kBFloat16},
    {"I64", at::kLong},  {"I32", at::kInt},    {"I16", at::kShort}, {"I8", at::kChar},
    {"U8", at::kByte},   {"BOOL", at::kBool},
};

inline const char* safetensors_name(at::ScalarType type) {
  for (const auto& known : kSafetensorsTypes) {
    if (known.type == type) return known.name;
  }
  TORCH_CHECK(false, "safetensors has no name for the type ", type);
}

/// One entry of a safetensors header, checked against the size of the file's data.
struct SafetensorsEntry {
  at::ScalarType type;
  std::vector<std::int64_t> shape;
  std::uint64_t begin;
  std::uint64_t end;
};

inline SafetensorsEntry parse_safetensors_entry(const nlohmann::json& entry,
                                                std::uint64_t data_size) {
  SafetensorsEntry parsed{};
  const auto type_name = entry.at("dtype").get<std::string>();
  const auto* known = std::find_if(std::begin(kSafetensorsTypes), std::end(kSafetensorsTypes),
                                   [&](const auto& type) { return type_name == type.name; });
  TORCH_CHECK(known != std::end(kSafetensorsTypes), "unknown type '", type_name, "'");
  parsed.type = known->type;

  std::uint64_t bytes = c10::elementSize(parsed.type);
  const auto& shape = entry.at("shape");
  TORCH_CHECK(shape.is_array(), "a shape with ", json_excerpt(shape));
  for (const auto& side : shape) {
    TORCH_CHECK(side.is_number_unsigned(), "a shape with ", json_excerpt(side));
    const auto length = side.get<std::uint64_t>();
    // The product stays below the file's size, so it cannot overflow, except through zeros.
    TORCH_CHECK(length <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) &&
                    (length == 0 || bytes <= data_size / length || bytes == 0),
                "a shape larger than the file");
    bytes *= length;
    parsed.shape.push_back(static_cast<std::int64_t>(length));
  }
  const auto& offsets = entry.at("data_offsets");
  TORCH_CHECK(offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() &&
                  offsets[1].is_number_unsigned(),
              "offsets ", json_excerpt(offsets));
  parsed.begin = offsets[0].get<std::uint64_t>();
  parsed.end = offsets[1].get<std::uint64_t>();
  TORCH_CHECK(
      parsed.begin <= parsed.end && parsed.end <= data_size && parsed.end - parsed.begin == bytes,
      "offsets ", json_excerpt(offsets), " that do not hold its shape");
  return parsed;
}

}  // namespace detail

/// Reads a safetensors file: an 8-byte little-endian header length, a JSON header, the data.
///
/// Source: the format's description, https://huggingface.co/docs/safetensors.
/// Every offset, shape and type is checked before memory is taken; nothing is executed.
///
/// @throws c10::Error that names the file (and the tensor) and what is wrong with it.
inline TensorFile read_safetensors(const std::filesystem::path& path) {
  const auto where = [&] { return "cannot read safetensors file '" + path.string() + "': "; };
  std::error_code ignored;
  TORCH_CHECK(!std::filesystem::is_directory(path, ignored), where(), "it is a folder");
  errno = 0;
  std::ifstream stream{path, std::ios::binary};
  TORCH_CHECK(stream.is_open(), where(), std::strerror(errno));
  stream.seekg(0, std::ios::end);
  const auto file_size = static_cast<std::uint64_t>(stream.tellg());
  stream.seekg(0);

  constexpr std::uint64_t kLargestHeader = 100'000'000;
  unsigned char length_bytes[8] = {};
  TORCH_CHECK(file_size >= 8 && stream.read(reinterpret_cast<char*>(length_bytes), 8), where(),
              "expected a header length of 8 bytes, found a file of ", file_size);
  std::uint64_t header_size = 0;
  for (int i = 7; i >= 0; --i) header_size = header_size << 8 | length_bytes[i];
  TORCH_CHECK(header_size <= kLargestHeader && header_size <= file_size - 8, where(),
              "its header says ", header_size, " bytes, the file has ", file_size,
              " (cut short, or not safetensors)");
  std::string header(header_size, '\0');
  TORCH_CHECK(stream.read(header.data(), static_cast<std::streamsize>(header_size)), where(),
              "its header cannot be read");
  const auto data_size = file_size - 8 - header_size;

  TensorFile file;
  std::string current = "header";
  std::uint64_t claimed = 0;
  try {
    const auto json = nlohmann::json::parse(header);
    TORCH_CHECK(json.is_object(), "not a JSON object");
    for (const auto& [name, entry] : json.items()) {
      current = "tensor '" + name + "'";
      if (name == "__metadata__") {
        current = "metadata";
        file.metadata = entry.get<std::map<std::string, std::string>>();
        continue;
      }
      const auto parsed = detail::parse_safetensors_entry(entry, data_size);
      claimed += parsed.end - parsed.begin;
      TORCH_CHECK(claimed <= data_size, "data that another tensor has too");
      auto tensor = at::empty(parsed.shape, parsed.type);
      if (parsed.end > parsed.begin) {
        stream.seekg(static_cast<std::streamoff>(8 + header_size + parsed.begin));
        TORCH_CHECK(stream.read(static_cast<char*>(tensor.data_ptr()),
                                static_cast<std::streamsize>(parsed.end - parsed.begin)),
                    "its data cannot be read");
        detail::check_bools(tensor);
      }
      file.tensors.emplace(name, std::move(tensor));
    }
  } catch (const c10::Error& error) {
    TORCH_CHECK(false, where(), current, " has ", error.what_without_backtrace());
  } catch (const nlohmann::json::exception& error) {
    TORCH_CHECK(false, where(), current, " is malformed (", error.what(), ")");
  }
  return file;
}

/// Writes a safetensors file atomically: what stood at `path` stays until the new file is whole.
/// Tensors of any device and stride are written as contiguous CPU values, largest type first as
/// the format's own writer does, then by name.
inline void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  std::vector<std::pair<std::string, at::Tensor>> ordered;
  for (const auto& [name, tensor] : file.tensors) {
    TORCH_CHECK(name != "__metadata__", "safetensors: a tensor cannot be called __metadata__");
    ordered.emplace_back(name, tensor.detach().to(at::kCPU).contiguous());
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });

  nlohmann::json header = nlohmann::json::object();
  if (!file.metadata.empty()) header["__metadata__"] = file.metadata;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : ordered) {
    const auto bytes = static_cast<std::uint64_t>(tensor.nbytes());
    header[name] = {{"dtype", detail::safetensors_name(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  auto text = json_line(header);
  text.append((8 - text.size() % 8) % 8, ' ');

  write_atomically(path, [&](std::ostream& stream) {
    char length_bytes[8];
    for (int i = 0; i < 8; ++i) length_bytes[i] = static_cast<char>(text.size() >> (8 * i));
    stream.write(length_bytes, 8);
    stream << text;
    for (const auto& [name, tensor] : ordered) {
      stream.write(static_cast<const char*>(tensor.data_ptr()),
                   static_cast<std::streamsize>(tensor.nbytes()));
    }
  });
}

}  // namespace limpid
