#pragma once

#include <limpid/model/network.hpp>

#include <string>

namespace limpid_test {

/// Options with which each family is small.
inline limpid::Network small_network(const std::string& family) {
  if (family == "resnet") return {family, {{"width", 4}, {"blocks", 1}}};
  if (family == "nafnet") return {family, {{"width", 4}, {"blocks", {1, 1}}, {"middle_blocks", 1}}};
  if (family == "restormer") {
    return {family, {{"width", 4}, {"blocks", {1, 1}}, {"heads", {1, 2}}}};
  }
  if (family == "gunet") return {family, {{"width", 4}, {"blocks", {1, 1}}}};
  if (family == "pixel-unet") return {family, {{"width", 4}}};
  limpid::Network fpn{family,
                      {{"head_width", 4}, {"pyramid_width", 8}, {"backbone", {{"width", 0.125}}}}};
  if (family == "fpn-inception-resnet-v2") {
    fpn.options["backbone"].update({{"repeat", 1}, {"repeat_1", 1}});
  }
  return fpn;
}

}  // namespace limpid_test
