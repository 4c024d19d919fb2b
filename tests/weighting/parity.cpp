#include <limpid/weighting/named_weightings.hpp>
#include <support/fixtures.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>

// Against weighting.safetensors: LibMTL, TorchJD and others on three tasks. Its json has formulas,
// parameters and tolerances.
namespace {

using namespace limpid;
using namespace limpid_test;

/// Fixture, inputs, and the comparison.
struct Expected {
  Fixture fixture{"weighting"};

  at::Tensor gradients(const std::string& matrix) const {
    return fixture.at("gradients." + matrix).to(torch::kFloat).clone();
  }

  WeightingStep step(int number) const {
    WeightingStep step{{"deblur", "dehaze", "derain"}};
    step.losses = vector(fixture.at("losses")[number]);
    return step;
  }

  TaskVector vector(const at::Tensor& tensor) const {
    const auto values = tensor.to(torch::kDouble).contiguous();
    return Eigen::Map<const TaskVector>(values.data_ptr<double>(), values.numel());
  }
  TaskVector vector(const std::string& key) const { return vector(fixture.at(key)); }

  void check(const at::Tensor& found, const std::string& key, double tolerance) const {
    BOOST_TEST_CONTEXT(key) {
      const auto difference = relative_difference(found, fixture.at(key));
      BOOST_TEST(difference < tolerance);
      BOOST_TEST_MESSAGE("parity " << key << " " << difference);
    }
  }
  void check(const TaskVector& found, const std::string& key, double tolerance) const {
    const auto copy = found;
    check(torch::from_blob(const_cast<double*>(copy.data()), {copy.size()}, torch::kDouble), key,
          tolerance);
  }
  void check(double found, const std::string& key, double tolerance) const {
    check(torch::full({1}, found, torch::kDouble), key, tolerance);
  }
};

constexpr const char* kMatrices[] = {"plain", "conflict", "aligned", "balanced"};
constexpr const char* kCalls[] = {"conflict", "plain", "conflict"};

/// What a trainer would do with one step's gradients.
Combination combination_of(AnyWeighting& weighting, WeightingStep step, at::Tensor rows) {
  const auto gram = gram_matrix(rows);
  return weighting.combine(step, gram, rows);
}

struct Fresh : Expected {
  Combination combined(AnyWeighting weighting, const std::string& matrix) const {
    return combination_of(weighting, step(0), gradients(matrix));
  }
};

BOOST_AUTO_TEST_SUITE(weighting_parity, *boost::unit_test::precondition([](auto) {
                        return Fixture::available("weighting");
                      }))

BOOST_AUTO_TEST_CASE(weights_from_gradients_and_what_they_combine_to) {
  const Fresh e;
  const std::pair<const char*, std::string> methods[]{{"equal", "equal"},
                                                      {"imtl-g", "imtl_g"},
                                                      {"fairgrad:alpha=1", "fairgrad_1"},
                                                      {"fairgrad:alpha=2", "fairgrad_2"},
                                                      {"nash-mtl:max-norm=0", "nash"},
                                                      {"aligned-mtl", "aligned_mtl"},
                                                      {"upgrad", "upgrad"},
                                                      {"dualproj", "dualproj"},
                                                      {"mgda", "mgda_none"},
                                                      {"mgda:scale=l2", "mgda_l2"},
                                                      {"mgda:scale=loss", "mgda_loss"},
                                                      {"mgda:scale=loss-l2", "mgda_loss+"}};
  for (const std::string matrix : kMatrices) {
    for (const auto& [name, key] : methods) {
      const double tolerance = key == "equal" ? 1e-5 : 1e-3;
      const auto found = e.combined(named_weighting(name), matrix);
      e.check(found.weights, key + "." + matrix + ".weights", tolerance);
      e.check(found.row, key + "." + matrix + ".combined", tolerance);
    }
  }
}

BOOST_AUTO_TEST_CASE(combined_gradients_alone) {
  const Fresh e;
  const std::pair<const char*, std::string> methods[]{
      {"pcgrad:shuffled=no", "pcgrad.*.combined"},
      {"cagrad:c=0.5,rescale=no", "cagrad.*.combined"},
      {"cagrad:c=0.5", "cagrad.*.combined_rescaled"},
      {"config", "config.*.combined"},
      {"nash-mtl", "nash.*.combined_clipped"},
      {"mgda:combine-scaled=yes", "mgda_none.*.combined_normalised"},
      {"mgda:scale=l2,combine-scaled=yes", "mgda_l2.*.combined_normalised"},
      {"mgda:scale=loss,combine-scaled=yes", "mgda_loss.*.combined_normalised"},
      {"mgda:scale=loss-l2,combine-scaled=yes", "mgda_loss+.*.combined_normalised"}};
  for (const std::string matrix : kMatrices) {
    for (auto [name, key] : methods) {
      const double tolerance = key.starts_with("pcgrad") ? 1e-4 : 1e-3;
      key.replace(key.find('*'), 1, matrix);
      e.check(e.combined(named_weighting(name), matrix).row, key, tolerance);
    }
  }
}

BOOST_AUTO_TEST_CASE(cagrads_inner_problem) {
  const Expected e;
  for (const std::string matrix : kMatrices) {
    e.check(CAGrad{.c = 0.5}.simplex_weights(gram_matrix(e.gradients(matrix))),
            "cagrad." + matrix + ".weights", 1e-3);
  }
}

BOOST_AUTO_TEST_CASE(signs_dropped_by_given_numbers) {
  const Expected e;
  const auto uniform = e.fixture.at("graddrop.uniform").to(torch::kFloat);
  for (const std::string matrix : kMatrices) {
    e.check(GradDrop::kept(e.gradients(matrix), uniform, 0), "graddrop." + matrix + ".combined",
            1e-5);
  }
}

BOOST_AUTO_TEST_CASE(weightings_of_gradients_with_a_state) {
  const Expected e;
  const std::pair<const char*, std::string> methods[]{{"gradvac:shuffled=no", "gradvac"},
                                                      {"moco", "moco"},
                                                      {"excess-mtl", "excess"},
                                                      {"db-mtl", "db_mtl"}};
  for (const auto& [name, key] : methods) {
    auto weighting = named_weighting(name);
    for (int s = 0; s < 3; ++s) {
      const auto found = combination_of(weighting, e.step(s), e.gradients(kCalls[s]));
      const auto prefix = key + ".step" + std::to_string(s) + ".";
      e.check(found.row, prefix + "combined", 1e-4);
      if (key == "moco" || key == "excess") e.check(found.weights, prefix + "weights", 1e-4);
      if (key == "db_mtl") e.check(found.weights, prefix + "scales", 1e-4);
      if (key != "gradvac") continue;
      const auto rho = weighting.numbers().at("rho").get<std::vector<std::vector<double>>>();
      const auto expected = e.fixture.at(prefix + "rho");
      for (int i = 0; i < 3; ++i) {
        for (int j = 0; j < 3; ++j) {
          const double difference = rho[i][j] - expected[i][j].item<double>();
          BOOST_TEST(std::abs(difference) < 1e-4, prefix << "rho " << i << " " << j);
        }
      }
    }
  }
}

/// Uncertainty and ImpartialLosses: parameters, weights, gradient; then a step of 0.1.
template <class W, class Value>
void check_learned(const Expected& e, W weighting, const std::string& key, Value value) {
  weighting.rate = 0.1;
  for (int s = 0; s < 5; ++s) {
    auto step = e.step(s);
    const auto prefix = key + ".step" + std::to_string(s) + ".";
    const auto weights = weighting.weights(step);
    if (s > 0) e.check(weighting.s, prefix + "parameters", 1e-5);
    e.check(weights, prefix + "weights", 1e-5);
    e.check(weighting.gradient(step.losses), prefix + "gradient", 1e-5);
    e.check(value(weighting.s, step.losses), prefix + "value", 1e-5);
    weighting.observe(step);
  }
}

BOOST_AUTO_TEST_CASE(learned_scales_of_losses) {
  const Expected e;
  check_learned(e, Uncertainty{}, "uw", [](const TaskVector& s, const TaskVector& losses) {
    return (losses.array() / (2 * s.array().exp()) + s.array() / 2).sum();
  });
  check_learned(e, ImpartialLosses{}, "imtl_l", [](const TaskVector& s, const TaskVector& losses) {
    return (s.array().exp() * losses.array() - s.array()).sum();
  });
}

BOOST_AUTO_TEST_CASE(weights_from_losses) {
  const Expected e;
  auto average = named_weighting("dwa");
  auto famo = FAMO{};
  for (int s = 0; s < 5; ++s) {
    auto step = e.step(s);
    step.epoch = s;
    const auto prefix = ".step" + std::to_string(s) + ".";
    e.check(average.ahead(step), "dwa" + prefix + "weights", 1e-5);
    average.observe(step);
    e.check(GeometricMean{}.weights(step), "gls" + prefix + "weights", 1e-5);
    e.check(GeometricMean::value(step.losses), "gls" + prefix + "value", 1e-5);
    e.check(RandomWeights::of(e.vector(e.fixture.at("rlw.scores")[s])), "rlw" + prefix + "weights",
            1e-5);
    e.check(SoftOptimalUncertainty{}.weights(step), "uw_so" + prefix + "weights", 1e-5);
    e.check(famo.weights(step), "famo" + prefix + "weights", 1e-4);
    if (s > 0) e.check(famo.q, "famo" + prefix + "parameters", 1e-4);
    e.check(famo.value(step.losses), "famo" + prefix + "value", 1e-4);
  }
  for (const std::string mu : {"1.0", "0.2"}) {
    SmoothTchebycheff smooth{.mu = std::stod(mu)};
    for (int s = 0; s < 5; ++s) {
      const auto step = e.step(s);
      const auto weights = smooth.weights(step);
      if (s == 0) continue;
      const auto prefix = "stch_" + mu + ".step" + std::to_string(s) + ".";
      e.check(weights, prefix + "weights", 1e-5);
      e.check(smooth.value(step.losses), prefix + "value", 1e-5);
    }
  }
}

BOOST_AUTO_TEST_CASE(gradient_normalisation) {
  const Expected e;
  const TaskVector p = (TaskVector{3} << 0.8, 1.3, 0.9).finished();
  const auto lengths = limpid::detail::lengths(gram_matrix(e.gradients("conflict")));
  const TaskVector ratios = e.step(1).losses.cwiseQuotient(e.step(0).losses);
  const auto found = GradNorm::distance(p, lengths, ratios, 1.5);
  e.check(found.norms, "gradnorm.norms", 1e-4);
  e.check(found.targets, "gradnorm.targets", 1e-4);
  e.check(found.value, "gradnorm.value", 1e-4);
  e.check(found.gradient_weights, "gradnorm.gradient_weights", 1e-4);
  e.check(found.gradient_scores, "gradnorm.gradient_parameters", 1e-4);
  GradNorm weighting{};
  weighting.p = p;
  e.check(weighting.decoders(e.step(0)), "gradnorm.weights", 1e-4);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
