#include <limpid/core/options_by_name.hpp>
#include <support/errors.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace limpid;

enum class Shape { round, square };

void read_option(std::string_view text, Shape& shape) {
  shape = text == "round" ? Shape::round : Shape::square;
}
std::string option_text(Shape shape) { return shape == Shape::round ? "round" : "square"; }

struct Thing {
  Interval size{7, 17};
  double gamma = 2.2;
  std::int64_t steps = 3;
  bool smooth = true;
  Shape shape = Shape::round;

  static void each_option(auto& self, auto&& visit) {
    visit("size", self.size, "pixels");
    visit("gamma", self.gamma, "of light");
    visit("most-steps", self.steps, "at most");
    visit("smooth", self.smooth, "yes or no");
    visit("shape", self.shape, "round or square");
  }
};
static_assert(HasOptionsByName<Thing> && !HasOptionsByName<int>);

BOOST_AUTO_TEST_SUITE(options_by_name)

BOOST_AUTO_TEST_CASE(options_of_every_type_are_set_and_said) {
  Thing thing;
  BOOST_TEST(options_text(thing) == "size 7:17, gamma 2.2, most-steps 3, smooth yes, shape round");
  set_option(thing, "size", "9");
  set_option(thing, "gamma", "0.5");
  set_option(thing, "most_steps", "12");  // as underscores in other names
  set_option(thing, "smooth", "no");
  set_option(thing, "shape", "square");
  BOOST_TEST(options_text(thing) == "size 9, gamma 0.5, most-steps 12, smooth no, shape square");
}

BOOST_AUTO_TEST_CASE(what_is_no_option_and_no_value_is_refused_by_name) {
  Thing thing;
  const auto refused = [&](const std::string& option, const std::string& text) {
    return limpid_test::value_error_of([&] { set_option(thing, option, text); });
  };
  BOOST_TEST(refused("gama", "1") ==
             "expected an option, one of size, gamma, most-steps, smooth, shape; got 'gama', did "
             "you mean 'gamma'?");
  BOOST_TEST(refused("gamma", "bright") == "gamma: expected a number, found 'bright'");
  BOOST_TEST(refused("gamma", "inf") == "gamma: expected a number, found 'inf'");
  BOOST_TEST(refused("most-steps", "1.5") == "most-steps: expected a whole number, found '1.5'");
  BOOST_TEST(refused("smooth", "perhaps") == "smooth: expected yes or no, found 'perhaps'");
  BOOST_TEST(options_text(thing) == options_text(Thing{}));
}

BOOST_AUTO_TEST_CASE(an_option_is_set_once) {
  check_set_once({{"size", "1"}, {"gamma", "2"}});
  BOOST_TEST(limpid_test::value_error_of([] {
               check_set_once({{"most-steps", "1"}, {"most_steps", "2"}});
             }) == "'most-steps' is named twice");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
