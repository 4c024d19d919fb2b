#pragma once

#include <limpid/model/state_dict.hpp>

#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace limpid::detail {

/// What a checkpoint holds: tensors by their names, and a manifest.
struct SavedRun {
  TensorMap tensors{};
  nlohmann::json manifest = nlohmann::json::object();
};

/// A checkpoint on its way back into a run. Parts check what it says of them and leave here what is
/// to be done; nothing changes until all have.
class RunReader {
 public:
  /// @param source  how errors begin: "checkpoint 'PATH'"
  RunReader(const SavedRun& saved, std::string source) : saved(saved), source(std::move(source)) {}

  const SavedRun& saved;
  const std::string source;
  TensorLoader weights;  ///< tensors of modules, to be filled

  void then(std::function<void()> change) { changes_.push_back(std::move(change)); }

  /// Fills the modules, checked as a whole, and does the rest.
  /// @param prefixes  names that begin so and that no part expected are an error
  void apply(const std::vector<std::string>& prefixes) const {
    weights.apply(saved.tensors, source, prefixes);
    for (const auto& change : changes_) change();
  }

 private:
  std::vector<std::function<void()>> changes_;
};

/// One thing that a run keeps, so that a resumed run goes on as if it had never stopped.
struct RunPart {
  /// Adds it to a checkpoint.
  std::function<void(SavedRun&)> save = [](SavedRun&) {};

  /// Checks what a checkpoint says of it.
  /// @throws c10::Error that names the file
  std::function<void(RunReader&)> load = [](RunReader&) {};

  /// Adds what must be the same for a run to be resumed.
  std::function<void(nlohmann::json& conditions)> describe = [](nlohmann::json&) {};
};

}  // namespace limpid::detail
