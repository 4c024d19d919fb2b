#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/onnx/recording.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A network as operators that hold for pictures of any size and number: recorded twice, from
// pictures that differ in everything. What is the same both times belongs to the network; a number
// that changed must follow from the picture's size.

namespace limpid {

/// A number of pixels, channels or pictures, as both recordings have it.
struct CapturedSize {
  std::int64_t first, second;

  bool is_fixed() const { return first == second; }
  friend bool operator==(const CapturedSize&, const CapturedSize&) = default;
};

using CapturedSizes = std::vector<CapturedSize>;

/// Two recordings of one network, compared.
class Capture {
 public:
  /// @param padding  the sizes that the network takes
  /// @param pictures  how many the second recording is of
  /// @throws c10::Error that names operator and layer where the network does other things for
  ///         another picture, or something that the recorder cannot take.
  Capture(Recorder& recorder, const Recorder::Function& network, const ImagePadding& padding,
          std::int64_t pictures = 2) {
    // Growth by 2, 5/4 and 3/2: no product of these is another one, or 1.
    constexpr std::int64_t kLeast = 8;  // layers reach over some pixels
    const auto least = std::max(kLeast, (padding.min_side + 3) / 4);
    const auto unit = (least + padding.multiple - 1) / padding.multiple * padding.multiple;
    first_ = recorder.record(network, at::rand({1, 3, 4 * unit, 4 * unit}));
    second_ = recorder.record(network, at::rand({pictures, 3, 5 * unit, 6 * unit}));
    compare();
  }

  /// The operators, with the arguments of the first recording.
  const std::vector<RecordedOperator>& operators() const { return first_.operators; }
  const Recording& first() const { return first_; }
  const Recording& second() const { return second_; }

  CapturedSizes sizes(std::size_t value) const {
    const auto one = first_.values[value].tensor.sizes(),
               two = second_.values[value].tensor.sizes();
    CapturedSizes sizes;
    for (std::size_t i = 0; i < one.size(); ++i) sizes.push_back({one[i], two[i]});
    return sizes;
  }

  /// Frees what was computed from the pictures; sizes and constants stay.
  void forget_maps() {
    for (auto* recording : {&first_, &second_}) {
      for (auto& value : recording->values) {
        if (!value.is_constant) value.tensor = at::zeros({}).expand(value.tensor.sizes());
      }
    }
  }

  /// The sizes (N, 3, H, W) of what the network is shown.
  CapturedSizes input_sizes() const { return sizes(first_.input); }

 private:
  static std::string about(const RecordedOperator& op) {
    return "operator '" + op.name + "' of layer '" + op.layer + "' or behind it";
  }

  void compare() const {
    const auto count = std::min(first_.operators.size(), second_.operators.size());
    for (std::size_t i = 0; i < count; ++i) {
      const auto& one = first_.operators[i];
      const auto& two = second_.operators[i];
      const bool same =
          one.name == two.name && one.outputs == two.outputs &&
          std::equal(one.arguments.begin(), one.arguments.end(), two.arguments.begin(),
                     two.arguments.end(), [](const auto& a, const auto& b) {
                       return a.name == b.name && a.values == b.values &&
                              a.is_tensor == b.is_tensor;
                     });
      TORCH_CHECK(same, about(one),
                  ": the network does something else for another size of the "
                  "picture (",
                  one.name, " at one, ", two.name, " at another)");
    }
    TORCH_CHECK(
        first_.operators.size() == second_.operators.size() && first_.outputs == second_.outputs &&
            first_.values.size() == second_.values.size(),
        "the network consists of ", first_.operators.size(),
        " operators at one size of the picture and of ", second_.operators.size(), " at another");
    for (const auto& op : first_.operators) {
      for (const auto& argument : op.arguments) {
        for (const auto value : argument.values) compare_constant(op, value);
      }
      for (const auto output : op.outputs) {
        const auto& one = first_.values[output].tensor;
        TORCH_CHECK(one.scalar_type() == at::kFloat, about(op), " makes values of ",
                    one.scalar_type(), "; expected float32");
        TORCH_CHECK(one.dim() == second_.values[output].tensor.dim(), about(op),
                    " has another number of dimensions for another size of the picture");
      }
    }
  }

  void compare_constant(const RecordedOperator& op, std::size_t value) const {
    const auto& one = first_.values[value];
    const auto& two = second_.values[value];
    if (!one.is_constant && !two.is_constant) return;
    TORCH_CHECK(one.is_constant == two.is_constant && one.numbers.equal(two.numbers), about(op),
                " takes a tensor that is no weight and was not computed by operators of LibTorch "
                "from the picture");
  }

  Recording first_, second_;
};

}  // namespace limpid
