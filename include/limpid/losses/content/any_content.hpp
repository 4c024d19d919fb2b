#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/losses/content/combination.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace limpid {

/// Any content loss behind one type, for losses that are chosen at run time and so that the
/// training loop is compiled once. It is a content loss itself; copies share the loss.
class AnyContent {
 public:
  template <ContentLoss L>
  requires(!std::same_as<std::remove_cvref_t<L>, AnyContent>) AnyContent(L loss)
      : terms_(std::make_shared<Typed<L>>(std::move(loss))) {}

  /// @return scalar; the sum of the loss' terms.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;

  /// The loss' own name, as in `(perceptual + 0.5 * l1)`; "content" where it has none.
  std::string name() const;

  void expect_features(SharedFeatures& shared) const;

  void append_terms(const at::Tensor& restored, const at::Tensor& target, double outer,
                    SharedFeatures& shared, std::vector<LossTerm>& evaluated) const;

  /// Moves what the loss owns, a VGG for one.
  void to(c10::Device device);

 private:
  struct Terms {
    virtual ~Terms() = default;
    virtual std::string name() const = 0;
    virtual void expect_features(SharedFeatures& shared) const = 0;
    virtual void append(const at::Tensor& restored, const at::Tensor& target, double outer,
                        SharedFeatures& shared, std::vector<LossTerm>& evaluated) const = 0;
    virtual void to(c10::Device device) = 0;
  };

  template <class L>
  struct Typed : Terms {
    explicit Typed(L l) : loss(std::move(l)) {}
    std::string name() const override {
      if constexpr (NamedContentLoss<L>) {
        return loss_name(loss);
      } else {
        return "content";
      }
    }
    void expect_features(SharedFeatures& shared) const override {
      detail::expect_features(loss, shared);
    }
    void append(const at::Tensor& restored, const at::Tensor& target, double outer,
                SharedFeatures& shared, std::vector<LossTerm>& evaluated) const override {
      detail::append_terms(loss, restored, target, outer, shared, evaluated);
    }
    void to(c10::Device device) override { detail::move_loss(loss, device); }
    L loss;
  };

  std::shared_ptr<Terms> terms_;
};

static_assert(NamedContentLoss<AnyContent>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor AnyContent::operator()(const at::Tensor& restored,
                                                const at::Tensor& target) const {
  return sum_of(loss_terms(*this, restored, target));
}

LIMPID_INLINE std::string AnyContent::name() const { return terms_->name(); }

LIMPID_INLINE void AnyContent::expect_features(SharedFeatures& shared) const {
  terms_->expect_features(shared);
}

LIMPID_INLINE void AnyContent::append_terms(const at::Tensor& restored, const at::Tensor& target,
                                            double outer, SharedFeatures& shared,
                                            std::vector<LossTerm>& evaluated) const {
  terms_->append(restored, target, outer, shared, evaluated);
}

LIMPID_INLINE void AnyContent::to(c10::Device device) { terms_->to(device); }

}  // namespace limpid

#endif  // LIMPID_BODIES
