#include <limpid/core/field_of_view.hpp>

#include <boost/test/unit_test.hpp>

namespace {

using limpid::FieldOfView;

static_assert(FieldOfView{}.convolved(7).reach == 3);
static_assert(FieldOfView{}.convolved(3, 1, 4).reach == 4);
static_assert(FieldOfView{}.convolved(3, 2).convolved(3).reach == 1 + 2);
static_assert(FieldOfView{}.convolved(2, 2).reach == 0, "four pixels become one cell");
static_assert(FieldOfView{}.convolved(2, 2).stride == 2);
static_assert(FieldOfView{}.convolved(1).reach == 0);
static_assert(FieldOfView{.stride = 8}.upsampled(2).reach == 4, "a cell's half knows the other");
static_assert(FieldOfView{.stride = 8}.upsampled(2).stride == 4);
static_assert(FieldOfView{.stride = 4}.deconvolved().reach == 4);

BOOST_AUTO_TEST_SUITE(field_of_view)

BOOST_AUTO_TEST_CASE(of_two_maps_the_farther_look_counts) {
  const FieldOfView near{.stride = 2, .reach = 5}, far{.stride = 4, .reach = 9};
  BOOST_TEST(near.joined(far).reach == 9);
  BOOST_TEST(far.joined(near).reach == 9);
  BOOST_TEST(far.joined(near).stride == 2);
}

BOOST_AUTO_TEST_CASE(windows_of_means_must_lie_within_what_surrounds_a_tile) {
  const auto view = FieldOfView{.stride = 4, .reach = 10}.averaged(96).averaged(50);
  BOOST_TEST(view.reach == 10);
  BOOST_TEST(view.window == 384);
  BOOST_TEST(view.halo() == 202);
  BOOST_TEST(!view.is_bounded());
  BOOST_TEST(FieldOfView{}.convolved(3).is_bounded());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
