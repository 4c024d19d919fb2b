#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/input_file.hpp>
#include <limpid/io/tensor_index.hpp>
#include <limpid/io/tensor_types.hpp>

#include <ATen/core/Tensor.h>

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
#include <limpid/core/printable.hpp>
#include <limpid/io/check_bools.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <limits>
#endif

namespace limpid {

namespace detail {

/// The header of a .npy file: a Python dictionary of three entries.
class NpyHeader {
 public:
  std::string type;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;

  explicit NpyHeader(std::string_view text);

 private:
  char next();

  bool accept(char wanted);

  void expect(char wanted);

  std::string quoted();

  bool boolean();

  void read_shape();

  std::int64_t number();

  std::string_view text_;
  std::size_t at_ = 0;
};

/// What a .npy file says of its array before the numbers.
struct NpyLayout {
  const TensorType* type = nullptr;  ///< nothing of a type that limpid does not read
  std::string type_name;
  std::vector<std::int64_t> shape;
  bool fortran_order = false;
  std::uint64_t start = 0;  ///< where the numbers begin
  std::uint64_t size = 0;   ///< their bytes
};

/// The most that a header takes in files of NumPy's, and far more than arrays of numbers need.
inline constexpr std::uint64_t kNpyHeader = 12 + 65536;

/// The layout of a .npy file that begins with `bytes` (all of it, or `kNpyHeader` bytes) and has
/// `total`. Errors say what it has that it should not.
LIMPID_INLINE NpyLayout npy_layout(std::string_view bytes, std::uint64_t total);

/// "a structured type", "type '|O'": what keeps an array from being read.
LIMPID_INLINE std::string npy_type_text(const NpyLayout& layout);

/// The array whose numbers begin at `bytes`.
LIMPID_INLINE at::Tensor npy_array(const NpyLayout& layout, const char* bytes);

}  // namespace detail

/// What a .npy file says of its array, called "array", whose numbers are not read yet.
/// @throws c10::Error that names the file and what is wrong with it.
LIMPID_INLINE TensorIndex index_npy(const std::filesystem::path& path);

/// Reads the array of a .npy file.
///
/// Source: NumPy, "numpy.lib.format", versions 1.0 to 3.0.
/// @return a contiguous tensor of the stored type (f2 f4 f8 c8 c16 i1 i2 i4 i8 u1 b1,
/// little-endian); u2 becomes int32 and u4 int64. Objects and structured types are refused; nothing
/// is executed.
/// @throws c10::Error that names the file and what is wrong with it.
LIMPID_INLINE at::Tensor read_npy(const std::filesystem::path& path);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE NpyHeader::NpyHeader(std::string_view text) : text_(text) {
  bool has_type = false, has_order = false, has_shape = false;
  expect('{');
  while (!accept('}')) {
    const auto key = quoted();
    expect(':');
    if (key == "descr" && !has_type) {
      if (next() == '[') return;  // a structured type: nothing that limpid reads
      type = quoted();
      has_type = true;
    } else if (key == "fortran_order" && !has_order) {
      fortran_order = boolean();
      has_order = true;
    } else if (key == "shape" && !has_shape) {
      read_shape();
      has_shape = true;
    } else {
      limpid::fail("a header with the entry '", printable(key), "'");
    }
    if (!accept(',')) {
      expect('}');
      break;
    }
  }
  TORCH_CHECK(next() == '\0', "a header with more than a dictionary");
  TORCH_CHECK(has_type && has_order && has_shape, "a header without descr, fortran_order or shape");
}

LIMPID_INLINE char NpyHeader::next() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  return at_ < text_.size() ? text_[at_] : '\0';
}

LIMPID_INLINE bool NpyHeader::accept(char wanted) {
  if (next() != wanted || at_ >= text_.size()) return false;
  ++at_;
  return true;
}

LIMPID_INLINE void NpyHeader::expect(char wanted) {
  TORCH_CHECK(accept(wanted), "a malformed header (expected '", wanted, "' at ", at_, ")");
}

LIMPID_INLINE std::string NpyHeader::quoted() {
  const auto quote = next();
  TORCH_CHECK(quote == '\'' || quote == '"', "a malformed header (expected a string at ", at_, ")");
  const auto end = text_.find(quote, at_ + 1);
  TORCH_CHECK(end != text_.npos, "a malformed header (an endless string)");
  std::string content{text_.substr(at_ + 1, end - at_ - 1)};
  at_ = end + 1;
  return content;
}

LIMPID_INLINE bool NpyHeader::boolean() {
  next();
  for (const bool value : {false, true}) {
    const std::string_view word = value ? "True" : "False";
    if (text_.substr(at_, word.size()) != word) continue;
    at_ += word.size();
    return value;
  }
  limpid::fail("a malformed header (expected True or False at ", at_, ")");
}

LIMPID_INLINE void NpyHeader::read_shape() {
  expect('(');
  while (!accept(')')) {
    TORCH_CHECK(shape.size() < 64, "more than 64 dimensions");
    shape.push_back(number());
    if (!accept(',')) {
      expect(')');
      break;
    }
  }
}

LIMPID_INLINE std::int64_t NpyHeader::number() {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  next();
  const auto start = at_;
  std::int64_t value = 0;
  for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
    const std::int64_t digit = text_[at_] - '0';
    TORCH_CHECK(value <= (kMost - digit) / 10, "a shape larger than the file");
    value = 10 * value + digit;
  }
  TORCH_CHECK(at_ > start, "a malformed header (expected a number at ", at_, ")");
  if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // as Python 2 writes it
  return value;
}

LIMPID_INLINE NpyLayout npy_layout(std::string_view bytes, std::uint64_t total) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  TORCH_CHECK(bytes.size() >= 10 && bytes.substr(0, kMagic.size()) == kMagic,
              "no .npy header (cut short, or not an array)");
  const int version = static_cast<unsigned char>(bytes[6]);
  TORCH_CHECK(version >= 1 && version <= 3 && bytes[7] == 0, "version ", version, ".",
              static_cast<int>(static_cast<unsigned char>(bytes[7])),
              " of .npy, expected 1.0 to 3.0");
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  std::uint64_t length = 0;
  TORCH_CHECK(bytes.size() >= 8 + length_bytes, "a header that is cut short");
  for (auto i = length_bytes; i-- > 0;)
    length = length << 8 | static_cast<unsigned char>(bytes[8 + i]);
  bytes.remove_prefix(8 + length_bytes);
  TORCH_CHECK(length <= bytes.size(), "a header that is cut short");
  const NpyHeader header{bytes.substr(0, length)};

  NpyLayout layout{find_tensor_type(&TensorType::numpy, header.type),
                   header.type,
                   header.shape,
                   header.fortran_order,
                   8 + length_bytes + length,
                   0};
  const auto size = total - layout.start;
  if (layout.type == nullptr) return layout;
  layout.size = static_cast<std::uint64_t>(layout.type->bytes);
  for (const auto side : header.shape) {
    const auto length_of_side = static_cast<std::uint64_t>(side);
    // The product stays below the file's size, so it cannot overflow, except through zeros.
    TORCH_CHECK(side == 0 || layout.size <= size / length_of_side || layout.size == 0,
                "a shape larger than the file");
    layout.size *= length_of_side;
  }
  TORCH_CHECK(layout.size == size, size, " bytes of data, expected ", layout.size);
  return layout;
}

LIMPID_INLINE std::string npy_type_text(const NpyLayout& layout) {
  return layout.type_name.empty() ? "a structured type, expected numbers"
                                  : "type '" + printable(layout.type_name, 40) +
                                        "', expected little-endian numbers such as <f4";
}

LIMPID_INLINE at::Tensor npy_array(const NpyLayout& layout, const char* bytes) {
  TORCH_CHECK(layout.type != nullptr, npy_type_text(layout));
  auto shape = layout.shape;
  if (layout.fortran_order) std::reverse(shape.begin(), shape.end());
  const auto tensor = unpacked(*layout.type, bytes, shape);
  check_bools(tensor);
  if (!layout.fortran_order) return tensor;
  std::vector<std::int64_t> order;
  for (auto i = tensor.dim(); i-- > 0;) order.push_back(i);
  return tensor.permute(order).contiguous();
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE TensorIndex index_npy(const std::filesystem::path& path) {
  const auto file = std::make_shared<InputFile>(path, "npy file");
  const auto said = [file](const auto& action) {
    try {
      return action();
    } catch (const c10::Error& error) {
      limpid::fail(file->where(), "it has ", error.what_without_backtrace());
    }
  };
  const auto start = file->read(0, std::min(file->size(), detail::kNpyHeader));
  const auto layout = said([&] {
    auto found = detail::npy_layout(start, file->size());
    TORCH_CHECK(found.type != nullptr, detail::npy_type_text(found));
    return found;
  });
  auto read = [file, layout, said] {
    const auto bytes = file->read(layout.start, layout.size);
    return said([&] { return detail::npy_array(layout, bytes.data()); });
  };
  TensorIndex index;
  index.tensors["array"] = {std::string{layout.type->name}, layout.type->type, layout.shape,
                            std::move(read)};
  return index;
}

LIMPID_INLINE at::Tensor read_npy(const std::filesystem::path& path) {
  return index_npy(path).tensors.at("array").read();
}

}  // namespace limpid

#endif  // LIMPID_BODIES
