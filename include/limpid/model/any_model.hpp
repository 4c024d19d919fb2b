#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/deep_copy.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/model/restore_image.hpp>
#include <limpid/model/state_dict.hpp>

#include <nlohmann/json.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <algorithm>
#endif

namespace limpid {

/// A model of several tasks: a `MultiTaskModel` or a `FamilyModel`. Its parameters and buffers are
/// called `encoder.NAME` and `decoder.TASK.NAME`.
template <class M>
concept TaskModel = ModuleHandle<M> &&
    requires(M model, std::size_t task, const at::Tensor& degraded) {
  { model->task_names() } -> std::same_as<std::vector<std::string>>;
  { model->restore(task, degraded) } -> std::same_as<at::Tensor>;
  { model->describe() } -> std::same_as<nlohmann::json>;
  model->encoder();
};

/// What a model sees in a picture, and what it makes of it.
struct ModelLook {
  std::vector<at::Tensor> maps;      ///< of the shared encoder, (N, C, h, w), from fine to coarse
  std::vector<at::Tensor> restored;  ///< by each task, in the model's order, in [-1, 1]
};

namespace detail {

/// What `AnyModel::look` calls.
template <TaskModel M>
std::function<ModelLook(const at::Tensor&)> look_of(M model) {
  using E = std::remove_cvref_t<decltype(model->encoder())>;
  if constexpr (Encoder<E>) {
    constexpr bool kIsMap = std::same_as<FeaturesOf<E>, at::Tensor>;
    constexpr bool kHasMaps = requires(const FeaturesOf<E>& features) {
      { features.tensors() } -> std::same_as<std::vector<at::Tensor>>;
    };
    constexpr bool kHasDecoders = requires(M & any) {
      any->for_each_decoder([](auto&) {});
    };
    if constexpr (kHasDecoders && (kIsMap || kHasMaps)) {
      return [model](const at::Tensor& degraded) mutable {
        check_image("look", degraded);
        auto& encoder = model->encoder();
        const NetworkImage input{encoder, degraded};
        const auto features = encoder->forward(input.image());
        ModelLook look;
        if constexpr (kIsMap) {
          look.maps = {features};
        } else {
          look.maps = features.tensors();
        }
        model->for_each_decoder([&](auto& decoder) {
          look.restored.push_back(input.restored(skip_of(decoder), decoder->forward(features)));
        });
        return look;
      };
    }
  }
  return nullptr;
}

}  // namespace detail

/// Any `TaskModel` behind one type: what the training loop, model files and programs need of one.
/// Copies share the weights.
class AnyModel {
 public:
  AnyModel() = default;

  template <TaskModel M>
  AnyModel(M model)
      : module(model.ptr()),
        pretrained(detail::pretrained_part(model->encoder())),
        tasks(model->task_names()),
        restore([model](std::size_t task, const at::Tensor& degraded) mutable {
          return model->restore(task, degraded);
        }),
        tile_needs([model](std::size_t task) {
          if constexpr (requires { model->tile_needs(task); }) return model->tile_needs(task);
          return TileNeeds{};
        }),
        look(detail::look_of(model)),
        describe([model] { return model->describe(); }),
        copy([model] { return AnyModel{detail::deep_copy(model)}; }) {
    for (const auto& item : module->named_parameters()) {
      parameters.emplace_back(item.key(), item.value());
    }
  }

  std::shared_ptr<torch::nn::Module> module;
  torch::nn::Module* pretrained = nullptr;  ///< what freezing the encoder freezes
  std::vector<std::string> tasks;

  /// Task's index, degraded (N, 3, H, W) in [-1, 1] of any size -> restored. Models that see more
  /// pictures have them in further channels, as `Batch` has.
  std::function<at::Tensor(std::size_t task, const at::Tensor& degraded)> restore;

  /// The same by the networks themselves, where `restore` is another engine's
  /// (`onnx/engines.hpp`); else empty.
  std::function<at::Tensor(std::size_t task, const at::Tensor& degraded)> own_restore;

  /// What tiles of a picture must be like for a task.
  std::function<TileNeeds(std::size_t task)> tile_needs;

  /// Degraded (N, 3, H, W) in [-1, 1] of any size -> the encoder's maps and what all tasks make of
  /// them; the encoder runs once. Empty where the encoder does not say which maps it returns,
  /// or the model which decoders it has (`for_each_decoder`).
  std::function<ModelLook(const at::Tensor& degraded)> look;

  /// What a model file says of it.
  std::function<nlohmann::json()> describe;

  /// A model of its own, with the same weights on the same device.
  /// @throws c10::Error if a module inside is not `Cloneable`.
  std::function<AnyModel()> copy;

  /// Under the names of the file.
  std::vector<std::pair<std::string, at::Tensor>> parameters;

  /// Parameters and buffers under the names of the file.
  TensorMap tensors() const;

  /// Adds all its tensors to those that `loader` fills.
  void expect(detail::TensorLoader& loader) const;

  bool has(std::string_view task) const;

  /// Position of a task.
  /// @throws c10::ValueError that begins with `source` and lists the tasks if there is none of this
  ///         name.
  std::size_t index_of(std::string_view task, std::string_view source = "model") const;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE TensorMap AnyModel::tensors() const {
  TensorMap all;
  detail::collect_tensors(*module, "", all);
  return all;
}

LIMPID_INLINE void AnyModel::expect(detail::TensorLoader& loader) const {
  loader.expect_module(*module, "");
}

LIMPID_INLINE bool AnyModel::has(std::string_view task) const {
  return std::find(tasks.begin(), tasks.end(), task) != tasks.end();
}

LIMPID_INLINE std::size_t AnyModel::index_of(std::string_view task, std::string_view source) const {
  const auto found = std::find(tasks.begin(), tasks.end(), task);
  TORCH_CHECK_VALUE(found != tasks.end(), source, ": expected one of its tasks (",
                    detail::listed(tasks), "), got '", task, "'");
  return static_cast<std::size_t>(found - tasks.begin());
}

}  // namespace limpid

#endif  // LIMPID_BODIES
