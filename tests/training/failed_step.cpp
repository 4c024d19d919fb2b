// A step that fails changes nothing: not the model, not a critic, not what an objective remembers.
#include <limpid/losses/adversarial/began.hpp>
#include <limpid/training/critics_before.hpp>
#include <limpid/training/trainer.hpp>
#include <support/errors.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid_test;

using TwoTasks = MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">, TinyDecoder<"derain">>;

TrainerOptions quiet() {
  TrainerOptions options;
  options.crop = 16;
  options.quiet = true;
  options.critic_rate = 1e-2;
  return options;
}

std::vector<Batch> batches() {
  std::vector<Batch> both;
  for (int i = 0; i < 2; ++i) {
    both.push_back({torch::rand({1, 3, 16, 16}) - 0.5, torch::rand({1, 3, 16, 16}) - 0.5});
  }
  return both;
}

/// A score loss whose slope for the critic is not finite though its value is.
struct Cliff {
  bool* falls;
  at::Tensor critic_loss(TinyCritic& critic, const AdversarialBatch& batch) const {
    const auto scores = critic->forward(batch.target);
    if (!*falls) return scores.mean();
    return (scores - scores.detach()).square().sum().sqrt() + scores.mean();
  }
  at::Tensor generator_loss(TinyCritic& critic, const AdversarialBatch& batch) const {
    return critic->forward(batch.restored).mean();
  }
};

/// Least squares of scores.
struct Squares {
  at::Tensor critic_loss(TinyCritic& critic, const AdversarialBatch& batch) const {
    return (critic->forward(batch.target) - 1).square().mean() +
           critic->forward(batch.restored).square().mean();
  }
  at::Tensor generator_loss(TinyCritic& critic, const AdversarialBatch& batch) const {
    return (critic->forward(batch.restored) - 1).square().mean();
  }
};

/// The same, with something to do after a step of the critic.
struct SquaresAndMore : Squares {
  void after_critic_step(TinyCritic&) const {}
};

/// Two tasks with a critic each; the second's content fails where it is asked to.
struct TwoCritics {
  template <class Objective>
  explicit TwoCritics(Objective objective) {
    torch::manual_seed(1);
    trainer.model()->encoder()->drop = torch::nn::Dropout(0.0);
    trainer.branch<"deblur">(Branch{.critic = deblur, .adversarial = objective});
    trainer.branch<"derain">(Branch{.content =
                                        [this](const at::Tensor& a, const at::Tensor& b) {
                                          others_weight = deblur->conv->weight.detach().clone();
                                          const auto loss = (a - b).abs().mean();
                                          return fails ? loss * std::nan("") : loss;
                                        },
                                    .critic = derain,
                                    .adversarial = objective});
  }

  std::vector<at::Tensor> weights() {
    std::vector<at::Tensor> all;
    for (const auto& critic : {deblur, derain}) {
      for (const auto& parameter : critic->parameters()) all.push_back(parameter.detach().clone());
    }
    for (const auto& parameter : trainer.model()->parameters()) {
      all.push_back(parameter.detach().clone());
    }
    return all;
  }

  TwoTasks trainer{quiet()};
  TinyCritic deblur, derain;
  at::Tensor others_weight;  // of deblur's critic, after its task and before the step's end
  bool fails = false;
};

bool are_equal(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const at::Tensor& x, const at::Tensor& y) { return torch::equal(x, y); });
}

BOOST_AUTO_TEST_SUITE(failed_step)

BOOST_AUTO_TEST_CASE(critics_whose_steps_are_tried_first_move_as_all_others_do) {
  torch::manual_seed(4);
  const std::vector<std::vector<Batch>> steps{batches(), batches(), batches()};
  const auto train = [&](auto objective, bool fails_between, bool tries) {
    torch::manual_seed(3);
    TwoCritics run{objective};
    auto before = run.weights();
    for (const auto& step : steps) {
      if (fails_between) {
        run.fails = true;
        BOOST_TEST(error_of([&] { run.trainer.step(step); }) != "no error");
        BOOST_TEST(are_equal(run.weights(), before));
        run.fails = false;
      }
      const auto weight = run.deblur->conv->weight.detach().clone();
      run.trainer.step(step);
      BOOST_TEST(torch::equal(run.others_weight, weight) == tries);
      BOOST_TEST(!are_equal(run.weights(), before));
      before = run.weights();
    }
    return before;
  };
  const auto copied = train(SquaresAndMore{}, false, false);
  BOOST_TEST(are_equal(train(Squares{}, false, true), copied));
  BOOST_TEST(are_equal(train(Squares{}, true, true), copied));
}

BOOST_AUTO_TEST_CASE(a_critic_is_as_it_was_before_the_step_and_the_step_can_be_done_again) {
  const auto train = [](bool fails_between) {
    bool fails = false;
    TwoTasks trainer{quiet()};
    torch::manual_seed(1);
    TinyAutoencoder critic;
    trainer.branch<"deblur">(
        Branch{.critic = critic, .adversarial = BEGAN{.lambda_k = 0.5}, .critic_updates = 2});
    trainer.branch<"derain">(Branch{.content = [&fails](const at::Tensor& a, const at::Tensor& b) {
      const auto loss = (a - b).abs().mean();
      return fails ? loss * std::numeric_limits<double>::quiet_NaN() : loss;
    }});
    torch::manual_seed(2);
    const auto first = batches(), second = batches();
    trainer.model()->encoder()->drop = torch::nn::Dropout(0.0);
    trainer.step(first);
    if (fails_between) {
      const auto before = critic->conv->weight.detach().clone();
      fails = true;
      BOOST_TEST(error_of([&] { trainer.step(second); }) != "no error");
      BOOST_TEST(torch::equal(critic->conv->weight, before));
      fails = false;
    }
    trainer.step(second);
    return std::vector<at::Tensor>{critic->conv->weight.detach(),
                                   trainer.model()->encoder()->conv->weight.detach()};
  };
  const auto straight = train(false), again = train(true);
  BOOST_TEST(torch::equal(straight[0], again[0]));
  BOOST_TEST(torch::equal(straight[1], again[1]));
}

BOOST_AUTO_TEST_CASE(a_critics_gradient_that_is_not_finite_stops_before_it_is_stepped) {
  bool falls = false;
  TwoTasks trainer{quiet()};
  TinyCritic critic;
  trainer.branch<"deblur">(Branch{.critic = critic, .adversarial = Cliff{&falls}});
  trainer.branch<"derain">(Branch{});
  trainer.step(batches());
  falls = true;
  const auto text = error_of([&] { trainer.step(batches()); });
  BOOST_TEST(text.rfind("training stopped: task 'deblur', step 2: the gradient of the critic has "
                        "norm ",
                        0) == 0U);
  for (const auto& parameter : critic->parameters()) {
    BOOST_TEST(torch::isfinite(parameter).all().item<bool>());
    BOOST_TEST(!parameter.grad().defined());
  }
  falls = false;
  trainer.step(batches());
}

BOOST_AUTO_TEST_CASE(the_balance_of_began_never_becomes_no_number) {
  BEGANBalance balance{0.25};
  const auto nan = torch::tensor(std::numeric_limits<float>::quiet_NaN());
  balance.observe(nan, torch::tensor(1.0f), 0.5);
  balance.update(0.5, 0.1);
  BOOST_TEST(balance.k() == 0.25);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
