#pragma once

// limpid-evaluate --beside: further models on the same pictures.

#include <filesystem>
#include <string>

#include "../options.hpp"

namespace examples {

/// A model of --beside: a name for the tables, and its file.
struct NamedModel {
  std::string name;
  std::filesystem::path file;

  /// @param text  "NAME=FILE", or the file alone, which then is the name too
  static NamedModel parse(const std::string& text) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) return {text, text};
    const NamedModel model{text.substr(0, equals), text.substr(equals + 1)};
    if (model.name.empty() || model.file.empty()) {
      throw UsageError("--beside: expected NAME=FILE, found '" + text + "'");
    }
    return model;
  }
};

}  // namespace examples
