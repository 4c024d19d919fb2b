#include <limpid/core/adversarial_batch.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::AdversarialBatch, limpid::ConditionalCritic, limpid::detail::judge;

/// Says how far the image is from the one it was restored from.
struct DistanceCriticImpl : torch::nn::Cloneable<DistanceCriticImpl> {
  void reset() override {}
  at::Tensor forward(const at::Tensor& image, const at::Tensor& degraded) {
    return image - degraded;
  }
};
TORCH_MODULE(DistanceCritic);

/// Says twice the image.
struct PlainCriticImpl : torch::nn::Cloneable<PlainCriticImpl> {
  void reset() override {}
  at::Tensor forward(const at::Tensor& image) { return 2 * image; }
};
TORCH_MODULE(PlainCritic);

static_assert(ConditionalCritic<DistanceCritic>);
static_assert(!ConditionalCritic<PlainCritic>);
static_assert(!ConditionalCritic<limpid_test::TinyCritic>);

BOOST_AUTO_TEST_SUITE(adversarial_batch)

BOOST_AUTO_TEST_CASE(a_conditional_critic_sees_the_degraded_image_and_others_do_not) {
  const AdversarialBatch batch{torch::full({1, 3, 4, 4}, 0.25f), torch::full({1, 3, 4, 4}, 0.5f),
                               torch::full({1, 3, 4, 4}, 1.0f)};
  BOOST_TEST(batch.random == nullptr);
  DistanceCritic conditional;
  BOOST_TEST(torch::equal(judge(conditional, batch.target, batch), batch.target - 0.25));
  BOOST_TEST(torch::equal(judge(conditional, batch.restored, batch), batch.restored - 0.25));
  PlainCritic plain;
  BOOST_TEST(torch::equal(judge(plain, batch.restored, batch), 2 * batch.restored));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
