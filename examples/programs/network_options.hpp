#pragma once

#include <limpid/model/families.hpp>
#include <limpid/model/network.hpp>

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "options.hpp"

// --network and --network-options, as several programs have them.
namespace examples {

struct NetworkOptions {
  std::string network, options;  ///< as they were written; empty where not given

  bool given() const { return !network.empty() || !options.empty(); }

  /// The networks that the command line names, else `usual`. Options change those of `usual` where
  /// that is of the same family.
  /// @throws UsageError for a family or an option that is not known, and for a wrong value.
  limpid::Network chosen(const limpid::Network& usual = {}) const {
    return as_usage("--network: ", [&] {
      auto chosen =
          network.empty() ? limpid::Network{usual.family} : limpid::parse_network(network);
      chosen.family = limpid::kFamilies.spelled(chosen.family);
      auto all = chosen.family == usual.family ? usual.options : nlohmann::json::object();
      all.update(chosen.options, /*merge_objects=*/true);
      all.update(limpid::parse_network_options(options), /*merge_objects=*/true);
      chosen.options = std::move(all);
      limpid::all_options(chosen);
      return chosen;
    });
  }
};

/// A model of networks that a command line may have changed. @throws UsageError where they cannot
/// be built.
inline limpid::AnyModel build_model(const limpid::Network& network,
                                    const std::vector<std::string>& tasks) {
  return as_usage("--network: ", [&] { return limpid::make_model(network, tasks); });
}

/// @param usual  what is taken where the option is not given, for help texts
/// @param group  where they stand there
inline void add_network(CLI::App& app, NetworkOptions& network, const std::string& usual,
                        const std::string& group = "Options") {
  app.add_option("--network", network.network,
                 "Networks, by name: " + limpid::kFamilies.list() +
                     "; options behind a colon, width=16,blocks=[1,1,1,28] [" + usual + "]")
      ->type_name("NAME[:KEY=VALUE,...]")
      ->group(group);
  app.add_option("--network-options", network.options,
                 "Options of the networks, KEY=VALUE,... or JSON")
      ->type_name("OPTIONS")
      ->group(group);
}

}  // namespace examples
