#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <ATen/ops/matmul.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DispatchKeySet.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// How large what a task adds to the shared encoder is.
struct AdapterOptions {
  std::int64_t rank = 8;  ///< of the addition to each convolution; at most that of its own weight
};
LIMPID_JSON(AdapterOptions, rank)

namespace detail {

/// How the names of a task's adapters begin.
inline std::string adapter_prefix(const std::string& task) { return "adapter." + task + "."; }

/// A convolution's weight as a task sees it: weight + up x down, of its shape. In float32 whatever
/// convolutions compute in, so that merged weights are the same bits.
inline at::Tensor adapted_weight(const at::Tensor& weight, const at::Tensor& up,
                                 const at::Tensor& down) {
  const c10::impl::ExcludeDispatchKeyGuard no_autocast{c10::autocast_dispatch_keyset};
  return weight + at::matmul(up, down).view_as(weight);
}

/// A convolution inside an encoder: its name there, and the member that its forward reads. The
/// parameter that optimisers and files know stays another handle of the same tensor.
struct NamedConvolution {
  std::string name;
  at::Tensor* weight;
};

/// Those of an encoder that mix channels; depthwise and grouped ones are small already.
inline std::vector<NamedConvolution> convolutions_of(torch::nn::Module& encoder) {
  std::vector<NamedConvolution> found;
  const auto take = [&](const std::string& name, auto* convolution) {
    if (convolution == nullptr) return false;
    if (convolution->options.groups() == 1) found.push_back({name, &convolution->weight});
    return true;
  };
  for (const auto& item : encoder.named_modules()) {
    auto& module = *item.value();
    if (!take(item.key(), module.template as<Conv2dImpl>())) {
      take(item.key(), module.template as<torch::nn::Conv2dImpl>());
    }
  }
  return found;
}

/// The module at a dotted path below `root`, made where it is missing.
inline torch::nn::Module& module_at(torch::nn::Module& root, const std::string& path) {
  auto* at = &root;
  std::istringstream parts{path};
  for (std::string part; std::getline(parts, part, '.');) {
    const auto children = at->named_children();
    const auto* found = children.find(part);
    at = found != nullptr
             ? found->get()
             : at->register_module(part, std::make_shared<torch::nn::Module>(part)).get();
  }
  return *at;
}

/// A convolution with what one task adds to its weight.
struct AdaptedConvolution {
  at::Tensor* weight;
  at::Tensor up, down;
};

/// Registers a task's additions as `module`'s PATH.up (O, r), zeros, and PATH.down (r, I kh kw),
/// random as a convolution's weights are.
inline std::vector<AdaptedConvolution> adapt(const std::vector<NamedConvolution>& convolutions,
                                             torch::nn::Module& module,
                                             const AdapterOptions& options) {
  std::vector<AdaptedConvolution> adapted;
  for (const auto& [name, weight] : convolutions) {
    const auto out = weight->size(0), in = weight->numel() / out;
    const auto rank = std::min({options.rank, out, in});
    const auto bound = 1 / std::sqrt(static_cast<double>(in));
    const auto like = weight->options().requires_grad(false);
    auto& place = module_at(module, name);
    auto up = place.register_parameter("up", at::zeros({out, rank}, like));
    auto down = place.register_parameter("down", at::rand({rank, in}, like) * (2 * bound) - bound);
    adapted.push_back({weight, std::move(up), std::move(down)});
  }
  return adapted;
}

/// While it lives, convolutions compute with a task's weights.
class AdapterScope {
 public:
  explicit AdapterScope(const std::vector<AdaptedConvolution>& adapted) {
    saved_.reserve(adapted.size());
    for (const auto& [weight, up, down] : adapted) {
      saved_.emplace_back(weight, adapted_weight(*weight, up, down));
    }
    for (auto& [weight, other] : saved_) std::swap(*weight, other);  // once nothing throws any more
  }
  ~AdapterScope() {
    std::for_each(saved_.rbegin(), saved_.rend(),
                  [](auto& saved) { *saved.first = std::move(saved.second); });
  }
  AdapterScope(const AdapterScope&) = delete;
  AdapterScope& operator=(const AdapterScope&) = delete;

 private:
  std::vector<std::pair<at::Tensor*, at::Tensor>> saved_;
};

}  // namespace detail

/// A model some of whose tasks see the shared encoder through adapters of their own: to the weight
/// of each of its convolutions they add a product of two thin matrices, `adapter.TASK.NAME.up` and
/// `.down` in files. It is the middle between an encoder that all share and one for each task.
/// The product is zero at first, so that the model restores the same bits as before.
///
/// Any encoder takes them whose convolutions are `Conv2d` or `torch::nn::Conv2d`: their weights are
/// exchanged while a task is restored. One task is restored at a time, whoever asks.
///
/// Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, sec. 4.1.
/// Differs: of convolutions, flattened to (out, in kh kw); no factor alpha / r.
///
/// @param model     whose weights it shares
/// @param adapters  by tasks; others stay without
/// @throws c10::ValueError for a task that the model lacks, a rank below 1, an encoder without such
///         convolutions, or a model that has adapters already (`add_adapters`).
inline AnyModel with_adapters(const AnyModel& model,
                              const std::map<std::string, AdapterOptions>& adapters) {
  if (adapters.empty()) return model;
  struct Adapted {
    std::mutex mutex;
    std::vector<std::vector<detail::AdaptedConvolution>> tasks;
    std::shared_ptr<torch::nn::Module> root;
  };
  const auto children = model.module->named_children();
  TORCH_CHECK_VALUE(!children.contains("adapter"), "with_adapters: the model has adapters already");
  const auto convolutions = detail::convolutions_of(*children["encoder"]);
  TORCH_CHECK_VALUE(!convolutions.empty(),
                    "with_adapters: the encoder has no convolutions that could be adapted");

  const auto adapted = std::make_shared<Adapted>();
  adapted->tasks.resize(model.tasks.size());
  adapted->root = std::make_shared<torch::nn::Module>("AdaptedModel");
  for (const auto& child : children) adapted->root->register_module(child.key(), child.value());
  auto& own = detail::module_at(*adapted->root, "adapter");
  for (const auto& [task, options] : adapters) {
    TORCH_CHECK_VALUE(options.rank >= 1, "adapters: rank must be at least 1, got ", options.rank);
    adapted->tasks[model.index_of(task)] =
        detail::adapt(convolutions, detail::module_at(own, task), options);
  }
  if (!model.module->is_training()) adapted->root->eval();

  auto whole = model;
  whole.module = adapted->root;
  for (const auto& item : own.named_parameters()) {
    whole.parameters.emplace_back("adapter." + item.key(), item.value());
  }
  whole.restore = [adapted, restore = model.restore](std::size_t task, const at::Tensor& degraded) {
    const std::lock_guard lock{adapted->mutex};
    const detail::AdapterScope scope{adapted->tasks.at(task)};
    return restore(task, degraded);
  };
  if (model.look != nullptr) {
    whole.look = [adapted, own = model.look, restore = whole.restore](const at::Tensor& degraded) {
      auto look = [&] {
        const std::lock_guard lock{adapted->mutex};
        return own(degraded);
      }();
      for (std::size_t task = 0; task < look.restored.size(); ++task) {
        if (!adapted->tasks[task].empty()) look.restored[task] = restore(task, degraded);
      }
      return look;
    };
  }
  whole.describe = [adapters, describe = model.describe] {
    auto description = describe();
    for (auto& entry : description.at("tasks")) {
      const auto found = adapters.find(entry.at("name").get<std::string>());
      if (found != adapters.end()) entry["adapter"] = found->second;
    }
    return description;
  };
  whole.copy = [adapters, adapted, copy = model.copy] {
    auto copied = with_adapters(copy(), adapters);
    torch::NoGradGuard no_grad;
    auto targets = copied.tensors();
    for (const auto& [name, tensor] : detail::named_tensors(*adapted->root)) {
      targets.at(name).copy_(tensor);
    }
    return copied;
  };
  return whole;
}

}  // namespace limpid
