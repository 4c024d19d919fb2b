#pragma once

#include <limpid/core/random.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace limpid_test {

inline at::Tensor made_up_photo(std::int64_t height, std::int64_t width);

/// What a degradation does to pictures, in figures, one row for each picture: how much the values
/// change on the whole, how much in dark, middle and bright parts, how far neighbours' changes
/// agree, and how far those of two channels do.
///
/// @param photos, degraded  (N, 3, H, W).
inline at::Tensor figures_of_change(const at::Tensor& photos, const at::Tensor& degraded) {
  const auto change = degraded - photos;
  const auto mean_of = [](const at::Tensor& values) { return values.flatten(1).mean(1); };
  std::vector<at::Tensor> figures{mean_of(change), mean_of(change.square()).sqrt()};
  for (const double level : {0.0, 1.0 / 3, 2.0 / 3}) {
    const auto here = ((photos >= level) & (photos < level + 1.0 / 3 + 1e-3)).to(torch::kFloat);
    const auto pixels = here.flatten(1).sum(1).clamp_min(1);
    const auto mean = (change * here).flatten(1).sum(1) / pixels;
    figures.push_back(((change.square() * here).flatten(1).sum(1) / pixels - mean.square()));
  }
  const auto off_mean = change - change.mean({2, 3}, true);
  const auto variance = mean_of(off_mean.square()).clamp_min(1e-8);
  const auto last = photos.size(3) - 1;
  figures.push_back(mean_of(off_mean.narrow(3, 0, last) * off_mean.narrow(3, 1, last)) / variance);
  figures.push_back(mean_of(off_mean.narrow(1, 0, 2) * off_mean.narrow(1, 1, 2)) / variance);
  return torch::stack(figures, 1);
}

/// Whether two lots of pictures could be of one distribution: each figure's mean differs by less
/// than five standard errors (and a thousandth), its spread over the pictures by less than half.
inline void check_same_distribution(const at::Tensor& figures, const at::Tensor& others) {
  const auto count = static_cast<double>(figures.size(0));
  const auto here = figures.std(0), there = others.std(0);
  const auto error = ((here.square() + there.square()) / count).sqrt();
  const auto difference = (figures.mean(0) - others.mean(0)).abs();
  BOOST_TEST((difference < 5 * error + 1e-3).all().item<bool>(),
             "means " << figures.mean(0) << " and " << others.mean(0) << ", errors " << error);
  const auto larger = torch::maximum(here, there), smaller = torch::minimum(here, there);
  BOOST_TEST((smaller > 0.5 * larger - 1e-3).all().item<bool>(),
             "spreads " << here << " and " << there);
}

/// What every `BatchDegradation` does: keeps shape, range and its input, follows its random source
/// alone, draws anew for each picture, makes what calls make (bit for bit is not asked: 1e-4, or
/// the distribution alone where it says so), and refuses other shapes.
template <class D>
void check_batch(const D& degradation, const std::string& name) {
  const auto calls_in_turn = [&](const at::Tensor& photos, limpid::Random& random) {
    std::vector<at::Tensor> degraded;
    for (std::int64_t i = 0; i < photos.size(0); ++i) {
      degraded.push_back(degradation(photos[i], random));
    }
    return torch::stack(degraded);
  };
  bool equals_calls = false;
  if constexpr (requires { degradation.batch_equals_calls(); }) {
    equals_calls = degradation.batch_equals_calls();
  } else {
    equals_calls = limpid::batch_equals_calls<D>();
  }

  for (const auto& [height, width] : {std::pair{16, 16}, {47, 17}, {72, 96}}) {
    BOOST_TEST_CONTEXT(name << ": a batch of " << height << " x " << width) {
      const auto photo = made_up_photo(height, width);
      const auto photos = torch::stack({photo, photo, photo.flip(2) * 0.8, photo});
      const auto before = photos.clone();
      limpid::Random random{7}, same{7}, one_by_one{7};
      const at::Tensor degraded = degradation.batch(photos, random);
      BOOST_REQUIRE(degraded.sizes() == photos.sizes());
      BOOST_TEST((degraded.scalar_type() == at::kFloat));
      BOOST_TEST((degraded.device() == photos.device()));
      BOOST_TEST(degraded.min().item<float>() >= 0.0f);
      BOOST_TEST(degraded.max().item<float>() <= 1.0f);
      BOOST_TEST(degraded.isfinite().all().item<bool>());
      BOOST_TEST(photos.equal(before));
      BOOST_TEST(!degraded[0].equal(degraded[1]));
      BOOST_TEST(!degraded[1].equal(degraded[3]));

      const auto layout = photos.contiguous(at::MemoryFormat::ChannelsLast);
      BOOST_TEST(degradation.batch(layout, same).equal(degraded));
      BOOST_TEST(same.state() == random.state());
      BOOST_TEST(!degradation.batch(photos, random).equal(degraded));
      if (equals_calls) {
        const at::Tensor difference = (calls_in_turn(photos, one_by_one) - degraded).abs().max();
        BOOST_TEST(difference.item<float>() < 1e-4f);
        BOOST_TEST(one_by_one.state() == same.state());
      }
    }
  }

  if (!equals_calls) {
    BOOST_TEST_CONTEXT(name << ": the distribution of batches") {
      const auto photos = made_up_photo(64, 80).expand({48, 3, 64, 80}).contiguous();
      limpid::Random random{11}, other{12};
      const at::Tensor degraded = degradation.batch(photos, random);
      check_same_distribution(figures_of_change(photos, degraded),
                              figures_of_change(photos, calls_in_turn(photos, other)));
    }
  }

  limpid::Random random{1};
  const auto refuses = [&](const at::Tensor& images, const std::string& text) {
    const auto error = value_error_of([&] { return degradation.batch(images, random); });
    BOOST_TEST(error.ends_with(": " + text), name << ": " << error);
  };
  refuses(torch::zeros({3, 20, 20}),
          "expected images (N, 3, H, W) of Float, got [3, 20, 20] of "
          "Float");
  refuses(torch::zeros({1, 3, 20, 20}, torch::kDouble),
          "expected images (N, 3, H, W) of Float, got [1, 3, 20, 20] of Double");
  refuses(torch::zeros({2, 3, 15, 20}), "expected sides of at least 16 pixels, got [2, 3, 15, 20]");
}

/// The same where the degradation has batches; nothing where it has none.
template <class D>
void check_batch_if_any(const D& degradation, const std::string& name) {
  if constexpr (limpid::BatchDegradation<D>) {
    check_batch(degradation, name);
  }
}

}  // namespace limpid_test
