#pragma once

#include <limpid/core/part_listener.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <c10/core/DispatchKeySet.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/util/Exception.h>
#include <torch/library.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

// What LibTorch computes while a function runs, operator by operator: neither TorchScript nor a
// second definition of any network is needed.

namespace limpid {

/// An argument of a `RecordedOperator`: values of the recording, or plain numbers.
struct RecordedArgument {
  std::string name;                 ///< as LibTorch's schema calls it: "stride"
  std::vector<std::size_t> values;  ///< a tensor, or the tensors of a list
  bool is_tensor = false;           ///< whether `values` says what it is, and not `plain`
  c10::IValue plain{};
};

/// A call of an operator.
struct RecordedOperator {
  std::string name;   ///< "conv2d": without namespace, and without the '_' of those in place
  std::string layer;  ///< the module whose weights it takes, or the last one that took any
  std::vector<RecordedArgument> arguments;
  std::vector<std::size_t> outputs;
  std::optional<c10::OperatorHandle> handle{};  ///< LibTorch's; none of a part of a network
};

/// What was computed, in order.
struct Recording {
  /// A tensor at some time: what an operator in place makes of it is another value.
  struct Value {
    at::Tensor tensor;        ///< its sizes and type hold, its numbers may have changed since
    bool is_constant = true;  ///< whether it does not depend on the input
    std::string name{};       ///< of a parameter or buffer
    at::Tensor numbers{};     ///< of a constant, as they were when an operator took it
  };

  std::vector<Value> values;
  std::vector<RecordedOperator> operators;
  std::size_t input = 0;
  std::vector<std::size_t> outputs;
};

/// Records what a function makes of a tensor.
class Recorder : private detail::PartListener {
 public:
  using Function = std::function<std::vector<at::Tensor>(const at::Tensor&)>;

  /// @param is_known    whether an operator is taken as it is; of others those are recorded that
  ///                    they consist of.
  /// @param parameters  names of constants
  Recorder(std::function<bool(std::string_view)> is_known, const NamedTensors& parameters)
      : is_known_(std::move(is_known)) {
    for (const auto& [name, tensor] : parameters) names_[tensor.unsafeGetTensorImpl()] = name;
  }

  /// @throws c10::Error that names operator and layer for what cannot be recorded: numbers that are
  ///         read out of a tensor, or operators that are not known and consist of nothing else.
  Recording record(const Function& function, const at::Tensor& input) {
    recording_ = {};
    known_values_.clear();
    layer_.clear();
    outer_.clear();
    const c10::NoGradGuard no_grad;
    recording_.input = add(input, /*is_constant=*/false);
    const auto outputs = listen(function, input);
    for (const auto& output : outputs) {
      const auto found = known_values_.find(output.unsafeGetTensorImpl());
      TORCH_CHECK(found != known_values_.end() && !recording_.values[found->second].is_constant,
                  "what the network returns was not computed by operators of LibTorch from the "
                  "picture");
      recording_.outputs.push_back(found->second);
    }
    return std::move(recording_);
  }

 private:
  /// LibTorch's way to see every call of an operator: a kind of dispatch that stands before all
  /// others while a thread asks for it. This one is there for modes like ours, and nothing in
  /// LibTorch uses it.
  static constexpr auto kKey = c10::DispatchKey::TESTING_ONLY_GenericMode;

  /// While it lives, LibTorch calls this recorder for each of this thread's operators.
  class Ear {
   public:
    explicit Ear(Recorder& recorder)
        : before_((register_once(), std::exchange(current_, &recorder))),
          parts_before_(
              std::exchange(PartListener::current, static_cast<PartListener*>(&recorder))) {}
    ~Ear() {
      PartListener::current = parts_before_;
      current_ = before_;
    }
    Ear(const Ear&) = delete;
    Ear& operator=(const Ear&) = delete;

   private:
    static void register_once() {
      static const auto kLibrary = [] {
        auto library =
            std::make_unique<torch::Library>(torch::Library::IMPL, "_", kKey, __FILE__, __LINE__);
        library->fallback(torch::CppFunction::makeFromBoxedFunction<&Ear::hear>());
        return library;
      }();
    }

    static void hear(const c10::OperatorHandle& op, c10::DispatchKeySet keys,
                     std::vector<c10::IValue>* stack) {
      if (current_ == nullptr) return op.redispatchBoxed(keys & behind(), stack);
      current_->call(op, keys, *stack);
    }

    Recorder* before_;
    PartListener* parts_before_;
    c10::impl::IncludeDispatchKeyGuard included_{kKey};
  };

  std::vector<at::Tensor> listen(const Function& function, const at::Tensor& input) {
    const Ear ear{*this};
    return function(input);
  }

  /// Where an operator goes behind us; those that it calls come to us again.
  static c10::DispatchKeySet behind() { return {c10::DispatchKeySet::FULL_AFTER, kKey}; }

  /// Computes an operator and records it.
  void call(const c10::OperatorHandle& handle, c10::DispatchKeySet keys,
            std::vector<c10::IValue>& stack) {
    const auto& schema = handle.schema();
    auto op = described(schema, stack);
    op.handle = handle;
    const bool is_known = is_known_(op.name);
    const auto operators_before = recording_.operators.size();
    if (is_known) {
      const c10::impl::ExcludeDispatchKeyGuard unheard{kKey};
      handle.callBoxed(&stack);
    } else {
      outer_.push_back(op.name);
      handle.redispatchBoxed(keys & behind(), &stack);
      outer_.pop_back();
    }
    const c10::impl::ExcludeDispatchKeyGuard unheard{kKey};
    std::vector<at::Tensor> outputs;
    bool reads_values = false;
    for (auto i = stack.size() - schema.returns().size(); i < stack.size(); ++i) {
      const auto& output = stack[i];
      if (output.isTensor()) {
        if (output.toTensor().defined()) outputs.push_back(output.toTensor());
      } else if (output.isTensorList()) {
        for (const auto& tensor : output.toTensorVector()) outputs.push_back(tensor);
      } else {
        reads_values = true;
      }
    }
    if (!depends_on_input(op)) return keep_constants(outputs);
    TORCH_CHECK(!reads_values, about(op), " reads numbers out of what it computes");
    if (!is_known) {
      const bool is_recorded = recording_.operators.size() > operators_before;
      TORCH_CHECK(are_computed(outputs) && (is_recorded || !schema.is_mutable()), about(op),
                  " has no counterpart among those that limpid writes");
      return;
    }
    if (schema.is_mutable()) check_alone(op, outputs);
    for (const auto& output : outputs) op.outputs.push_back(add(output, false));
    recording_.operators.push_back(std::move(op));
  }

  /// Computes what is taken as one operator, and records it as such.
  at::Tensor part(const char* name, const at::Tensor& map, std::int64_t number,
                  const std::function<at::Tensor()>& compute) override {
    const c10::impl::ExcludeDispatchKeyGuard unheard{kKey};
    RecordedOperator op{name, layer_, {argument("self", map), {"number", {}}}, {}, {}};
    op.arguments.back().plain = number;
    const auto made = compute();
    op.outputs.push_back(add(made, /*is_constant=*/false));
    recording_.operators.push_back(std::move(op));
    return made;
  }

  /// Name, layer and arguments of a call.
  RecordedOperator described(const c10::FunctionSchema& schema,
                             const std::vector<c10::IValue>& stack) {
    const c10::impl::ExcludeDispatchKeyGuard unheard{kKey};
    RecordedOperator op{plain_name(schema.name()), {}, {}, {}, {}};
    const auto& names = schema.arguments();
    for (std::size_t i = 0; i < names.size(); ++i) {
      op.arguments.push_back(argument(names[i].name(), stack[stack.size() - names.size() + i]));
    }
    for (const auto& argument : op.arguments) {
      for (const auto value : argument.values) {
        const auto& weight = recording_.values[value].name;
        if (const auto dot = weight.rfind('.'); dot != weight.npos) layer_ = weight.substr(0, dot);
      }
    }
    op.layer = layer_;
    return op;
  }

  /// What a user called, whatever that calls inside.
  std::string about(const RecordedOperator& op) const {
    return "operator '" + (outer_.empty() ? op.name : outer_.front()) + "'" +
           (op.layer.empty() ? "" : " of layer '" + op.layer + "' or behind it");
  }

  /// "aten::relu_" -> "relu"
  static std::string plain_name(std::string name) {
    if (const auto colon = name.rfind("::"); colon != name.npos) name.erase(0, colon + 2);
    if (name.size() > 1 && name.back() == '_' && name[name.size() - 2] != '_') name.pop_back();
    return name;
  }

  std::size_t add(const at::Tensor& tensor, bool is_constant) {
    known_values_[tensor.unsafeGetTensorImpl()] = recording_.values.size();
    recording_.values.push_back({tensor, is_constant});  // kept, so that no address comes twice
    return recording_.values.size() - 1;
  }

  std::size_t value_of(const at::Tensor& tensor) {
    const auto found = known_values_.find(tensor.unsafeGetTensorImpl());
    if (found != known_values_.end()) return found->second;
    const auto value = add(tensor, /*is_constant=*/true);
    const auto named = names_.find(tensor.unsafeGetTensorImpl());
    if (named != names_.end()) {
      recording_.values[value].name = named->second;
      recording_.values[value].numbers = tensor;
    }
    return value;
  }

  /// The same of what an operator takes. A constant whose numbers changed is another one.
  std::size_t taken(const at::Tensor& tensor) {
    auto value = value_of(tensor);
    if (!recording_.values[value].is_constant || !recording_.values[value].name.empty()) {
      return value;
    }
    const auto& numbers = recording_.values[value].numbers;
    if (numbers.defined() && numbers.equal(tensor)) return value;
    if (numbers.defined()) value = add(tensor, /*is_constant=*/true);
    recording_.values[value].numbers = tensor.detach().clone();
    return value;
  }

  RecordedArgument argument(const std::string& name, const c10::IValue& given) {
    RecordedArgument argument{name, {}};
    if (given.isTensor()) {
      argument.is_tensor = given.toTensor().defined();
      if (argument.is_tensor) argument.values.push_back(taken(given.toTensor()));
    } else if (given.isTensorList()) {
      argument.is_tensor = true;
      for (const auto& tensor : given.toTensorVector()) argument.values.push_back(taken(tensor));
    } else {
      argument.plain = given;
    }
    return argument;
  }

  bool depends_on_input(const RecordedOperator& op) const {
    return std::any_of(op.arguments.begin(), op.arguments.end(), [&](const auto& argument) {
      return std::any_of(argument.values.begin(), argument.values.end(),
                         [&](auto value) { return !recording_.values[value].is_constant; });
    });
  }

  /// What is computed from constants alone is one.
  void keep_constants(const std::vector<at::Tensor>& outputs) {
    for (const auto& output : outputs) {
      const auto found = known_values_.find(output.unsafeGetTensorImpl());
      const bool is_weight =
          found != known_values_.end() && !recording_.values[found->second].name.empty();
      if (!is_weight) add(output, /*is_constant=*/true);
    }
  }

  /// Whether all of them are known and follow from the input, as those of an operator without a
  /// rule are where it consists of others that have one.
  bool are_computed(const std::vector<at::Tensor>& outputs) const {
    return std::all_of(outputs.begin(), outputs.end(), [&](const at::Tensor& output) {
      const auto found = known_values_.find(output.unsafeGetTensorImpl());
      return found != known_values_.end() && !recording_.values[found->second].is_constant;
    });
  }

  /// An operator that writes into a tensor must not change another value that is still known.
  void check_alone(const RecordedOperator& op, const std::vector<at::Tensor>& outputs) const {
    for (const auto& output : outputs) {
      for (const auto& value : recording_.values) {
        const bool is_itself = value.tensor.unsafeGetTensorImpl() == output.unsafeGetTensorImpl();
        TORCH_CHECK(is_itself || !value.tensor.is_alias_of(output), about(op),
                    " writes into a tensor of which another one is a part");
      }
    }
  }

  static inline thread_local Recorder* current_ = nullptr;

  std::function<bool(std::string_view)> is_known_;
  std::unordered_map<const void*, std::string> names_;
  std::unordered_map<const void*, std::size_t> known_values_;
  Recording recording_;
  std::string layer_;
  std::vector<std::string> outer_;  // operators without a rule that are being computed
};

}  // namespace limpid
