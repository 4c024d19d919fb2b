#pragma once

#include <limpid/io/safetensors.hpp>
#include <support/paths.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <limits>
#include <string>
#include <string_view>

// Values computed by independent implementations; fixtures/README.md says how inputs and weights
// follow from their names.
namespace limpid_test {

inline std::filesystem::path folder_from(const char* variable,
                                         const std::filesystem::path& fallback) {
  const char* named = std::getenv(variable);
  return named != nullptr && *named != '\0' ? std::filesystem::path{named} : fallback;
}

/// The folder of fixtures: LIMPID_TEST_FIXTURES, or shared/fixtures beside the repository.
inline std::filesystem::path fixtures_folder() {
  return folder_from("LIMPID_TEST_FIXTURES", source_folder() / "../shared/fixtures");
}

/// The folder of small real image sets: LIMPID_TEST_DATA, or shared/data beside the repository.
inline std::filesystem::path data_folder() {
  return folder_from("LIMPID_TEST_DATA", source_folder() / "../shared/data");
}

/// False, with a line that says so, where `path` is missing: the test then returns.
inline bool available(const std::filesystem::path& path) {
  if (std::filesystem::exists(path)) return true;
  std::cout << "SKIPPED " << boost::unit_test::framework::current_test_case().full_name()
            << ": no '" << path.string() << "'\n";
  return false;
}

inline std::uint32_t crc32(std::string_view text) {
  std::uint32_t crc = 0xffffffff;
  for (const unsigned char byte : text) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
  }
  return ~crc;
}

/// One fixture file, and the inputs and weights that go with its suffix.
class Fixture {
 public:
  explicit Fixture(const std::string& name)
      : file_(limpid::read_safetensors(fixtures_folder() / (name + ".safetensors"))) {}

  static bool available(const std::string& name) {
    return limpid_test::available(fixtures_folder() / (name + ".safetensors"));
  }

  bool has(const std::string& key) const { return file_.tensors.count(key) != 0; }
  at::Tensor at(const std::string& key) const { return file_.tensors.at(key); }
  std::string text(const std::string& key) const { return file_.metadata.at(key); }
  std::int64_t number(const std::string& key) const { return std::stoll(text(key)); }

  /// Uniform values in [-1, 1) that follow from the name alone, as double.
  at::Tensor noise(const std::string& name, at::IntArrayRef shape) const {
    const auto seed = crc32(name + file_.metadata.at("suffix"));
    auto values = torch::empty(shape, torch::kDouble);
    auto* out = values.data_ptr<double>();
    for (std::int64_t i = 0; i < values.numel(); ++i) {
      auto h = static_cast<std::uint32_t>(i) * 2654435761u + seed;
      h = (h ^ (h >> 16)) * 0x45d9f3bu;
      h = (h ^ (h >> 16)) * 0x45d9f3bu;
      h ^= h >> 16;
      out[i] = static_cast<double>(h) / 2147483648.0 - 1.0;
    }
    return values;
  }

  /// An input image: noise as float.
  at::Tensor input(const std::string& name, at::IntArrayRef shape) const {
    return noise(name, shape).to(torch::kFloat);
  }

  /// The value of the parameter or buffer with this published name (prefix included).
  at::Tensor parameter(const std::string& name, at::IntArrayRef shape) const {
    const auto u = noise(name, shape);
    const auto ends_with = [&](std::string_view end) {
      return name.size() >= end.size() &&
             name.compare(name.size() - end.size(), end.size(), end) == 0;
    };
    at::Tensor value;
    if (shape.size() > 1) {
      // n / shape[0] values per output; NAFNet's (1, c, 1, 1) and Restormer's (heads, 1, 1) fit
      // too.
      value = u * std::sqrt(3.0 / (static_cast<double>(u.numel()) / static_cast<double>(shape[0])));
    } else if (ends_with("running_var")) {
      value = 1 + 0.5 * u;
    } else if (ends_with("weight")) {
      value = 1 + 0.1 * u;
    } else {
      value = 0.1 * u;
    }
    return value.to(torch::kFloat);
  }

  /// Fills every parameter and floating buffer of `module`; `publish` maps limpid's name to the
  /// published one.
  template <class Publish>
  void fill(torch::nn::Module& module, const std::string& prefix, Publish publish) const {
    torch::NoGradGuard no_grad;
    for (auto& item : module.named_parameters()) {
      item.value().copy_(parameter(prefix + "." + publish(item.key()), item.value().sizes()));
    }
    for (auto& item : module.named_buffers()) {
      if (!item.value().is_floating_point()) continue;
      item.value().copy_(parameter(prefix + "." + publish(item.key()), item.value().sizes()));
    }
  }

  void fill(torch::nn::Module& module, const std::string& prefix) const {
    fill(module, prefix, [](const std::string& name) { return name; });
  }

 private:
  limpid::TensorFile file_;
};

/// Largest absolute difference, relative to the largest absolute value expected.
inline double relative_difference(const at::Tensor& found, const at::Tensor& expected) {
  const auto a = found.detach().to(torch::kDouble).reshape(-1);
  const auto b = expected.detach().to(torch::kDouble).reshape(-1);
  if (a.numel() != b.numel()) return std::numeric_limits<double>::infinity();
  const auto scale = b.abs().max().item<double>();
  return (a - b).abs().max().item<double>() / (scale > 0 ? scale : 1.0);
}

inline constexpr double kForwardAgreement = 1e-4;  // as fixtures/README.md states
inline constexpr double kGradientAgreement = 1e-3;

}  // namespace limpid_test
