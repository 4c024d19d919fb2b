#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <support/batch_degradations.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace limpid_test {

/// A photograph of sorts: smooth colours and some edges, (3, height, width) in [0, 1].
inline at::Tensor made_up_photo(std::int64_t height, std::int64_t width) {
  const auto y = torch::arange(height).to(torch::kFloat).reshape({height, 1});
  const auto x = torch::arange(width).to(torch::kFloat).reshape({1, width});
  const auto stripes = ((x / 7).floor() + (y / 5).floor()).remainder(2) * 0.3;
  return torch::stack({0.5 + 0.4 * (x / 19).sin() * (y / 23).cos(), 0.3 + stripes + 0 * y,
                       0.2 + 0.6 * y / static_cast<double>(height) + 0 * x})
      .clamp(0, 1)
      .contiguous();
}

/// Bit by bit: windows at corners, at borders and inside, with the margin that was asked for.
template <limpid::Degradation D>
void check_parts(const D& degradation, const std::string& name) {
  if constexpr (requires { degradation.is_partwise(); }) {
    if (!degradation.is_partwise()) return;
  }
  if constexpr (limpid::PartwiseDegradation<D>) {
    const std::int64_t height = 60, width = 75;
    const auto photo = made_up_photo(height, width);
    const auto cut = [](const at::Tensor& image, const limpid::Window& window) {
      return image.narrow(1, window.top, window.height).narrow(2, window.left, window.width);
    };
    std::uint64_t seed = 0;
    for (const auto& window : {limpid::Window{0, 0, 16, 16},
                               {44, 50, 16, 25},
                               {20, 0, 17, 30},
                               {13, 22, 24, 20},
                               {0, 0, 60, 75},
                               {30, 40, 3, 2}}) {
      BOOST_TEST_CONTEXT(name << ": window at " << window.top << ", " << window.left) {
        limpid::Random random{++seed}, same{seed};
        const auto drawn = degradation.drawn_for(height, width, random);
        const at::Tensor whole = degradation(photo, same);
        BOOST_TEST(random.state() == same.state());
        const auto grown = window.grown(drawn.margin, 16, height, width);
        const auto part = drawn(cut(photo, grown), grown);
        const limpid::Window inner{window.top - grown.top, window.left - grown.left, window.height,
                                   window.width};
        BOOST_TEST(cut(part, inner).equal(cut(whole, window)));
      }
    }
  }
}

/// What every degradation does: keeps shape and range, follows its random source alone, leaves its
/// input as it was, takes any size from 16 x 16 on and any memory layout, refuses other shapes. One
/// that makes parts by themselves makes them as it makes the whole; one that makes batches, as
/// `check_batch` says.
///
/// @param name  what it is called where a check fails
template <limpid::Degradation D>
void check_degradation(const D& degradation, const std::string& name) {
  check_parts(degradation, name);
  check_batch_if_any(degradation, name);
  for (const auto& [height, width] : {std::pair{16, 16}, {16, 61}, {47, 17}, {72, 96}}) {
    BOOST_TEST_CONTEXT(name << " of " << height << " x " << width) {
      const at::Tensor photo = made_up_photo(height, width);
      const auto before = photo.clone();
      limpid::Random random{5};
      limpid::Random same{5};
      const at::Tensor degraded = degradation(photo, random);
      BOOST_TEST(degraded.sizes() == photo.sizes());
      BOOST_TEST((degraded.scalar_type() == at::kFloat));
      BOOST_TEST(degraded.min().item<float>() >= 0.0f);
      BOOST_TEST(degraded.max().item<float>() <= 1.0f);
      BOOST_TEST(degraded.isfinite().all().item<bool>());
      BOOST_TEST(photo.equal(before));
      BOOST_TEST(!degraded.equal(photo));

      const auto copy = degradation;
      BOOST_TEST(copy(photo, same).equal(degraded));
      BOOST_TEST(same.state() == random.state());
      BOOST_TEST(!degradation(photo, random).equal(degraded));

      const auto turned = photo.permute({1, 2, 0}).contiguous().permute({2, 0, 1});
      limpid::Random again{5};
      BOOST_TEST(degradation(turned, again).equal(degraded));
    }
  }

  limpid::Random random{1};
  const auto refuses = [&](const at::Tensor& image, const std::string& text) {
    const auto error = limpid_test::value_error_of([&] { return degradation(image, random); });
    BOOST_TEST(error.size() > text.size() + 2, name);  // its own name comes first
    BOOST_TEST(error.ends_with(": " + text), name << ": " << error);
  };
  refuses(torch::zeros({1, 3, 20, 20}),
          "expected image (3, H, W) of Float on cpu, got [1, 3, 20, 20] of Float on cpu");
  refuses(torch::zeros({3, 20, 20}, torch::kByte),
          "expected image (3, H, W) of Float on cpu, got [3, 20, 20] of Byte on cpu");
  refuses(torch::zeros({3, 15, 20}), "expected sides of at least 16 pixels, got [3, 15, 20]");
}

}  // namespace limpid_test
