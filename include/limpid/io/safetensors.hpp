#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/io/input_file.hpp>
#include <limpid/io/tensor_index.hpp>
#include <limpid/io/tensor_types.hpp>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/json_text.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/io/check_bools.hpp>
#include <limpid/io/json_file.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <limits>
#endif

namespace limpid {

namespace detail {

/// One entry of a safetensors header, checked against the size of the file's data.
struct SafetensorsEntry {
  std::string type;                   ///< as the format calls it
  const TensorType* known = nullptr;  ///< nothing of a type that limpid does not read
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

LIMPID_INLINE SafetensorsEntry parse_safetensors_entry(const nlohmann::json& entry,
                                                       std::uint64_t data_size);

/// The index of an open file.
LIMPID_INLINE TensorIndex index_safetensors(const std::shared_ptr<InputFile>& file);

}  // namespace detail

/// What a safetensors file says of its tensors: an 8-byte little-endian header length, a JSON
/// header, the data, which are not read yet.
///
/// Source: the format's description, https://huggingface.co/docs/safetensors.
/// Every offset, shape and type is checked before memory is taken; nothing is executed. 8-bit
/// floats become float, unsigned numbers wider signed ones; tensors of types that limpid does not
/// know are passed over.
///
/// @throws c10::Error that names the file (and the tensor) and what is wrong with it.
LIMPID_INLINE TensorIndex index_safetensors(const std::filesystem::path& path);

/// Reads a safetensors file: the tensors of `index_safetensors`, all of them.
/// @throws c10::Error that names the file (and the tensor) and what is wrong with it.
LIMPID_INLINE TensorFile read_safetensors(const std::filesystem::path& path);

/// The same from the bytes of a file in memory; errors call it `name`.
LIMPID_INLINE TensorFile read_safetensors(std::string_view bytes, const std::string& name);

/// Writes a safetensors file atomically: what stood at `path` stays until the new file is whole.
/// Tensors of any device and stride are written as contiguous CPU values, largest type first as
/// the format's own writer does, then by name.
LIMPID_INLINE void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE SafetensorsEntry parse_safetensors_entry(const nlohmann::json& entry,
                                                       std::uint64_t data_size) {
  SafetensorsEntry parsed;
  parsed.type = entry.at("dtype").get<std::string>();
  parsed.known = find_tensor_type(&TensorType::safetensors, parsed.type);
  std::uint64_t bytes =
      parsed.known != nullptr ? static_cast<std::uint64_t>(parsed.known->bytes) : 0;
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
  TORCH_CHECK(parsed.begin <= parsed.end && parsed.end <= data_size &&
                  (parsed.known == nullptr || parsed.end - parsed.begin == bytes),
              "offsets ", json_excerpt(offsets), " that do not hold its shape");
  return parsed;
}

LIMPID_INLINE TensorIndex index_safetensors(const std::shared_ptr<InputFile>& file) {
  constexpr std::uint64_t kLargestHeader = 100'000'000;
  const auto& where = file->where();
  TORCH_CHECK(file->size() >= 8, where, "expected a header length of 8 bytes, found a file of ",
              file->size());
  const auto length_bytes = file->read(0, 8);
  std::uint64_t header_size = 0;
  for (int i = 7; i >= 0; --i) {
    header_size =
        header_size << 8 | static_cast<unsigned char>(length_bytes[static_cast<std::size_t>(i)]);
  }
  TORCH_CHECK(header_size <= kLargestHeader && header_size <= file->size() - 8, where,
              "its header says ", header_size, " bytes, the file has ", file->size(),
              " (cut short, or not safetensors)");
  const auto data_start = 8 + header_size, data_size = file->size() - data_start;

  TensorIndex index;
  // An entry's offsets are nested three deep.
  const auto json = parse_json(file->read(8, header_size), where + "its header",
                               {.bytes = kLargestHeader, .depth = 8});
  TORCH_CHECK(json.is_object(), where, "its header: expected a JSON object, found ",
              json_excerpt(json));
  std::string current;
  std::uint64_t claimed = 0;
  try {
    for (const auto& [name, value] : json.items()) {
      current = "tensor '" + printable(name) + "'";
      if (name == "__metadata__") {
        current = "metadata";
        index.metadata = value.get<std::map<std::string, std::string>>();
        continue;
      }
      auto entry = parse_safetensors_entry(value, data_size);
      claimed += entry.end - entry.begin;
      TORCH_CHECK(claimed <= data_size, "data that another tensor has too");
      if (entry.known == nullptr) {
        index.passed_over[name] = "a tensor of type '" + printable(entry.type, 40) + "'";
        continue;
      }
      auto read = [file, entry, data_start, current] {
        const auto size = entry.end - entry.begin;
        at::Tensor tensor;
        if (entry.known->packing == Packing::plain) {
          tensor = at::empty(entry.shape, entry.known->type);
          file->read(data_start + entry.begin, tensor.data_ptr(), size);
        } else {
          const auto bytes = file->read(data_start + entry.begin, size);
          tensor = unpacked(*entry.known, bytes.data(), entry.shape);
        }
        try {
          check_bools(tensor);
        } catch (const c10::Error& error) {
          limpid::fail(file->where(), current, " has ", error.what_without_backtrace());
        }
        return tensor;
      };
      index.tensors[name] = {std::string{entry.known->name}, entry.known->type, entry.shape,
                             std::move(read)};
    }
  } catch (const c10::Error& error) {
    limpid::fail(where, current, " has ", error.what_without_backtrace());
  } catch (const nlohmann::json::exception& error) {
    limpid::fail(where, current, " is malformed (", printable(error.what()), ")");
  }
  return index;
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE TensorIndex index_safetensors(const std::filesystem::path& path) {
  return detail::index_safetensors(std::make_shared<InputFile>(path, "safetensors file"));
}

LIMPID_INLINE TensorFile read_safetensors(const std::filesystem::path& path) {
  return read_all(index_safetensors(path));
}

LIMPID_INLINE TensorFile read_safetensors(std::string_view bytes, const std::string& name) {
  return read_all(
      detail::index_safetensors(std::make_shared<InputFile>(bytes, name, "safetensors file")));
}

LIMPID_INLINE void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
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
    const auto* type = detail::find_tensor_type(tensor.scalar_type());
    TORCH_CHECK(type != nullptr && !type->safetensors.empty(),
                "safetensors has no name for the type ", tensor.scalar_type(), " of '", name, "'");
    header[name] = {{"dtype", type->safetensors},
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

#endif  // LIMPID_BODIES
