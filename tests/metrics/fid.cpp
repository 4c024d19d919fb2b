#include <limpid/backbones/inception_v3.hpp>
#include <limpid/io/safetensors.hpp>
#include <limpid/metrics/evaluation.hpp>
#include <limpid/metrics/fid.hpp>
#include <limpid/metrics/metric_table.hpp>
#include <limpid/metrics/paired_comparison.hpp>
#include <support/errors.hpp>
#include <support/fixtures.hpp>
#include <support/metrics.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::error_of;
namespace fs = std::filesystem;

/// Features that follow from a formula, as in reference_values.py.
at::Tensor features(std::int64_t count, std::int64_t width, double phase) {
  const auto index = torch::arange(count * width, torch::kDouble).reshape({count, width});
  return (index * index * 0.013 + phase).sin() * (1 + torch::arange(width).remainder(3));
}

BOOST_AUTO_TEST_SUITE(frechet)

// |m1 - m2|^2 + sum of (s1 - s2)^2 for independent features of deviations s1 and s2; turning both
// the same way changes nothing.
BOOST_AUTO_TEST_CASE(of_independent_features_is_the_closed_form) {
  const auto option = torch::kDouble;
  const auto m1 = torch::tensor({1., -2., .5, 0.}, option),
             m2 = torch::tensor({0., 1., .5, 3.}, option);
  const auto s1 = torch::tensor({1., .5, 2., 0.}, option),
             s2 = torch::tensor({.2, .5, 3., 1.}, option);
  const auto closed = ((m1 - m2).square().sum() + (s1 - s2).square().sum()).item<double>();
  const FeatureStatistics a{m1, s1.square().diag()}, b{m2, s2.square().diag()};
  BOOST_TEST(frechet_distance(a, b) == closed, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(frechet_distance(b, a) == closed, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(std::abs(frechet_distance(a, a)) < 1e-12);
  torch::manual_seed(1);
  const auto turn = std::get<0>(torch::linalg_qr(torch::randn({4, 4}, option)));
  const auto turned = [&](const FeatureStatistics& s) {
    return FeatureStatistics{turn.matmul(s.mean), turn.matmul(s.covariance).matmul(turn.t())};
  };
  BOOST_TEST(frechet_distance(turned(a), turned(b)) == closed, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(of_features_is_what_scipy_finds) {
  // reference_values.py: numpy.cov and scipy.linalg.sqrtm, as pytorch-fid.
  BOOST_TEST(frechet_distance(features(40, 6, 0), features(50, 6, 0.5)) == 0.5213224358987674,
             boost::test_tools::tolerance(1e-9));
  // Fewer pictures than features: the covariances are singular.
  const auto a = features(20, 32, 0), b = features(30, 32, 0.5);
  BOOST_TEST(frechet_distance(a, b) == 16.64923061667099, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(frechet_distance(b, a) == frechet_distance(a, b), boost::test_tools::tolerance(1e-9));
  BOOST_TEST(
      frechet_distance(feature_statistics(a), feature_statistics(b)) == frechet_distance(a, b),
      boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(reads_features_and_what_pytorch_fid_saves) {
  const limpid_test::TemporaryFolder folder;
  const auto a = features(20, 6, 0);
  const auto statistics = feature_statistics(a);
  TensorFile rows, saved, other;
  rows.tensors = {{"features", a}};
  saved.tensors = {{"mu", statistics.mean}, {"sigma", statistics.covariance}};
  other.tensors = {{"features", a[0]}};
  write_safetensors(folder / "rows", rows);
  write_safetensors(folder / "saved", saved);
  write_safetensors(folder / "other", other);
  const auto b = feature_statistics(features(30, 6, 1));
  const auto distance = frechet_distance(statistics, b);
  BOOST_TEST(frechet_distance(read_feature_statistics(folder / "rows"), b) == distance);
  BOOST_TEST(frechet_distance(read_feature_statistics(folder / "saved"), b) == distance);
  BOOST_TEST(error_of([&] { return read_feature_statistics(folder / "other").mean.numel(); }) ==
             "features '" + (folder / "other").string() +
                 "': expected mu and sigma, or one array (N, D) of at least two pictures, found 1 "
                 "arrays, the first [6]");
  BOOST_CHECK_THROW(frechet_distance(a, features(9, 5, 0)), c10::ValueError);
  BOOST_CHECK_THROW(frechet_distance(a.narrow(0, 0, 1), a), c10::ValueError);
}

BOOST_AUTO_TEST_SUITE_END()

/// A metric of sets in a few lines: how far the mean colours of both sets lie apart.
struct MeanColour {
  static constexpr std::string_view name = "mean_colour";
  static constexpr std::string_view protocol = "distance of the mean colours of both sets";
  static constexpr bool higher_is_better = false;
  at::Tensor features(const at::Tensor& image) const {
    return image.reshape({3, -1}).mean(1).to(torch::kDouble);
  }
  double set_score(const at::Tensor& restored, const at::Tensor& target) const {
    return (restored.mean(0) - target.mean(0)).norm().item<double>();
  }
};

at::Tensor grey(double value) { return torch::full({3, 16, 16}, value, torch::kDouble); }

BOOST_AUTO_TEST_SUITE(metrics_of_sets)

BOOST_AUTO_TEST_CASE(score_the_set_and_no_picture) {
  const double root = std::sqrt(3);
  TaskEvaluation evaluation{"deblur", {PSNR<>{}, MeanColour{}}};
  evaluation.add("a", grey(.1), grey(.3), grey(.5));
  evaluation.add("b", grey(.7), grey(.6), grey(.5));
  evaluation.add_failed("c", "cut");
  const auto within = boost::test_tools::tolerance(1e-9);
  BOOST_TEST(evaluation.identity(1).mean == root * 0.1, within);
  BOOST_TEST(evaluation.restored(1).mean == root * 0.05, within);
  BOOST_TEST(evaluation.gain(1).mean == root * -0.05, within);
  BOOST_TEST(evaluation.restored(1).count == 2);
  BOOST_TEST(evaluation.restored(1).none == 1);
  const auto json = to_json({evaluation}).at("tasks").at("deblur");
  BOOST_TEST(json.at("restored").at("mean_colour").at("mean").get<double>() == root * 0.05, within);
  BOOST_TEST(json.at("restored").at("mean_colour").at("std") == "none");
  BOOST_TEST(!json.at("images")[0].at("restored").contains("mean_colour"));
  BOOST_TEST(text_table({evaluation}).find("0.0866 (2 of 3)") != std::string::npos);
  BOOST_TEST(evaluation.images[0].restored.any());
  BOOST_TEST(!evaluation.images[2].restored.any());
  for (const auto& line : left_out_lines(std::vector{evaluation})) {
    BOOST_TEST(line.find("mean_colour") == std::string::npos, line);
  }
  evaluation.add("d", grey(.5), grey(.9), grey(.5));
  BOOST_TEST(evaluation.restored(1).mean == root * 0.1, within);

  PairedComparison pairs{Comparison{{MeanColour{}}}, Comparison{{MeanColour{}}}};
  for (const double target : {.2, .4}) {
    pairs.compared.add("a", grey(.4), grey(target));
    pairs.against.add("a", grey(.1), grey(target));
  }
  BOOST_TEST(pairs.difference(0).mean == root * (0.1 - 0.2), within);
  BOOST_TEST(!to_json(pairs).at("difference").at("mean_colour").contains("p"));
  const AnyMetric metric = MeanColour{};
  BOOST_TEST(error_of([&] { return metric(grey(1), grey(1)); }) ==
             "mean_colour: scores a whole set of pictures, not one");
  BOOST_TEST(metrics_by_name({"mean_colour:crop_border=2"}, {MeanColour{}})[0]
                 .features(grey(.5))
                 .numel() == 3);
}

BOOST_AUTO_TEST_CASE(inception_has_the_published_size_and_its_files_are_read) {
  const auto whole = InceptionV3::random_for_benchmark();
  std::int64_t count = 0;
  for (const auto& parameter : whole->parameters()) count += parameter.numel();
  BOOST_TEST(count == 21'785'568, "torchvision's without AuxLogits and fc");
  BOOST_TEST(whole->features() == 2048);
  const limpid_test::TemporaryFolder folder;
  BOOST_TEST(error_of([&] { load_inception_v3(folder / "no.pth"); })
                 .find("InceptionV3: no weights at '" + (folder / "no.pth").string() +
                       "'; expected the weights of pytorch-fid") == 0u);
}

BOOST_AUTO_TEST_CASE(fid_of_equal_sets_is_0_and_grows_with_damage) {
  torch::manual_seed(2);
  const FID fid{InceptionV3::random_for_benchmark({.width = 0.125})};
  std::vector<at::Tensor> clean, little, much;
  for (int i = 0; i < 4; ++i) {
    const auto picture = limpid_test::metric_picture(40 + i, 32);
    const auto noise = torch::randn_like(picture);
    clean.push_back(fid.features(picture));
    little.push_back(fid.features(picture + 0.05 * noise));
    much.push_back(fid.features((picture + 0.3 * noise).unsqueeze(0)));
  }
  const auto of = [&](const std::vector<at::Tensor>& some) {
    return fid.set_score(torch::stack(some), torch::stack(clean));
  };
  BOOST_TEST(std::abs(of(clean)) < 1e-6 * of(much));
  BOOST_TEST(of(little) > 0);
  BOOST_TEST(of(much) > of(little));
  BOOST_TEST(std::isnan(fid.set_score(torch::stack(clean).narrow(0, 0, 1), torch::stack(clean))));
}

BOOST_AUTO_TEST_CASE(lpips_is_that_of_its_network_on_8_bits) {
  torch::manual_seed(3);
  const auto network = LPIPSNetwork::random_for_benchmark(LPIPSNet::alex);
  const LPIPS metric{network};
  BOOST_TEST(metric.name == "lpips_alex");
  limpid_test::check_metric(metric);
  const auto a = limpid_test::metric_picture(48, 40), b = a.flip({2});
  const auto expected = network->distances(a.unsqueeze(0) * 2 - 1, b.unsqueeze(0) * 2 - 1);
  BOOST_TEST(metric(a, b) == expected.item<double>(), boost::test_tools::tolerance(1e-4));
  BOOST_TEST(metric(a + 0.4 / 255, b) == metric(a, b), "rounded to 8 bits");
  BOOST_TEST(error_of([&] { metric(a.narrow(1, 0, 20), b.narrow(1, 0, 20)); }) ==
             "LPIPS: expected sides of at least 31 pixels, got [1, 3, 20, 40]");

  const limpid_test::TemporaryFolder folder;
  TensorFile backbone, heads, whole;
  for (const auto& item : network->named_parameters()) {
    const bool is_head = item.key().rfind("lin", 0) == 0;
    auto& file = is_head ? heads : backbone;
    file.tensors[item.key() + (is_head ? ".model.1.weight" : "")] = item.value();
  }
  write_safetensors(folder / "alexnet", backbone);
  write_safetensors(folder / "heads", heads);
  const auto files = (folder / "alexnet").string() + "," + (folder / "heads").string();
  const auto read = metrics_by_name({"lpips-alex"}, {}, {{"lpips_alex", files}})[0];
  BOOST_TEST(read(a, b) == metric(a, b));
  BOOST_TEST(!read.higher_is_better);
  BOOST_TEST(error_of([&] { metrics_by_name({"lpips_alex"}); })
                 .find("metric 'lpips_alex' needs a file: BACKBONE,HEADS: expected torchvision's "
                       "alexnet weights") == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

/// What tests/weights/write_inception.py wrote, and the features it computed.
BOOST_AUTO_TEST_SUITE(inception_from_python)

BOOST_AUTO_TEST_CASE(features_are_those_of_pytorch) {
  const fs::path folder =
      limpid_test::folder_from("LIMPID_INCEPTION_DIR", "no LIMPID_INCEPTION_DIR");
  if (!limpid_test::available(folder)) return;
  const auto expected = read_safetensors(folder / "features.safetensors").tensors;
  const FID fid{load_inception_v3(folder / "inception.pth", {.width = 0.125})};
  BOOST_TEST(limpid_test::relative_difference(fid.features(expected.at("picture")),
                                              expected.at("features")) <
             limpid_test::kForwardAgreement);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
