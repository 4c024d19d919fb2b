#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// A tensor that a file has in another shape, or in a type that does not convert.
struct MisShaped {
  std::string name;  ///< in the file
  std::string expected, found;
};

LIMPID_JSON(MisShaped, name, expected, found)

/// What became of every tensor of a module and of a file, by the file's names.
struct WeightsReport {
  std::string source;                   ///< how errors begin: "weights 'PATH'"
  std::string wrapper;                  ///< what stood before every name, such as "model.module."
  std::vector<std::string> loaded;      ///< tensors that took values
  std::vector<std::string> missing;     ///< of the module, not in the file
  std::vector<MisShaped> mis_shaped;    ///< in both, but they do not fit
  std::vector<std::string> unexpected;  ///< of the file, not of the module
  std::vector<std::string> ignored;     ///< of the file, known to be of no use here
  std::vector<std::string> untouched = {};  ///< of the module, without a value from the file: they
                                            ///< stay as they were, random in a fresh network
  bool averaged = false;                    ///< whether these are averages of weights over steps
  std::vector<std::string> others = {};     ///< other keys of the file that hold such weights too
  std::map<std::string, std::string> passed_over =
      {};  ///< of the file, no tensors, and what they are

  /// Whether module and file agree on every tensor that counts.
  bool complete() const { return missing.empty() && mis_shaped.empty() && unexpected.empty(); }

  /// "missing: a, b and 3 more; unexpected: c"; empty where `complete`.
  std::string faults() const {
    std::string text;
    for (const auto& [what, names] : rows()) {
      if (what == "loaded" || what == "ignored" || names.empty()) continue;
      text += (text.empty() ? "" : "; ") + what + ": " + detail::listed(names);
    }
    return text;
  }

  /// A table to print: how many of each kind, and the first names.
  std::string table() const {
    auto text = source + (wrapper.empty() ? "" : ", names after '" + printable(wrapper) + "'") +
                (averaged ? " (averaged weights)" : "") + "\n";
    if (!others.empty()) {
      text += "  also there: " + printable(detail::listed(others)) + " (--key chooses)\n";
    }
    for (const auto& [what, names] : rows()) {
      const auto count = std::to_string(names.size());
      text += "  " + what + std::string(12 - what.size(), ' ') +
              std::string(6 - std::min<std::size_t>(count.size(), 6), ' ') + count;
      if (what != "loaded" && !names.empty()) text += "  " + printable(detail::listed(names), 1000);
      text += "\n";
    }
    for (const auto& name : untouched) {
      text += "  stays as it was (random in a new network): " + printable(name) + "\n";
    }
    for (const auto& [name, what] : passed_over) {
      text += "  passed over: " + printable(name) + " (" + what + ")\n";
    }
    return text;
  }

 private:
  std::vector<std::pair<std::string, std::vector<std::string>>> rows() const {
    std::vector<std::string> misfits;
    for (const auto& [name, expected, found] : mis_shaped) {
      misfits.push_back(name + " (expected " + expected + ", found " + found + ")");
    }
    return {{"loaded", loaded},
            {"missing", missing},
            {"mis-shaped", misfits},
            {"unexpected", unexpected},
            {"ignored", ignored}};
  }
};

LIMPID_JSON(WeightsReport, source, wrapper, loaded, missing, mis_shaped, unexpected, ignored,
            untouched, averaged, others, passed_over)

}  // namespace limpid
