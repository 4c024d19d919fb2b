#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/parallel/communicator.hpp>
#include <limpid/parallel/gloo_group.hpp>
#include <limpid/parallel/has_gloo.hpp>
#include <limpid/parallel/local_address.hpp>
#include <limpid/parallel/within.hpp>
#include <limpid/parallel/world_place.hpp>
#include <limpid/version.hpp>

#include <c10/util/Exception.h>
#include <torch/version.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#if LIMPID_WITH_GLOO

#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

namespace limpid::detail {

using StorePointer = c10::intrusive_ptr<c10d::Store>;

/// "HOST:PORT" -> HOST and PORT.
inline std::pair<std::string, std::uint16_t> host_and_port(const std::string& text) {
  const auto colon = text.rfind(':');
  TORCH_CHECK_VALUE(colon != std::string::npos && colon > 0,
                    "WorldPlace: store: expected "
                    "\"tcp:HOST:PORT\", got \"tcp:",
                    text, "\"");
  const auto port = whole_number("WorldPlace: store: port", text.substr(colon + 1), 1, 65535);
  return {text.substr(0, colon), static_cast<std::uint16_t>(port)};
}

/// Where the processes meet.
inline StorePointer open_store(const WorldPlace& place, std::chrono::milliseconds timeout) {
  StorePointer store;
  try {
    if (place.store.starts_with("file:")) {
      store =
          c10::make_intrusive<c10d::FileStore>(place.store.substr(5), static_cast<int>(place.size));
    } else if (place.store.starts_with("tcp:")) {
      const auto [host, port] = host_and_port(place.store.substr(4));
      c10d::TCPStoreOptions options;
      options.port = port;
      options.isServer = place.rank == 0 && !place.store_is_served;
      options.numWorkers = static_cast<std::size_t>(place.size);
      options.waitWorkers = false;  // `arrive` waits, and says for whom
      options.timeout = timeout;
      store = c10::make_intrusive<c10d::TCPStore>(host, options);
    } else {
      TORCH_CHECK_VALUE(false,
                        "WorldPlace: store: expected \"file:PATH\" or \"tcp:HOST:PORT\", "
                        "got \"",
                        place.store, "\"");
    }
    store->setTimeout(timeout);
    if (!place.prefix.empty()) store = c10::make_intrusive<c10d::PrefixStore>(place.prefix, store);
    return store;
  } catch (const c10::ValueError&) {
    throw;
  } catch (const std::exception& error) {
    const std::string what = error.what();
    limpid::fail("rank ", place.rank, " of ", place.size, " cannot meet the others at ",
                 place.store, ": ", what.substr(0, what.find('\n')));
  }
}

/// Waits until all processes are at the store and checks that they fit together.
inline void arrive(c10d::Store& store, const WorldPlace& place, std::chrono::milliseconds timeout) {
  const auto key = [](std::int64_t rank) { return "here/" + std::to_string(rank); };
  const auto here = [&] {
    return "rank " + std::to_string(place.rank) + " of " + std::to_string(place.size);
  };
  TORCH_CHECK(store.add("count/" + std::to_string(place.rank), 1) == 1, "at ", place.store,
              " there has been a rank ", place.rank,
              " already: two processes have one number, or the place is that of an earlier run");
  const auto mine = "of " + std::to_string(place.size) + " processes, limpid " +
                    std::string{kVersion} + ", LibTorch " + TORCH_VERSION;
  store.set(key(place.rank), bytes_of(mine));
  const auto end = std::chrono::steady_clock::now() + timeout;
  const auto left = [&] {
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    return std::max(rest, std::chrono::milliseconds{1});
  };
  for (std::int64_t r = 0; r < place.size; ++r) {
    try {
      store.wait({key(r)}, left());
    } catch (const std::exception&) {
      std::string missing;
      for (std::int64_t other = r; other < place.size; ++other) {
        if (store.check({key(other)})) continue;
        missing += (missing.empty() ? "" : ", ") + std::to_string(other);
      }
      limpid::fail(here(), " waited ", timeout.count() / 1000.0, " s at ", place.store,
                   ", and rank ", missing, " did not come");
    }
    const auto bytes = store.get(key(r));
    const std::string theirs(bytes.begin(), bytes.end());
    TORCH_CHECK(theirs == mine, here(), " does not fit rank ", r, ": this one is ", mine,
                "; that one is ", theirs);
  }
}

/// The store, once all processes are there. Whatever answers at that place, this ends in time: a
/// store of another LibTorch takes a connection and says nothing, and a file's lock may be held by
/// a process that is stopped.
inline StorePointer meet(const WorldPlace& place, std::chrono::milliseconds timeout) {
  const auto most = 2 * timeout + std::chrono::seconds{1};  // one to connect, one for the others
  auto store = within(most, [place, timeout] {
    auto opened = open_store(place, timeout);
    arrive(*opened, place, timeout);
    return opened;
  });
  TORCH_CHECK(store, "rank ", place.rank, " of ", place.size, " got no answer at ", place.store,
              " within ", static_cast<double>(most.count()) / 1000, " s",
              place.store_is_served
                  ? "; torchrun's store speaks to programs of its own PyTorch's version only: set "
                    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1, and rank 0 serves one"
                  : "");
  return *store;
}

/// The network that the processes talk over: what `interface` names, else the address by which
/// this machine reaches the store; loopback where that is a file or on this machine.
inline std::shared_ptr<::gloo::transport::Device> network_device(const WorldPlace& place) {
  using Gloo = c10d::ProcessGroupGloo;
  if (!place.interface.empty()) return Gloo::createDeviceForInterface(place.interface);
  auto address = std::string{"127.0.0.1"};
  if (place.store.starts_with("tcp:")) {
    const auto [host, port] = host_and_port(place.store.substr(4));
    address = local_address_towards(host, port);
  }
  return Gloo::createDeviceForHostname(address);
}

}  // namespace limpid::detail

#endif

namespace limpid {

/// Meets the other processes of a run. One process is alone at once.
///
/// ```cpp
/// TrainerOptions options;
/// options.communicator = join(world_place_from_environment());
/// ```
///
/// @param timeout  how long to wait for another process, here and in each call of the communicator
/// @throws c10::ValueError for a place that is none; c10::Error where the others do not come in
///         time, do not fit (another number of processes, another LibTorch), or where this build
///         is without Gloo.
inline Communicator join(const WorldPlace& place,
                         std::chrono::milliseconds timeout = std::chrono::minutes{5}) {
  TORCH_CHECK_VALUE(place.size >= 1 && place.rank >= 0 && place.rank < place.size,
                    "WorldPlace: expected a rank below size, got rank ", place.rank, " and size ",
                    place.size);
  TORCH_CHECK_VALUE(timeout.count() > 0, "join: timeout must be positive, got ", timeout.count(),
                    " ms");
  if (place.size == 1) return {};
#if LIMPID_WITH_GLOO
  auto store = detail::meet(place, timeout);
  std::shared_ptr<::gloo::transport::Device> device;
  try {
    device = detail::network_device(place);
  } catch (const c10::ValueError&) {
    throw;
  } catch (const std::exception& error) {
    const std::string what = error.what();
    fail("rank ", place.rank, " of ", place.size, ": network interface '", place.interface,
         "': ", what.substr(0, what.find('\n')));
  }
  return Communicator{
      std::make_shared<detail::GlooGroup>(store, place.rank, place.size, device, timeout)};
#else
  fail("several processes need Gloo's headers (Debian: libgloo-dev), which this build is without");
#endif
}

}  // namespace limpid
