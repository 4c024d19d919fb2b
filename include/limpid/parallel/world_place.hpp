#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/parallel/node_list.hpp>

#include <c10/util/Exception.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace limpid {

/// Where one process stands among those that train together, and where they meet.
struct WorldPlace {
  std::int64_t rank = 0;         ///< 0 .. size - 1; rank 0 writes files and talks to the user.
  std::int64_t size = 1;         ///< Number of processes; 1: this one is alone.
  std::int64_t local_rank = 0;   ///< Its number on its own machine, which is that of its card.
  std::int64_t local_size = 1;   ///< Processes on this machine, which share its cores.
  std::string store{};           ///< "file:PATH" or "tcp:HOST:PORT"; empty where size is 1.
  std::string interface {};      ///< Network interface, "eth0"; empty: the one that HOST is on.
  bool store_is_served = false;  ///< The launcher serves the TCP store; rank 0 must not.
  std::string prefix{};          ///< Of all keys in a store that several attempts share.
};

/// Reads a variable: nothing where it is not set.
using Environment = std::function<std::optional<std::string>(const std::string&)>;

/// The variables of this process.
inline std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

namespace detail {

/// How one launcher says who a process is.
struct LauncherVariables {
  std::string_view launcher, rank, size, local_rank, local_size;
};

// In this order: torchrun runs inside srun or mpirun, mpirun inside srun, and never the other way.
inline constexpr std::array kLaunchers{
    LauncherVariables{"limpid-train --processes", "LIMPID_RANK", "LIMPID_WORLD_SIZE", "", ""},
    LauncherVariables{"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"},
    LauncherVariables{"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                      "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"},
    LauncherVariables{"MPICH", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"},
    LauncherVariables{"Slurm", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", ""}};

inline std::int64_t whole_number(const std::string& name, const std::string& text, std::int64_t low,
                                 std::int64_t high = std::numeric_limits<std::int32_t>::max()) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  TORCH_CHECK_VALUE(is_number && value >= low && value <= high, name,
                    ": expected a whole number from ", low,
                    high < std::numeric_limits<std::int32_t>::max() ? " to " + std::to_string(high)
                                                                    : std::string{},
                    ", got '", text, "'");
  return value;
}

inline std::optional<std::int64_t> number_in(const Environment& environment, std::string_view name,
                                             std::int64_t low) {
  if (name.empty()) return std::nullopt;
  const auto text = environment(std::string{name});
  if (!text) return std::nullopt;
  return whole_number(std::string{name}, *text, low);
}

/// What `launcher` says: nothing where it set none of its variables.
inline std::optional<WorldPlace> place_by(const LauncherVariables& launcher,
                                          const Environment& environment) {
  const auto rank = number_in(environment, launcher.rank, 0);
  auto size = number_in(environment, launcher.size, 1);
  // A step may have fewer tasks than its job.
  if (launcher.launcher == "Slurm") {
    if (const auto of_step = number_in(environment, "SLURM_STEP_NUM_TASKS", 1)) size = of_step;
    if (!rank) return std::nullopt;  // salloc and sbatch set the number of tasks alone, too
    const bool is_batch_script =
        environment("ENVIRONMENT") == "BATCH" && !environment("SLURM_STEP_ID");
    TORCH_CHECK_VALUE(!is_batch_script || size.value_or(1) == 1, "SLURM_NTASKS=", size.value_or(1),
                      ", and this is the batch script itself: write 'srun' before the program");
  }
  if (!rank && !size) return std::nullopt;
  TORCH_CHECK_VALUE(rank, launcher.size, " is set and ", launcher.rank,
                    " is not: ", launcher.launcher, " sets both");
  TORCH_CHECK_VALUE(size, launcher.rank, " is set and ", launcher.size,
                    " is not: ", launcher.launcher, " sets both");
  TORCH_CHECK_VALUE(*rank < *size, launcher.rank, "=", *rank, " is not below ", launcher.size, "=",
                    *size);
  WorldPlace place{.rank = *rank, .size = *size};
  // Where the launcher does not say, all may be on one machine; elsewhere this names a card that is
  // not there, which is an error and not two processes on one card.
  place.local_rank = number_in(environment, launcher.local_rank, 0).value_or(*rank);
  const auto local_size = number_in(environment, launcher.local_size, 1);
  TORCH_CHECK_VALUE(!local_size || place.local_rank < *local_size, launcher.local_rank, "=",
                    place.local_rank, " is not below ", launcher.local_size, "=",
                    local_size.value_or(0));
  place.local_size = local_size.value_or(launcher.rank == "LIMPID_RANK" ? place.size : 1);
  return place;
}

inline void check_agree(const LauncherVariables& inner, const WorldPlace& by_inner,
                        const LauncherVariables& outer, const WorldPlace& by_outer) {
  TORCH_CHECK_VALUE(
      by_outer.size == 1 || (by_inner.rank == by_outer.rank && by_inner.size == by_outer.size),
      inner.rank, "=", by_inner.rank, " of ", inner.size, "=", by_inner.size, " contradicts ",
      outer.rank, "=", by_outer.rank, " of ", outer.size, "=", by_outer.size,
      ": unset those that are not meant");
}

/// A port above the well-known ones that ranks of one job agree on and two jobs seldom share.
inline std::int64_t port_of_job(std::uint64_t job) {
  return 20000 + static_cast<std::int64_t>(job % 12000);
}

/// A job's number, of whatever digits are in its name.
inline std::optional<std::uint64_t> job_number(const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  std::uint64_t number = 0;
  bool any = false;
  for (const char c : *name) {
    if (c < '0' || c > '9') continue;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
    any = true;
  }
  return any ? std::optional{number} : std::nullopt;
}

/// Where ranks meet by the launcher's own word; empty where it has none.
inline std::string launchers_store(const LauncherVariables& launcher, const WorldPlace& place,
                                   const Environment& environment) {
  const auto tcp = [](const std::string& host, std::uint64_t job) {
    return "tcp:" + host + ":" + std::to_string(port_of_job(job));
  };
  if (launcher.launcher == "Slurm") {
    const auto job = job_number(environment("SLURM_JOB_ID"));
    auto nodes = environment("SLURM_STEP_NODELIST");
    if (!nodes) nodes = environment("SLURM_JOB_NODELIST");
    if (!nodes) nodes = environment("SLURM_NODELIST");
    if (!job || !nodes || nodes->empty()) return {};
    const auto step = job_number(environment("SLURM_STEP_ID")).value_or(0);
    return tcp(is_one_node(*nodes) ? "127.0.0.1" : first_node(*nodes), *job + step);
  }
  if (launcher.launcher == "Open MPI") {
    const auto local = number_in(environment, launcher.local_size, 1);
    auto job = job_number(environment("PMIX_NAMESPACE"));
    if (!job) job = job_number(environment("OMPI_MCA_ess_base_jobid"));
    if (local == place.size && job) return tcp("127.0.0.1", *job);
  }
  return {};
}

}  // namespace detail

/// "tcp:HOST:PORT" for what a user writes, "HOST:PORT".
///
/// @param what  names it in the error: "--master"
/// @throws c10::ValueError if there is no host or no port from 1 to 65535
inline std::string tcp_store(const std::string& what, const std::string& host_and_port) {
  const auto colon = host_and_port.rfind(':');
  TORCH_CHECK_VALUE(colon != std::string::npos && colon > 0, what, ": expected HOST:PORT, got '",
                    host_and_port, "'");
  detail::whole_number(what + ": port", host_and_port.substr(colon + 1), 1, 65535);
  return "tcp:" + host_and_port;
}

/// Who this process is, by the variables of what started it: `limpid-train --processes`, torchrun,
/// Open MPI's or MPICH's mpirun, or Slurm's srun; alone where none did.
///
/// The ranks meet at `master`, else at MASTER_ADDR and MASTER_PORT, else where Slurm's list of
/// nodes or, on one machine, Open MPI's name of the job says. The network's interface is
/// GLOO_SOCKET_IFNAME, as in PyTorch.
///
/// @param master  "HOST:PORT" instead of the launcher's place to meet; empty: the launcher's
/// @throws c10::ValueError that names the variables, where one is no number, lacks its fellow or
///         contradicts another, or where nobody says where to meet
inline WorldPlace world_place_from_environment(
    const std::string& master = {}, const Environment& environment = process_environment) {
  const detail::LauncherVariables* launcher = nullptr;
  WorldPlace place;
  for (const auto& candidate : detail::kLaunchers) {
    const auto found = detail::place_by(candidate, environment);
    if (!found) continue;
    if (launcher == nullptr) {
      launcher = &candidate;
      place = *found;
    } else if (launcher->launcher == "torchrun" && !environment("TORCHELASTIC_RUN_ID")) {
      // Set by hand; torchrun itself is started once a machine by the others.
      detail::check_agree(*launcher, place, candidate, *found);
    }
  }
  if (launcher == nullptr) {
    TORCH_CHECK_VALUE(master.empty(), "--master: no variable says which rank this process is; ",
                      "start it by torchrun, srun or mpirun, or set RANK and WORLD_SIZE");
    return place;
  }
  place.interface = environment("GLOO_SOCKET_IFNAME").value_or("");
  if (const auto store = environment("LIMPID_STORE");
      store && launcher->rank == std::string_view{"LIMPID_RANK"}) {
    place.store = *store;
    return place;
  }
  const auto address = environment("MASTER_ADDR"), port = environment("MASTER_PORT");
  if (!master.empty()) {
    place.store = tcp_store("--master", master);
  } else if (address || port) {
    TORCH_CHECK_VALUE(address && !address->empty(), "MASTER_PORT is set and MASTER_ADDR is not");
    TORCH_CHECK_VALUE(port, "MASTER_ADDR is set and MASTER_PORT is not");
    detail::whole_number("MASTER_PORT", *port, 1, 65535);
    place.store = "tcp:" + *address + ":" + *port;
    if (environment("TORCHELASTIC_USE_AGENT_STORE") == "True") {
      place.store_is_served = true;
      place.prefix = "/worker/attempt_" + environment("TORCHELASTIC_RESTART_COUNT").value_or("0");
    }
  } else {
    place.store = detail::launchers_store(*launcher, place, environment);
  }
  if (place.size == 1) {
    place.store.clear();
    return place;
  }
  TORCH_CHECK_VALUE(!place.store.empty(), launcher->rank, "=", place.rank, " of ", launcher->size,
                    "=", place.size,
                    ": nothing says where the ranks meet; set MASTER_ADDR and MASTER_PORT, or give "
                    "--master HOST:PORT");
  return place;
}

}  // namespace limpid
