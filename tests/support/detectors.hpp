#pragma once

#include <limpid/io/image.hpp>

#include <torch/script.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// A small detector, and pictures that it can be wrong about.
namespace limpid_test {

inline torch::jit::Module scripted_module(const std::string& forward) {
  torch::jit::Module module{"detector"};
  module.define(forward);
  return module;
}

/// TorchScript that cuts x (1, 3, H, W) into cells of 8 x 8 pixels and finds those whose mean is
/// above a half: `boxes`, `scores` (the means), `labels` (3 for all), and `d`, a dict of them.
inline constexpr const char* kFindSquares = R"(
    cells = torch.avg_pool2d(x.mean(1, keepdim=True), 8)[0, 0]
    at = torch.nonzero(cells > 0.5)
    corner = (at * 8).float().flip(1)
    boxes = torch.cat([corner, corner + 8], 1)
    scores = cells[at[:, 0], at[:, 1]]
    labels = torch.ones_like(at[:, 0]) * 3
    d = {'boxes': boxes, 'labels': labels, 'scores': scores}
)";

inline torch::jit::Module square_detector() {
  return scripted_module("def forward(self, x):\n" + std::string{kFindSquares} +
                         "    return [d]\n");
}

/// A black picture with squares of 8 x 8 pixels of one grey, each from (top, left) on.
inline limpid::Image squares(std::int64_t height, std::int64_t width,
                             const std::vector<std::pair<std::int64_t, std::int64_t>>& places,
                             int grey = 255) {
  auto pixels = at::zeros({height, width, 3}, at::kByte);
  for (const auto& [top, left] : places) {
    pixels.slice(0, top, top + 8).slice(1, left, left + 8).fill_(grey);
  }
  return limpid::Image{pixels};
}

}  // namespace limpid_test
