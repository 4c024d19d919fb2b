#pragma once

#include <limpid/core/random.hpp>

#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

// Forward declarations are enough to state a concept: this header costs 0.1 s instead of 12 s.
namespace at {
class Tensor;
}
namespace torch::nn {
class Module;
}

namespace limpid {

/// The `torch::nn::Module` behind a handle.
template <class H>
using ModuleOf = std::remove_cvref_t<decltype(*std::declval<H&>())>;

/// A pointer-like owner of a module: a `torch::nn::ModuleHolder` or a `std::shared_ptr`.
/// Copies are shallow: both name the same weights.
///
/// Whether it points is asked first: what is built from any handle may be asked whether it is one
/// while its own copy constructor is looked for.
template <class H>
concept ModuleHandle = std::derived_from<ModuleOf<H>, torch::nn::Module> && std::copyable<H>;

/// A handle whose `forward` maps one batch to one tensor.
template <class H>
concept ImageModule = ModuleHandle<H> && requires(H handle, const at::Tensor& batch) {
  { handle->forward(batch) } -> std::same_as<at::Tensor>;
};

/// A layer that keeps (N, C, H, W) and is built from its channel count.
template <class H>
concept ChannelNorm = ImageModule<H> && std::constructible_from<ModuleOf<H>, std::int64_t>;

/// What a backbone says of its maps (`core/backbone_shape.hpp`).
struct BackboneShape;

/// Image (N, 3, H, W) in [-1, 1] -> five maps at strides 2, 4, 8, 16 and 32, from fine to coarse,
/// whose channels and borders `shape()` tells. `FPNEncoder` stands on any.
///
/// It names its `Options`, which it is built from and returns as `options()`; `architecture`, which
/// model files keep; and `published_name`, under which it stands in a checkpoint (`fpn.NAME.`).
/// Its batch norms are `torch::nn::BatchNorm2d`: the encoder decides which statistics they use.
template <class B>
concept Backbone = ModuleHandle<B> &&
    requires(B backbone, const at::Tensor& image, const typename ModuleOf<B>::Options& options) {
  ModuleOf<B>{options};
  { backbone->options() } -> std::convertible_to<typename ModuleOf<B>::Options>;
  { ModuleOf<B>::architecture } -> std::convertible_to<std::string_view>;
  { ModuleOf<B>::published_name } -> std::convertible_to<std::string_view>;
  { backbone->shape() } -> std::same_as<BackboneShape>;
  { backbone->forward(image) } -> std::same_as<std::array<at::Tensor, 5>>;
};

/// What an encoder returns: a tensor, or a struct of tensors.
template <class E>
using FeaturesOf = typename ModuleOf<E>::Features;

/// Image (N, 3, H, W) -> features shared by all tasks.
///
/// The encoder names its `Features`. It may have a member `ImagePadding padding() const` that says
/// which image sides it takes (`core/padding.hpp`); without one it takes any. It may have a member
/// `ValueRange range() const` that says in which values it takes images, and its decoders give what
/// is added to them (`core/ranges.hpp`); without one these are [-1, 1]. It may have a member
/// `FieldOfView field_of_view() const` that says how far its features look, and its decoders one
/// that says how far the restored image does, `FieldOfView field_of_view(const FieldOfView&
/// features) const` (`core/field_of_view.hpp`): tiles of a large picture then show what the whole
/// would. It may have a member
/// `torch::nn::Module& pretrained()`, the part whose weights came from elsewhere: that is what
/// `TrainerOptions::freeze_encoder_epochs` freezes, instead of the whole encoder.
template <class E>
concept Encoder = ModuleHandle<E> && requires(E encoder, const at::Tensor& image) {
  typename ModuleOf<E>::Features;
  { encoder->forward(image) } -> std::same_as<typename ModuleOf<E>::Features>;
};

/// Names its task: `static constexpr std::string_view task`.
template <class D>
concept Decoder = ModuleHandle<D> && requires {
  { ModuleOf<D>::task } -> std::convertible_to<std::string_view>;
};

/// A decoder that reads the features of encoder E: features -> what is added to the degraded image.
///
/// The decoder may say how its output becomes the restored image, with
/// `static constexpr GlobalSkip skip` or, where that is an option, `GlobalSkip skip() const`
/// (`core/padding.hpp`); without either the thesis' rule holds, restored = degraded + decoded,
/// clamped to the range of values.
template <class D, class E>
concept DecoderFor = Decoder<D> && Encoder<E> &&
    requires(D decoder, const FeaturesOf<E>& features) {
  { decoder->forward(features) } -> std::same_as<at::Tensor>;
};

/// Whether a critic's output is an image, its reconstruction of the input (BEGAN), and not scores:
/// `static constexpr bool reconstructs = true`.
template <class C>
concept Reconstructs = requires {
  requires ModuleOf<C>::reconstructs;
};

/// Image (N, 3, H, W) in [-1, 1] -> raw scores, no sigmoid.
template <class C>
concept Critic = ImageModule<C> && !Reconstructs<C>;

/// Image -> its reconstruction, of the same shape.
template <class C>
concept AutoencoderCritic = ImageModule<C> && Reconstructs<C>;

/// A critic that judges an image beside the degraded one it was restored from.
template <class C>
concept ConditionalCritic = requires(C critic, const at::Tensor& image,
                                     const at::Tensor& degraded) {
  { critic->forward(image, degraded) } -> std::same_as<at::Tensor>;
};

/// A module that judges an image, alone or beside the degraded one.
template <class C>
concept JudgesImages = ImageModule<C> || ConditionalCritic<C>;

/// A critic whose output is raw scores, for an image alone or beside the degraded one: what all
/// objectives but BEGAN take.
template <class C>
concept ScoreCritic = ModuleHandle<C> && JudgesImages<C> && !Reconstructs<C>;

/// The critics inside a critic made of several: what its member `parts()` returns, a tuple of
/// handles.
template <class C>
using PartsOf = std::remove_cvref_t<decltype(std::declval<C&>()->parts())>;

/// A critic made of several, each of which judges on its own: an adversarial loss is computed for
/// each and averaged (`losses/adversarial/per_critic.hpp`).
template <class C>
concept CompositeCritic = ModuleHandle<C> && requires {
  std::tuple_size<PartsOf<C>>::value;
};

/// What an adversarial loss sees (`core/adversarial_batch.hpp`).
struct AdversarialBatch;

/// A critic that learns something beside the objective, from pairs: a scalar that is added to what
/// the critic minimises (`losses/adversarial/with_own_loss.hpp`).
template <class C>
concept CriticWithOwnLoss = ModuleHandle<C> && requires(C critic, const AdversarialBatch& batch) {
  { critic->own_loss(batch) } -> std::same_as<at::Tensor>;
};

/// A GAN objective that can use critic C.
///
/// `critic_loss` is what the critic minimises; `batch.restored` is detached there. `generator_loss`
/// is what the generator minimises; the critic's weights are frozen there. Both return a scalar.
/// Optional members, found by name:
///  - `void after_critic_step(C&)`: after each step of the critic's optimiser (weight clipping,
///    BEGAN's balance);
///  - `std::vector<std::pair<std::string, at::Tensor>> figures() const`: scalars to log with the
///    losses, after each step of the critic;
///  - `std::vector<double> state() const` and `void load_state(const std::vector<double>&)`:
///    numbers that a checkpoint keeps, so that a resumed run equals an uninterrupted one.
/// A loss that draws random numbers takes them from `batch.random`.
template <class L, class C>
concept AdversarialLossFor = std::copyable<L> && ModuleHandle<C> &&
    requires(L loss, C critic, const AdversarialBatch& batch) {
  { loss.critic_loss(critic, batch) } -> std::same_as<at::Tensor>;
  { loss.generator_loss(critic, batch) } -> std::same_as<at::Tensor>;
};

/// Distance of a restored batch from its target, both (N, 3, H, W) in [-1, 1] -> scalar tensor.
/// A lambda is one.
template <class L>
concept ContentLoss = requires(const L& loss, const at::Tensor& restored,
                               const at::Tensor& target) {
  { loss(restored, target) } -> std::same_as<at::Tensor>;
};

/// Quality of one restored image against its target, both (3, H, W) or (1, 3, H, W) in [0, 1].
/// `name` is what programs print and JSON files use; `protocol` says how exactly it is computed.
template <class M>
concept Metric = requires(const M& metric, const at::Tensor& restored, const at::Tensor& target) {
  { metric.name } -> std::convertible_to<std::string_view>;
  { metric.protocol } -> std::convertible_to<std::string_view>;
  { metric.higher_is_better } -> std::convertible_to<bool>;
  { metric(restored, target) } -> std::same_as<double>;
};

/// Quality of one image (3, H, W) or (1, 3, H, W) in [0, 1], judged without any target.
/// NaN where the metric has no value for this image; `undefined(image)` then says why.
template <class M>
concept NoReferenceMetric = requires(const M& metric, const at::Tensor& image) {
  { metric.name } -> std::convertible_to<std::string_view>;
  { metric.protocol } -> std::convertible_to<std::string_view>;
  { metric.higher_is_better } -> std::convertible_to<bool>;
  { metric(image) } -> std::same_as<double>;
  { metric.undefined(image) } -> std::convertible_to<std::string>;
};

/// Quality of a whole set of restored images against the set of targets: the features of each image
/// alone, (3, H, W) or (1, 3, H, W) in [0, 1] -> (D), and a score of the features of many, (N, D).
template <class M>
concept SetMetric = requires(const M& metric, const at::Tensor& image, const at::Tensor& many) {
  { metric.name } -> std::convertible_to<std::string_view>;
  { metric.protocol } -> std::convertible_to<std::string_view>;
  { metric.higher_is_better } -> std::convertible_to<bool>;
  { metric.features(image) } -> std::same_as<at::Tensor>;
  { metric.set_score(many, many) } -> std::same_as<double>;
};

/// Clean image (3, H, W) in [0, 1] -> degraded image, same shape and range.
/// The same random source gives the same result.
template <class D>
concept Degradation = requires(const D& degradation, const at::Tensor& image, Random& random) {
  { degradation(image, random) } -> std::same_as<at::Tensor>;
};

}  // namespace limpid
