#include <limpid/datasets/progressive_crop.hpp>
#include <support/errors.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using limpid::CropFrom, limpid::ProgressiveCrop;
using limpid_test::value_error_of;

BOOST_AUTO_TEST_SUITE(progressive_crop)

BOOST_AUTO_TEST_CASE(a_text_gives_sides_by_part_and_comes_back) {
  const auto crop = ProgressiveCrop::parse("128:0,192:0.5,256:0.8");
  BOOST_TEST(crop.text() == "128:0,192:0.5,256:0.8");
  BOOST_TEST((crop.by_batch(1000) == std::vector<CropFrom>{{0, 128}, {500, 192}, {800, 256}}));
  // A part begins with the first batch that lies in it, also where a run is
  // short.
  BOOST_TEST((crop.by_batch(3) == std::vector<CropFrom>{{0, 128}, {2, 192}, {3, 256}}));
  BOOST_TEST(ProgressiveCrop{}.empty());
  BOOST_TEST(ProgressiveCrop{}.by_batch(10).empty());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_refused_with_what_was_found) {
  const auto refusal = [](const std::string& text) {
    return value_error_of([&] { ProgressiveCrop::parse(text); });
  };
  const auto unread = [](const std::string& piece, const std::string& text) {
    return "expected SIDE:PART,... with parts of the run from 0 to 1, found '" + piece + "' in '" +
           text + "'";
  };
  BOOST_TEST(refusal("128") == unread("128", "128"));
  BOOST_TEST(refusal("128:0,:0.5") == unread(":0.5", "128:0,:0.5"));
  BOOST_TEST(refusal("128:0,") == unread("", "128:0,"));
  BOOST_TEST(refusal("128:nan") == unread("128:nan", "128:nan"));
  BOOST_TEST(refusal("128:0.1") ==
             "ProgressiveCrop: expected the first side from 0 on, got 128 from 0.1");
  BOOST_TEST(refusal("64:0,128:0.5,256:0.5") ==
             "ProgressiveCrop: expected parts of a run that grow and stay "
             "below 1, got 0.5 behind "
             "0.5");
  BOOST_TEST(refusal("64:0,128:1") ==
             "ProgressiveCrop: expected parts of a run that grow and stay "
             "below 1, got 1 behind 0");
  BOOST_TEST(refusal("0:0") == "ProgressiveCrop: side must be at least 1, got 0");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
