#pragma once

#include <torch/library.h>
#include <torch/torch.h>

#include <string>

namespace limpid_test {

/// Of the maps that convolutions of this thread are given while it lives: how many lie in memory
/// pixel by pixel, and the sizes of those that do not. Maps of one channel or one pixel lie in
/// either way.
///
/// It stands before all other kernels of `aten::convolution`, under the dispatch key that LibTorch
/// keeps for tests; all other operators pass.
class LayoutWatch {
 public:
  LayoutWatch() : before_(current()), in_(kKey) {
    static const Library library;
    current() = this;
  }
  ~LayoutWatch() { current() = before_; }
  LayoutWatch(const LayoutWatch&) = delete;
  LayoutWatch& operator=(const LayoutWatch&) = delete;

  int last = 0;    ///< maps that lie pixel by pixel
  int others = 0;  ///< maps that do not
  std::string sizes_of_others;

 private:
  static constexpr auto kKey = c10::DispatchKey::TESTING_ONLY_GenericMode;

  struct Library {
    Library() {
      all.fallback(torch::CppFunction::makeFallthrough());
      convolution.impl("convolution", torch::CppFunction::makeFromBoxedFunction<&watched>());
    }
    torch::Library all{torch::Library::IMPL, "_", kKey, __FILE__, __LINE__};
    torch::Library convolution{torch::Library::IMPL, "aten", kKey, __FILE__, __LINE__};
  };

  static void watched(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
    const auto first = stack->size() - op.schema().arguments().size();
    current()->see((*stack)[first].toTensor());
    const c10::impl::ExcludeDispatchKeyGuard below{kKey};
    op.callBoxed(stack);
  }

  static LayoutWatch*& current() {
    thread_local LayoutWatch* watch = nullptr;
    return watch;
  }

  void see(const at::Tensor& map) {
    if (map.dim() != 4 || map.size(1) == 1 || map.size(2) * map.size(3) == 1) return;
    if (map.suggest_memory_format() == at::MemoryFormat::ChannelsLast) {
      ++last;
      return;
    }
    ++others;
    for (const auto size : map.sizes()) sizes_of_others += " " + std::to_string(size);
    sizes_of_others += ";";
  }

  LayoutWatch* before_;
  c10::impl::IncludeDispatchKeyGuard in_;
};

}  // namespace limpid_test
