#include <limpid/datasets/photos_argument.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>

namespace {

using limpid::DataArgument, limpid::PhotosArgument;

PhotosArgument parse(const std::string& task, const std::string& path, std::uint64_t seed = 0) {
  return PhotosArgument::parse({task, "photos", path, ""}, seed);
}

std::string error_of(const std::string& task, const std::string& path) {
  return limpid_test::value_error_of([&] { return parse(task, path); });
}

BOOST_AUTO_TEST_SUITE(photos_argument)

BOOST_AUTO_TEST_CASE(a_folder_alone_takes_the_tasks_usual_degradation) {
  const auto plain = parse("deblur", "/data/photos", 7);
  BOOST_TEST(plain.folder == "/data/photos");
  BOOST_TEST(plain.degradation.name == "motion-blur");
  BOOST_TEST(plain.degradation.options.empty());
  BOOST_TEST(plain.options.seed == 7U);
}

BOOST_AUTO_TEST_CASE(options_of_drawing_and_of_the_degradation_stand_in_any_order) {
  const auto all = parse(
      "sharpen", "p,size=7:17,seed=3,degradation=motion-blur,long-side=640,draws=4,on=device", 9);
  BOOST_TEST(all.folder == "p");
  BOOST_TEST(all.degradation.name == "motion-blur");
  BOOST_TEST_REQUIRE(all.degradation.options.size() == 1U);
  BOOST_TEST(all.degradation.options[0].first == "size");
  BOOST_TEST(all.degradation.options[0].second == "7:17");
  BOOST_TEST(all.options.seed == 3U);
  BOOST_TEST(all.options.long_side == 640);
  BOOST_TEST(all.options.draws_per_variant == 4);
  BOOST_TEST((all.options.on == limpid::DegradeOn::device));
}

BOOST_AUTO_TEST_CASE(a_comma_in_a_folders_name_stays_there) {
  BOOST_TEST(parse("deblur", "/a,b/c").folder == "/a,b/c");
  BOOST_TEST(parse("deblur", "/a,b=c/d,seed=1").folder == "/a,b=c/d");
}

BOOST_AUTO_TEST_CASE(commas_in_parentheses_belong_to_a_value) {
  const auto blind =
      parse("blind", "/my (old, small) photos,parts=haze@0.5(beta=1,tint=0)+jpeg,seed=3");
  BOOST_TEST(blind.folder == "/my (old, small) photos");
  BOOST_TEST(blind.degradation.name == "mixture");
  BOOST_TEST_REQUIRE(blind.degradation.options.size() == 1U);
  BOOST_TEST(blind.degradation.options[0].second == "haze@0.5(beta=1,tint=0)+jpeg");
  BOOST_TEST(blind.options.seed == 3U);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named) {
  BOOST_TEST(error_of("sharpen", "p") ==
             "task 'sharpen' has no usual degradation: expected degradation=NAME, one of " +
                 limpid::kDegradations.list());
  BOOST_TEST(error_of("deblur", "p,seize=7")
                 .rfind("expected an option of photographs with motion-blur, one of ", 0) == 0U);
  BOOST_TEST(error_of("deblur", "p,seize=7").find("did you mean 'size'?") != std::string::npos);
  BOOST_TEST(error_of("deblur", "p,seed=1,seed=2") == "'seed' is named twice");
  BOOST_TEST(error_of("deblur", "p,draws=0") == "draws must be at least 1, got 0");
  BOOST_TEST(error_of("deblur", "p,long-side=x").rfind("long-side: ", 0) == 0U);
  BOOST_TEST(error_of("deblur", "p,on=card") ==
             "on: expected where to degrade, one of loader, device; got 'card'");
  BOOST_TEST(error_of("deblur", "p,degradation=smoke")
                 .rfind("expected a degradation, one of motion-blur, ", 0) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
