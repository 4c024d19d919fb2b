#pragma once

#include <limpid/model/families.hpp>
#include <support/run_program.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace limpid_test {

/// A folder with a small random model of one task, deblur, and limpid-restore by that model.
struct RestorePlace {
  TemporaryFolder folder;
  RestorePlace() {
    torch::manual_seed(1);
    limpid::save(limpid::make_model({"pixel-unet", nlohmann::json::object()}, {"deblur"}),
                 folder / "model.limpid");
  }
  std::string path(const std::string& name) const { return (folder / name).string(); }
  std::vector<std::string> command(const std::vector<std::string>& more) const {
    std::vector<std::string> words{
        "limpid-restore", "--model", path("model.limpid"), "--task", "deblur", "--threads", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Ended restore(const std::vector<std::string>& more) const { return run(command(more)); }
};

}  // namespace limpid_test
