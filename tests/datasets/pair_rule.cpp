#include <limpid/datasets/pair_rule.hpp>
#include <limpid/datasets/paired_folders.hpp>
#include <limpid/datasets/path_pattern.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using limpid::PairRule, limpid::pairs_by_rule, limpid::PathPattern;
using namespace limpid_test;
using Names = std::vector<std::string>;

/// What the `{}` of a pattern without folders stand for; one "no" where the name does not fit.
Names keys_of(const std::string& pattern, const std::string& file) {
  Names keys;
  return PathPattern{pattern}.fits(file, keys) ? keys : Names{"no"};
}

struct InFolder {
  TemporaryFolder folder;
  std::string root = folder.path().string();

  void put(const std::string& name) { save(picture(4, 4), folder / name); }

  std::string error(const PairRule& rule) {
    return error_of([&] { pairs_by_rule(root, rule); });
  }
};

Names names_of(const limpid::Pairs& pairs) {
  Names names;
  for (std::int64_t i = 0; i < pairs.size(); ++i) names.push_back(pairs.name(i));
  return names;
}

BOOST_FIXTURE_TEST_SUITE(pair_rule, InFolder)

BOOST_AUTO_TEST_CASE(a_pattern_takes_as_little_as_fits) {
  BOOST_TEST(keys_of("{}_blur.png", "a_blur.png") == Names{"a"});
  BOOST_TEST(keys_of("{}_blur.png", "a_blur_blur.png") == Names{"a_blur"});
  BOOST_TEST(keys_of("{}_blur.png", "a_blur.jpg") == Names{"no"});
  BOOST_TEST(keys_of("{}_blur.png", "_blur.png") == Names{"no"});
  BOOST_TEST(keys_of("{}_*", "1_1_0.90179.png") == Names{"1"});
  BOOST_TEST(keys_of("{}_s*_a*", "im_0001_s80_a04.png") == Names{"im_0001"});
  BOOST_TEST(keys_of("*GT_SRGB_{}", "GT_SRGB_010.PNG") == Names{"010"});
  BOOST_TEST(keys_of("{}-{}.*", "left-right.png") == (Names{"left", "right"}));
  BOOST_TEST((PathPattern{"{}/gt/{}"}.filled({"{}", "b"})) == "{}/gt/b");
}

BOOST_AUTO_TEST_CASE(names_in_one_folder_are_paired_by_what_they_have_in_common) {
  for (const std::string name : {"a", "b c", "z\xc3\xa9"}) {
    put(name + "_blur.png");
    put(name + "_sharp.png");
  }
  const auto pairs = pairs_by_rule(root, {"{}_blur.png", "{}_sharp.png"});
  BOOST_TEST(names_of(pairs) == (Names{"a", "b c", "z\xc3\xa9"}));
  BOOST_TEST(pairs.file(1)->degraded == folder / "b c_blur.png");
  BOOST_TEST(pairs.file(1)->target == folder / "b c_sharp.png");
  BOOST_TEST(pairs.description() == "pairs '{}_blur.png' and '{}_sharp.png' in '" + root + "'");
}

BOOST_AUTO_TEST_CASE(many_inputs_share_a_target_and_a_name_that_fits_both_is_one) {
  for (const auto* name : {"a_1.png", "a_2.png", "b_1.png", "a_gt.png", "b_gt.png"}) put(name);
  const auto pairs = pairs_by_rule(root, {"{}_*.png", "{}_gt.png"});
  BOOST_TEST(names_of(pairs) == (Names{"a_1", "a_2", "b_1"}));
  BOOST_TEST(pairs.file(1)->target == folder / "a_gt.png");
}

BOOST_AUTO_TEST_CASE(patterns_go_through_folders) {
  for (const std::string scene : {"s1", "s2"}) {
    put(scene + "/in/7.png");
    put(scene + "/out/7.jpg");
  }
  const auto pairs = pairs_by_rule(root, {"{}/in/{}", "{}/out/{}"});
  BOOST_TEST(names_of(pairs) == (Names{"s1_7", "s2_7"}));
  BOOST_TEST(pairs.file(1)->target == folder / "s2/out/7.jpg");
  const auto any = pairs_by_rule(root, {"*/in/{}", "s1/out/{}"});
  BOOST_TEST(names_of(any) == (Names{"s1_7", "s2_7"}));
}

BOOST_AUTO_TEST_CASE(what_matches_nothing_or_twice_is_named) {
  for (const auto* name : {"in/a_1.png", "in/b_1.png", "gt/a.png"}) put(name);
  const PairRule rule{"in/{}_*", "gt/{}"};
  BOOST_TEST(error(rule) ==
             "pairs: '" + root + "/in/b_1.png' has no partner 'gt/b' below '" + root + "'");
  put("gt/b.png");
  put("gt/c.png");
  BOOST_TEST(error(rule) ==
             "pairs: '" + root + "/gt/c.png' has no partner 'in/c_*' below '" + root + "'");
  put("in/c.png");
  std::filesystem::remove(folder / "gt/c.png");
  BOOST_TEST(error(rule) == "pairs: '" + root +
                                "/in/c.png' fits neither 'in/{}_*' nor 'gt/{}', the patterns of "
                                "pictures below '" +
                                root + "'");
  limpid::UnpairedFiles left;
  BOOST_TEST(pairs_by_rule(root, rule, &left).size() == 2);
  BOOST_TEST(left.degraded.size() == 1);
  std::filesystem::remove(folder / "in/c.png");
  put("gt/b.jpg");
  BOOST_TEST(error(rule) == "pairs: '" + root + "/gt/b.jpg' and '" + root +
                                "/gt/b.png' are both the target 'gt/b', so their pair is not "
                                "clear");
  std::filesystem::remove(folder / "gt/b.jpg");
  put("in/b_1.jpg");
  BOOST_TEST(error(rule) == "pairs: '" + root + "/in/b_1.jpg' and '" + root +
                                "/in/b_1.png' have the same name, so their pair is not clear");
}

BOOST_AUTO_TEST_CASE(folders_that_are_not_there_and_rules_that_cannot_be_are_named) {
  put("in/a.png");
  BOOST_TEST(error({"in/{}", "gt/{}"}) ==
             "pairs: expected a folder 'gt' in '" + root + "', found 'in'");
  BOOST_TEST(error_of([&] {
               pairs_by_rule(root + "/none", {"{}_a", "{}_b"});
             }) == "pairs: expected a folder, found no such folder at '" + root + "/none'");
  BOOST_TEST(error({"{}_a", "{}_b"}) ==
             "pairs: expected pictures '{}_a' with '{}_b' in '" + root + "', found 'in'");
  BOOST_TEST(error({"in/a", "in/b"}) ==
             "expected a '{}' in input='in/a' for each '{}' in target='in/b', and one at least, "
             "found 0 and 0");
  BOOST_TEST(error({"{}", "{}"}) == "expected input and target to differ, found '{}' for both");
  for (const auto* pattern : {"", "/{}", "../{}", "a//{}"}) {
    BOOST_TEST(error({pattern, "{}"}) ==
               "pattern '" + std::string{pattern} +
                   "': expected a path below the folder, such as 'input/{}.png'");
  }
}

BOOST_AUTO_TEST_CASE(an_argument_names_a_rule_in_either_order) {
  using limpid::detail::NamingRule;
  const auto rule = NamingRule::of("a,b,target={}_s.png,input={}_b.png");
  BOOST_REQUIRE(rule.has_value());
  BOOST_TEST(rule->folder == "a,b");
  BOOST_TEST(rule->input == "{}_b.png");
  BOOST_TEST(rule->target == "{}_s.png");
  BOOST_TEST(NamingRule::of("a,input=x/{},target=y/{}")->input == "x/{}");
  BOOST_TEST(!NamingRule::of("in,out").has_value());
  BOOST_TEST(value_error_of([] { NamingRule::of("a,input={}"); }) ==
             "expected both ,input=PATTERN and ,target=PATTERN, found the input alone");
  BOOST_TEST(value_error_of([] { NamingRule::of(",input={}_a,target={}_b"); }) ==
             "expected a folder before ,input= and ,target=");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
