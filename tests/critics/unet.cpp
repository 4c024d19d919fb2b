#include <limpid/critics/unet.hpp>
#include <limpid/losses/adversarial/hinge.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <map>
#include <string>
#include <vector>

namespace {

using limpid::UNetCritic, limpid::UNetCriticOptions;
using limpid_test::throws_value_error;

constexpr UNetCriticOptions kSmall{.width = 4};

/// Parameters and buffers, by name.
std::map<std::string, at::Tensor> state_of(const torch::nn::Module& module) {
  std::map<std::string, at::Tensor> state;
  for (const auto& item : module.named_parameters()) state[item.key()] = item.value();
  for (const auto& item : module.named_buffers()) state[item.key()] = item.value();
  return state;
}

BOOST_AUTO_TEST_SUITE(unet_critic)

BOOST_AUTO_TEST_CASE(does_what_every_critic_does) {
  limpid_test::check_critic(UNetCritic{kSmall});
  limpid_test::check_critic(
      UNetCritic{UNetCriticOptions{.in_channels = 6, .width = 4, .skips = false}}, 6);
}

BOOST_AUTO_TEST_CASE(has_the_published_names_and_shapes) {
  UNetCritic critic{kSmall};
  auto state = state_of(*critic);
  BOOST_TEST(state.size() == 2u * 2 + 8 * 3);
  for (const auto* name : {"conv0.weight", "conv0.bias", "conv9.weight", "conv9.bias"}) {
    BOOST_TEST(state.contains(name), name);
  }
  BOOST_TEST(state["conv1.weight_orig"].sizes() == torch::IntArrayRef({8, 4, 4, 4}));
  BOOST_TEST(state["conv3.weight_orig"].sizes() == torch::IntArrayRef({32, 16, 4, 4}));
  BOOST_TEST(state["conv4.weight_orig"].sizes() == torch::IntArrayRef({16, 32, 3, 3}));
  BOOST_TEST(state["conv8.weight_orig"].sizes() == torch::IntArrayRef({4, 4, 3, 3}));
  BOOST_TEST(state["conv8.weight_u"].sizes() == torch::IntArrayRef({4}));
  BOOST_TEST(state["conv8.weight_v"].sizes() == torch::IntArrayRef({36}));
}

BOOST_AUTO_TEST_CASE(scores_every_pixel_of_an_image_of_any_size) {
  UNetCritic critic{kSmall};
  for (const auto& [height, width] : {std::pair{8, 8}, {24, 16}, {17, 29}}) {
    BOOST_TEST(critic->forward(torch::rand({2, 3, height, width})).sizes() ==
               torch::IntArrayRef({2, 1, height, width}));
  }
}

// Resuming in the middle: tensors by name, and nothing else, carry the iteration on.
BOOST_AUTO_TEST_CASE(trains_on_bit_equal_from_its_saved_tensors) {
  torch::manual_seed(0);
  UNetCritic critic{kSmall}, resumed{kSmall};
  const auto image = torch::rand({1, 3, 16, 16}) * 2 - 1;
  critic->forward(image);
  critic->forward(image);
  {
    torch::NoGradGuard no_grad;
    auto state = state_of(*critic);
    for (auto& [name, tensor] : state_of(*resumed)) tensor.copy_(state.at(name));
  }
  for (int pass = 0; pass < 3; ++pass) {
    BOOST_TEST(torch::equal(resumed->forward(image), critic->forward(image)));
  }
  auto copy = limpid::detail::deep_copy(critic);
  BOOST_TEST(torch::equal(copy->forward(image), critic->forward(image)));
}

BOOST_AUTO_TEST_CASE(learns_to_tell_two_kinds_of_images_apart) {
  torch::manual_seed(1);
  UNetCritic critic{kSmall};
  torch::optim::Adam adam{critic->parameters(), torch::optim::AdamOptions(2e-3)};
  const limpid::Hinge hinge;
  std::vector<double> losses;
  for (int step = 0; step < 40; ++step) {
    const auto target = (torch::rand({2, 3, 24, 24}) > 0.5).to(torch::kFloat) * 2 - 1;
    const auto restored = torch::avg_pool2d(target, 3, 1, 1);
    adam.zero_grad();
    const auto loss = hinge.critic_loss(critic, {restored, restored, target});
    loss.backward();
    adam.step();
    losses.push_back(loss.item<double>());
  }
  BOOST_TEST_MESSAGE("hinge " << losses.front() << " -> " << losses.back());
  BOOST_TEST(losses.back() < 0.5 * losses.front());
}

BOOST_AUTO_TEST_CASE(names_what_it_wanted) {
  UNetCritic critic{kSmall};
  BOOST_TEST(throws_value_error(
      [&] {
        critic->forward(torch::zeros({1, 3, 7, 8}));
      },
      "UNetCritic: expected sides of at least 8 pixels, got [1, 3, 7, 8]"));
  BOOST_TEST(throws_value_error([] { UNetCritic{UNetCriticOptions{.width = 0}}; },
                                "UNetCritic: width must be at least 1, got 0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
