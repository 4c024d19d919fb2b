#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/stack.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/host_reads.hpp>

#include <c10/util/Exception.h>

#include <cmath>
#endif

namespace limpid {

/// One term of one task's losses.
struct LossValue {
  std::string task;
  std::string term;  ///< "critic", "content", "adversarial", "total", or a part of the content
                     ///< loss; "weight" for the task's weight, where a weighting gives one
  double value = 0;
};

namespace detail {

/// The losses of one step; those of another device than the CPU are brought over together.
class StepLosses {
 public:
  explicit StepLosses(std::int64_t step) : step_(step) {}

  /// What is added next is of one part of a task's batch, and counts by its share of it; the parts
  /// of a task have the same terms in the same order.
  /// @param share  1: of the whole batch
  void begin_part(double share, bool is_first);

  /// Takes a scalar's value. On the CPU it is checked here, before anything is stepped by it; on
  /// another device by `read`, so that a step waits for the device once.
  void add(const std::string& task, const std::string& term, const at::Tensor& loss);

  /// Takes a number that has to be finite and is not reported: the norm of a critic's gradient.
  /// @param what  as the error says it: "the gradient of the critic has norm "
  void check(const std::string& task, const std::string& what, const at::Tensor& number);

  /// Takes a number that is on the CPU and known to be finite.
  void report(const std::string& task, const std::string& term, double value);

  /// The numbers taken so far, one float each, for a mean over processes that `put` takes back.
  /// Those on another device stay there.
  at::Tensor numbers() const;

  void put(const at::Tensor& numbers);

  /// Takes the norm of the generator's gradient, which is checked and read with the losses.
  /// @param gradient_norm  scalar, or undefined where there is no gradient
  void close(const at::Tensor& gradient_norm);

  /// Whether numbers are on their way that nobody has looked at.
  bool is_waited_for() const { return !pending_.empty(); }

  /// 1 where one of those numbers is not finite, else 0: a float scalar on their device.
  at::Tensor not_finite();

  /// Brings the values over in one transfer.
  /// @return the norm that `close` took; 0 where there was none.
  /// @throws c10::Error if a value or the norm is not finite.
  double read();

  /// Both: `close` and `read`.
  double fetch(const at::Tensor& gradient_norm);

  /// Takes the place of what was added, with the numbers that a recorded step has put there anew.
  void become(const StepLosses& recorded);

  /// What `read` brought.
  const std::vector<LossValue>& values() const { return values_; }

 private:
  static constexpr auto kNotReported = static_cast<std::size_t>(-1);

  /// Where a number goes, and how an error says what it is.
  struct Place {
    std::string task;
    std::string what;
    std::size_t value;
    double share;
  };

  void take(const Place& place, const at::Tensor& number);

  const at::Tensor& together();

  void accept(const Place& place, double number);

  std::int64_t step_;
  std::vector<LossValue> values_;
  std::size_t first_of_task_ = 0, terms_of_part_ = 0;
  double share_ = 1;
  bool is_first_part_ = true;
  std::vector<at::Tensor> pending_;  // scalars of one device, in the order of places_
  std::vector<Place> places_;
  at::Tensor together_;  // of pending_, once asked for
  bool has_norm_ = false;
  double last_ = 0;  // number accepted
};

/// Term names of one task, each only once: a second "l1" becomes "l1_2", and a content loss called
/// as the step's own terms are does not mix with them.
class TermNames {
 public:
  explicit TermNames(const std::vector<std::string>& taken = {});

  std::string operator()(const std::string& name);

 private:
  std::map<std::string, int> uses_;
};

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void StepLosses::begin_part(double share, bool is_first) {
  if (is_first) first_of_task_ = values_.size();
  share_ = share;
  is_first_part_ = is_first;
  terms_of_part_ = 0;
}

LIMPID_INLINE void StepLosses::add(const std::string& task, const std::string& term,
                                   const at::Tensor& loss) {
  if (is_first_part_) values_.push_back({task, term, 0});
  const auto place = is_first_part_ ? values_.size() - 1 : first_of_task_ + terms_of_part_;
  ++terms_of_part_;
  take({task, "the " + term + " loss is ", place, share_}, loss);
}

LIMPID_INLINE void StepLosses::check(const std::string& task, const std::string& what,
                                     const at::Tensor& number) {
  if (!number.defined()) return;
  take({task, what, kNotReported, 1}, number);
}

LIMPID_INLINE void StepLosses::report(const std::string& task, const std::string& term,
                                      double value) {
  values_.push_back({task, term, value});
}

LIMPID_INLINE at::Tensor StepLosses::numbers() const {
  if (!pending_.empty()) return at::stack(pending_).to(at::kFloat);
  auto numbers = at::empty({static_cast<std::int64_t>(values_.size())}, at::kFloat);
  auto* out = numbers.data_ptr<float>();
  for (const auto& value : values_) *out++ = static_cast<float>(value.value);
  return numbers;
}

LIMPID_INLINE void StepLosses::put(const at::Tensor& numbers) {
  if (!pending_.empty()) {
    pending_ = numbers.to(at::kDouble).unbind();
    together_ = at::Tensor{};
    return;
  }
  const auto* number = numbers.data_ptr<float>();
  for (auto& value : values_) value.value = *number++;
}

LIMPID_INLINE void StepLosses::close(const at::Tensor& gradient_norm) {
  if (!gradient_norm.defined()) return;
  has_norm_ = true;
  take({"", "the gradient of the encoder and decoders has norm ", kNotReported, 1}, gradient_norm);
}

LIMPID_INLINE at::Tensor StepLosses::not_finite() {
  return at::isfinite(together()).all().logical_not().to(at::kFloat);
}

LIMPID_INLINE double StepLosses::read() {
  if (!pending_.empty()) {
    const auto here = HostReads::bring(together());
    const auto* number = here.data_ptr<double>();
    for (const auto& place : places_) accept(place, *number++);
    pending_.clear();
    places_.clear();
    together_ = at::Tensor{};
  }
  return has_norm_ ? last_ : 0;
}

LIMPID_INLINE double StepLosses::fetch(const at::Tensor& gradient_norm) {
  close(gradient_norm);
  return read();
}

LIMPID_INLINE void StepLosses::become(const StepLosses& recorded) {
  const auto step = step_;
  *this = recorded;
  step_ = step;
}

LIMPID_INLINE void StepLosses::take(const Place& place, const at::Tensor& number) {
  const auto scalar = number.detach().to(at::kDouble).reshape({});
  if (!AsOnACard::holds(scalar.device())) {
    accept(place, scalar.item<double>());
  } else {
    together_ = at::Tensor{};
    pending_.push_back(scalar);
    places_.push_back(place);
  }
}

LIMPID_INLINE const at::Tensor& StepLosses::together() {
  if (!together_.defined()) together_ = at::stack(pending_);
  return together_;
}

LIMPID_INLINE void StepLosses::accept(const Place& place, double number) {
  TORCH_CHECK(std::isfinite(number),
              "training stopped: ", place.task.empty() ? "" : "task '" + place.task + "', ",
              "step ", step_ + 1, ": ", place.what, number,
              "; the last checkpoint is from before this step");
  if (place.value != kNotReported) values_[place.value].value += place.share * number;
  last_ = number;
}

LIMPID_INLINE TermNames::TermNames(const std::vector<std::string>& taken) {
  for (const auto& name : taken) ++uses_[name];
}

LIMPID_INLINE std::string TermNames::operator()(const std::string& name) {
  const auto use = ++uses_[name];
  return use == 1 ? name : (*this)(name + "_" + std::to_string(use));
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
