#include <limpid/training/adam_state.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using limpid::TensorMap;
using namespace limpid::detail;

/// Two layers of which a step may use one, and their Adam.
struct Run {
  explicit Run(double rate = 0.1)
      : parameters{{"a", torch::linspace(-1, 1, 6).view({2, 3}).requires_grad_()},
                   {"b", torch::ones({4}).requires_grad_()}},
        adam(tensors_of(parameters), torch::optim::AdamOptions(rate)) {}

  void step(int i, bool with_b = true) {
    forget_gradients(parameters);
    auto loss = (parameters[0].second * (i + 1) - 0.5).square().sum();
    if (with_b) loss = loss + (parameters[1].second * parameters[0].second.sum()).sin().sum();
    loss.backward();
    adam.step();
  }

  TensorMap saved() {
    TensorMap tensors;
    collect_adam(adam, parameters, "adam.", tensors);
    for (auto& [name, tensor] : tensors) tensor = tensor.clone();
    return tensors;
  }

  NamedParameters parameters;
  torch::optim::Adam adam;
};

std::string error_of(Run& run, const TensorMap& tensors) {
  return limpid_test::error_of(
      [&] { restore_adam(run.adam, run.parameters, "adam.", tensors, "file"); });
}

BOOST_AUTO_TEST_SUITE(adam_state)

BOOST_AUTO_TEST_CASE(a_restored_adam_goes_on_bit_equal) {
  for (const bool with_b : {true, false}) {
    Run whole, first, second;
    for (int i = 0; i < 7; ++i) whole.step(i, with_b);
    for (int i = 0; i < 3; ++i) first.step(i, with_b);
    restore_adam(second.adam, second.parameters, "adam.", first.saved(), "file");
    for (std::size_t p = 0; p < 2; ++p) {
      torch::NoGradGuard no_grad;
      second.parameters[p].second.copy_(first.parameters[p].second);
    }
    for (int i = 3; i < 7; ++i) second.step(i, with_b);
    for (std::size_t p = 0; p < 2; ++p) {
      BOOST_TEST(torch::equal(second.parameters[p].second, whole.parameters[p].second));
    }
    const auto expected = whole.saved(), found = second.saved();
    BOOST_REQUIRE(found.size() == expected.size());
    for (const auto& [name, tensor] : expected) {
      BOOST_TEST(torch::equal(found.at(name), tensor), name);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_state_has_the_names_and_counts_of_a_checkpoint) {
  Run run;
  BOOST_TEST(run.saved().empty());
  run.step(0, false);
  run.step(1, false);
  const auto saved = run.saved();
  BOOST_TEST(saved.size() == 3U);  // none of "b", which had no gradient
  BOOST_TEST(saved.at("adam.a.step").item<std::int64_t>() == 2);
  BOOST_TEST((saved.at("adam.a.exp_avg").sizes() == at::IntArrayRef{2, 3}));
  BOOST_TEST(saved.at("adam.a.exp_avg_sq").min().item<float>() >= 0);
}

BOOST_AUTO_TEST_CASE(the_restored_state_is_a_copy) {
  Run run, other;
  run.step(0);
  auto saved = run.saved();
  restore_adam(other.adam, other.parameters, "adam.", saved, "file");
  saved.at("adam.a.exp_avg").zero_();
  BOOST_TEST(other.saved().at("adam.a.exp_avg").abs().max().item<float>() > 0);
}

BOOST_AUTO_TEST_CASE(moments_that_are_missing_or_do_not_fit_are_named) {
  Run run, other;
  run.step(0);
  auto saved = run.saved();
  saved.erase("adam.a.exp_avg_sq");
  BOOST_TEST(error_of(other, saved) == "file: expected 'adam.a.exp_avg_sq' of shape [2, 3]");
  saved["adam.a.exp_avg_sq"] = torch::zeros({3, 2});
  BOOST_TEST(error_of(other, saved) == "file: expected 'adam.a.exp_avg_sq' of shape [2, 3]");
}

BOOST_AUTO_TEST_CASE(a_checked_state_changes_nothing_until_it_is_applied) {
  Run run, other;
  run.step(0);
  other.step(1, false);
  const auto before = other.saved();
  const auto apply = load_adam(other.adam, other.parameters, "adam.", run.saved(), "file");
  BOOST_TEST(torch::equal(other.saved().at("adam.a.exp_avg"), before.at("adam.a.exp_avg")));
  apply();
  BOOST_TEST(torch::equal(other.saved().at("adam.a.exp_avg"), run.saved().at("adam.a.exp_avg")));
  load_adam(other.adam, other.parameters, "adam.", {}, "file")();
  BOOST_TEST(other.saved().empty());  // in the place of what was there
}

BOOST_AUTO_TEST_CASE(a_rate_holds_from_the_next_step_on) {
  Run run;
  set_rate(run.adam, 0.25);
  const auto before = run.parameters[0].second.detach().clone();
  run.step(0, false);
  // Adam's first step is as long as the rate, whatever the gradient.
  const auto moved = (run.parameters[0].second.detach() - before).abs();
  BOOST_TEST(torch::allclose(moved, torch::full_like(moved, 0.25), 1e-4));
  set_rate(run.adam, 0);
  const auto after = run.parameters[0].second.detach().clone();
  run.step(1, false);
  BOOST_TEST(torch::equal(run.parameters[0].second, after));
}

BOOST_AUTO_TEST_CASE(forgotten_gradients_are_undefined) {
  Run run;
  run.step(0);
  BOOST_TEST(run.parameters[1].second.grad().defined());
  forget_gradients(run.parameters);
  BOOST_TEST(!run.parameters[0].second.grad().defined());
  BOOST_TEST(!run.parameters[1].second.grad().defined());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
