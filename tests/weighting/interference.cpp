#include <limpid/weighting/interference.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

using namespace limpid;
namespace tt = boost::test_tools;

namespace {

std::vector<std::string> names_of(const std::vector<EncoderPart>& parts) {
  std::vector<std::string> names;
  for (const auto& part : parts) names.push_back(part.name);
  return names;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(interference)

BOOST_AUTO_TEST_CASE(an_encoder_is_parted_where_its_names_begin_to_differ) {
  const auto parts = encoder_parts({{"model.1.weight", 6},
                                    {"model.1.bias", 2},
                                    {"model.4.weight", 8},
                                    {"model.9.a.weight", 3},
                                    {"model.9.b.weight", 4}});
  const std::vector<std::string> expected{"model.1", "model.4", "model.9"};
  BOOST_TEST(names_of(parts) == expected, tt::per_element());
  BOOST_TEST(parts[1].begin == 8);
  BOOST_TEST(parts[2].count == 7);

  const std::vector<std::string> by_first{"intro", "encoders", "downs"};
  BOOST_TEST(
      names_of(encoder_parts(
          {{"intro.weight", 1}, {"encoders.0.0.w", 1}, {"encoders.1.0.w", 1}, {"downs.0.w", 1}})) ==
          by_first,
      tt::per_element());
  BOOST_TEST(encoder_parts({{"weight", 3}}).size() == 1U);
}

BOOST_AUTO_TEST_CASE(cosines_lengths_and_conflicts_by_hand) {
  // (3, 4), (-4, 3), (-6, -8) and nothing: right angles, opposite, undefined.
  const auto rows = torch::tensor({{3.f, 4.f}, {-4.f, 3.f}, {-6.f, -8.f}, {0.f, 0.f}});
  const auto seen = Interference::of({"a", "b", "c", "d"}, rows, {{"left", 0, 1}, {"right", 1, 1}});
  const auto cosine = cosines(seen.gram);
  BOOST_TEST(cosine(0, 0) == 1);
  BOOST_TEST(cosine(0, 1) == 0);
  BOOST_TEST(cosine(0, 2) == -1);
  BOOST_TEST(std::isnan(cosine(0, 3)));
  BOOST_TEST(conflicts(seen.gram) == 1);
  BOOST_TEST(seen.parts[0].first == "left");
  BOOST_TEST(conflicts(seen.parts[0].second) == 2);  // 3 and -4, 3 and -6
  const auto json = interference_json(seen);
  BOOST_TEST(json["length"][2] == 10.0);
  BOOST_TEST(json["cosine"][3][0] == "none");
  BOOST_TEST(json["parts"][1]["name"] == "right");
  BOOST_TEST(json["conflicts"] == 1);
}

BOOST_AUTO_TEST_CASE(weights_that_gradients_were_multiplied_by_are_taken_out) {
  auto seen =
      Interference::of({"a", "b"}, torch::tensor({{2.f, 0.f}, {3.f, 3.f}}), {{"all", 0, 2}});
  const TaskVector weights{{2.0, 3.0}};
  seen.unweigh(weights);
  BOOST_TEST(seen.gram(0, 0) == 1, tt::tolerance(1e-12));
  BOOST_TEST(seen.gram(0, 1) == 1, tt::tolerance(1e-12));
  BOOST_TEST(seen.parts[0].second(1, 1) == 2, tt::tolerance(1e-12));
}

BOOST_AUTO_TEST_SUITE_END()
