#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <support/errors.hpp>

#include <c10/util/Exception.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using limpid::Interval, limpid::Random;

static_assert(Interval{7, 17}.low() == 7 && Interval{7, 17}.high() == 17);
static_assert(Interval{9} == Interval{9, 9} && Interval{} == Interval{0});
static_assert(Interval{0, 1}.contains(Interval{0.5, 1}) && !Interval{0, 1}.contains(1.5));

BOOST_AUTO_TEST_SUITE(interval)

BOOST_AUTO_TEST_CASE(ends_in_the_wrong_order_or_not_finite_are_refused) {
  BOOST_TEST(limpid_test::value_error_of([] { Interval(17, 7); }) ==
             "Interval: expected finite low <= high, got 17 and 7");
  const auto infinity = std::numeric_limits<double>::infinity();
  BOOST_CHECK_THROW(Interval(0, infinity), c10::ValueError);
  BOOST_CHECK_THROW(Interval(-infinity, 0), c10::ValueError);
  BOOST_CHECK_THROW(Interval(std::nan(""), 1), c10::ValueError);
  BOOST_CHECK_THROW(Interval(0, std::nan("")), c10::ValueError);
}

BOOST_AUTO_TEST_CASE(draws_are_uniform_between_the_ends_and_those_of_the_random_source) {
  const Interval interval{7, 17};
  Random random{3}, same{3};
  double least = 100, most = 0, sum = 0;
  const int count = 20000;
  for (int i = 0; i < count; ++i) {
    const auto drawn = interval.draw(random);
    BOOST_REQUIRE(drawn == same.uniform(7, 17));
    least = std::min(least, drawn);
    most = std::max(most, drawn);
    sum += drawn;
  }
  BOOST_TEST(least >= 7);
  BOOST_TEST(least < 7.01);
  BOOST_TEST(most < 17);
  BOOST_TEST(most > 16.99);
  BOOST_TEST(std::abs(sum / count - 12) < 0.1);
  BOOST_TEST(Interval{5}.draw(random) == 5);
}

BOOST_AUTO_TEST_CASE(text_and_json_come_back) {
  for (const auto& interval : std::vector<Interval>{
           {7, 17}, {0.1, 1.0 / 3}, {-5, -3}, 2.5, {1e-9, 1e20}, {-1.5, 0}, Interval{}}) {
    BOOST_TEST(Interval::parse(interval.text()) == interval);
    const auto json = nlohmann::json::parse(nlohmann::json(interval).dump());
    BOOST_TEST(json.get<Interval>() == interval);
  }
  BOOST_TEST((Interval{7, 17}).text() == "7:17");
  BOOST_TEST((Interval{0.6, 1.8}).text() == "0.6:1.8");
  BOOST_TEST(nlohmann::json(Interval{7, 17}).dump() == "[7,17]");
  BOOST_TEST(nlohmann::json(Interval{0.5, 1e17}).dump() == "[0.5,1e+17]");
  BOOST_TEST(nlohmann::ordered_json(Interval{0.5}).dump() == "0.5");
  BOOST_TEST(nlohmann::json::parse("[7, 17]").get<Interval>() == (Interval{7, 17}));
}

BOOST_AUTO_TEST_CASE(text_that_is_no_interval_is_quoted) {
  for (const std::string text : {"", ":", "7:", ":7", "17:7", "nan", "nan:1", "inf", "0:inf",
                                 "1e999", "7-17", "7:8:9", " 7", "7 ", "0x7", "seven", "1,2"}) {
    BOOST_TEST(limpid_test::value_error_of([&] { Interval::parse(text); }) ==
               "expected a number N or an interval LOW:HIGH, found '" + text + "'");
  }
}

BOOST_AUTO_TEST_CASE(json_that_is_no_interval_is_an_error) {
  for (const auto* text : {"null", "[]", "[1]", "[1,2,3]", "\"7:17\"", "{}", "[1,\"2\"]", "[2,1]",
                           "[1,null]", "true"}) {
    BOOST_CHECK_THROW(nlohmann::json::parse(text).get<Interval>(), c10::ValueError);
  }
}

BOOST_AUTO_TEST_CASE(limits_are_named_in_errors) {
  BOOST_TEST(limpid_test::value_error_of([] {
               limpid::detail::check_within("Haze: airlight", {0.7, 1.2}, {0, 1});
             }) == "Haze: airlight must lie within 0:1, got 0.7:1.2");
  BOOST_TEST(limpid_test::value_error_of([] {
               limpid::detail::check_positive("a", Interval{0, 1});
             }) == "a must be positive, got 0:1");
  BOOST_TEST(limpid_test::value_error_of([] {
               limpid::detail::check_not_negative("a", Interval{-1});
             }) == "a must not be negative, got -1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
