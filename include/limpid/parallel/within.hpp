#pragma once

#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

namespace limpid {

/// What `work` returns, or nothing where it takes longer than `time`: it then goes on in a thread
/// that nobody waits for, so it must own all that it uses. What it throws in time is thrown here.
template <class Work>
auto within(std::chrono::milliseconds time, Work work)
    -> std::optional<std::invoke_result_t<Work&>> {
  auto promise = std::make_shared<std::promise<std::invoke_result_t<Work&>>>();
  auto result = promise->get_future();
  std::thread{[promise, work = std::move(work)]() mutable {
    try {
      promise->set_value(work());
    } catch (...) {
      promise->set_exception(std::current_exception());
    }
  }}.detach();
  if (result.wait_for(time) != std::future_status::ready) return std::nullopt;
  return result.get();
}

}  // namespace limpid
