#include <limpid/report/plot.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace {

using limpid::Plot, limpid::Series;
using limpid::detail::Axis, limpid::detail::plot_html, limpid::detail::thinned;

std::string marks(const Axis& axis) {
  std::string text;
  for (const auto mark : axis.marks()) text += axis.text(mark) + " ";
  return text;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

BOOST_AUTO_TEST_SUITE(plot)

BOOST_AUTO_TEST_CASE(marks_are_round_numbers_around_the_values) {
  BOOST_TEST(marks(Axis::around(24.1, 25.3, true)) == "24.0 24.5 25.0 25.5 ");
  BOOST_TEST(marks(Axis::around(0, 1000, false)) == "0 200 400 600 800 1000 ");
  BOOST_TEST(marks(Axis::around(0.00012, 0.00098, true)) ==
             "0.0000 0.0002 0.0004 0.0006 0.0008 0.0010 ");
  BOOST_TEST(marks(Axis::around(-130, 20, true)) == "-150 -100 -50 0 50 ");
}

BOOST_AUTO_TEST_CASE(an_axis_has_room_for_a_single_value_however_large) {
  for (const auto value : {0.0, 5.0, -3e-9, 1e20, 1e300}) {
    const auto axis = Axis::around(value, value, true);
    BOOST_TEST(axis.low < value);
    BOOST_TEST(axis.high > value);
    BOOST_TEST(axis.marks().size() < 20u);
  }
  BOOST_TEST(Axis::around(1e20, 1e20 + 16384, true).marks().size() < 20u);
  BOOST_TEST(Axis::around(INFINITY, -INFINITY, true).marks().size() < 20u);
}

BOOST_AUTO_TEST_CASE(long_curves_are_thinned_by_means) {
  Series series{"content"};
  for (int i = 0; i < 1000; ++i) series.x.push_back(i), series.y.push_back(i % 2 ? NAN : i);
  const auto few = thinned(series, 100);
  BOOST_REQUIRE(few.x.size() == 100u);
  BOOST_TEST(few.x[0] == 4.5);
  BOOST_TEST(few.y[0] == 4.0);
  BOOST_TEST(few.y[99] == 994.0);
  BOOST_TEST(thinned(series, 1000).x.size() == 1000u);
}

BOOST_AUTO_TEST_CASE(says_where_points_are_means) {
  Series series{"content"};
  for (int i = 0; i < 300; ++i) series.x.push_back(i), series.y.push_back(i);
  BOOST_TEST(count(plot_html(Plot{"Loss", "step", "loss", {series}}),
                   ">step (a point is the mean of 2.0 values)<") == 1u);
}

BOOST_AUTO_TEST_CASE(draws_every_curve_once_and_says_what_it_shows) {
  const auto html = plot_html(Plot{"Loss <of> all",
                                   "step",
                                   "dB",
                                   {Series{"a", {0, 1, 2, 3}, {1, NAN, 2, 3}},
                                    Series{"b", {0, 1}, {5, 4}}, Series{"none", {}, {}}}});
  BOOST_TEST(count(html, "<path class=\"curve s0\"") == 2u, "in the legend and in the plot");
  BOOST_TEST(count(html, "<path class=\"curve s2\"") == 1u, "nothing to draw");
  BOOST_TEST(count(html, "<circle") == 2u);
  BOOST_TEST(html.find("Loss &lt;of&gt; all, dB over step. a: from 1 to 3. b: from 5 to 4. none: "
                       "no value.") != std::string::npos);
  BOOST_TEST(html.find("nan") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_plot_without_values_is_still_a_plot) {
  const auto html = plot_html(Plot{"Empty", "step", "loss", {}});
  BOOST_TEST(html.find("nan") == std::string::npos);
  BOOST_TEST(html.find("inf") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
