#include <limpid/core/named.hpp>

#include "support/errors.hpp"
#include "support/named.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using limpid::find_named, limpid::is_table_name, limpid::means_name, limpid::Named,
    limpid::NamedTable;
using limpid_test::error_of;

static_assert(is_table_name("wasserstein-gp") && is_table_name("l1"));
static_assert(!is_table_name("") && !is_table_name("-a") && !is_table_name("a-"));
static_assert(!is_table_name("a--b") && !is_table_name("a_b") && !is_table_name("A"));
static_assert(means_name("double-scale", "double-scale") &&
              means_name("double_scale", "double-scale"));
static_assert(!means_name("double-scal", "double-scale") &&
              !means_name("double-scale", "double_scale"));

struct Circle {
  static constexpr int corners = 0;
};
struct Square {
  static constexpr int corners = 4;
};

constexpr NamedTable kShapes{"a shape", Named{"round", "a circle", Circle{}},
                             Named{"four-square", "a square", Square{}}};
constexpr NamedTable kNumbers{"a number", Named{"one", "the first", 1}, Named{"two", "next", 2}};

static_assert(kShapes.contains("round") && !kShapes.contains("circle"));
static_assert(kShapes.size() == 2);

BOOST_AUTO_TEST_SUITE(named)

BOOST_AUTO_TEST_CASE(a_name_leads_to_a_value_of_its_own_type) {
  const auto corners = [](auto shape) { return shape.corners; };
  BOOST_TEST(kShapes.with("round", corners) == 0);
  BOOST_TEST(kShapes.with("four-square", corners) == 4);
  BOOST_TEST(kNumbers.at("two") == 2);
  int calls = 0;
  kShapes.with("round", [&](auto) { ++calls; });
  BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(an_underscore_is_taken_for_a_hyphen) {
  BOOST_TEST(kShapes.contains("four_square"));
  BOOST_TEST(kShapes.spelled("four_square") == "four-square");
  BOOST_TEST(kShapes.with("four_square", [](auto shape) { return shape.corners; }) == 4);
}

BOOST_AUTO_TEST_CASE(an_unknown_name_is_told_what_there_is_and_what_is_near) {
  const auto use = [](std::string_view name) {
    return limpid_test::value_error_of([&] { kShapes.with(name, [](auto) {}); });
  };
  BOOST_TEST(use("cube") == "expected a shape, one of round, four-square; got 'cube'");
  BOOST_TEST(use("four-squares") ==
             "expected a shape, one of round, four-square; got 'four-squares', did you mean "
             "'four-square'?");
  BOOST_TEST(use("") == "expected a shape, one of round, four-square; got ''");
  BOOST_TEST(use(std::string(5000, 'x')).size() < 200U);
  BOOST_TEST(limpid_test::value_error_of([] { kNumbers.at("too"); }) ==
             "expected a number, one of one, two; got 'too', did you mean 'two'?");
  BOOST_TEST(limpid_test::value_error_of([] { kNumbers.spelled("Two"); }).substr(0, 17) ==
             "expected a number");
}

BOOST_AUTO_TEST_CASE(help_has_a_line_per_entry) {
  BOOST_TEST(kShapes.list() == "round, four-square");
  BOOST_TEST(kShapes.help() == "round: a circle\nfour-square: a square\n");
}

BOOST_AUTO_TEST_CASE(a_table_refuses_wrong_names_and_twins) {
  const auto table = [](const char* first, const char* second) {
    return limpid_test::value_error_of([&] {
      NamedTable("a thing", Named{first, "", 1}, Named{second, "", 2});
    });
  };
  BOOST_TEST(table("a", "b") == "no error");
  BOOST_TEST(table("a", "a") ==
             "a table of a thing: 'a' comes twice, or is not of lower-case words "
             "with hyphens between them");
  BOOST_TEST(table("a", "b_c") != "no error");
}

BOOST_AUTO_TEST_CASE(a_list_made_at_run_time_is_searched_alike) {
  struct Item {
    std::string name;
    int value;
  };
  const std::vector<Item> items{{"psnr-rgb", 1}, {"niqe", 2}};
  BOOST_TEST(find_named("a metric", items, "psnr_rgb").value == 1);
  BOOST_TEST(limpid_test::value_error_of([&] { find_named("a metric", items, "nique"); }) ==
             "expected a metric, one of psnr-rgb, niqe; got 'nique', did you mean 'niqe'?");
}

BOOST_AUTO_TEST_CASE(the_check_for_tables_passes_them) {
  limpid_test::check_table(kShapes);
  limpid_test::check_table(kNumbers);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
