#include <limpid/training/run_part.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <vector>

namespace {

using namespace limpid::detail;

/// Something with a state of its own, and the part that keeps it.
struct Counter {
  int count = 0;

  RunPart part() {
    return {.save = [this](SavedRun& saved) { saved.manifest["count"] = count; },
            .load =
                [this](RunReader& reader) {
                  const auto found = reader.saved.manifest.at("count").get<int>();
                  TORCH_CHECK(found >= 0, reader.source, ": a negative count");
                  reader.then([this, found] { count = found; });
                },
            .describe = [](nlohmann::json& conditions) { conditions["counted"] = "steps"; }};
  }
};

BOOST_AUTO_TEST_SUITE(run_part)

BOOST_AUTO_TEST_CASE(a_part_saves_loads_and_says_what_must_stay) {
  Counter counter{7}, other;
  SavedRun saved;
  counter.part().save(saved);
  RunReader reader{saved, "checkpoint 'a'"};
  other.part().load(reader);
  BOOST_TEST(other.count == 0);  // until all parts agree
  reader.apply({});
  BOOST_TEST(other.count == 7);
  nlohmann::json conditions;
  other.part().describe(conditions);
  BOOST_TEST(conditions.at("counted") == "steps");
}

BOOST_AUTO_TEST_CASE(what_a_part_leaves_out_does_nothing) {
  SavedRun saved;
  RunReader reader{saved, "checkpoint 'a'"};
  const RunPart silent;
  nlohmann::json conditions;
  silent.save(saved);
  silent.load(reader);
  silent.describe(conditions);
  BOOST_TEST(saved.manifest.empty());
  BOOST_TEST(conditions.is_null());
}

BOOST_AUTO_TEST_CASE(weights_that_do_not_fit_stop_every_other_change) {
  Counter counter{3}, other;
  SavedRun saved;
  counter.part().save(saved);
  RunReader reader{saved, "checkpoint 'a'"};
  other.part().load(reader);
  const torch::nn::Linear layer{2, 2};
  reader.weights.expect_module(*layer, "layer.");
  BOOST_TEST(limpid_test::error_of([&] { reader.apply({}); }).rfind("checkpoint 'a': ", 0) == 0U);
  BOOST_TEST(other.count == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
