#pragma once

// limpid-train in several processes: which it starts, and what it is as one of them.

#include <limpid/core/errors.hpp>
#include <limpid/parallel/rendezvous.hpp>
#include <limpid/parallel/supervisor.hpp>
#include <limpid/parallel/world_place.hpp>
#include <limpid/training/options.hpp>

#include <torch/cuda.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <thread>

#include "../changes.hpp"
#include "../numbers.hpp"
#include "../options.hpp"

namespace examples {

/// What the command line says of processes.
struct ProcessOptions {
  std::int64_t processes = 1, restarts = 0;
  double timeout = 300;  ///< seconds
  std::string master;

  std::chrono::milliseconds patience() const {
    return std::chrono::milliseconds{static_cast<std::int64_t>(timeout * 1000)};
  }

  /// Whether this process starts the ranks, being none itself.
  bool starts_ranks() const {
    return (processes > 1 || restarts > 0) && std::getenv("LIMPID_RANK") == nullptr;
  }
};

/// Adds the options of processes.
inline void add_processes(CLI::App& app, ProcessOptions& options) {
  app.add_option("--processes", options.processes,
                 "Train in so many processes on this machine, each on batches of its own; as ranks "
                 "of torchrun, srun and mpirun it is one process each")
      ->check(Whole{1, 1024})
      ->capture_default_str()
      ->type_name("N")
      ->group("Processes");
  app.add_option("--restarts", options.restarts,
                 "Start all processes again from the last checkpoint, at most so often, when one "
                 "dies or hangs")
      ->check(Whole{0})
      ->capture_default_str()
      ->type_name("N")
      ->group("Processes");
  app.add_option("--timeout", options.timeout,
                 "How long processes wait for one another before they give up, seconds; longer "
                 "than reading the data or validating a picture takes")
      ->check(Real{0.1, 1e6})
      ->capture_default_str()
      ->type_name("SECONDS")
      ->group("Processes");
  app.add_option("--master", options.master,
                 "Where processes that torchrun, srun or mpirun started meet: rank 0's machine "
                 "[MASTER_ADDR:MASTER_PORT, or as Slurm says]")
      ->type_name("HOST:PORT")
      ->group("Processes");
}

/// Adds --reduce-in.
inline void add_reduce_in(CLI::App& app, Changes<limpid::TrainerOptions>& options) {
  options
      .add<std::string>(
          app, "--reduce-in",
          [](limpid::TrainerOptions& o, const std::string& name) {
            o.reduce_in =
                name == "bfloat16" ? limpid::Precision::bfloat16 : limpid::Precision::float32;
          },
          "In which processes add up gradients; bfloat16 halves what is sent and rounds it "
          "[float32]")
      ->check(CLI::IsMember({"float32", "bfloat16"}))
      ->type_name("float32|bfloat16")
      ->group("Processes");
}

/// Starts this program again as ranks, and waits for them. @return its exit code
inline int start_ranks(const ProcessOptions& options, const std::string& program, int argc,
                       char** argv) {
  if (!options.master.empty()) {
    throw UsageError(
        "--master is for ranks that torchrun, srun or mpirun start; those of "
        "--processes meet by themselves");
  }
  as_usage("--processes: ", [] {
    const auto place = limpid::world_place_from_environment();
    if (place.size > 1) {
      throw UsageError("--processes, --restarts: this process is rank " +
                       std::to_string(place.rank) + " of " + std::to_string(place.size) +
                       " already, by what started it");
    }
  });
  limpid::SupervisorOptions supervisor;
  supervisor.command = {std::filesystem::read_symlink("/proc/self/exe").string()};
  supervisor.command.insert(supervisor.command.end(), argv + 1, argv + argc);
  supervisor.processes = options.processes;
  supervisor.restarts = options.restarts;
  supervisor.timeout = options.patience();
  supervisor.name = program;
  if (std::find(supervisor.command.begin(), supervisor.command.end(), "--resume") ==
      supervisor.command.end()) {
    supervisor.when_restarted = "--resume";
  }
  supervisor.say = [&](const std::string& line) { complain(program + ": " + line); };
  return limpid::supervise(supervisor);
}

/// Where this process stands.
inline limpid::WorldPlace place_of_process(const ProcessOptions& options) {
  limpid::WorldPlace place;
  as_usage("", [&] { place = limpid::world_place_from_environment(options.master); });
  return place;
}

/// The threads of this process where the user did not say: its share of the machine's.
inline int shared_threads(const limpid::WorldPlace& place) {
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  return std::max(1, static_cast<int>(cores / place.local_size));
}

/// Each rank's own card.
/// @throws c10::Error where the machine has fewer cards than ranks
inline at::Device device_of_rank(at::Device device, const limpid::WorldPlace& place) {
  if (!device.is_cuda() || place.size == 1) return device;
  const auto cards = static_cast<std::int64_t>(torch::cuda::device_count());
  TORCH_CHECK(place.local_rank < cards, "--device cuda: rank ", place.rank, " is number ",
              place.local_rank, " on its machine, which has ", cards, " cards");
  return {at::kCUDA, static_cast<c10::DeviceIndex>(place.local_rank)};
}

/// Calls `work`; where it fails the other processes learn why.
template <class Work>
void telling_the_others(const limpid::Communicator& communicator, Work work) {
  try {
    work();
  } catch (const std::exception& error) {
    communicator.leave(limpid::error_text(error));
    throw;
  }
}

}  // namespace examples
