#pragma once

#include <limpid/interpolation/interpolation_model.hpp>
#include <limpid/interpolation/sepconv_network.hpp>
#include <limpid/io/tensor_file.hpp>
#include <limpid/io/tensor_index.hpp>
#include <limpid/model/describe.hpp>
#include <limpid/model/model_file.hpp>
#include <limpid/weights/find_weights.hpp>
#include <limpid/weights/load_weights.hpp>
#include <limpid/weights/name_map.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>

namespace limpid {

namespace detail {

/// A network's names as one spelling of published files has them: "netConv1.0.weight" or
/// "moduleConv1.0.weight".
inline NameMap sepconv_names(const std::string& start) {
  NameMap map;
  for (const auto* part : {"Conv#.*", "Deconv#.*", "Upsample#.*", "Vertical#.*", "Horizontal#.*"}) {
    map.rename(std::string{"net"} + part, start + part);
  }
  return map;
}

/// Where in a file a network stands, and under which names.
struct FoundSepConv {
  NameMap map;
  FoundWeights level;
};

/// @throws c10::Error where it stands nowhere, or at two places alike.
inline FoundSepConv find_sepconv(const TensorIndex& file, const FindOptions& options) {
  FoundSepConv found;
  std::exception_ptr fault;
  for (const auto* start : {"net", "module"}) {
    try {
      auto map = sepconv_names(start);
      auto level = find_weights(file, map, options);
      if (level.fitting > found.level.fitting) found = {std::move(map), std::move(level)};
    } catch (const c10::Error&) {  // nothing of this spelling stands under the key
      fault = std::current_exception();
    }
  }
  if (found.level.fitting == 0 && fault) std::rethrow_exception(fault);
  TORCH_CHECK(found.level.fitting > 0, options.source,
              ": expected a tensor 'netConv1.0.weight' (or 'moduleConv1.0.weight'), found ",
              file.tensors.size(), " tensors without");
  check_one_level(found.level, options.source);
  return found;
}

/// The network that a file's shapes and metadata describe.
inline SepConvOptions sepconv_options(const TensorIndex& file, const FoundSepConv& found,
                                      const std::string& source) {
  SepConvOptions options{.widths = {}, .taps = 0, .bgr = true};
  const auto shape = [&](const std::string& name) {
    const auto in_file = found.level.names.find(found.map.published("net" + name).value());
    if (in_file == found.level.names.end()) return std::int64_t{0};
    const auto& sides = file.tensors.at(in_file->second).shape;
    return sides.empty() ? std::int64_t{0} : sides[0];
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

/// A network with the weights of a file, of the size that the file holds: a model file of limpid's,
/// or a published checkpoint under the names "netConv1..." or "moduleConv1...", at any level of it
/// (`find_weights`).
///
/// Colours: as the model file says; of other files as their metadata "sepconv" says, which older
/// versions of limpid wrote, and blue first where there is none, as published weights expect.
/// @throws c10::Error that names the file and what was expected and found in it.
inline SepConvNetwork load_sepconv(const std::filesystem::path& path, LoadOptions options = {}) {
  const auto source = "weights '" + path.string() + "'";
  const auto file = index_tensor_file(path);
  if (file.format == TensorFormat::limpid) {
    TORCH_CHECK(options.key.empty(), source, ": a model file of limpid's has no keys, got '",
                options.key, "'");
    return detail::read_interpolation_model(path);
  }
  const auto found = detail::find_sepconv(file, {options.key, source});
  SepConvNetwork network{detail::sepconv_options(file, found, source)};
  options.key = found.level.path();
  load_weights(weights_of(network), file, source, found.map, std::move(options));
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
