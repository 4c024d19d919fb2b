#include <limpid/training/branch.hpp>

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/losses/content/l2.hpp>
#include <support/tiny.hpp>

namespace {

using namespace limpid;
using limpid::detail::branch_fault, limpid::detail::BranchFault, limpid::detail::TypedBranchTerms;
using limpid_test::TinyAutoencoder, limpid_test::TinyCritic;

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
  using Terms = TypedBranchTerms<L1, NoCritic, NoAdversarial>;
  const auto terms = std::make_unique<Terms>(L1{}, NoCritic{}, NoAdversarial{});
  BOOST_TEST(terms->critic() == nullptr);
  BOOST_TEST(terms->describe_critic().is_null());
  BOOST_TEST(terms->loss_state().empty());
  const auto found = terms->content(torch::zeros({1, 3, 4, 4}), torch::ones({1, 3, 4, 4}));
  BOOST_REQUIRE(found.size() == 1U);
  BOOST_TEST(found[0].value.item<float>() == 1);
}

BOOST_AUTO_TEST_CASE(a_losss_numbers_and_its_own_step_are_passed_on) {
  TinyCritic critic;
  TypedBranchTerms<L1, TinyCritic, Remembering> terms{{}, critic, {}};
  BOOST_TEST(terms.critic() == critic.get());
  BOOST_TEST((terms.loss_state() == std::vector<double>{1, 2}));
  terms.load_loss_state({3, 4});
  BOOST_TEST((terms.loss_state() == std::vector<double>{3, 4}));
  terms.after_critic_step();
  BOOST_TEST(critic->head->bias.item<float>() == 0.5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
