// Every network and critic that has a name: the same weights and picture on the CPU and the card,
// forwards and backwards.
#include <limpid/core/autocast.hpp>
#include <limpid/core/memory_format.hpp>
#include <limpid/model/families.hpp>
#include <limpid/recipes/adversarial_names.hpp>
#include <support/layout_watch.hpp>

#include <torch/torch.h>

#include <type_traits>
#include <utility>

#include "findings.hpp"

namespace cuda_check {
namespace {

using namespace limpid;

/// The output on a device, and the gradient that its mean square sends back to the picture.
template <class Forward>
std::pair<at::Tensor, at::Tensor> run_on(at::Device device, Precision precision,
                                         const at::Tensor& picture, const Forward& forward) {
  auto input = picture.detach().to(device).requires_grad_();
  at::Tensor output;
  {
    const AutocastScope autocast{precision, device};
    output = forward(input).to(at::kFloat);
  }
  output.square().mean().backward();
  return {output.detach(), input.grad()};
}

/// Compares a module on both devices; float32 closely, bfloat16 as its eight bits allow.
template <class Forward>
void compare(Findings& findings, const Setting& setting, const std::string& name,
             torch::nn::Module& module, const at::Tensor& picture, const Forward& forward) {
  findings.guard(name, [&] {
    module.eval();
    module.to(at::kCPU);
    const auto expected = run_on(at::kCPU, Precision::float32, picture, forward);
    module.zero_grad(true);  // gradients do not move with a module
    module.to(setting.device);
    const auto exact = run_on(setting.device, Precision::float32, picture, forward);
    findings.agree(name + ", float32", expected.first, exact.first, 1e-4);
    findings.agree_by_norm(name + ", gradient, float32", expected.second, exact.second, 1e-2);
    limpid::detail::lay_out(module, at::MemoryFormat::ChannelsLast);
    module.zero_grad(true);
    limpid_test::LayoutWatch watch;
    const auto last = run_on(setting.device, Precision::float32,
                             picture.contiguous(at::MemoryFormat::ChannelsLast), forward);
    findings.agree(name + ", channels-last", expected.first, last.first, 1e-4);
    findings.agree_by_norm(name + ", gradient, channels-last", expected.second, last.second, 1e-2);
    findings.at_most(name + ", convolutions given another layout", watch.others,
                     name.starts_with("critic") ? 1e9 : 0);
    module.zero_grad(true);
    const auto rounded = run_on(setting.device, Precision::bfloat16, picture, forward);
    findings.agree(name + ", bfloat16", expected.first, rounded.first, 1e-1);
  });
}

/// What a critic says of a picture, which is also what a conditional one sees beside it; the scores
/// of a composite one in a row.
template <class Critic>
at::Tensor scores_of(Critic& critic, const at::Tensor& picture) {
  const auto scores = [&] {
    if constexpr (requires { critic->forward(picture); }) {
      return critic->forward(picture);
    } else {
      return critic->forward(picture, picture);
    }
  }();
  if constexpr (std::is_convertible_v<decltype(scores), at::Tensor>) {
    return scores;
  } else {
    return at::cat({scores[0].flatten(), scores[1].flatten()});
  }
}

}  // namespace

void check_networks(Findings& findings, const Setting& setting) {
  torch::manual_seed(0);
  const auto picture = torch::rand({1, 3, 96, 128}) * 2 - 1;
  for (const auto& name : kFamilies.names()) {
    auto model = make_model({name}, {"any"});
    compare(findings, setting, name, *model.module, picture,
            [&](const at::Tensor& input) { return model.restore(0, input); });
  }
  for (const auto& name : critic_names()) {
    with_critic(name, {.width = 16}, [&](auto critic) {
      compare(findings, setting, "critic " + name, *critic, picture,
              [&](const at::Tensor& input) { return scores_of(critic, input); });
    });
  }
}

}  // namespace cuda_check
