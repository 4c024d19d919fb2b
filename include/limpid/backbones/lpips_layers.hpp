#pragma once

#include <limpid/core/compiled.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace limpid {

/// The networks that LPIPS is published for.
enum class LPIPSNet {
  alex,     ///< AlexNet: what most papers print
  vgg,      ///< VGG-16: what most trainings use
  squeeze,  ///< SqueezeNet 1.1: the smallest
};

namespace detail {

/// What is to be known of a network of LPIPS beside its layers.
struct LPIPSFacts {
  std::string_view name;      ///< as the lpips package calls it
  std::string_view backbone;  ///< as torchvision calls it
  std::string_view file;      ///< as torchvision downloads it
  std::int64_t min_side;      ///< pixels; below, a pooling has nothing left
};

constexpr LPIPSFacts lpips_facts(LPIPSNet net) {
  switch (net) {
    case LPIPSNet::alex:
      return {"alex", "alexnet", "alexnet-owt-7be5be79.pth", 31};
    case LPIPSNet::vgg:
      return {"vgg", "vgg16", "vgg16-397923af.pth", 16};
    case LPIPSNet::squeeze:
      return {"squeeze", "squeezenet1_1", "squeezenet1_1-b8a52dc0.pth", 17};
  }
  return {};
}

/// A layer of a network of LPIPS; an activation stands behind each but the poolings.
struct LPIPSLayer {
  enum class Kind { conv, fire, pool };
  Kind kind;
  std::int64_t index;  ///< its place in torchvision's `features`
  std::int64_t in = 0, out = 0;
  std::int64_t kernel = 3, stride = 1, padding = 1;
  bool measured = false;  ///< whether LPIPS compares its map
};

/// An activated convolution whose map LPIPS compares.
constexpr LPIPSLayer measured(LPIPSLayer layer) {
  layer.measured = true;
  return layer;
}

/// All layers down to the last that LPIPS compares.
///
/// Source: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014;
/// Simonyan and Zisserman, ICLR 2015, table 1, column D; Iandola et al., "SqueezeNet", 2016,
/// version 1.1. In the form of torchvision.
LIMPID_INLINE std::vector<LPIPSLayer> lpips_layers(LPIPSNet net);

}  // namespace detail

/// As the lpips package calls it: alex, vgg or squeeze.
constexpr std::string_view lpips_name(LPIPSNet net) { return detail::lpips_facts(net).name; }

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::vector<LPIPSLayer> lpips_layers(LPIPSNet net) {
  using Kind = LPIPSLayer::Kind;
  const auto conv = [](std::int64_t index, std::int64_t in, std::int64_t out) {
    return LPIPSLayer{Kind::conv, index, in, out};
  };
  const auto pool = [](std::int64_t index, std::int64_t kernel) {
    return LPIPSLayer{.kind = Kind::pool, .index = index, .kernel = kernel, .stride = 2};
  };
  const auto fire = [](std::int64_t index, std::int64_t in, std::int64_t out) {
    return LPIPSLayer{Kind::fire, index, in, out};
  };
  switch (net) {
    case LPIPSNet::alex:
      return {measured({Kind::conv, 0, 3, 64, 11, 4, 2}),
              pool(2, 3),
              measured({Kind::conv, 3, 64, 192, 5, 1, 2}),
              pool(5, 3),
              measured(conv(6, 192, 384)),
              measured(conv(8, 384, 256)),
              measured(conv(10, 256, 256))};
    case LPIPSNet::vgg:
      return {conv(0, 3, 64),
              measured(conv(2, 64, 64)),
              pool(4, 2),
              conv(5, 64, 128),
              measured(conv(7, 128, 128)),
              pool(9, 2),
              conv(10, 128, 256),
              conv(12, 256, 256),
              measured(conv(14, 256, 256)),
              pool(16, 2),
              conv(17, 256, 512),
              conv(19, 512, 512),
              measured(conv(21, 512, 512)),
              pool(23, 2),
              conv(24, 512, 512),
              conv(26, 512, 512),
              measured(conv(28, 512, 512))};
    case LPIPSNet::squeeze:
      return {measured({Kind::conv, 0, 3, 64, 3, 2, 0}),
              pool(2, 3),
              fire(3, 64, 128),
              measured(fire(4, 128, 128)),
              pool(5, 3),
              fire(6, 128, 256),
              measured(fire(7, 256, 256)),
              pool(8, 3),
              measured(fire(9, 256, 384)),
              measured(fire(10, 384, 384)),
              measured(fire(11, 384, 512)),
              measured(fire(12, 512, 512))};
  }
  return {};
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
