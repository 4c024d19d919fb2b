#pragma once

#include <limpid/core/compiled.hpp>

#include <c10/util/Exception.h>

#include <any>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <set>
#endif

namespace limpid {

/// The networks that content losses look through. Each is loaded when the first loss asks for it,
/// and shared by all.
class ContentNetworks {
 public:
  /// Says in which file the weights of the network called `name` lie.
  void set_file(std::string name, std::filesystem::path file);

  /// Gives a network that is loaded already: a copyable handle.
  template <class Network>
  void set(std::string name, Network network) {
    networks_[std::move(name)] = std::move(network);
  }

  /// The names that weights were given for, in order.
  std::vector<std::string> names() const;

  /// Whether its weights are known, so that `get` can succeed.
  bool has(std::string_view name) const;

  /// Whether the network itself was given, or is loaded already.
  bool holds(std::string_view name) const;

  /// Where the weights of the network called `name` lie.
  /// @param source  where such a file comes from, for the error text
  /// @throws c10::ValueError if no file was given.
  const std::filesystem::path& file(std::string_view name, std::string_view source) const;

  /// The network; `load(file)` reads it the first time.
  ///
  /// @param source  where such a file comes from, for the error text
  /// @throws c10::ValueError if neither a file nor a network was given; what `load` throws.
  template <class Network, class Load>
  Network get(std::string_view name, std::string_view source, Load load) {
    auto found = networks_.find(name);
    if (found == networks_.end()) {
      found = networks_.emplace(std::string{name}, Network{load(file(name, source))}).first;
    }
    const auto* network = std::any_cast<Network>(&found->second);
    TORCH_CHECK_VALUE(network != nullptr, "the network given as ", name, " is of another type");
    return *network;
  }

 private:
  std::map<std::string, std::filesystem::path, std::less<>> files_;
  std::map<std::string, std::any, std::less<>> networks_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void ContentNetworks::set_file(std::string name, std::filesystem::path file) {
  files_[std::move(name)] = std::move(file);
}

LIMPID_INLINE std::vector<std::string> ContentNetworks::names() const {
  std::set<std::string> given;
  for (const auto& item : files_) given.insert(item.first);
  for (const auto& item : networks_) given.insert(item.first);
  return {given.begin(), given.end()};
}

LIMPID_INLINE bool ContentNetworks::has(std::string_view name) const {
  return networks_.find(name) != networks_.end() || files_.find(name) != files_.end();
}

LIMPID_INLINE bool ContentNetworks::holds(std::string_view name) const {
  return networks_.find(name) != networks_.end();
}

LIMPID_INLINE const std::filesystem::path& ContentNetworks::file(std::string_view name,
                                                                 std::string_view source) const {
  const auto found = files_.find(name);
  TORCH_CHECK_VALUE(found != files_.end(), "no weights of ", name, " are given: ", source);
  return found->second;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
