#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/weighting/equal.hpp>
#include <limpid/weighting/weighting.hpp>
#include <limpid/weighting/weighting_rows.hpp>
#include <limpid/weighting/weighting_state.hpp>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <concepts>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/options_by_name.hpp>
#include <limpid/weighting/gram_matrix.hpp>

#include <c10/util/Exception.h>
#endif

namespace limpid {

/// What a weighting needs of a step before it can say its weights.
enum class WeightingNeeds {
  nothing,    ///< weights are 1, always: the plain sum
  past,       ///< what it was told of the steps before
  losses,     ///< this step's losses
  gradients,  ///< the Gram matrix of this step's gradients, or these themselves
};

/// What becomes of one step's gradients.
struct Combination {
  at::Tensor row;       ///< (P), what the shared encoder follows
  TaskVector weights;   ///< of the tasks, for logs; may be empty
  TaskVector decoders;  ///< what the gradient of each task's decoder is multiplied by
};

/// Any weighting behind one type. Copies are deep, so a copy goes on by itself.
class AnyWeighting {
 public:
  AnyWeighting() : AnyWeighting(Equal{}, "equal") {}

  /// @param description  what logs and the conditions of a resume call it
  template <class W>
  requires(!std::same_as<W, AnyWeighting> && Weighting<W>)
      AnyWeighting(W weighting, std::string description = "a weighting")
      : held_(std::make_unique<Typed<W>>(std::move(weighting))),
        description_(std::move(description)) {}

  AnyWeighting(const AnyWeighting& other)
      : held_(other.held_->clone()),
        description_(other.description_),
        offset_(other.offset_),
        rows_(other.rows_),
        share_(other.share_),
        average_(other.average_) {}
  AnyWeighting(AnyWeighting&&) = default;
  AnyWeighting& operator=(AnyWeighting other);

  /// The same, with a number added to each loss before the weighting sees it: 80 makes a PSNR loss
  /// positive.
  AnyWeighting with_offset(double offset) const;

  /// The same, with its weights averaged over the steps: share * average + (1 - share) * new ones,
  /// from the first weights on.
  ///
  /// Source: Zhou et al., "On the Convergence of Stochastic Multi-Objective Gradient Manipulation
  /// and Beyond" (CR-MOGM), NeurIPS 2022.
  /// @throws c10::ValueError unless 0 <= share < 1, and for a weighting that gives no weights but
  ///         combines gradients itself.
  AnyWeighting averaged(double share) const;

  /// The same, of tasks or of their terms. With rows per term a task's content loss and its
  /// adversarial loss are weighed as if they were two tasks, called "deblur.content" and
  /// "deblur.adversarial"; the task's decoder follows both by their weights. It costs such a task a
  /// second backward pass.
  AnyWeighting with_rows(WeightingRows rows) const;

  WeightingRows rows() const { return rows_; }

  WeightingNeeds needs() const;

  /// "cagrad, c 0.5, rescale yes"
  const std::string& description() const { return description_; }

  /// Whether it can weigh these tasks, as far as it can be known before the first step.
  /// @throws c10::ValueError that names a task of its options that is none of them.
  void check_tasks(std::vector<std::string> tasks) const;

  /// Weights of a step whose losses are not known yet.
  /// @throws c10::ValueError if it needs this step's losses or gradients.
  TaskVector ahead(WeightingStep& step);

  /// Tells a weighting that needs no more what the losses were.
  void observe(WeightingStep step);

  /// Combines a step's gradients.
  ///
  /// @param gram  `gram_matrix(rows)`
  /// @param rows  (T, P), each task's gradient of the shared encoder; overwritten.
  Combination combine(WeightingStep& step, const TaskMatrix& gram, at::Tensor& rows);

  /// The numbers that it keeps from step to step.
  nlohmann::json numbers() const;

  /// The tensors that it keeps from step to step.
  std::map<std::string, at::Tensor> tensors() const;

  /// Goes on where another of its kind stood.
  /// @throws c10::Error that begins with `source` if something is missing or of another type.
  void load(const nlohmann::json& numbers, const std::map<std::string, at::Tensor>& tensors,
            const std::string& source);

 private:
  struct Held {
    virtual ~Held() = default;
    virtual std::unique_ptr<Held> clone() const = 0;
    virtual WeightingNeeds needs() const = 0;
    virtual bool gives_weights() const = 0;
    virtual TaskVector ahead(WeightingStep& step) = 0;
    virtual void observe(const WeightingStep& step) = 0;
    /// Without a row where weights say all; without `decoders` where they are the weights.
    virtual Combination combine(WeightingStep& step, const TaskMatrix& gram, at::Tensor& rows) = 0;
    virtual void save(nlohmann::json& numbers) const = 0;
    virtual void save(std::map<std::string, at::Tensor>& tensors) const = 0;
    virtual void load(const nlohmann::json& numbers,
                      const std::map<std::string, at::Tensor>& tensors,
                      const std::string& source) = 0;
  };

  template <class W>
  struct Typed : Held {
    explicit Typed(W w) : weighting(std::move(w)) {}

    std::unique_ptr<Held> clone() const override {
      auto copy = std::make_unique<Typed>(weighting);
      detail::own_tensors(copy->weighting);
      return copy;
    }

    WeightingNeeds needs() const override {
      if constexpr (std::same_as<W, Equal>) return WeightingNeeds::nothing;
      if constexpr (WeighsAhead<W>) return WeightingNeeds::past;
      return LossWeighting<W> ? WeightingNeeds::losses : WeightingNeeds::gradients;
    }

    bool gives_weights() const override { return !RowWeighting<W>; }

    TaskVector ahead(WeightingStep& step) override {
      if constexpr (WeighsAhead<W>) return weighting.weights(step);
      return {};
    }

    void observe(const WeightingStep& step) override {
      if constexpr (WeighsAhead<W>) weighting.observe(step);
    }

    Combination combine(WeightingStep& step, const TaskMatrix& gram, at::Tensor& rows) override {
      Combination result;
      if constexpr (WeighsAhead<W>) {
        result.weights = weighting.weights(step);
        weighting.observe(step);
      } else if constexpr (LossWeighting<W>) {
        result.weights = weighting.weights(step);
      } else {
        if constexpr (requires { weighting.decoders(step); }) {
          result.decoders = weighting.decoders(step);
        } else {
          result.decoders = TaskVector::Ones(step.count());
        }
        if constexpr (RowWeighting<W>) {
          auto combined = weighting.combine(step, gram, rows);
          result.row = std::move(combined.row);
          result.weights = std::move(combined.weights);
        } else {
          result.weights = weighting.weights(step, gram);
        }
      }
      return result;
    }

    void save(nlohmann::json& numbers) const override { detail::save_numbers(weighting, numbers); }
    void save(std::map<std::string, at::Tensor>& tensors) const override {
      detail::save_tensors(weighting, tensors);
    }
    void load(const nlohmann::json& numbers, const std::map<std::string, at::Tensor>& tensors,
              const std::string& source) override {
      detail::load_weighting(weighting, numbers, tensors, source);
    }

    W weighting;
  };

  TaskVector over_time(TaskVector weights);

  std::unique_ptr<Held> held_;
  std::string description_;
  double offset_ = 0;
  WeightingRows rows_ = WeightingRows::per_task;
  double share_ = 0;  // of the average
  TaskVector average_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE AnyWeighting& AnyWeighting::operator=(AnyWeighting other) {
  std::swap(held_, other.held_);
  std::swap(description_, other.description_);
  std::swap(offset_, other.offset_);
  std::swap(rows_, other.rows_);
  std::swap(share_, other.share_);
  std::swap(average_, other.average_);
  return *this;
}

LIMPID_INLINE AnyWeighting AnyWeighting::with_offset(double offset) const {
  auto result = *this;
  result.offset_ = offset;
  if (offset != 0) result.description_ += ", offset " + detail::option_text(offset);
  return result;
}

LIMPID_INLINE AnyWeighting AnyWeighting::averaged(double share) const {
  TORCH_CHECK_VALUE(share >= 0 && share < 1, "average must be at least 0 and below 1, got ", share);
  TORCH_CHECK_VALUE(share == 0 || held_->gives_weights(), description_,
                    ": no weights to average; it combines the gradients themselves");
  auto result = *this;
  result.share_ = share;
  if (share > 0) result.description_ += ", average " + detail::option_text(share);
  return result;
}

LIMPID_INLINE AnyWeighting AnyWeighting::with_rows(WeightingRows rows) const {
  auto result = *this;
  result.rows_ = rows;
  if (rows != WeightingRows::per_task) result.description_ += ", rows " + option_text(rows);
  return result;
}

LIMPID_INLINE WeightingNeeds AnyWeighting::needs() const { return held_->needs(); }

LIMPID_INLINE void AnyWeighting::check_tasks(std::vector<std::string> tasks) const {
  if (needs() != WeightingNeeds::past) return;
  for (std::size_t i = tasks.size(); rows_ == WeightingRows::per_term && i > 0; --i) {
    // Whether a task has a critic is not known yet.
    for (const auto& row : rows_of(rows_, {true})) tasks.push_back(row.name(tasks[i - 1]));
  }
  WeightingStep trial{std::move(tasks)};
  AnyWeighting{*this}.ahead(trial);
}

LIMPID_INLINE TaskVector AnyWeighting::ahead(WeightingStep& step) {
  TORCH_CHECK_VALUE(needs() <= WeightingNeeds::past, description_,
                    ": its weights follow from the step itself");
  return over_time(held_->ahead(step));
}

LIMPID_INLINE void AnyWeighting::observe(WeightingStep step) {
  step.losses.array() += offset_;
  held_->observe(step);
}

LIMPID_INLINE Combination AnyWeighting::combine(WeightingStep& step, const TaskMatrix& gram,
                                                at::Tensor& rows) {
  TORCH_CHECK_VALUE(rows.dim() == 2 && rows.size(0) == step.count() &&
                        gram.rows() == step.count() && step.losses.size() == step.count(),
                    "weighting ", description_, ": expected losses and gradients of ", step.count(),
                    " tasks, got ", step.losses.size(), " losses and gradients of ", rows.sizes());
  step.losses.array() += offset_;
  auto result = held_->combine(step, gram, rows);
  step.losses.array() -= offset_;
  if (!result.row.defined()) {
    const bool same = result.decoders.size() == 0;
    result.weights = over_time(std::move(result.weights));
    if (same) result.decoders = result.weights;
    result.row = weighted_sum_in_place(rows, result.weights);
  }
  return result;
}

LIMPID_INLINE nlohmann::json AnyWeighting::numbers() const {
  auto json = nlohmann::json::object();
  held_->save(json);
  detail::save_number(json, "average", average_);
  return json;
}

LIMPID_INLINE std::map<std::string, at::Tensor> AnyWeighting::tensors() const {
  std::map<std::string, at::Tensor> tensors;
  held_->save(tensors);
  return tensors;
}

LIMPID_INLINE void AnyWeighting::load(const nlohmann::json& numbers,
                                      const std::map<std::string, at::Tensor>& tensors,
                                      const std::string& source) {
  auto changed = *this;
  changed.held_->load(numbers, tensors, source);
  detail::load_number(numbers, "average", changed.average_, source);
  *this = std::move(changed);
}

LIMPID_INLINE TaskVector AnyWeighting::over_time(TaskVector weights) {
  if (share_ == 0) return weights;
  if (average_.size() == 0) average_ = weights;
  TORCH_CHECK(average_.size() == weights.size(), "weighting: its average is of ", average_.size(),
              " tasks, the step has ", weights.size());
  average_ = share_ * average_ + (1 - share_) * weights;
  return average_;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
