#include <limpid/core/errors.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <new>
#include <stdexcept>
#include <string>

namespace {

using limpid::error_text, limpid::is_out_of_memory, limpid::naming;
using limpid_test::error_of;

BOOST_AUTO_TEST_SUITE(errors)

BOOST_AUTO_TEST_CASE(memory_that_ran_out_is_told_from_other_errors) {
  BOOST_TEST(is_out_of_memory(std::bad_alloc{}));
  BOOST_TEST(!is_out_of_memory(std::runtime_error{"no such file"}));
  BOOST_TEST(error_text(std::bad_alloc{}) == "out of memory");
  bool thrown = false;
  try {
    at::empty({1LL << 60});
  } catch (const std::exception& error) {
    thrown = true;
    BOOST_TEST(is_out_of_memory(error), error.what());
    BOOST_TEST(error_text(error) == "out of memory");
  }
  BOOST_TEST(thrown);
}

BOOST_AUTO_TEST_CASE(an_error_says_whose_it_is_and_keeps_its_kind) {
  BOOST_TEST(naming("'a.png'", [] { return 7; }) == 7);
  BOOST_TEST(error_of([] { naming("'a.png'", [] { TORCH_CHECK(false, "is damaged"); }); }) ==
             "'a.png': is damaged");
  BOOST_TEST(limpid_test::value_error_of([] {
               naming("'a.png'", [] { TORCH_CHECK_VALUE(false, "is small"); });
             }) == "'a.png': is small");
  BOOST_TEST(error_of([] { naming("'a.png'", [] { throw std::bad_alloc{}; }); }) ==
             "'a.png': out of memory");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
