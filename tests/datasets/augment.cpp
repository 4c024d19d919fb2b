#include <limpid/datasets/augment.hpp>
#include <support/errors.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using limpid::Augmentation, limpid::Random;
using limpid::detail::crop_lines, limpid::detail::plan_crop;

BOOST_AUTO_TEST_SUITE(augmentations)

BOOST_AUTO_TEST_CASE(texts_are_read_as_they_are_written) {
  for (const std::string text : {"flip+turns", "flip", "turns", "none", "mixup",
                                 "flip+turns+mixup@0.5+cut-mix@0.25", "cut-blur@0.1"}) {
    BOOST_TEST(Augmentation::parse(text).text() == text);
  }
  BOOST_TEST(Augmentation::parse("cut_mix+flip").text() == "flip+cut-mix");
}

BOOST_AUTO_TEST_CASE(a_text_that_is_none_is_refused_with_what_there_is) {
  const auto refusal = [](const std::string &text) {
    return limpid_test::value_error_of([&] { Augmentation::parse(text); });
  };
  BOOST_TEST(refusal("flip+turn") ==
             "expected an augmentation, one of none, flip, turns, mixup, "
             "cut-mix, cut-blur; got "
             "'turn', did you mean 'turns'?");
  BOOST_TEST(refusal("mixup@2") ==
             "augmentation 'mixup': expected a share of "
             "the batches above 0, at most 1, got '2'");
  BOOST_TEST(refusal("flip@0.5") ==
             "augmentation 'flip' is on or off, and takes no share; got 'flip@0.5'");
}

BOOST_AUTO_TEST_CASE(switching_one_off_leaves_the_other_choices_alone) {
  bool flipped = false, turned = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random first{seed}, second{seed};
    const auto all = plan_crop(40, 50, 16, {}, first);
    const auto none = plan_crop(40, 50, 16, Augmentation::parse("none"), second);
    BOOST_TEST((all.top == none.top && all.left == none.left));
    BOOST_TEST((!none.flip && none.quarter_turns == 0));
    BOOST_TEST(first.state() == second.state());
    flipped = flipped || all.flip;
    turned = turned || all.quarter_turns != 0;
  }
  BOOST_TEST((flipped && turned));
}

BOOST_AUTO_TEST_CASE(a_picture_smaller_than_the_crop_is_mirrored_at_both_borders) {
  BOOST_TEST((crop_lines(10, 3, 4) == std::vector<std::int64_t>{3, 4, 5, 6}));
  BOOST_TEST((crop_lines(3, 0, 7) == std::vector<std::int64_t>{2, 1, 0, 1, 2, 1, 0}));
  BOOST_TEST((crop_lines(1, 0, 3) == std::vector<std::int64_t>{0, 0, 0}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
