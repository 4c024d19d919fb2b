#pragma once

#include <limpid/core/json_text.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/model/adapters.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/model/change_tasks.hpp>
#include <limpid/model/describe.hpp>
#include <limpid/model/state_dict.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_svd.h>
#include <nlohmann/json.hpp>

#include <string>

namespace limpid {

/// A model with one task as another model has it, whose encoder was trained on for that task: the
/// task's decoder, and adapters in the place of what changed in the encoder, cut to a rank. All
/// other tasks stay as they are, to the bit.
///
/// Of each convolution's change the largest singular values are kept, which is the nearest change
/// of that rank (Eckart and Young, 1936). Biases stay the model's own. Training the adapters on
/// from there loses less than cutting does.
/// Source: Hu et al., "LoRA", ICLR 2022 (the form).
/// @param base     a model that has the task without adapters
/// @param tuned    a model of the same networks that has it without adapters, too
/// @param options  the rank of each convolution's adapter
/// @throws c10::ValueError if one of them lacks the task, or the rank is below 1.
/// @throws c10::Error if encoders or the task's decoders are not the same networks, or a model has
///         adapters of it already (`merge_adapters`).
inline AnyModel adapt_to(const AnyModel& base, const AnyModel& tuned, const std::string& task,
                         const AdapterOptions& options = {}) {
  const at::NoGradGuard no_grad;
  base.index_of(task);
  tuned.index_of(task, "the model to adapt to");
  const auto ours = base.describe(), theirs = tuned.describe();
  const auto check = [&](const char* part, const nlohmann::json& a, const nlohmann::json& b) {
    TORCH_CHECK(a == b, "adapters of '", task, "': expected ", part, " ", json_excerpt(a),
                ", found ", json_excerpt(b));
  };
  check("the encoder", ours.at("encoder"), theirs.at("encoder"));
  const auto entry = detail::entry_of(ours, task);
  check("the decoder", entry, detail::entry_of(theirs, task));
  TORCH_CHECK(!entry.contains("adapter"), "adapters of '", task,
              "': both models have some already; merge them first");

  const auto model = add_adapters(base, {task}, options);
  const auto before = base.tensors(), after = tuned.tensors();
  auto adapted = model.tensors();
  const auto prefix = detail::adapter_prefix(task), decoder = detail::decoder_prefix(task);
  const std::string up_name = ".up";
  for (auto& [name, up] : adapted) {
    if (name.starts_with(decoder)) up.copy_(after.at(name));
    if (!name.starts_with(prefix) || !name.ends_with(up_name)) continue;
    const auto path = name.substr(prefix.size(), name.size() - prefix.size() - up_name.size());
    const auto weight = "encoder." + path + ".weight";
    const auto change = (after.at(weight).to(at::kDouble) - before.at(weight)).flatten(1);
    const auto [u, s, v] = at::linalg_svd(change, /*full_matrices=*/false);
    const auto rank = up.size(1);
    const auto root = s.narrow(0, 0, rank).sqrt();
    up.copy_(u.narrow(1, 0, rank) * root);
    adapted.at(prefix + path + ".down").copy_(root.unsqueeze(1) * v.narrow(0, 0, rank));
  }
  return model;
}

}  // namespace limpid
