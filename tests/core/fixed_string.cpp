#include <limpid/core/fixed_string.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <type_traits>

namespace {

using limpid::FixedString, limpid::is_task_name;

template <FixedString Name>
struct Named {
  static constexpr std::string_view name = Name;
};

static_assert(FixedString{"deblur"}.view() == "deblur");
static_assert(FixedString{""}.view().empty());
static_assert(Named<"derain">::name.size() == 6);
static_assert(std::is_same_v<Named<"deblur">, Named<"deblur">>);
static_assert(!std::is_same_v<Named<"deblur">, Named<"dehaze">>);
static_assert(!std::is_same_v<Named<"deblur">, Named<"deblu">>);

static_assert(is_task_name("deblur"));
static_assert(is_task_name("low-light_2"));
static_assert(is_task_name("7"));
static_assert(!is_task_name(""));
static_assert(!is_task_name("Deblur"));
static_assert(!is_task_name("de blur"));
static_assert(!is_task_name("de.blur"));
static_assert(!is_task_name("de/blur"));
static_assert(!is_task_name("de=blur"));
static_assert(!is_task_name("\xc3\xa4"));
static_assert(!is_task_name(std::string_view{"deblur\0", 7}));

BOOST_AUTO_TEST_SUITE(fixed_string)

BOOST_AUTO_TEST_CASE(outlives_the_expression_that_names_it) {
  const std::string copy{Named<"deblur">::name};
  BOOST_TEST(copy == "deblur");
  BOOST_TEST(Named<"deblur">::name.data() == Named<"deblur">::name.data());
}

BOOST_AUTO_TEST_CASE(no_other_character_makes_a_task_name) {
  const std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789-_";
  for (int code = 0; code < 256; ++code) {
    const std::string name(1, static_cast<char>(code));
    BOOST_TEST(is_task_name(name) == (allowed.find(name) != std::string_view::npos), code);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
