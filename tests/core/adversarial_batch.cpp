#include <limpid/core/adversarial_batch.hpp>
#include <limpid/core/batch_share.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

namespace {

using limpid::AdversarialBatch, limpid::BatchShare, limpid::ConditionalCritic, limpid::Random,
    limpid::detail::judge;

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

BOOST_AUTO_TEST_CASE(the_shares_of_a_batch_draw_and_average_as_the_whole_does) {
  const auto three = [](Random& random) {
    return std::vector<double>{random.uniform(), random.uniform(), random.uniform()};
  };
  Random for_whole{5};
  std::vector<double> whole;
  for (int part = 0; part < 2; ++part) {
    const auto more = three(for_whole);
    whole.insert(whole.end(), more.begin(), more.end());
  }
  for (std::int64_t rank = 0; rank < 2; ++rank) {
    Random random{5};
    const BatchShare share{rank, 2, [](const at::Tensor& value) { return value + 1; }};
    const AdversarialBatch batch{{}, {}, {}, &random, &share};
    const auto drawn = batch.drawn(3, three);
    BOOST_TEST(drawn == std::vector<double>(whole.begin() + 3 * rank, whole.begin() + 3 * rank + 3),
               boost::test_tools::per_element());
    BOOST_TEST(random.state() == for_whole.state());
    BOOST_TEST(batch.whole_mean(torch::zeros({})).item<float>() == 1);
  }
  BOOST_TEST(AdversarialBatch{}.whole_mean(torch::zeros({})).item<float>() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
