#include <limpid/degradations/depth_map.hpp>
#include <limpid/degradations/frame_average.hpp>
#include <limpid/degradations/haze.hpp>
#include <limpid/io/grey_image.hpp>
#include <support/errors.hpp>
#include <support/fixtures.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace {

using limpid::DepthOptions, limpid::distances_of, limpid::fill_unknown, limpid::FrameAverage;
using limpid::GreyImage, limpid::Image, limpid::read_depth_map, limpid::ResponseCurve;
using limpid::ZeroDepth;
using namespace limpid_test;

constexpr auto kUnknown = std::numeric_limits<float>::infinity();

Image flat(int value) { return Image{torch::full({4, 5, 3}, value, torch::kByte)}; }

int mean_of(const ResponseCurve& curve, const std::vector<int>& values) {
  FrameAverage average{curve};
  for (const auto value : values) average.add(flat(value));
  return average.mean().data()[0];
}

/// `nearest` with the values of `map` by hand, row by row.
std::vector<float> list(const at::Tensor& map) {
  const auto values = map.contiguous();
  return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}

BOOST_AUTO_TEST_SUITE(frame_average)

BOOST_AUTO_TEST_CASE(the_mean_of_equal_frames_is_the_frame) {
  const auto frame = picture(9, 14, 3);
  for (const auto& curve :
       {ResponseCurve::none(), ResponseCurve::gamma(2.2), ResponseCurve::srgb()}) {
    FrameAverage average{curve};
    for (int i = 0; i < 11; ++i) average.add(frame);
    BOOST_TEST((average.mean() == frame));
    BOOST_TEST(average.frames() == 11);
    for (int value = 0; value < 256; ++value) {
      BOOST_REQUIRE(mean_of(curve, {value, value, value}) == value);
    }
  }
}

BOOST_AUTO_TEST_CASE(by_hand) {
  BOOST_TEST(mean_of(ResponseCurve::none(), {0, 255}) == 128);  // 127.5
  BOOST_TEST(mean_of(ResponseCurve::none(), {10, 20, 60}) == 30);
  // Half the light: 255 * 0.5 ^ (1 / 2.2) = 186.08; sRGB 255 * (1.055 * 0.5 ^ (1 / 2.4) - 0.055).
  BOOST_TEST(mean_of(ResponseCurve::gamma(2.2), {0, 255}) == 186);
  BOOST_TEST(mean_of(ResponseCurve::srgb(), {0, 255}) == 188);
  BOOST_TEST(mean_of(ResponseCurve::gamma(1), {0, 255}) == 128);
  // (100^2.2 + 200^2.2 + 50^2.2) / 3 = 52 650.9, to the power of 1 / 2.2.
  const auto by_hand =
      std::pow((std::pow(100, 2.2) + std::pow(200, 2.2) + std::pow(50, 2.2)) / 3, 1 / 2.2);
  BOOST_TEST(mean_of(ResponseCurve::gamma(2.2), {100, 200, 50}) == std::lround(by_hand));
}

BOOST_AUTO_TEST_CASE(a_response_curve_is_undone_by_its_inverse) {
  for (const auto& curve :
       {ResponseCurve::none(), ResponseCurve::gamma(1.8), ResponseCurve::srgb()}) {
    BOOST_TEST(curve.light(0) == 0);
    BOOST_TEST(curve.light(1) == 1, boost::test_tools::tolerance(1e-12));
    for (double value = 0; value <= 1; value += 1.0 / 64) {
      BOOST_TEST(std::abs(curve.stored(curve.light(value)) - value) < 1e-6);
    }
  }
  BOOST_TEST(ResponseCurve::srgb().light(0.5) == 0.21404114, boost::test_tools::tolerance(1e-7));
}

BOOST_AUTO_TEST_CASE(frames_must_fit) {
  FrameAverage average;
  BOOST_TEST(error_of([&] { average.mean(); }) == "FrameAverage: expected at least one frame");
  average.add(flat(1));
  BOOST_TEST(error_of([&] { average.add(picture(5, 4)); }) ==
             "FrameAverage: expected 5 x 4 pixels, got 4 x 5");
  BOOST_TEST(error_of([&] { average.add(Image{}); }) ==
             "FrameAverage: expected a picture, got an empty one");
  BOOST_TEST(error_of([] { ResponseCurve::gamma(0); }) ==
             "ResponseCurve: gamma must be positive, got 0");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(depth_map)

BOOST_AUTO_TEST_CASE(a_grey_png_of_16_bits_keeps_them_all) {
  TemporaryFolder folder;
  const std::string row0{"\0\x00\x01\xff\xff", 5}, row1{"\0\x12\x34\x80\x00", 5};
  write_bytes(folder / "deep.png", png_file(2, 2, 16, 0, row0 + row1));
  const auto deep = GreyImage::load(folder / "deep.png");
  BOOST_TEST(deep.highest == 65535);
  BOOST_TEST(list(deep.values) == (std::vector<float>{1, 65535, 0x1234, 0x8000}));
  write_bytes(folder / "deep.pgm", std::string{"P5\n2 1\n65535\n\x12\x34\x00\x07", 17});
  BOOST_TEST(list(read_depth_map(folder / "deep.pgm")) == (std::vector<float>{0x1234, 7}));
  write_bytes(folder / "flat.png", png_file(2, 1, 8, 0, std::string{"\0\x05\xfe", 3}));
  const auto flat = GreyImage::load(folder / "flat.png");
  BOOST_TEST(flat.highest == 255);
  BOOST_TEST(list(flat.values) == (std::vector<float>{5, 254}));
  // The same grey as RGB of 16 bits.
  write_bytes(folder / "rgb.png",
              png_file(1, 1, 16, 2, std::string{"\0\x12\x34\x12\x34\x12\x34", 7}));
  BOOST_TEST(list(GreyImage::load(folder / "rgb.png").values) == std::vector<float>{0x1234});
}

BOOST_AUTO_TEST_CASE(what_is_no_grey_picture_is_refused) {
  TemporaryFolder folder;
  save(picture(8, 8), folder / "colours.png");
  const auto where = "cannot read grey picture '" + folder.path().string();
  BOOST_TEST(error_of([&] {
               GreyImage::load(folder / "colours.png");
             }).rfind(where + "/colours.png': expected grey, found colours", 0) == 0);
  const auto whole =
      png_file(2, 2, 16, 0, std::string{"\0\x00\x01\xff\xff", 5} + std::string(5, '\0'));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write_bytes(folder / "cut.png", whole.substr(0, length));
    BOOST_REQUIRE(error_of([&] { GreyImage::load(folder / "cut.png"); }) != "no error");
  }
  BOOST_TEST(error_of([&] { GreyImage::load(folder / "none.png"); }) ==
             where + "/none.png': No such file or directory");
}

BOOST_AUTO_TEST_CASE(what_is_unknown_takes_the_value_of_its_nearest_neighbour) {
  const auto map = torch::tensor({{1.f, kUnknown, kUnknown, kUnknown, 5.f},
                                  {kUnknown, kUnknown, kUnknown, kUnknown, kUnknown},
                                  {kUnknown, 7.f, kUnknown, kUnknown, std::nanf("")}});
  BOOST_TEST(list(fill_unknown(map)) ==
             (std::vector<float>{1, 1, 1, 5, 5, 1, 7, 7, 5, 5, 7, 7, 7, 7, 5}));
  BOOST_TEST(map.isinf().sum().item<int>() == 11);  // the map itself stays as it was
  BOOST_TEST(error_of([] {
               fill_unknown(torch::full({2, 2}, kUnknown));
             }) == "fill_unknown: expected a known value, got none");
}

BOOST_AUTO_TEST_CASE(depths_are_relative_to_the_farthest_or_in_units) {
  const auto map = torch::tensor({{0.f, 2.f}, {4.f, kUnknown}});
  const auto relative = distances_of(map);
  BOOST_TEST(list(relative.values) == (std::vector<float>{0.5, 0.5, 1, 0.5}));
  BOOST_TEST(relative.unknown == 2);
  BOOST_TEST(relative.nearest == 0.5);
  BOOST_TEST(relative.farthest == 1);
  const auto metres = distances_of(map, {.unit = 0.25, .zero = ZeroDepth::near});
  BOOST_TEST(list(metres.values) == (std::vector<float>{0, 0.5, 1, 0.5}));
  BOOST_TEST(metres.unknown == 1);
  BOOST_TEST(metres.nearest == 0);
}

BOOST_AUTO_TEST_CASE(disparity_is_larger_for_what_is_near) {
  const auto map = torch::tensor({{10.f, 20.f}, {40.f, 0.f}});
  BOOST_TEST(list(distances_of(map, {.disparity = true}).values) ==
             (std::vector<float>{1, 0.5, 0.25, 0.5}));
  // Focal length 1000 pixels, baseline 0.2 metres.
  const auto metres = distances_of(map, {.disparity = true, .unit = 200, .zero = ZeroDepth::near});
  BOOST_TEST(list(metres.values) == (std::vector<float>{20, 10, 5, 10}));
  BOOST_TEST(metres.unknown == 1);
}

BOOST_AUTO_TEST_CASE(a_map_without_depth_is_refused) {
  BOOST_TEST(error_of([] {
               distances_of(torch::full({2, 2}, kUnknown));
             }) == "expected known depths, found none");
  BOOST_TEST(error_of([] {
               distances_of(torch::zeros({2, 2}), {.zero = ZeroDepth::near});
             }) == "expected known depths, found zeros only");
  BOOST_TEST(error_of([] {
               distances_of(torch::zeros({2, 2}, torch::kDouble));
             }) == "distances_of: expected a map (H, W) of Float, got [2, 2] of Double");
}

BOOST_AUTO_TEST_CASE(a_map_is_resized_to_a_photograph_of_its_shape) {
  const auto map = torch::tensor({{1.f, 3.f}, {5.f, 7.f}});
  BOOST_TEST(list(limpid::resized_map(map, 1, 1)) == std::vector<float>{4});
  BOOST_TEST(limpid::resized_map(map, 4, 4)[1][1].item<float>() == 2.5f);
  BOOST_TEST(limpid::resized_map(map, 2, 2).equal(map));
  BOOST_TEST(error_of([&] { limpid::resized_map(map, 3, 4); }) ==
             "expected a depth map of the shape 4 x 3, found 2 x 2");
}

BOOST_AUTO_TEST_CASE(haze_at_known_distances_by_hand) {
  // Disparity 10 and 20: distances 1 and 0.5; beta ln 4: t = 0.25 and 0.5; J = 0.2, A = 1.
  auto map = torch::full({16, 16}, 10.f);
  map.narrow(1, 8, 8).fill_(20);
  const auto depth = distances_of(map, {.disparity = true}).values;
  const auto hazy = limpid::haze(torch::full({3, 16, 16}, 0.2f), depth, std::log(4.0), {1, 1, 1});
  BOOST_TEST(hazy[0][5][2].item<float>() == 0.2f * 0.25f + 0.75f,
             boost::test_tools::tolerance(1e-5f));
  BOOST_TEST(hazy[2][5][12].item<float>() == 0.2f * 0.5f + 0.5f,
             boost::test_tools::tolerance(1e-5f));
}

BOOST_AUTO_TEST_CASE(reads_real_depth_of_each_kind) {
  const auto folder = data_folder() / "depth";
  if (!available(folder)) return;
  const auto aloe = distances_of(read_depth_map(folder / "aloeGT.png"), {.disparity = true});
  BOOST_TEST(aloe.values.sizes() == torch::IntArrayRef({1110, 1282}));
  BOOST_TEST(aloe.unknown > 0);
  BOOST_TEST(aloe.unknown == (read_depth_map(folder / "aloeGT.png") == 0).sum().item<int>());
  const auto motorcycle =
      distances_of(read_depth_map(folder / "motorcycle_disp.npz"), {.disparity = true});
  BOOST_TEST(motorcycle.unknown == 27226);
  BOOST_TEST(motorcycle.nearest == 7.1913557 / 59.90896, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(motorcycle.values.max().item<float>() == 1);
  BOOST_TEST(
      distances_of(read_depth_map(folder / "train_syn_depth_1.png")).values.max().item<float>() ==
      1);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
