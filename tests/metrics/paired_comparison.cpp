#include <limpid/metrics/compare_programs.hpp>
#include <limpid/metrics/metric_table.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using limpid::mean_interval, limpid::sign_flip_test;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

BOOST_AUTO_TEST_SUITE(confidence)

// Of two pictures, four draws are equally likely: their means are 0, 1/2 twice, and 1.
BOOST_AUTO_TEST_CASE(the_interval_of_two_pictures_is_found_by_hand) {
  const auto all = mean_interval({0, 1});
  BOOST_REQUIRE(all.has_value());
  BOOST_TEST(all->low() == 0.0);
  BOOST_TEST(all->high() == 1.0);
  const auto middle = mean_interval({0, 1}, {.level = 0.4});  // from the share 0.3 to 0.7
  BOOST_TEST(middle->low() == 0.5);
  BOOST_TEST(middle->high() == 0.5);
}

// All 5^5 draws, by NumPy: m = [mean(c) for c in itertools.product(x, repeat=5)];
// numpy.quantile(m, [.025, .975]) is 22.6 and 32.6, as scipy.stats.bootstrap(method="percentile").
BOOST_AUTO_TEST_CASE(the_interval_of_five_pictures_is_that_of_all_draws) {
  const auto interval = mean_interval({20, 24, NAN, 25, 31, 36, kInfinity});
  BOOST_TEST(std::abs(interval->low() - 22.6) < 0.201);  // neighbouring means are 0.2 apart
  BOOST_TEST(std::abs(interval->high() - 32.6) < 0.201);
}

BOOST_AUTO_TEST_CASE(the_interval_of_many_pictures_is_the_normal_one_and_follows_from_the_seed) {
  limpid::Random random{7};
  std::vector<double> scores(400);
  for (auto& score : scores) score = 30 + 2 * random.normal();
  const auto statistics = limpid::statistics(scores);
  const auto reach = 1.96 * statistics.std / 20;
  const auto interval = mean_interval(scores);
  BOOST_TEST(std::abs(interval->low() - (statistics.mean - reach)) < 0.1 * reach);
  BOOST_TEST(std::abs(interval->high() - (statistics.mean + reach)) < 0.1 * reach);
  BOOST_TEST((mean_interval(scores) == interval), "the same seed, the same interval");
  BOOST_TEST((mean_interval(scores, {.seed = 1}) != interval));
  BOOST_TEST(mean_interval(scores, {.level = 0.99})->low() < interval->low());
}

BOOST_AUTO_TEST_CASE(too_few_pictures_have_no_interval) {
  BOOST_TEST(!mean_interval({}).has_value());
  BOOST_TEST(!mean_interval({30}).has_value());
  BOOST_TEST(!mean_interval({30, kInfinity, NAN}).has_value());
  BOOST_CHECK_THROW(mean_interval({1, 2}, {.level = 1}), c10::ValueError);
  BOOST_CHECK_THROW(mean_interval({1, 2}, {.draws = 0}), c10::ValueError);
}

// Sixteen flips of 1, 2, 3, 1: 7 once and 5 twice are at least as far as 5, and as often below 0.
BOOST_AUTO_TEST_CASE(the_test_of_four_pictures_is_found_by_hand) {
  const auto test = sign_flip_test({1, 2, NAN, 3, -1});
  BOOST_TEST(test.p == 6.0 / 16);
  BOOST_TEST(test.exact);
  BOOST_TEST(test.count == 4);
  BOOST_TEST(test.flips == 16);
  BOOST_TEST(sign_flip_test({-1, -2, -3, 1}).p == 6.0 / 16, "two-sided");
  BOOST_TEST(sign_flip_test({0.1, 0.2, 0.3, 0.1}).p == 2.0 / 16, "all of one sign");
  BOOST_TEST(sign_flip_test({0, 0, 0}).p == 1.0);
  BOOST_TEST(sign_flip_test({5}).p == 1.0);
  BOOST_TEST(std::isnan(sign_flip_test({NAN, kInfinity}).p));
}

// scipy.stats.permutation_test((d, zeros(12)), lambda a, b: mean(a - b),
// permutation_type="samples", n_resamples=inf).pvalue
BOOST_AUTO_TEST_CASE(the_exact_test_is_scipys) {
  const std::vector<double> differences{0.31, -0.12, 0.55,  0.08, 0.27, -0.05,
                                        0.41, 0.19,  -0.22, 0.36, 0.02, 0.14};
  BOOST_TEST(sign_flip_test(differences).p == 0.0361328125, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(random_flips_come_near_all_of_them) {
  limpid::Random random{3};
  std::vector<double> differences(22);
  for (auto& difference : differences) difference = 0.35 + random.normal();
  const auto exact = sign_flip_test(differences, {.exact_up_to = 22});
  const auto drawn = sign_flip_test(differences);
  BOOST_TEST(exact.exact);
  BOOST_TEST(!drawn.exact);
  BOOST_TEST(drawn.flips == 100'000);
  const auto spread = std::sqrt(exact.p * (1 - exact.p) / 100'000);
  BOOST_TEST(std::abs(drawn.p - exact.p) < 4 * spread + 2e-5, drawn.p << " " << exact.p);
  BOOST_TEST(sign_flip_test(differences).p == drawn.p);
  BOOST_TEST(sign_flip_test(std::vector<double>(200, 1.0)).p == 1.0 / 100'001, "never 0");
}

BOOST_AUTO_TEST_SUITE_END()

/// Three folders of grey pictures.
struct ThreeFolders : limpid_test::TemporaryFolder {
  void save(const char* folder, const char* name, double value, std::int64_t width = 16) const {
    const auto path = (*this / folder) / name;
    std::filesystem::create_directories(path.parent_path());
    limpid::Image::from_unit(torch::full({1, 3, 16, width}, value / 255)).save(path);
  }
  limpid::PairedComparison compared() const {
    return limpid::compare_programs(*this / "A", *this / "B", *this / "T",
                                    limpid::metrics_by_name({"psnr_rgb", "ssim_uniform"}));
  }
};

BOOST_FIXTURE_TEST_SUITE(paired_comparison, ThreeFolders)

BOOST_AUTO_TEST_CASE(differences_are_of_the_same_pictures) {
  for (const auto* name : {"a.png", "b.png", "c.png", "d.png", "e.png"}) save("T", name, 100);
  save("A", "a.png", 101), save("B", "a.bmp", 102);
  save("A", "b.png", 102), save("B", "b.png", 104);
  save("A", "c.png", 103), save("B", "c.png", 109);
  save("A", "d.png", 100), save("B", "d.png", 105);  // exact in A
  save("B", "e.png", 105), save("B", "f.png", 105);
  const auto pairs = compared();
  BOOST_REQUIRE(pairs.compared.images.size() == 4u);
  const auto psnr = pairs.difference(0);
  BOOST_TEST(psnr.count == 3);
  BOOST_TEST(psnr.exact == 1);
  const auto twice = 20 * std::log10(2.0), thrice = 20 * std::log10(3.0);
  BOOST_TEST(psnr.mean == (twice + twice + thrice) / 3, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(pairs.test(0).p == 2.0 / 8);
  const auto interval = mean_interval(pairs.differences(0));
  BOOST_TEST(interval->low() == twice, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(interval->high() == thrice, boost::test_tools::tolerance(1e-9));

  const auto json = to_json(pairs);
  BOOST_TEST(json.at("count") == 4);
  const auto& entry = json.at("difference").at("psnr_rgb");
  BOOST_TEST(entry.at("mean") == psnr.mean);
  BOOST_TEST(entry.at("count") == 3);
  BOOST_TEST(entry.at("left_out") == 1);
  BOOST_TEST(entry.at("p") == 0.25);
  BOOST_TEST(entry.at("test") == "two-sided, exact, 2^3 sign flips");
  BOOST_TEST(entry.at("interval")[0] == interval->low());
  BOOST_TEST(json.at("compared").at("psnr_rgb").at("count") == 3);
  BOOST_TEST(json.at("against").at("compared").at("psnr_rgb").at("count") == 4);
  BOOST_TEST(json.at("against").at("images")[1].at("name") == "b");
  BOOST_TEST(json.at("missing").size() == 2u);

  const auto lines = limpid::left_out_lines(pairs);
  BOOST_REQUIRE(lines.size() == 2u);
  BOOST_TEST(lines[0] == "2 of 6 pictures left out: 'e' (not in '" + (*this / "A").string() +
                             "'), 'f' (not in '" + (*this / "A").string() + "', '" +
                             (*this / "T").string() + "')");
  BOOST_TEST(lines[1] ==
             "psnr_rgb: 1 of 4 pictures left out of the difference: 'd' (exact in one, 34.15 in "
             "the other)");
  const auto table = limpid::text_table(pairs);
  BOOST_TEST(table.find("psnr_rgb      dB         4     42.94") == table.find('\n') + 1, table);
  BOOST_TEST(table.find("+7.19 (3 of 4)") != table.npos, table);
}

BOOST_AUTO_TEST_CASE(a_picture_that_cannot_be_compared_costs_no_other) {
  for (const auto* name : {"a.png", "b.png", "c.png"}) save("T", name, 100), save("A", name, 101);
  save("B", "a.png", 102), save("B", "b.png", 102, 20), save("B", "c.png", 103);
  const auto pairs = compared();
  BOOST_TEST(pairs.against.failed() == 1u);
  BOOST_TEST(pairs.difference(0).count == 2);
  BOOST_TEST(pairs.difference(0).none == 1);
  const auto lines = limpid::left_out_lines(pairs);
  BOOST_REQUIRE(lines.size() == 1u);
  BOOST_TEST(lines[0].find("1 of 3 pictures could not be measured: 'b' (") == 0u, lines[0]);
}

BOOST_AUTO_TEST_CASE(folders_without_a_common_picture_are_refused) {
  save("A", "a.png", 1), save("B", "b.png", 1), save("T", "a.png", 1);
  const auto error = limpid_test::error_of([&] { return compared().missing.size(); });
  BOOST_TEST(error.find("compare: no picture is in all of '") == 0u, error);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
