#pragma once

#include <ATen/record_function.h>
#include <torch/torch.h>

#include <memory>
#include <string>
#include <vector>

namespace limpid_test {

/// Of the maps that convolutions of this thread are given while it lives: how many lie in memory
/// pixel by pixel, and the sizes of those that do not. Maps of one channel or one pixel lie in
/// either way.
class LayoutWatch {
 public:
  LayoutWatch() {
    current() = this;
    handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback{
        [](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
          if (std::string{function.name()} == "aten::convolution") {
            current()->see(function.inputs()[0].toTensor());
          }
          return nullptr;
        }}.needsInputs(true)
                                             .scopes({at::RecordScope::FUNCTION}));
  }
  ~LayoutWatch() { at::removeCallback(handle_); }
  LayoutWatch(const LayoutWatch&) = delete;
  LayoutWatch& operator=(const LayoutWatch&) = delete;

  int last = 0;    ///< maps that lie pixel by pixel
  int others = 0;  ///< maps that do not
  std::string sizes_of_others;

 private:
  static LayoutWatch*& current() {
    static LayoutWatch* watch = nullptr;
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

  at::CallbackHandle handle_;
};

}  // namespace limpid_test
