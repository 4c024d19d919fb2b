#pragma once

#include <limpid/core/random.hpp>
#include <limpid/training/options.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>

#include <cstdint>
#include <mutex>

namespace limpid::detail {

/// Where several processes train together, what dropout draws in a step follows from the seed, the
/// step and the rank alone: no process needs to keep the state of another's generator.
inline void seed_dropout(const TrainerOptions& options, std::int64_t step) {
  const auto seed =
      Random::stream(options.seed, {0x64726f706f7574, static_cast<std::uint64_t>(step),
                                    static_cast<std::uint64_t>(options.communicator.rank())})
          .bits();
  const auto start = [&](at::Generator generator) {
    std::lock_guard<std::mutex> lock{generator.mutex()};
    generator.set_current_seed(seed);
  };
  start(at::detail::getDefaultCPUGenerator());
  if (options.device.is_cuda()) start(at::globalContext().defaultGenerator(options.device));
}

}  // namespace limpid::detail
