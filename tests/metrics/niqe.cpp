#include <limpid/io/image.hpp>
#include <limpid/metrics/asymmetric_gaussian.hpp>
#include <limpid/metrics/evaluation.hpp>
#include <limpid/metrics/metric_table.hpp>
#include <limpid/metrics/niqe.hpp>
#include <limpid/metrics/niqe_features.hpp>
#include <limpid/metrics/niqe_model.hpp>
#include <limpid/report/page.hpp>
#include <support/fixtures.hpp>
#include <support/metrics.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace {

using limpid::MetricChannels, limpid::NIQE, limpid::NIQEGray, limpid::NIQEModel,
    limpid::NIQEModelFit;

static_assert(NIQE<>::name == "niqe" && NIQEGray::name == "niqe_gray");
static_assert(!NIQE<>::higher_is_better);
static_assert(!limpid::NoReferenceMetric<limpid::PSNR<>>, "it needs a target");

std::filesystem::path published_model() {
  return limpid_test::data_folder() / "weights/niqe_pris_params.npz";
}

/// A model that any picture can be measured against, far from all of them.
NIQEModel plain_model() {
  return {torch::ones({36}, torch::kDouble), torch::eye(36, torch::kDouble),
          NIQEModel::published_window()};
}

/// Noise over waves, (3, height, width), whole 8-bit values.
at::Tensor textured(std::int64_t height, std::int64_t width, std::int64_t seed = 0) {
  torch::manual_seed(seed);
  const auto waves = 0.5 + 0.2 * torch::sin(torch::arange(width) * 0.11) +
                     0.1 * torch::cos(torch::arange(height) * 0.07).unsqueeze(1);
  return ((waves + 0.06 * torch::randn({3, height, width})).clamp(0.02, 0.98) * 255).round() / 255;
}

auto says(std::string text) {
  return [text](const c10::Error& error) {
    const std::string found = error.what_without_backtrace();
    BOOST_TEST(found == text);
    return found == text;
  };
}

BOOST_AUTO_TEST_SUITE(niqe)

BOOST_AUTO_TEST_CASE(agrees_with_independent_implementations_on_real_pictures) {
  const auto json = limpid_test::fixtures_folder() / "metrics.json";
  if (!limpid_test::available(json) || !limpid_test::available(published_model())) return;
  const auto model = limpid::read_niqe_model(published_model());
  const NIQE<> niqe{model};
  const NIQEGray gray{model};
  std::ifstream stream{json};
  const auto values = nlohmann::json::parse(stream);
  std::size_t checked = 0;
  for (const auto& entry : values["entries"]) {
    const auto name = entry["metric"].get<std::string>();
    if (name != "niqe_y" && name != "niqe_gray") continue;
    const auto path = entry["picture"].get<std::string>();
    const auto image = limpid::Image::load(limpid_test::data_folder() / path).unit();
    const auto found = name == "niqe_y" ? niqe(image) : gray(image);
    const auto difference = std::abs(found - entry["value"].get<double>());
    BOOST_TEST(difference <= entry["tolerance"].get<double>(),
               name << " of " << path << " is " << found << ", " << difference << " off");
    BOOST_TEST_MESSAGE(name << " of " << path << ": " << difference << " off");
    ++checked;
  }
  BOOST_TEST(checked >= 16u);
}

BOOST_AUTO_TEST_CASE(the_published_baboon_scores_what_basicsr_says) {
  const auto path = limpid_test::data_folder() / "metrics/basicsr_baboon.png";
  if (!limpid_test::available(path) || !limpid_test::available(published_model())) return;
  const NIQE<> niqe{limpid::read_niqe_model(published_model())};
  BOOST_TEST(std::abs(niqe(limpid::Image::load(path).unit()) - 5.7296) < 1e-3);
}

BOOST_AUTO_TEST_CASE(judges_a_picture_whatever_its_layout) {
  const NIQE<> niqe{plain_model()};
  const auto image = textured(200, 230);
  const auto score = niqe(image);
  BOOST_TEST(score > 0);
  BOOST_TEST(niqe(image.unsqueeze(0)) == score);
  BOOST_TEST(niqe(image.permute({1, 2, 0}).contiguous().permute({2, 0, 1})) == score);
  BOOST_TEST(niqe(image.to(torch::kDouble)) == score);
  BOOST_TEST(niqe(image.clone().requires_grad_()) == score);
  BOOST_TEST(niqe(image.narrow(1, 0, 192).narrow(2, 0, 192)) == score, "the rest is dropped");
  BOOST_TEST(niqe.undefined(image) == "");
}

BOOST_AUTO_TEST_CASE(a_picture_below_two_blocks_is_an_error) {
  const NIQE<> niqe{plain_model()};
  BOOST_TEST(std::isfinite(niqe(textured(96, 192))));
  BOOST_CHECK_EXCEPTION(
      niqe(textured(190, 191)), c10::ValueError,
      says("NIQE: expected at least two blocks of 96 x 96 pixels, got [3, 190, 191]"));
  BOOST_CHECK_EXCEPTION(niqe(torch::zeros({1, 200, 200})), c10::ValueError,
                        says("NIQE: expected image (3, H, W) or (1, 3, H, W), got [1, 200, 200]"));
}

BOOST_AUTO_TEST_CASE(flat_blocks_leave_a_picture_without_a_score_and_with_a_reason) {
  const NIQE<> niqe{plain_model()};
  for (const auto value : {0.0, 0.4, 1.0}) {
    auto image = textured(200, 300);
    image.narrow(1, 0, 110).narrow(2, 90, 106).fill_(value);
    BOOST_TEST(std::isnan(niqe(image)), value);
    BOOST_TEST(niqe.undefined(image) == "1 of 6 blocks are flat");
  }
  auto half = textured(192, 192);
  half.narrow(2, 0, 60).fill_(1.0);
  BOOST_TEST(std::isfinite(niqe(half)), "half a block may be flat");
  auto broken = textured(192, 192);
  broken[0][5][5] = NAN;
  BOOST_TEST(std::isnan(niqe(broken)));
  BOOST_TEST(niqe.undefined(broken) == "", "that is no flat block: means must not skip it");
}

BOOST_AUTO_TEST_CASE(evaluations_show_the_target_and_what_has_no_score) {
  limpid::TaskEvaluation evaluation{"deblur", {NIQE<>{plain_model()}, limpid::PSNR<>{}}};
  const auto target = textured(96, 192), noisy = textured(96, 192, 1);
  auto white = target.clone();
  white.narrow(2, 0, 96).fill_(1.0);
  evaluation.add("a", noisy, target, target);
  evaluation.add("b", noisy, white, target);
  BOOST_TEST(evaluation.restored(0).none == 1);
  BOOST_TEST(evaluation.restored(0).count == 1);
  BOOST_TEST(evaluation.restored(0).mean == evaluation.target(0).mean,
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(evaluation.identity(0).none == 0);
  BOOST_TEST(evaluation.restored(1).exact == 1);
  BOOST_TEST(evaluation.restored(1).none == 0);
  const std::string line =
      "niqe of deblur, restored: 1 of 2 pictures left out of the mean, without a score: 'b' (1 of "
      "2 blocks are flat)";
  BOOST_TEST(limpid::left_out_lines(std::vector{evaluation}).front() == line);

  const auto json = nlohmann::json::parse(limpid::json_text(limpid::to_json({evaluation})));
  const auto& task = json.at("tasks").at("deblur");
  BOOST_TEST(task.at("restored").at("niqe").at("none") == 1);
  BOOST_TEST(task.at("gain").at("niqe").at("count") == 1);
  BOOST_TEST(task.at("target").at("niqe").at("mean").is_number());
  BOOST_TEST(!task.at("target").contains("psnr_rgb"));
  const auto& image = task.at("images")[1];
  BOOST_TEST(image.at("restored").at("niqe") == "none");
  BOOST_TEST(image.at("target").at("niqe").is_number());
  BOOST_TEST(image.at("none").at("restored").at("niqe") == "1 of 2 blocks are flat");
  BOOST_TEST(!task.at("images")[0].contains("none"));

  const auto table = limpid::text_table({evaluation});
  BOOST_TEST(table.find("target\n") != std::string::npos);
  limpid::Report report;
  report.tasks.push_back({evaluation});
  const auto page = limpid::report_html(report);
  BOOST_TEST(page.find("1 of 2 blocks are flat") != std::string::npos);
  BOOST_TEST(page.find("over 1 of 2, 1 without a score") != std::string::npos);
  BOOST_TEST(page.find("judges each picture alone") != std::string::npos);

  limpid::Comparison comparison{evaluation.metrics};
  comparison.add("b", white, target);
  BOOST_TEST(comparison.compared(0).none == 1);
  BOOST_TEST(std::isnan(comparison.compared(0).mean));
  BOOST_TEST(limpid::left_out_lines(comparison).front() ==
             "niqe: 1 of 1 pictures left out of the mean, without a score: 'b' (1 of 2 blocks are "
             "flat)");
  BOOST_TEST(limpid::to_json(comparison).at("images")[0].at("none").at("niqe") ==
             "1 of 2 blocks are flat");
}

BOOST_AUTO_TEST_CASE(is_found_by_name_where_its_model_is_given) {
  const auto metrics = limpid::metrics_by_name({"psnr_y", "niqe"}, {NIQE<>{plain_model()}});
  BOOST_TEST(metrics[0].needs_target);
  BOOST_TEST(!metrics[1].needs_target);
  BOOST_CHECK_THROW(limpid::metrics_by_name({"niqe"}), c10::ValueError);
}

BOOST_AUTO_TEST_CASE(half_size_is_bicubic_over_eight_pixels_with_mirrored_borders) {
  BOOST_TEST(limpid::detail::half_size(torch::full({8, 6}, 3.0, torch::kDouble))
                 .sub(3)
                 .abs()
                 .max()
                 .item<double>() < 1e-14);
  // An impulse at column 4 is 0.5 left of the middle between columns 4 and 5: Keys(0.25) / 2 of
  // the tap sum 1, and Keys(0.75), Keys(1.25), Keys(1.75) around it.
  auto line = torch::zeros({2, 12}, torch::kDouble);
  line.select(1, 4).fill_(1);
  const auto half = limpid::detail::half_size(line)[0];
  BOOST_TEST(std::abs(half[2].item<double>() - 0.43359375) < 1e-12);
  BOOST_TEST(std::abs(half[1].item<double>() - 0.11328125) < 1e-12);
  BOOST_TEST(std::abs(half[3].item<double>() + 0.03515625) < 1e-12);
  BOOST_TEST(std::abs(half[0].item<double>() + 0.01171875) < 1e-12);
  // A step at the border is mirrored, so a constant row stays and a ramp stays symmetric.
  const auto ramp = torch::arange(8, torch::kDouble).reshape({1, 8}).expand({2, 8});
  const auto ends = limpid::detail::half_size(ramp)[0];
  BOOST_TEST(std::abs((ends[0] + ends[3]).item<double>() - 7) < 1e-12);
}

BOOST_AUTO_TEST_CASE(a_fit_finds_the_distribution_that_values_were_drawn_from) {
  torch::manual_seed(3);
  const auto normal = torch::randn({200000}, torch::kDouble);
  const auto skewed = torch::where(normal < 0, normal, 2 * normal).contiguous();
  const auto* p = skewed.data_ptr<double>();
  // Each side of a Gaussian: shape 2, scale sqrt(2) sigma; sides of one count and unequal spread
  // are not one density, so the moments are those of either side.
  const auto symmetric = limpid::detail::fit_asymmetric_gaussian(
      {normal.data_ptr<double>(), normal.data_ptr<double>() + normal.numel()});
  BOOST_REQUIRE(symmetric.has_value());
  BOOST_TEST(std::abs(symmetric->shape - 2) < 0.03);
  BOOST_TEST(std::abs(symmetric->left - std::sqrt(2)) < 0.02);
  BOOST_TEST(std::abs(symmetric->mean()) < 0.01);
  const auto wide = limpid::detail::fit_asymmetric_gaussian({p, p + skewed.numel()});
  BOOST_REQUIRE(wide.has_value());
  BOOST_TEST(std::abs(wide->right / wide->left - 2) < 0.02);
  BOOST_TEST(!limpid::detail::fit_asymmetric_gaussian({0.0, 1.0, 2.0}).has_value());
}

BOOST_AUTO_TEST_CASE(a_model_fitted_to_photographs_tells_them_from_blurred_ones) {
  const auto folder = limpid_test::data_folder() / "kodak";
  if (!limpid_test::available(folder)) return;
  NIQEModelFit fit;
  const auto photo = [&](const std::string& name) {
    return limpid::Image::load(folder / name).unit();
  };
  BOOST_CHECK_EXCEPTION(fit.model(), c10::Error,
                        says("NIQEModelFit: expected at least 37 sharp blocks of 96 x 96 pixels, "
                             "found 0; more photographs are needed"));
  std::int64_t counted = 0;
  for (const auto name :
       {"kodim01.png", "kodim05.png", "kodim06.png", "kodim08.png", "kodim13.png", "kodim14.png"}) {
    if (!std::filesystem::exists(folder / name)) continue;
    counted += fit.add(photo(name));
  }
  BOOST_TEST(fit.blocks() == counted);
  const auto model = fit.model();
  BOOST_TEST(torch::allclose(model.covariance, model.covariance.t()));

  const limpid_test::TemporaryFolder place;
  limpid::write_niqe_model(place / "model.safetensors", model, {{"luma", "y"}});
  const auto read = limpid::read_niqe_model(place / "model.safetensors");
  BOOST_TEST(torch::equal(read.mean, model.mean));
  BOOST_TEST(torch::equal(read.covariance, model.covariance));
  BOOST_TEST(torch::allclose(read.window, model.window));

  const NIQE<> niqe{read};
  const auto sharp = photo("kodim03.png");
  const auto blurred = torch::avg_pool2d(sharp, 5, 1, 2);
  BOOST_TEST(niqe(sharp) + 1 < niqe(blurred));
}

BOOST_AUTO_TEST_CASE(sharp_blocks_alone_are_fitted) {
  auto image = textured(96, 288);
  image.narrow(2, 192, 96).sub_(0.5).mul_(0.1).add_(0.5);  // little contrast
  NIQEModelFit fit;
  BOOST_TEST(fit.add(image) == 2);
  BOOST_TEST(fit.blocks() == 2);
  BOOST_CHECK_THROW(NIQEModelFit{MetricChannels::rgb}, c10::ValueError);
  BOOST_CHECK_THROW(fit.add(textured(95, 200)), c10::ValueError);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_model_is_named_with_what_is_wrong) {
  const limpid_test::TemporaryFolder place;
  const auto path = place / "model.safetensors";
  const auto start = "NIQE model '" + path.string() + "': ";
  const auto mean = torch::zeros({1, 36}, torch::kDouble);
  const auto covariance = torch::eye(36, torch::kDouble);
  const auto window = torch::full({7, 7}, 1.0 / 49, torch::kDouble);
  const auto with = [&](at::Tensor m, at::Tensor c, at::Tensor w) {
    limpid::TensorFile file;
    file.tensors = {{"mu_pris_param", m}, {"cov_pris_param", c}, {"gaussian_window", w}};
    limpid::write_safetensors(path, file);
  };
  with(mean, covariance, window);
  BOOST_TEST(limpid::read_niqe_model(path).mean.sizes() == at::IntArrayRef({36}));
  with(mean.narrow(1, 0, 35), covariance, window);
  BOOST_CHECK_EXCEPTION(limpid::read_niqe_model(path), c10::Error,
                        says(start + "expected mu_pris_param (1, 36), found [1, 35]"));
  with(mean, mean, window);
  BOOST_CHECK_EXCEPTION(limpid::read_niqe_model(path), c10::Error,
                        says(start + "expected cov_pris_param (36, 36), found [1, 36]"));
  with(mean, covariance, window.narrow(0, 0, 6));
  BOOST_CHECK_EXCEPTION(
      limpid::read_niqe_model(path), c10::Error,
      says(start + "expected gaussian_window square, of odd side up to 95, found [6, 7]"));
  with(mean, covariance, 2 * window);
  BOOST_CHECK_EXCEPTION(limpid::read_niqe_model(path), c10::Error,
                        says(start + "expected a gaussian_window whose sum is 1, found 2"));
  with(mean / 0, covariance, window);
  BOOST_CHECK_EXCEPTION(limpid::read_niqe_model(path), c10::Error,
                        says(start + "mu_pris_param holds values that are not finite numbers"));
  limpid::TensorFile none;
  none.tensors = {{"weight", mean}};
  limpid::write_safetensors(path, none);
  BOOST_CHECK_EXCEPTION(limpid::read_niqe_model(path), c10::Error,
                        says(start + "expected tensors mu_pris_param, cov_pris_param and "
                                     "gaussian_window, found no mu_pris_param"));
  BOOST_CHECK_THROW(limpid::read_niqe_model(place / "missing.npz"), c10::Error);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
