#pragma once

#include <limpid/model/families.hpp>

#include <torch/torch.h>

#include <string>
#include <vector>

namespace limpid_test {

/// Every family, small: some with channels that fill blocks of sixteen and some that do not, and
/// with the options that make networks compute otherwise.
inline const std::vector<std::string> kFamilyVariants{
    "resnet:width=4,blocks=2",
    "resnet:width=16,blocks=2",
    "pixel-unet:width=8,context=4",
    "pixel-unet:width=32",
    "nafnet:width=8,blocks=[1,1],middle_blocks=1",
    "nafnet:width=16,blocks=[1,1],middle_blocks=1,range=unit,padding=zeros,prompt=3",
    "nafnet:width=16,blocks=[1,1],middle_blocks=1,local_train_size=16",
    "restormer:width=16,blocks=[1,1,1],heads=[1,2,2],decoder.refinement_blocks=1",
    "restormer:width=8,blocks=[1,1],heads=[1,2],norm=bias-free",
    "gunet:width=16,blocks=[1,1,1]",
    "gunet:width=8,blocks=[1,1],norm=batch",
    R"(fpn-inception-resnet-v2:{"backbone":{"width":0.1,"repeat":1,"repeat_1":1},"pyramid_width":16,"head_width":8})",
    R"(fpn-mobilenet-v2:{"backbone":{"width":0.25},"pyramid_width":16,"head_width":16,"top_down_convs":true})",
    R"(fpn-resnet34:{"backbone":{"width":0.25,"blocks":[1,1,1,1]},"pyramid_width":16,"head_width":8})",
    R"(fpn-densenet121:{"backbone":{"width":0.25,"layers":[1,1,1,1]},"pyramid_width":16,"head_width":8})",
    R"(fpn-se-resnext50:{"backbone":{"width":0.25,"blocks":[1,1,1,1]},"pyramid_width":16,"head_width":8})",
};

/// A network that restores, from a fixed seed. What starts as zeros is drawn, too: otherwise parts
/// of it would do nothing.
/// @param network  as on the command line
inline limpid::AnyModel drawn_model(const std::string& network,
                                    const std::vector<std::string>& tasks) {
  torch::manual_seed(1);
  auto model = limpid::make_model(limpid::parse_network(network), tasks);
  torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : model.tensors()) {
    if (!tensor.is_floating_point() || name.find("var") != name.npos) continue;
    auto values = tensor;
    if (values.abs().max().item<float>() == 0) values.normal_(0, 0.1);
  }
  model.module->eval();
  return model;
}

}  // namespace limpid_test
