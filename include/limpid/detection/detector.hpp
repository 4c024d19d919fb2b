#pragma once

#include <limpid/core/errors.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/detection/average_precision.hpp>
#include <limpid/io/image.hpp>

#include <torch/script.h>

#include <cmath>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace limpid {

struct DetectorOptions {
  at::Device device = at::kCPU;
};

namespace detail {

constexpr std::string_view kDetectorOutputs =
    "expected a dict {boxes (N, 4), labels (N), scores (N)}, a list of one such dict, a tuple that "
    "ends with one of these, or a tensor (N, 6) of x1, y1, x2, y2, score, class";

inline std::string kind_of(const c10::IValue& value) {
  if (value.isTensor()) return "a tensor " + c10::str(value.toTensor().sizes());
  if (value.isList()) return "a list of " + std::to_string(value.toListRef().size());
  if (value.isTuple()) {
    return "a tuple of " + std::to_string(value.toTuple()->elements().size());
  }
  return value.tagKind();
}

inline at::Tensor as_rows(const at::Tensor& values) {
  return values.detach().to(at::kCPU, at::kDouble).contiguous();
}

/// Rows x1, y1, x2, y2, score, class -> finds.
inline std::vector<Detection> detections_of_rows(const at::Tensor& tensor) {
  const auto rows = as_rows(tensor);
  std::vector<Detection> found;
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    const auto* v = rows.data_ptr<double>() + 6 * i;
    for (int k = 0; k < 6; ++k) {
      TORCH_CHECK(std::isfinite(v[k]), "row ", i, " holds a value that is not finite");
    }
    found.push_back({{v[0], v[1], v[2], v[3]}, std::llround(v[5]), v[4]});
  }
  return found;
}

inline at::Tensor entry_of(const c10::IValue& value, const char* key) {
  const auto dict = value.toGenericDict();
  const auto place = dict.find(c10::IValue{std::string{key}});
  TORCH_CHECK(place != dict.end() && place->value().isTensor(), kDetectorOutputs,
              "; found a dict without the tensor '", key, "'");
  return place->value().toTensor();
}

inline bool holds_detections(const c10::IValue& value) {
  return value.isGenericDict() && value.toGenericDict().size() > 0;
}

/// @throws c10::Error that says what was expected and what was found.
inline std::vector<Detection> detections_of(const c10::IValue& value) {
  if (value.isTensor()) {
    auto tensor = value.toTensor();
    if (tensor.dim() == 3 && tensor.size(0) == 1) tensor = tensor.select(0, 0);
    TORCH_CHECK(tensor.dim() == 2 && tensor.size(1) == 6, kDetectorOutputs, "; found ",
                kind_of(value));
    return detections_of_rows(tensor);
  }
  if (value.isList()) {
    const auto list = value.toListRef();
    TORCH_CHECK(list.size() == 1, kDetectorOutputs, "; found ", kind_of(value));
    return detections_of(list[0]);
  }
  if (value.isTuple()) {
    const auto& parts = value.toTuple()->elements();
    TORCH_CHECK(!parts.empty() && !parts.back().isTuple(), kDetectorOutputs, "; found ",
                kind_of(value));
    return detections_of(parts.back());
  }
  TORCH_CHECK(holds_detections(value), kDetectorOutputs, "; found ", kind_of(value));
  const auto boxes = entry_of(value, "boxes"), labels = entry_of(value, "labels"),
             scores = entry_of(value, "scores");
  TORCH_CHECK(boxes.dim() == 2 && boxes.size(1) == 4 && labels.dim() == 1 && scores.dim() == 1 &&
                  labels.size(0) == boxes.size(0) && scores.size(0) == boxes.size(0),
              kDetectorOutputs, "; found boxes ", boxes.sizes(), ", labels ", labels.sizes(),
              ", scores ", scores.sizes());
  return detections_of_rows(
      at::cat({as_rows(boxes), as_rows(scores).unsqueeze(1), as_rows(labels).unsqueeze(1)}, 1));
}

}  // namespace detail

/// Finds objects in pictures with any detector saved as TorchScript.
///
/// The module's `forward` takes one picture, values in [0, 1]: a batch (1, 3, H, W), or a list of
/// one (3, H, W), whichever its signature asks for; further arguments need defaults. It gives, with
/// boxes in pixels of that picture:
///  - {"boxes": (N, 4), "labels": (N), "scores": (N)}, as torchvision's detectors do; or a list of
///    one; or a tuple that ends with one (a scripted torchvision detector: losses, detections);
///  - or a tensor (N, 6) or (1, N, 6), or a list of one: x1, y1, x2, y2, score, class.
///
/// A module is a program: load only files that you trust.
class Detector {
 public:
  /// @param path  what `torch.jit.save` wrote.
  /// @throws c10::Error that names the file if it cannot be loaded, or takes other arguments.
  explicit Detector(const std::filesystem::path& path, DetectorOptions options = {})
      : options_(options), source_("detector '" + path.string() + "'") {
    std::error_code error;
    TORCH_CHECK(std::filesystem::is_regular_file(path, error), source_, ": there is no such file");
    try {
      module_ = torch::jit::load(path.string(), options_.device);
    } catch (const std::exception& reason) {
      limpid::fail(source_, ": expected a TorchScript module, as torch.jit.save writes it (",
                   error_text(reason), ")");
    }
    prepare();
  }

  /// @param module  a module in memory; `source` is what errors call it.
  explicit Detector(torch::jit::Module module, std::string source = "detector",
                    DetectorOptions options = {})
      : options_(options), source_(std::move(source)), module_(std::move(module)) {
    module_.to(options_.device);
    prepare();
  }

  /// @throws c10::ValueError if the picture is empty; c10::Error if the module fails on it, or its
  ///         output has another form.
  std::vector<Detection> operator()(const Image& picture) const {
    TORCH_CHECK_VALUE(!picture.empty(), source_, ": the image is empty");
    const c10::InferenceMode inference;
    const auto image = picture.unit().to(options_.device);
    c10::IValue output;
    try {
      auto module = module_;
      output = module.forward(arguments(image));
    } catch (const std::exception& reason) {
      limpid::fail(source_, ": failed on a picture of ", picture.width(), " x ", picture.height(),
                   " pixels (", error_text(reason), ")");
    }
    try {
      return detail::detections_of(output);
    } catch (const c10::Error& reason) {
      limpid::fail(source_, ": ", reason.what_without_backtrace());
    }
  }

 private:
  std::vector<c10::IValue> arguments(const at::Tensor& image) const {
    if (!takes_list_) return {image};
    c10::List<at::Tensor> pictures;
    pictures.push_back(image.select(0, 0));
    return {pictures};
  }

  void prepare() {
    module_.eval();
    const auto forward = module_.find_method("forward");
    TORCH_CHECK(forward, source_, ": it has no method 'forward'");
    const auto& arguments = forward->function().getSchema().arguments();
    const auto takes = [&](const auto& type) {
      return arguments.size() > 1 && type->isSubtypeOf(*arguments[1].type());
    };
    takes_list_ = takes(c10::ListType::ofTensors());
    bool fits = takes_list_ || takes(c10::TensorType::get());
    for (std::size_t i = 2; i < arguments.size(); ++i) fits = fits && arguments[i].default_value();
    TORCH_CHECK(fits, source_,
                ": expected forward(Tensor) or forward(List[Tensor]), further arguments with "
                "defaults, found ",
                c10::str(forward->function().getSchema()));
  }

  DetectorOptions options_;
  std::string source_;
  torch::jit::Module module_;
  bool takes_list_ = false;
};

}  // namespace limpid
