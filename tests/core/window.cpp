#include <limpid/core/window.hpp>

#include <boost/test/unit_test.hpp>

namespace {

using limpid::Window;

BOOST_AUTO_TEST_SUITE(window)

BOOST_AUTO_TEST_CASE(grows_by_its_margin_as_far_as_the_picture_goes) {
  const Window inside{20, 30, 8, 9};
  BOOST_TEST((inside.grown(5, 1, 100, 100) == Window{15, 25, 18, 19}));
  BOOST_TEST((inside.grown(0, 1, 100, 100) == inside));
  BOOST_TEST((inside.grown(25, 1, 100, 40) == Window{0, 5, 53, 35}));
  BOOST_TEST((inside.grown(1000, 1, 60, 70) == Window::whole(60, 70)));
}

BOOST_AUTO_TEST_CASE(grows_to_the_least_side_where_the_picture_has_it) {
  BOOST_TEST((Window{0, 0, 4, 20}.grown(1, 16, 100, 100) == Window{0, 0, 16, 21}));
  BOOST_TEST((Window{96, 50, 4, 4}.grown(0, 16, 100, 100) == Window{84, 50, 16, 16}));
  BOOST_TEST((Window{2, 2, 4, 4}.grown(0, 16, 10, 100) == Window{0, 2, 10, 16}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
