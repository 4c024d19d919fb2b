#include <limpid/core/fail.hpp>
#include <support/errors.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using limpid::fail, limpid::refuse;

BOOST_AUTO_TEST_SUITE(fails)

BOOST_AUTO_TEST_CASE(what_always_throws_says_its_parts) {
  BOOST_TEST(limpid_test::value_error_of([] { refuse("crop ", 7, ": expected 8"); }) ==
             "crop 7: expected 8");
  BOOST_CHECK_EXCEPTION(fail("file '", "a", "': damaged"), c10::Error, [](const auto& error) {
    return std::string{error.what_without_backtrace()} == "file 'a': damaged";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
