#include <limpid/training/task_dispatch.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using limpid::FixedString, limpid::TaskList, limpid::with_tasks;
using Names = std::vector<std::string>;

/// The names of the list that the body got.
Names dispatched(const Names& wanted) {
  Names found;
  int calls = 0;
  with_tasks<"deblur", "dehaze", "derain">(
      wanted, [&]<FixedString... Tasks>(TaskList<Tasks...>) {
        found = {std::string{Tasks.view()}...};
        ++calls;
      });
  BOOST_TEST(calls == 1);
  return found;
}

std::string error_of(const Names& wanted) {
  try {
    with_tasks<"deblur", "derain">(wanted, [](auto) { BOOST_ERROR("the body was called"); });
  } catch (const c10::ValueError& error) {
    return error.what_without_backtrace();
  }
  return "no error";
}

BOOST_AUTO_TEST_SUITE(task_dispatch)

BOOST_AUTO_TEST_CASE(every_subset_is_dispatched_in_the_known_order) {
  const Names known{"deblur", "dehaze", "derain"};
  for (unsigned chosen = 1; chosen < 8; ++chosen) {
    Names subset;
    for (unsigned i = 0; i < 3; ++i) {
      if ((chosen >> i & 1) != 0) subset.push_back(known[i]);
    }
    BOOST_TEST((dispatched(subset) == subset));
    BOOST_TEST((dispatched({subset.rbegin(), subset.rend()}) == subset));
  }
}

BOOST_AUTO_TEST_CASE(wrong_names_are_refused) {
  BOOST_TEST(error_of({}) == "expected at least one task of deblur, derain, got none");
  BOOST_TEST(error_of({"deblur", "dehaze"}) == "unknown task 'dehaze': expected deblur, derain");
  BOOST_TEST(error_of({"deblu"}) == "unknown task 'deblu': expected deblur, derain");
  BOOST_TEST(error_of({"derain", "deblur", "derain"}) == "task 'derain' is named twice");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
