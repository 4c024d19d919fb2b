#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

// Types of numbers as files call them, and what they become. One table for all formats.
namespace limpid::detail {

/// How the numbers of a file become those of a tensor.
enum class Packing {
  plain,       ///< as they are
  unsigned16,  ///< LibTorch 1.13 has no unsigned type beside the byte: to int32
  unsigned32,  ///< to int64
  float8,      ///< to float, exactly
};

/// An 8-bit float. Where it has no infinities, the patterns of the largest exponent are numbers.
/// Source: Micikevicius et al., "FP8 Formats for Deep Learning", 2022; Noune et al., "8-bit
/// Numerical Formats for Deep Neural Networks", 2022 (those of one zero); OCP, "Microscaling
/// Formats" 1.0, 2023 (e8m0, a power of two without a sign).
struct Float8 {
  int mantissa = 0;  ///< bits
  int bias = 0;
  enum class Special { infinities, one_nan, one_zero, scale } special = Special::infinities;

  float value(unsigned char byte) const {
    constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
    if (special == Special::scale) return byte == 0xff ? kNaN : std::ldexp(1.0f, byte - bias);
    if (special == Special::one_zero && byte == 0x80) return kNaN;
    const int exponent = (byte & 0x7f) >> mantissa, fraction = byte & ((1 << mantissa) - 1);
    const float sign = byte & 0x80 ? -1.0f : 1.0f;
    if (special == Special::one_nan && (byte & 0x7f) == 0x7f) return kNaN;
    if (special == Special::infinities && exponent == 0x7f >> mantissa) {
      return fraction == 0 ? sign * std::numeric_limits<float>::infinity() : kNaN;
    }
    return exponent == 0 ? sign * std::ldexp(static_cast<float>(fraction), 1 - bias - mantissa)
                         : sign * std::ldexp(static_cast<float>(fraction | 1 << mantissa),
                                             exponent - bias - mantissa);
  }
};

/// A type that files hold. An empty name: that format has no such type.
struct TensorType {
  std::string_view name;     ///< PyTorch's, without "torch."
  std::string_view storage;  ///< its class in pickles, without "torch."
  std::string_view safetensors;
  std::string_view numpy;
  int bytes;            ///< of one number in the file
  at::ScalarType type;  ///< of the tensor that is read
  Packing packing = Packing::plain;
  Float8 float8 = {};
};

inline constexpr TensorType kTensorTypes[] = {
    {"float32", "FloatStorage", "F32", "<f4", 4, at::kFloat},
    {"float64", "DoubleStorage", "F64", "<f8", 8, at::kDouble},
    {"float16", "HalfStorage", "F16", "<f2", 2, at::kHalf},
    {"bfloat16", "BFloat16Storage", "BF16", "", 2, at::kBFloat16},
    {"int64", "LongStorage", "I64", "<i8", 8, at::kLong},
    {"int32", "IntStorage", "I32", "<i4", 4, at::kInt},
    {"int16", "ShortStorage", "I16", "<i2", 2, at::kShort},
    {"int8", "CharStorage", "I8", "|i1", 1, at::kChar},
    {"uint8", "ByteStorage", "U8", "|u1", 1, at::kByte},
    {"bool", "BoolStorage", "BOOL", "|b1", 1, at::kBool},
    {"complex64", "ComplexFloatStorage", "C64", "<c8", 8, at::kComplexFloat},
    {"complex128", "ComplexDoubleStorage", "", "<c16", 16, at::kComplexDouble},
    {"uint16", "", "U16", "<u2", 2, at::kInt, Packing::unsigned16},
    {"uint32", "", "U32", "<u4", 4, at::kLong, Packing::unsigned32},
    {"float8_e4m3fn",
     "",
     "F8_E4M3",
     "",
     1,
     at::kFloat,
     Packing::float8,
     {3, 7, Float8::Special::one_nan}},
    {"float8_e5m2",
     "",
     "F8_E5M2",
     "",
     1,
     at::kFloat,
     Packing::float8,
     {2, 15, Float8::Special::infinities}},
    {"float8_e4m3fnuz",
     "",
     "F8_E4M3FNUZ",
     "",
     1,
     at::kFloat,
     Packing::float8,
     {3, 8, Float8::Special::one_zero}},
    {"float8_e5m2fnuz",
     "",
     "F8_E5M2FNUZ",
     "",
     1,
     at::kFloat,
     Packing::float8,
     {2, 16, Float8::Special::one_zero}},
    {"float8_e8m0fnu",
     "",
     "F8_E8M0",
     "",
     1,
     at::kFloat,
     Packing::float8,
     {0, 127, Float8::Special::scale}},
};

/// The type that has `name` in the column `column`, or nullptr.
inline const TensorType* find_tensor_type(std::string_view TensorType::*column,
                                          std::string_view name) {
  for (const auto& type : kTensorTypes) {
    if (!name.empty() && type.*column == name) return &type;
  }
  return nullptr;
}

/// The type whose numbers a tensor of `type` holds as they are, or nullptr.
inline const TensorType* find_tensor_type(at::ScalarType type) {
  for (const auto& known : kTensorTypes) {
    if (known.type == type && known.packing == Packing::plain) return &known;
  }
  return nullptr;
}

template <class To, class From>
void widen(const char* from, at::Tensor& to) {
  auto* values = static_cast<To*>(to.data_ptr());
  for (std::int64_t i = 0; i < to.numel(); ++i) {
    From value;
    std::memcpy(&value, from + i * static_cast<std::int64_t>(sizeof value), sizeof value);
    values[i] = static_cast<To>(value);
  }
}

/// Numbers that stand one behind the other as `type`, as a tensor of that shape.
inline at::Tensor unpacked(const TensorType& type, const char* bytes,
                           const std::vector<std::int64_t>& shape) {
  auto tensor = at::empty(shape, type.type);
  const auto count = static_cast<std::size_t>(tensor.numel());
  switch (type.packing) {
    case Packing::plain:
      if (count > 0) std::memcpy(tensor.data_ptr(), bytes, tensor.nbytes());
      break;
    case Packing::unsigned16:
      widen<std::int32_t, std::uint16_t>(bytes, tensor);
      break;
    case Packing::unsigned32:
      widen<std::int64_t, std::uint32_t>(bytes, tensor);
      break;
    case Packing::float8: {
      float table[256];
      for (int i = 0; i < 256; ++i) table[i] = type.float8.value(static_cast<unsigned char>(i));
      auto* values = static_cast<float*>(tensor.data_ptr());
      for (std::size_t i = 0; i < count; ++i)
        values[i] = table[static_cast<unsigned char>(bytes[i])];
      break;
    }
  }
  return tensor;
}

}  // namespace limpid::detail
