#pragma once

#include <limpid/core/printable.hpp>
#include <limpid/io/check_bools.hpp>
#include <limpid/io/input_file.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

/// The header of a .npy file: a Python dictionary of three entries.
class NpyHeader {
 public:
  std::string type;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;

  explicit NpyHeader(std::string_view text) : text_(text) {
    bool has_type = false, has_order = false, has_shape = false;
    expect('{');
    while (!accept('}')) {
      const auto key = quoted();
      expect(':');
      if (key == "descr" && !has_type) {
        TORCH_CHECK(next() != '[', "a structured type, expected numbers");
        type = quoted();
        has_type = true;
      } else if (key == "fortran_order" && !has_order) {
        fortran_order = boolean();
        has_order = true;
      } else if (key == "shape" && !has_shape) {
        read_shape();
        has_shape = true;
      } else {
        TORCH_CHECK(false, "a header with the entry '", printable(key), "'");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    TORCH_CHECK(next() == '\0', "a header with more than a dictionary");
    TORCH_CHECK(has_type && has_order && has_shape,
                "a header without descr, fortran_order or shape");
  }

 private:
  char next() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool accept(char wanted) {
    if (next() != wanted || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    TORCH_CHECK(accept(wanted), "a malformed header (expected '", wanted, "' at ", at_, ")");
  }

  std::string quoted() {
    const auto quote = next();
    TORCH_CHECK(quote == '\'' || quote == '"', "a malformed header (expected a string at ", at_,
                ")");
    const auto end = text_.find(quote, at_ + 1);
    TORCH_CHECK(end != text_.npos, "a malformed header (an endless string)");
    std::string content{text_.substr(at_ + 1, end - at_ - 1)};
    at_ = end + 1;
    return content;
  }

  bool boolean() {
    next();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return value;
    }
    TORCH_CHECK(false, "a malformed header (expected True or False at ", at_, ")");
  }

  void read_shape() {
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

  std::int64_t number() {
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

  std::string_view text_;
  std::size_t at_ = 0;
};

/// A NumPy type: how it is stored, and what it becomes.
struct NpyType {
  const char* name;
  int bytes;
  at::ScalarType type;
  bool is_widened = false;  ///< LibTorch 1.13 has no unsigned types beside the byte
};

inline constexpr NpyType kNpyTypes[] = {
    {"<f4", 4, at::kFloat},     {"<f8", 8, at::kDouble},     {"<f2", 2, at::kHalf},
    {"<i8", 8, at::kLong},      {"<i4", 4, at::kInt},        {"<i2", 2, at::kShort},
    {"|i1", 1, at::kChar},      {"|u1", 1, at::kByte},       {"|b1", 1, at::kBool},
    {"<u2", 2, at::kInt, true}, {"<u4", 4, at::kLong, true},
};

template <class To, class From>
void widen(const char* from, at::Tensor& to) {
  auto* values = static_cast<To*>(to.data_ptr());
  for (std::int64_t i = 0; i < to.numel(); ++i) {
    From value;
    std::memcpy(&value, from + i * static_cast<std::int64_t>(sizeof value), sizeof value);
    values[i] = static_cast<To>(value);
  }
}

/// The array in the bytes of a .npy file. Errors say what it has that it should not.
inline at::Tensor parse_npy(std::string_view bytes) {
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
  bytes.remove_prefix(length);

  const auto* known = std::find_if(std::begin(kNpyTypes), std::end(kNpyTypes),
                                   [&](const auto& type) { return header.type == type.name; });
  TORCH_CHECK(known != std::end(kNpyTypes), "type '", printable(header.type),
              "', expected little-endian numbers such as <f4");
  auto size = static_cast<std::uint64_t>(known->bytes);
  for (const auto side : header.shape) {
    const auto length_of_side = static_cast<std::uint64_t>(side);
    // The product stays below the file's size, so it cannot overflow, except through zeros.
    TORCH_CHECK(side == 0 || size <= bytes.size() / length_of_side || size == 0,
                "a shape larger than the file");
    size *= length_of_side;
  }
  TORCH_CHECK(size == bytes.size(), bytes.size(), " bytes of data, expected ", size);

  auto shape = header.shape;
  if (header.fortran_order) std::reverse(shape.begin(), shape.end());
  auto tensor = at::empty(shape, known->type);
  if (!known->is_widened) {
    if (size > 0) std::memcpy(tensor.data_ptr(), bytes.data(), size);
  } else if (known->bytes == 2) {
    widen<std::int32_t, std::uint16_t>(bytes.data(), tensor);
  } else {
    widen<std::int64_t, std::uint32_t>(bytes.data(), tensor);
  }
  check_bools(tensor);
  if (!header.fortran_order) return tensor;
  std::vector<std::int64_t> order;
  for (auto i = tensor.dim(); i-- > 0;) order.push_back(i);
  return tensor.permute(order).contiguous();
}

}  // namespace detail

/// Reads the array of a .npy file.
///
/// Source: NumPy, "numpy.lib.format", versions 1.0 to 3.0.
/// @return a contiguous tensor of the stored type (f2 f4 f8 i1 i2 i4 i8 u1 b1, little-endian); u2
/// becomes int32 and u4 int64. Objects and structured types are refused; nothing is executed.
/// @throws c10::Error that names the file and what is wrong with it.
inline at::Tensor read_npy(const std::filesystem::path& path) {
  InputFile file{path, "npy file"};
  const auto bytes = file.read(0, file.size());
  try {
    return detail::parse_npy(bytes);
  } catch (const c10::Error& error) {
    TORCH_CHECK(false, file.where(), "it has ", error.what_without_backtrace());
  }
}

}  // namespace limpid
