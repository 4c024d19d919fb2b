#include <limpid/critics/double_scale.hpp>
#include <limpid/losses/adversarial/began.hpp>
#include <limpid/losses/adversarial/least_squares.hpp>
#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/losses/content/l2.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/trainer.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace limpid;
using limpid::detail::branch_fault, limpid::detail::BranchFault;
using limpid_test::TinyAutoencoder, limpid_test::TinyCritic, limpid_test::TinyDecoder,
    limpid_test::TinyEncoder;

static_assert(branch_fault<L1, NoCritic, NoAdversarial>() == BranchFault::none);
static_assert(branch_fault<L1, TinyCritic, Wasserstein>() == BranchFault::none);
static_assert(branch_fault<int, NoCritic, NoAdversarial>() == BranchFault::content);
static_assert(branch_fault<L1, NoCritic, Wasserstein>() == BranchFault::lonely_adversarial);
static_assert(branch_fault<L1, TinyCritic, NoAdversarial>() == BranchFault::lonely_critic);
static_assert(branch_fault<L1, TinyAutoencoder, Wasserstein>() == BranchFault::mismatch);

static_assert(std::is_same_v<decltype(Branch{}), Branch<L1, NoCritic, NoAdversarial>>);
static_assert(std::is_same_v<decltype(Branch{.content = L2{}}), Branch<L2>>);

/// A loss that remembers two numbers and counts the critic's steps.
struct Remembering : Wasserstein {
  std::vector<double> state() const { return numbers; }
  void load_state(const std::vector<double>& state) { numbers = state; }
  template <class C>
  void after_critic_step(C& critic) {
    critic->head->bias.fill_(0.5);  // in place, so it must not be recorded
  }
  std::vector<double> numbers{1, 2};
};

BOOST_AUTO_TEST_SUITE(branch)

BOOST_AUTO_TEST_CASE(has_the_weights_of_the_thesis_unless_told) {
  const Branch branch{};
  BOOST_TEST(branch.batch_size == 1);
  BOOST_TEST(branch.crop == 0);
  BOOST_TEST(branch.adversarial_weight == 0.01);
  BOOST_TEST(branch.critic_updates == 1);
  BOOST_TEST(branch.weight == 1);
  BOOST_TEST(branch.validation.empty());
}

BOOST_AUTO_TEST_CASE(without_a_critic_only_the_content_counts) {
  const AnyBranch branch = Branch{.batch_size = 3};
  BOOST_TEST(branch.batch_size == 3);
  BOOST_TEST(!branch.adversary);
  BOOST_TEST(branch.adversary.critic() == nullptr);
  BOOST_TEST(branch.adversary.describe_critic().is_null());
  BOOST_TEST(branch.adversary.state().empty());
  const auto found =
      loss_terms(branch.content, torch::zeros({1, 3, 4, 4}), torch::ones({1, 3, 4, 4}));
  BOOST_REQUIRE(found.size() == 1U);
  BOOST_TEST(found[0].name == "l1");
  BOOST_TEST(found[0].value.item<float>() == 1);
}

BOOST_AUTO_TEST_CASE(a_losss_numbers_and_its_own_step_are_passed_on) {
  TinyCritic critic;
  Adversary adversary{critic, Remembering{}};
  BOOST_TEST(!!adversary);
  BOOST_TEST(adversary.critic() == critic.get());
  BOOST_TEST(adversary.loss_name() == "wasserstein");
  BOOST_TEST((adversary.state() == std::vector<double>{1, 2}));
  adversary.load_state({3, 4});
  BOOST_TEST((adversary.state() == std::vector<double>{3, 4}));
  adversary.after_critic_step();
  BOOST_TEST(critic->head->bias.item<float>() == 0.5);
}

BOOST_AUTO_TEST_CASE(a_critic_of_several_is_trained_part_by_part) {
  using Double = DoubleScale<>;
  static_assert(branch_fault<L1, Double, LeastSquares>() == BranchFault::none);
  Double critic{DoubleScaleOptions{.width = 4}};
  AnyBranch branch = Branch{.critic = critic, .adversarial = LeastSquares{}};
  BOOST_TEST(branch.adversary.critic() == critic.get());
  const auto image = [] { return torch::rand({1, 3, 64, 64}); };
  const AdversarialBatch batch{image(), image(), image(), nullptr};
  const auto expected = PerCritic{LeastSquares{}}.critic_loss(critic, batch).item<double>();
  BOOST_TEST(branch.adversary.critic_loss(batch).item<double>() == expected);
}

BOOST_AUTO_TEST_CASE(an_objectives_figures_are_logged_with_the_losses) {
  TrainerOptions options;
  options.quiet = true;
  MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">> trainer{options};
  trainer.branch<"deblur">(Branch{.critic = TinyAutoencoder{}, .adversarial = BEGAN{}});
  const Batch images{torch::rand({1, 3, 16, 16}), torch::rand({1, 3, 16, 16})};
  std::set<std::string> terms;
  for (const auto& loss : trainer.step({images})) terms.insert(loss.term);
  BOOST_TEST(terms.contains("began_k"));
  BOOST_TEST(terms.contains("began_convergence"));
}

/// A loss that looks through a network, of which only the moves to a device are kept.
struct Looking {
  std::shared_ptr<std::vector<at::Device>> moves = std::make_shared<std::vector<at::Device>>();
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const {
    return (restored - target).abs().mean();
  }
  void to(c10::Device device) { moves->push_back(device); }
};

BOOST_AUTO_TEST_CASE(networks_of_content_losses_go_to_the_device_that_trains) {
  const auto moves_of = [](const Looking& looking, auto content) {
    TrainerOptions options;
    options.quiet = true;
    MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">> trainer{options};
    trainer.branch<"deblur">(Branch{.content = content});
    return looking.moves->size();
  };
  const Looking alone, at_run_time;
  BOOST_TEST(moves_of(alone, alone) == 1U);
  BOOST_TEST(moves_of(at_run_time, AnyContent{at_run_time}) == 1U);
  BOOST_TEST((alone.moves->front() == at::kCPU));
}

BOOST_AUTO_TEST_CASE(content_chosen_at_run_time_keeps_name_and_terms) {
  const AnyContent any{L2{} + 0.5 * L1{}};
  BOOST_TEST(any.name() == "(l2 + 0.5 * l1)");
  const auto restored = torch::zeros({1, 3, 4, 4}), target = 2 * torch::ones({1, 3, 4, 4});
  BOOST_TEST(any(restored, target).item<float>() == 5);
  BOOST_TEST(loss_terms(any, restored, target).size() == 2U);
  const AnyContent lambda{[](const at::Tensor& r, const at::Tensor& t) { return (r - t).mean(); }};
  BOOST_TEST(lambda.name() == "content");
  BOOST_TEST((lambda + 2.0 * any)(restored, target).item<float>() == 8);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
