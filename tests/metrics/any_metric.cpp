#include <limpid/io/image.hpp>
#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/metric_table.hpp>
#include <limpid/metrics/scores.hpp>
#include <support/fixtures.hpp>
#include <support/metrics.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace {

using limpid::AnyMetric, limpid::metrics_by_name;

/// A metric of a user: lower is better, no label, no unit, the protocol made at run time.
struct MeanError {
  static constexpr std::string_view name = "mean_error";
  static constexpr bool higher_is_better = false;
  std::string protocol = "mean absolute difference of unit-range values";

  double operator()(const at::Tensor& restored, const at::Tensor& target) const {
    return (restored - target).abs().mean().item<double>();
  }
};

static_assert(!limpid::Metric<int> && limpid::Metric<MeanError>);

std::filesystem::path metrics_json() { return limpid_test::fixtures_folder() / "metrics.json"; }

nlohmann::json expected_values() {
  std::ifstream stream{metrics_json()};
  return nlohmann::json::parse(stream);
}

at::Tensor picture(const std::filesystem::path& path) {
  return limpid::Image::load(limpid_test::data_folder() / path).unit();
}

/// The aligned PNG pairs of a set of the test data, degraded before clean.
std::vector<std::pair<std::filesystem::path, std::filesystem::path>> pairs_of(
    const std::string& set) {
  const std::map<std::string, std::pair<std::string, std::string>> folders{
      {"gopro", {"blur", "sharp"}},
      {"raindrop", {"data", "gt"}},
      {"haze", {"hazy", "clear"}},
      {"reds320", {"blur", "sharp"}},
      {"rain", {"rain", "clean"}}};
  const auto& [degraded, clean] = folders.at(set);
  std::vector<std::pair<std::filesystem::path, std::filesystem::path>> pairs;
  const auto root = limpid_test::data_folder();
  for (const auto& entry : std::filesystem::recursive_directory_iterator{root / set}) {
    const auto& path = entry.path();
    if (path.extension() != ".png" || path.parent_path().filename() != degraded) continue;
    auto name = path.filename().string();
    if (const auto at = name.find("_rain"); set == "raindrop") name.replace(at, 5, "_clean");
    const auto partner = path.parent_path().parent_path() / clean / name;
    if (!std::filesystem::exists(partner)) continue;
    pairs.emplace_back(path.lexically_relative(root), partner.lexically_relative(root));
  }
  return pairs;
}

BOOST_AUTO_TEST_SUITE(any_metric)

BOOST_AUTO_TEST_CASE(holds_any_metric_and_stays_a_metric) {
  for (const auto& metric : limpid::known_metrics()) {
    if (metric.name.starts_with("ms_ssim")) {
      limpid_test::check_metric(metric, 180, 176);
    } else {
      limpid_test::check_metric(metric);
    }
  }
  limpid_test::check_metric(limpid::metrics_by_name({"psnr_y"}).front());

  const AnyMetric own = MeanError{};
  const auto copy = own;
  BOOST_TEST(copy.name == "mean_error");
  BOOST_TEST(copy.label == "mean_error");
  BOOST_TEST(copy.unit == "");
  BOOST_TEST(!copy.higher_is_better);
  BOOST_TEST(copy.protocol == "mean absolute difference of unit-range values");
  BOOST_TEST(copy(torch::ones({3, 2, 2}), torch::zeros({3, 2, 2})) == 1.0);
}

BOOST_AUTO_TEST_CASE(agrees_with_independent_implementations_on_real_pictures) {
  if (!limpid_test::available(metrics_json())) return;
  if (!limpid_test::available(limpid_test::data_folder())) return;
  std::size_t checked = 0;
  std::string last;
  at::Tensor degraded, clean;
  const auto values = expected_values();
  for (const auto& entry : values["entries"]) {
    auto name = entry["metric"].get<std::string>();
    if (name == "ssim_uniform7") name = "ssim_uniform";
    for (const auto& metric : limpid::known_metrics()) {
      if (metric.name != name || !entry.contains("degraded")) continue;
      const auto path = entry["degraded"].get<std::string>();
      if (path != last) {
        degraded = picture(path);
        clean = picture(entry["clean"].get<std::string>());
        last = path;
      }
      const auto difference = std::abs(metric(degraded, clean) - entry["value"].get<double>());
      BOOST_TEST(difference <= entry["tolerance"].get<double>(), name << " of " << path);
      ++checked;
    }
  }
  BOOST_TEST(checked >= 120u);
}

BOOST_AUTO_TEST_CASE(agrees_on_grey_pictures) {
  const auto folder = limpid_test::data_folder() / "metrics";
  if (!limpid_test::available(folder)) return;
  const auto clean = picture("metrics/skimage_camera.png");
  const auto noisy = picture("metrics/skimage_camera_noisy.png");
  BOOST_TEST(std::abs(limpid::PSNR<>{}(noisy, clean) - 22.409353) < 1e-4);
  BOOST_TEST(std::abs(limpid::SSIMGaussian{}(noisy, clean) - 0.357959) < 1e-5);
  BOOST_TEST(std::abs(limpid::SSIMUniform{}(noisy, clean) - 0.3674518) < 1e-5);
}

BOOST_AUTO_TEST_CASE(agrees_on_the_means_of_whole_sets) {
  if (!limpid_test::available(metrics_json())) return;
  if (!limpid_test::available(limpid_test::data_folder())) return;
  const auto metrics = metrics_by_name({"psnr_rgb", "ssim_gaussian"});
  std::map<std::string, limpid::Comparison> sets;
  const auto values = expected_values();
  for (const auto& entry : values["identity_means"]) {
    const auto set = entry["set"].get<std::string>();
    if (sets.count(set) == 0) {
      auto& comparison = sets[set] = limpid::Comparison{metrics};
      for (const auto& [degraded, clean] : pairs_of(set)) {
        comparison.add(degraded.string(), picture(degraded), picture(clean));
      }
    }
    const auto& comparison = sets.at(set);
    BOOST_TEST_CONTEXT(set << " " << entry["metric"]) {
      BOOST_TEST(comparison.images.size() == entry["pairs"].get<std::size_t>());
      const auto found = comparison.compared(entry["metric"] == "psnr_rgb" ? 0 : 1);
      const auto tolerance = entry["tolerance"].get<double>();
      BOOST_TEST(std::abs(found.mean - entry["mean"].get<double>()) <= tolerance);
      BOOST_TEST(std::abs(found.std - entry["population_std"].get<double>()) <= tolerance);
    }
  }
  BOOST_TEST(sets.size() == 5u);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
