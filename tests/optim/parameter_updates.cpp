#include <limpid/optim/named_optimizers.hpp>
#include <limpid/optim/parameter_updates.hpp>
#include <support/errors.hpp>
#include <support/named.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid::detail;
using TensorMap = std::map<std::string, at::Tensor>;

/// Two layers of which a step may use one, and their optimiser.
struct Run {
  explicit Run(AnyOptimizer optimizer = Adam{}, double rate = 0.1)
      : parameters{{"a.weight", torch::linspace(-1, 1, 6).view({2, 3}).requires_grad_()},
                   {"b.bias", torch::ones({4}).requires_grad_()}},
        updates(std::move(optimizer), parameters, rate) {}

  void backward(int i, bool with_b = true) {
    forget_gradients(parameters);
    auto loss = (parameters[0].second * (i + 1) - 0.5).square().sum();
    if (with_b) loss = loss + (parameters[1].second * parameters[0].second.sum()).sin().sum();
    loss.backward();
  }

  void step(int i, bool with_b = true) {
    backward(i, with_b);
    updates.step();
  }

  TensorMap saved() {
    TensorMap tensors;
    updates.collect("o.", tensors);
    for (auto& [name, tensor] : tensors) tensor = tensor.clone();
    return tensors;
  }

  void restore(const TensorMap& tensors) { updates.load("o.", tensors, "file")(); }

  NamedParameters parameters;
  ParameterUpdates updates;
};

/// All that can be named, with options that make a difference.
std::vector<AnyOptimizer> each_optimizer() {
  std::vector<AnyOptimizer> all;
  kOptimizers.for_each([&](const auto& entry) {
    all.push_back(named_optimizer(std::string{entry.name} + ":decay=0.1"));
  });
  return all;
}

/// Four steps of one parameter at falling rates, as the values from PyTorch were made.
at::Tensor four_steps(const AnyOptimizer& optimizer) {
  const auto weight = torch::linspace(-1, 1, 6, torch::kDouble).view({2, 3}).requires_grad_();
  ParameterUpdates updates{optimizer, {{"weight", weight}}, 0};
  for (int i = 0; i < 4; ++i) {
    weight.mutable_grad() = ((i + 1) * weight.detach() - 0.5).sin() + 0.1 * i;
    updates.set_rate(0.1 / (i + 1));
    updates.step();
  }
  return weight.detach();
}

BOOST_AUTO_TEST_SUITE(parameter_updates)

BOOST_AUTO_TEST_CASE(adam_is_libtorchs_bit_for_bit) {
  for (const double decay : {0.0, 0.1}) {
    // Everything may decay, as in LibTorch.
    const auto all = [](const auto&, const auto&) { return true; };
    Run run{AnyOptimizer{Adam{0.8, 0.99, 1e-7, decay}}.decaying(all, "all")};
    Run decoupled{AnyOptimizer{AdamW{0.8, 0.99, 1e-7, decay}}.decaying(all, "all")};
    Run theirs, theirs_decoupled;
    const auto of = [](const Run& r) {
      return std::vector<at::Tensor>{r.parameters[0].second, r.parameters[1].second};
    };
    const auto betas = std::make_tuple(0.8, 0.99);
    torch::optim::Adam adam{
        of(theirs), torch::optim::AdamOptions(0.1).betas(betas).eps(1e-7).weight_decay(decay)};
    torch::optim::AdamW adamw{
        of(theirs_decoupled),
        torch::optim::AdamWOptions(0.1).betas(betas).eps(1e-7).weight_decay(decay)};
    for (int i = 0; i < 12; ++i) {
      const bool with_b = i > 2;  // begins later, as what was frozen does
      run.step(i, with_b);
      decoupled.step(i, with_b);
      theirs.backward(i, with_b);
      adam.step();
      theirs_decoupled.backward(i, with_b);
      adamw.step();
    }
    for (std::size_t p = 0; p < 2; ++p) {
      BOOST_TEST(torch::equal(run.parameters[p].second, theirs.parameters[p].second));
      BOOST_TEST(
          torch::equal(decoupled.parameters[p].second, theirs_decoupled.parameters[p].second));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_fused_kernel_steps_as_adam_does_and_skips_by_itself) {
  if (!kFusesOnCPU) return;  // LibTorch before 2.4 has it for cards only
  for (const std::string name : {"adam:decay=0.1", "adam", "adamw:decay=0.1"}) {
    BOOST_TEST_CONTEXT(name) {
      Run plain{named_optimizer(name)}, fused{named_optimizer(name)};
      const FusedOnCPU on_cpu;
      const auto zero = torch::zeros({}), one = torch::ones({});
      for (int i = 0; i < 12; ++i) {
        const bool with_b = i > 2;
        FusedOnCPU::wanted() = false;
        plain.backward(i, with_b);
        for (auto& [parameter_name, parameter] : plain.parameters) {
          if (i % 2 == 1 && parameter.grad().defined()) parameter.mutable_grad().div_(4);
        }
        plain.updates.step();
        FusedOnCPU::wanted() = true;
        fused.backward(i, with_b);
        const auto before = fused.saved();
        const auto weight = fused.parameters[0].second.detach().clone();
        BOOST_TEST(fused.updates.step_unless(one, {}));  // skipped
        fused.updates.take_back();
        BOOST_TEST(torch::equal(fused.parameters[0].second, weight));
        for (const auto& [tensor_name, tensor] : before) {
          BOOST_TEST(torch::equal(fused.saved().at(tensor_name), tensor), tensor_name);
        }
        BOOST_TEST(fused.saved().size() == before.size());
        const auto shrink = i % 2 == 1 ? 4 * one : at::Tensor{};
        BOOST_TEST(fused.updates.step_unless(zero, shrink));
        for (std::size_t p = 0; p < 2; ++p) {
          BOOST_TEST(
              torch::allclose(fused.parameters[p].second, plain.parameters[p].second, 1e-5, 1e-6));
        }
      }
      for (const auto& [tensor_name, tensor] : plain.saved()) {
        BOOST_TEST(torch::allclose(fused.saved().at(tensor_name), tensor, 1e-5, 1e-7), tensor_name);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_skip_by_itself_says_so_and_does_nothing) {
  for (const auto& optimizer : each_optimizer()) {
    Run run{optimizer};
    run.backward(0);
    const auto before = run.parameters[0].second.detach().clone();
    BOOST_TEST(!run.updates.step_unless(torch::zeros({}), {}));
    BOOST_TEST(torch::equal(run.parameters[0].second, before));
    BOOST_TEST(run.saved().empty());
  }
}

BOOST_AUTO_TEST_CASE(steps_are_those_of_pytorch) {
  // PyTorch 2.13, torch.optim, float64; lion: algorithm 2 of its paper, written in PyTorch.
  const std::map<std::string, std::vector<double>> expected{
      {"adam:beta1=0.8,beta2=0.9,epsilon=1e-3,decay=0.1",
       {-0.826357286021, -0.393299323906, 0.00384902805, 0.259073131927, 0.401508972859,
        0.794770093735}},
      {"adamw:beta1=0.5,beta2=0.9,decay=0.2",
       {-0.810075644651, -0.373829390965, 0.00247630045, 0.228913156327, 0.364349260317,
        0.74982553278}},
      {"sgd:momentum=0.9,decay=0.1",
       {-0.724365612175, -0.260324204348, 0.019692084119, 0.202610611016, 0.394081306565,
        0.683918436772}},
      {"sgd:nesterov=yes",
       {-0.606504980553, -0.136858034758, 0.070955129974, 0.19125202769, 0.326241001552,
        0.570722955493}},
      {"lion:decay=0.3",
       {-0.784805562917, -0.359285049417, 0.016235464083, 0.177331810917, 0.359285049417,
        0.734805562917}}};
  for (const auto& [text, values] : expected) {
    const auto found = four_steps(named_optimizer(text)).flatten();
    BOOST_TEST(torch::allclose(found, torch::tensor(values, torch::kDouble), 1e-10, 1e-10),
               text << ": " << found);
  }
}

BOOST_AUTO_TEST_CASE(muon_makes_steps_of_convolutions_orthogonal) {
  // The kernel flattened, three steps in float64, written in PyTorch after torch.optim.Muon.
  const auto weight =
      (torch::arange(128, torch::kDouble) * 0.7).sin().view({8, 8, 2, 1}).requires_grad_();
  ParameterUpdates updates{Muon{.decay = 0.1}, {{"weight", weight}}, 0};
  at::Tensor before;
  for (int i = 0; i < 3; ++i) {
    before = weight.detach().clone();
    weight.mutable_grad() = ((i + 1) * weight.detach() - 0.5).sin() + 0.1 * i;
    updates.set_rate(0.1 / (i + 1));
    updates.step();
  }
  const auto found = weight.detach().flatten();
  const auto expected = torch::tensor(
      {0.0299794018, 0.5999734687, 0.9647488752, 0.8024110614, 0.249941433, 0.7491101242},
      torch::kDouble);
  BOOST_TEST(torch::allclose(torch::cat({found.slice(0, 0, 4), found.slice(0, 126)}), expected,
                             1e-8, 1e-9));
  BOOST_TEST(found.norm().item<double>() == 7.6524504144, boost::test_tools::tolerance(1e-9));

  const auto matrix = torch::randn({8, 40}, torch::kDouble);
  const auto orthogonal = orthogonalized(matrix);
  const auto gram = torch::mm(orthogonal, orthogonal.t());
  BOOST_TEST((gram - torch::eye(8, torch::kDouble)).abs().max().item<double>() < 0.6);
  BOOST_TEST(torch::allclose(orthogonalized(matrix.t()), orthogonal.t()));

  // Depthwise kernels, layers at pictures and all without channels step as AdamW does.
  BOOST_TEST(Muon::is_matrix(torch::empty({64, 32, 3, 3})));
  for (const auto& shape :
       std::vector<std::vector<std::int64_t>>{{64, 1, 3, 3}, {64, 3, 3, 3}, {3, 64, 3, 3}, {64}}) {
    BOOST_TEST(!Muon::is_matrix(torch::empty(shape)));
  }
  Run run{Muon{}}, adamw{AdamW{}};
  for (int i = 0; i < 3; ++i) {
    run.step(i);
    adamw.step(i);
  }
  BOOST_TEST(torch::equal(run.parameters[0].second, adamw.parameters[0].second));
}

BOOST_AUTO_TEST_CASE(weights_decay_and_norms_and_biases_do_not) {
  for (const auto& [name, shape, decays] :
       std::vector<std::tuple<std::string, std::vector<std::int64_t>, bool>>{
           {"encoder.conv.weight", {4, 4, 3, 3}, true},
           {"encoder.linear.weight", {4, 4}, true},
           {"encoder.conv.bias", {4}, false},
           {"encoder.norm.weight", {4}, false},
           {"encoder.beta", {1, 4, 1, 1}, false}}) {
    const auto parameter = torch::ones(shape).requires_grad_();
    BOOST_TEST(decays_by_name(name, parameter) == decays, name);
    for (const auto& optimizer : each_optimizer()) {
      if (optimizer.name() != "adamw" && optimizer.name() != "lion") continue;
      const auto moved = parameter.detach().clone().requires_grad_();
      moved.mutable_grad() = torch::zeros(shape);
      ParameterUpdates updates{optimizer, {{name, moved}}, 0.5};
      updates.step();
      const auto expected = torch::full(shape, decays ? 1 - 0.5 * 0.1 : 1.0);
      BOOST_TEST(torch::allclose(moved, expected), optimizer.description() << " " << name);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_was_saved_goes_on_bit_equal) {
  for (const auto& optimizer : each_optimizer()) {
    for (const bool with_b : {true, false}) {
      Run whole{optimizer}, first{optimizer}, second{optimizer};
      for (int i = 0; i < 7; ++i) whole.step(i, with_b);
      for (int i = 0; i < 3; ++i) first.step(i, with_b);
      second.restore(first.saved());
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
        BOOST_TEST(torch::equal(found.at(name), tensor), optimizer.name() << " " << name);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_remembered_comes_back) {
  Run run;
  const auto at_first = run.updates.remember();
  run.step(0, false);
  const auto then = run.saved();
  const auto go_back = run.updates.remember();
  run.step(1);
  BOOST_TEST(run.saved().size() == 6U);
  go_back();
  const auto found = run.saved();
  BOOST_REQUIRE(found.size() == 3U);
  for (const auto& [name, tensor] : then) BOOST_TEST(torch::equal(found.at(name), tensor), name);
  at_first();
  BOOST_TEST(run.saved().empty());
}

BOOST_AUTO_TEST_CASE(the_state_has_the_names_and_counts_of_a_checkpoint) {
  Run run;
  BOOST_TEST(run.saved().empty());
  run.step(0, false);
  run.step(1, false);
  const auto saved = run.saved();
  BOOST_TEST(saved.size() == 3U);  // none of "b", which had no gradient
  BOOST_TEST(saved.at("o.a.weight.step").item<std::int64_t>() == 2);
  BOOST_TEST((saved.at("o.a.weight.exp_avg").sizes() == at::IntArrayRef{2, 3}));
  BOOST_TEST(saved.at("o.a.weight.exp_avg_sq").min().item<float>() >= 0);
}

BOOST_AUTO_TEST_CASE(the_restored_state_is_a_copy) {
  Run run, other;
  run.step(0);
  auto saved = run.saved();
  other.restore(saved);
  saved.at("o.a.weight.exp_avg").zero_();
  BOOST_TEST(other.saved().at("o.a.weight.exp_avg").abs().max().item<float>() > 0);
}

BOOST_AUTO_TEST_CASE(state_that_is_missing_or_does_not_fit_is_named) {
  Run run, other;
  run.step(0);
  auto saved = run.saved();
  const auto error = [&] { return limpid_test::error_of([&] { other.restore(saved); }); };
  saved.erase("o.a.weight.exp_avg_sq");
  BOOST_TEST(error() == "file: expected 'o.a.weight.exp_avg_sq' of shape [2, 3]");
  saved["o.a.weight.exp_avg_sq"] = torch::zeros({3, 2});
  BOOST_TEST(error() == "file: expected 'o.a.weight.exp_avg_sq' of shape [2, 3]");
}

BOOST_AUTO_TEST_CASE(a_checked_state_changes_nothing_until_it_is_applied) {
  Run run, other;
  run.step(0);
  other.step(1, false);
  const auto name = "o.a.weight.exp_avg";
  const auto before = other.saved();
  const auto apply = other.updates.load("o.", run.saved(), "file");
  BOOST_TEST(torch::equal(other.saved().at(name), before.at(name)));
  apply();
  BOOST_TEST(torch::equal(other.saved().at(name), run.saved().at(name)));
  other.restore({});
  BOOST_TEST(other.saved().empty());  // in the place of what was there
}

BOOST_AUTO_TEST_CASE(a_rate_holds_from_the_next_step_on) {
  Run run;
  run.updates.set_rate(0.25);
  const auto before = run.parameters[0].second.detach().clone();
  run.step(0, false);
  // Adam's first step is as long as the rate, whatever the gradient.
  const auto moved = (run.parameters[0].second.detach() - before).abs();
  BOOST_TEST(torch::allclose(moved, torch::full_like(moved, 0.25), 1e-4));
  run.updates.set_rate(0);
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

BOOST_AUTO_TEST_CASE(optimisers_have_names_and_options_that_are_checked) {
  limpid_test::check_table(kOptimizers);
  BOOST_TEST(named_optimizer("adamw:decay=0.05").description() ==
             "adamw, beta1 0.9, beta2 0.999, epsilon 1e-08, decay 0.05");
  const auto error = [](const std::string& text) {
    return limpid_test::error_of([&] { named_optimizer(text); });
  };
  BOOST_TEST(error("adan").find("expected an optimiser, one of adam, adamw, sgd, lion, muon; got "
                                "'adan', did you mean 'adam'?") == 0U);
  BOOST_TEST(error("lion:beta1=1") == "lion: beta1 must be at least 0 and below 1, got 1");
  BOOST_TEST(error("sgd:beta1=0.5").find("sgd: expected an option, one of momentum") == 0U);
  BOOST_TEST(error("adam:epsilon=much") == "adam: epsilon: expected a number, found 'much'");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
