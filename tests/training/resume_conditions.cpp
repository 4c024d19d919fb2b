#include <limpid/training/resume_conditions.hpp>
#include <support/errors.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using limpid::check_conditions, limpid::detail::same_data;
using nlohmann::json;

json conditions() {
  return {{"seed", 1},
          {"branches",
           {{"deblur",
             {{"pairs", 4},
              {"pair_names", "00000001"},
              {"augmentation", "flip+turns"},
              {"crop", 16}}}}}};
}

json with(const std::string& key, const json& value) {
  auto changed = conditions();
  changed["branches"]["deblur"][key] = value;
  return changed;
}

std::string refusal(const json& saved, const json& now, bool data_changed = false) {
  return limpid_test::error_of(
      [&] { check_conditions(saved, now, data_changed, "checkpoint 'a'"); });
}

BOOST_AUTO_TEST_SUITE(resume_conditions)

BOOST_AUTO_TEST_CASE(the_first_difference_is_named_with_both_values) {
  BOOST_TEST(refusal(conditions(), conditions()) == "no error");
  BOOST_TEST(refusal(conditions(), with("crop", 24)) ==
             "checkpoint 'a': cannot resume, because the run was started with "
             "/branches/deblur/crop = 16, and this one has 24");
  BOOST_TEST(
      refusal(conditions(), with("augmentation", "none")).find("/branches/deblur/augmentation") !=
      std::string::npos);
}

BOOST_AUTO_TEST_CASE(other_pairs_are_refused_by_number_and_by_name_unless_that_is_meant) {
  auto fewer = with("pairs", 3);
  fewer["branches"]["deblur"]["pair_names"] = "00000003";  // the number says more
  const auto others = with("pair_names", "00000002");
  BOOST_TEST(refusal(conditions(), fewer) ==
             "checkpoint 'a': cannot resume, because the run was started with "
             "/branches/deblur/pairs = 4, and this one has 3; if its data have changed on purpose, "
             "say so: --data-changed, data_changed");
  BOOST_TEST(refusal(conditions(), others) ==
             "checkpoint 'a': cannot resume, because the run was started with pairs of other names "
             "(/branches/deblur/pair_names); if its data have changed on purpose, say so: "
             "--data-changed, data_changed");
  for (const auto& now : {fewer, others}) {
    BOOST_TEST(refusal(conditions(), now, true) == "no error");
    BOOST_TEST(!same_data(conditions(), now));
  }
  BOOST_TEST(refusal(conditions(), with("crop", 24), true) != "no error");  // data, nothing else
  BOOST_TEST(same_data(conditions(), conditions()));
}

BOOST_AUTO_TEST_CASE(a_file_that_does_not_say_all_that_is_asked_today_is_resumed) {
  auto old = conditions();
  for (const auto* key : {"pair_names", "augmentation"}) old["branches"]["deblur"].erase(key);
  auto now = conditions();
  now["tf32"] = true;
  now["convolution"] = "fast";
  BOOST_TEST(refusal(old, now) == "no error");
  BOOST_TEST(same_data(old, now));
  auto fewer = with("pairs", 3);
  BOOST_TEST(refusal(old, fewer).find("/pairs = 4") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_option_that_the_encoder_got_since_is_resumed_where_it_is_off) {
  auto old = conditions(), off = old, on = old;
  old["model"]["encoder"]["options"] = {{"width", 32}};
  off["model"]["encoder"]["options"] = {{"width", 32}, {"context", 0}};
  on["model"]["encoder"]["options"] = {{"width", 32}, {"context", 8}};
  BOOST_TEST(refusal(old, off) == "no error");
  BOOST_TEST(
      refusal(old, on).find("/model/encoder/options/context = nothing, and this one has 8") !=
      std::string::npos);
  BOOST_TEST(refusal(off, on).find("context = 0, and this one has 8") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(other_tasks_are_other_conditions) {
  auto other = conditions();
  other["branches"]["derain"] = other["branches"]["deblur"];
  BOOST_TEST(refusal(conditions(), other).find("/branches/derain") != std::string::npos);
  BOOST_TEST(refusal(other, conditions()).find("/branches/derain") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
