#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/interpolation/interpolation_model.hpp>
#include <limpid/interpolation/sepconv_network.hpp>
#include <limpid/io/safetensors.hpp>
#include <limpid/io/tensor_file.hpp>
#include <limpid/model/describe.hpp>
#include <limpid/model/model_file.hpp>
#include <limpid/weights/load_weights.hpp>
#include <limpid/weights/name_map.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace limpid {

namespace detail {

/// What comes before "Conv1.0.weight" in the names of a network's tensors: "net", "module" in
/// published checkpoints, or with a wrapper's name, such as "model.net". Undefined where no tensor
/// has such a name.
inline std::string sepconv_prefix(const TensorFile& file, const std::string& source) {
  for (const auto& [name, tensor] : file.tensors) {
    for (const std::string_view kind : {"net", "module"}) {
      const auto end = std::string{kind} + "Conv1.0.weight";
      const bool fits =
          name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
      if (fits) return name.substr(0, name.size() - std::string_view{"Conv1.0.weight"}.size());
    }
  }
  limpid::fail(source,
               ": expected a tensor 'netConv1.0.weight' (or 'moduleConv1.0.weight'), "
               "found ",
               file.tensors.size(), " tensors without");
}

/// The network that a file's shapes and metadata describe.
inline SepConvOptions sepconv_options(const TensorFile& file, const std::string& prefix,
                                      const std::string& source) {
  SepConvOptions options{.widths = {}, .taps = 0, .bgr = true};
  const auto shape = [&](const std::string& name) {
    const auto found = file.tensors.find(prefix + name);
    return found == file.tensors.end() || found->second.dim() == 0 ? std::int64_t{0}
                                                                   : found->second.size(0);
  };
  for (int level = 1; level <= 8; ++level) {
    const auto width = shape("Conv" + std::to_string(level) + ".0.weight");
    if (width == 0) break;
    options.widths.push_back(width);
  }
  options.taps = shape("Vertical1.7.weight");
  const auto widest =
      options.widths.empty() ? 0 : *std::max_element(options.widths.begin(), options.widths.end());
  TORCH_CHECK(
      options.widths.size() >= 2 && widest <= 1024 && options.taps % 2 == 1 && options.taps < 1024,
      source,
      ": expected a separable convolution network of 2 to 8 levels and odd taps, "
      "found ",
      options.widths.size(), " levels and ", options.taps, " taps");
  const auto written = file.metadata.find("sepconv");
  if (written == file.metadata.end()) return options;
  const auto json = nlohmann::json::parse(written->second, nullptr, false);
  const auto bgr = json.is_object() ? json.find("bgr") : json.end();
  TORCH_CHECK(json.is_object() && bgr != json.end() && bgr->is_boolean(), source,
              ": expected metadata 'sepconv' with the options of a network, found '",
              written->second.substr(0, 80), "'");
  options.bgr = bgr->get<bool>();
  return options;
}

/// The network of a model file.
inline SepConvNetwork read_interpolation_model(const std::filesystem::path& path) {
  const auto file = read_with_manifest(path, "model");
  SepConvNetwork network{nullptr};
  read_model(file, [&](const nlohmann::json& manifest) -> AnyModel {
    network = construct<SepConvNetwork>(manifest.at("encoder"), file.source);
    return InterpolationModel{network};
  });
  network->eval();
  return network;
}

}  // namespace detail

/// limpid's names of a network's tensors, and those of published checkpoints.
inline NameMap sepconv_published_names() { return NameMap{}.rename("net*", "module*"); }

/// A network with the weights of a file, of the size that the file holds: a model file of limpid's,
/// or a published checkpoint under the names "netConv1..." or "moduleConv1...".
///
/// Colours: as the model file says; of other files as their metadata "sepconv" says, which older
/// versions of limpid wrote, and blue first where there is none, as published weights expect.
/// @throws c10::Error that names the file and what was expected and found in it.
inline SepConvNetwork load_sepconv(const std::filesystem::path& path) {
  const auto source = "weights '" + path.string() + "'";
  const RecognisedFile file = read_tensor_file(path);
  if (file.format == TensorFormat::limpid) return detail::read_interpolation_model(path);
  const auto prefix = detail::sepconv_prefix(file, source);
  SepConvNetwork network{detail::sepconv_options(file, prefix, source)};
  const bool published = prefix.size() >= 6 && prefix.compare(prefix.size() - 6, 6, "module") == 0;
  load_weights(weights_of(network), file, source,
               published ? sepconv_published_names() : NameMap{});
  network->eval();
  return network;
}

/// Writes a model file of a network, as training does.
/// @param facts  further entries of its manifest
/// @throws c10::ValueError if a fact has the name of an entry of limpid's own.
inline void save_sepconv(const std::filesystem::path& path, const SepConvNetwork& network,
                         const nlohmann::json& facts = nlohmann::json::object()) {
  save(AnyModel{InterpolationModel{network}}, path, facts);
}

}  // namespace limpid
