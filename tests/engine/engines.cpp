#include <limpid/engine/arena.hpp>
#include <limpid/engine/engines.hpp>
#include <limpid/inference/any_restorer.hpp>
#include <support/drawn_models.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::drawn_model, limpid_test::kFamilyVariants;

BOOST_AUTO_TEST_SUITE(arena)

BOOST_AUTO_TEST_CASE(pieces_share_a_place_only_when_they_do_not_meet) {
  std::vector<limpid::detail::ArenaPiece> pieces{
      {1000, 0, 2}, {1000, 1, 3}, {500, 3, 4}, {900, 4, 5}, {100, 0, 5}};
  const auto whole = limpid::detail::plan_arena(pieces);
  BOOST_TEST(whole < 2800U);  // of 3648
  for (const auto& one : pieces) {
    BOOST_TEST(one.offset % 64 == 0U);
    BOOST_TEST(one.offset + one.bytes <= whole);
    for (const auto& two : pieces) {
      const bool meet = &one != &two && one.first <= two.last && two.first <= one.last;
      const bool overlap =
          one.offset < two.offset + two.bytes && two.offset < one.offset + one.bytes;
      BOOST_TEST(!(meet && overlap));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

#if LIMPID_WITH_ONEDNN

AnyModel model_of(const std::string& network) { return drawn_model(network, {"deblur"}); }

Image picture_of(std::int64_t height, std::int64_t width) {
  torch::manual_seed(2);
  return Image::from_unit(torch::rand({1, 3, height, width}));
}

AnyRestorer restorer_of(const AnyModel& model, Convolution convolution, int ensemble = 1,
                        Precision precision = Precision::float32) {
  RestorerOptions options;
  options.convolution = convolution;
  options.precision = precision;
  options.ensemble = ensemble;
  return AnyRestorer{model, options};
}

double largest(const at::Tensor& tensor) { return tensor.abs().max().item<double>(); }

boost::test_tools::assertion_result machine_has_it(boost::unit_test::test_unit_id) {
  return limpid::detail::machine_has_winograd();
}

boost::test_tools::assertion_result machine_has_bfloat16(boost::unit_test::test_unit_id) {
  return cpu_has_bfloat16();
}

BOOST_AUTO_TEST_SUITE(engines, *boost::unit_test::precondition(machine_has_it))

BOOST_AUTO_TEST_CASE(every_family_is_compiled_and_restores_as_itself) {
  for (const auto& network : kFamilyVariants) {
    BOOST_TEST_CONTEXT(network) {
      const auto model = model_of(network);
      const auto exact = restorer_of(model, Convolution::exact);
      const auto fast = restorer_of(model, Convolution::fast);
      for (const auto& [height, width] : {std::pair{160, 131}, std::pair{96, 224}}) {
        const auto picture = picture_of(height, width);
        const auto expected = exact.restore_unit("deblur", picture);
        const auto restored = fast.restore_unit("deblur", picture);
        BOOST_TEST(largest(restored - expected) <= 1e-4 * largest(expected));
        BOOST_TEST(restored.equal(fast.restore_unit("deblur", picture)));
      }
      const auto state = fast.engine("deblur");
      BOOST_TEST_MESSAGE(network << ": " << state.by_library.size() << " of " << state.operators
                                 << " by LibTorch: "
                                 << limpid::detail::joined_names(state.by_library) << state.reason);
      BOOST_TEST(state.is_compiled);
      BOOST_TEST(!exact.engine("deblur").is_compiled);
    }
  }
}

BOOST_AUTO_TEST_CASE(in_bfloat16_every_family_is_compiled_and_errs_no_more_than_autocast,
                     *boost::unit_test::precondition(machine_has_bfloat16)) {
  const auto picture = picture_of(160, 131);
  for (const auto& network : kFamilyVariants) {
    BOOST_TEST_CONTEXT(network) {
      const auto model = model_of(network);
      const auto expected = restorer_of(model, Convolution::exact).restore_unit("deblur", picture);
      const auto error = [&](Convolution convolution) {
        const auto restorer = restorer_of(model, convolution, 1, Precision::bfloat16);
        const auto restored = restorer.restore_unit("deblur", picture);
        BOOST_TEST(restored.equal(restorer.restore_unit("deblur", picture)));
        const auto state = restorer.engine("deblur");
        BOOST_TEST(state.is_compiled == (convolution == Convolution::fast), state.reason);
        return (restored - expected).square().mean().sqrt().item<double>();
      };
      const auto compiled = error(Convolution::fast), by_autocast = error(Convolution::exact);
      BOOST_TEST_MESSAGE(network << ": " << compiled << ", by autocast " << by_autocast);
      BOOST_TEST(compiled > 0);
      BOOST_TEST(compiled <= 2 * by_autocast + 1e-3);
    }
  }
}

BOOST_AUTO_TEST_CASE(usual_networks_are_hardly_left_to_libtorch) {
  const auto picture = picture_of(128, 128);
  for (const std::string network : {"pixel-unet:width=32", "resnet:width=16,blocks=1",
                                    "nafnet:width=32,blocks=[1,1],middle_blocks=1"}) {
    BOOST_TEST_CONTEXT(network) {
      const auto restorer = restorer_of(model_of(network), Convolution::fast);
      (void)restorer.restore("deblur", picture);
      BOOST_TEST(restorer.engine("deblur").is_compiled);
      BOOST_TEST(restorer.engine("deblur").by_library.size() <= 4U);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_model_that_is_trained_on_is_compiled_again) {
  const auto model = model_of("pixel-unet:width=16");
  const auto picture = picture_of(96, 96);
  const auto fast = restorer_of(model, Convolution::fast);
  const auto before = fast.restore_unit("deblur", picture);
  {
    torch::NoGradGuard no_grad;
    for (auto& parameter : model.module->parameters()) parameter.mul_(1.1);
  }
  const auto expected = restorer_of(model, Convolution::exact).restore_unit("deblur", picture);
  const auto after = fast.restore_unit("deblur", picture);
  BOOST_TEST(largest(after - expected) <= 1e-4);
  BOOST_TEST(largest(after - before) > 1e-3);
  BOOST_TEST(fast.engine("deblur").is_compiled);
}

/// A convolution in the middle of a network, of any channels.
struct Middle {
  std::int64_t in, out, kernel, stride = 1, groups = 1, dilation = 1;
  bool is_transposed = false;

  std::int64_t padding() const {
    return is_transposed ? (kernel - stride + 1) / 2 : dilation * (kernel - 1) / 2;
  }
};

std::ostream& operator<<(std::ostream& out, const Middle& middle) {
  return out << middle.in << " -> " << middle.out << ", " << middle.kernel << "x" << middle.kernel
             << ", stride " << middle.stride << ", groups " << middle.groups << ", dilation "
             << middle.dilation << (middle.is_transposed ? ", transposed" : "");
}

/// (1, 3, H, W) -> the same, through `Middle`, with a residual and relu where its sizes allow.
struct MiddleNetworkImpl : torch::nn::Module {
  explicit MiddleNetworkImpl(const Middle& given) : middle(given) {
    const auto conv = [this](const char* name, torch::nn::Conv2dOptions options) {
      return register_module(name, torch::nn::Conv2d(options));
    };
    const auto& m = middle;
    head = conv(
        "head",
        torch::nn::Conv2dOptions(3, m.in, 3).padding(1).stride(m.is_transposed ? m.stride : 1));
    tail = conv("tail", torch::nn::Conv2dOptions(m.out, 3, 3).padding(1));
    if (m.is_transposed) {
      turned = register_module(
          "turned",
          torch::nn::ConvTranspose2d(torch::nn::ConvTranspose2dOptions(m.in, m.out, m.kernel)
                                         .stride(m.stride)
                                         .padding(m.padding())
                                         .output_padding(m.stride - m.kernel + 2 * m.padding())));
    } else {
      body = conv("body", torch::nn::Conv2dOptions(m.in, m.out, m.kernel)
                              .stride(m.stride)
                              .padding(m.padding())
                              .groups(m.groups)
                              .dilation(m.dilation));
    }
  }

  at::Tensor forward(const at::Tensor& image) {
    const auto before = torch::relu(head(image));
    auto after = middle.is_transposed ? turned(before) : body(before);
    if (after.sizes() == before.sizes()) after = torch::relu(after + before);
    if (!middle.is_transposed && middle.stride > 1) {
      after = torch::upsample_nearest2d(after, {image.size(2), image.size(3)});
    }
    return tail(after);
  }

  Middle middle;
  torch::nn::Conv2d head{nullptr}, body{nullptr}, tail{nullptr};
  torch::nn::ConvTranspose2d turned{nullptr};
};

/// Compiles the network and compares it with itself, to 1e-4 of the largest value, or to 0.03 in
/// bfloat16.
/// @return whether LibTorch computes the convolution in its middle
bool is_left_to_libtorch(const Middle& middle, Precision precision = Precision::float32) {
  torch::manual_seed(3);
  torch::NoGradGuard no_grad;
  const auto network = std::make_shared<MiddleNetworkImpl>(middle);
  network->eval();
  const auto restore = [&](const at::Tensor& image) { return network->forward(image); };
  const TileNeeds needs{{.multiple = 6}};
  limpid::detail::EngineNetwork engine{*network, restore, needs, precision};
  const auto image = torch::rand({1, 3, 66, 84}) * 2 - 1;
  const auto expected = restore(image);
  const auto most = precision == Precision::float32 ? 1e-4 : 0.03;
  BOOST_TEST(largest(engine.restore(image) - expected) <= most * largest(expected));
  const auto kernels = engine.kernels(66, 84);
  BOOST_TEST(kernels.size() >= 3U);  // head, tail, and what is between them
  for (const auto& kernel : kernels) BOOST_TEST(!limpid::detail::is_reference(kernel), kernel);
  const auto left = engine.library_operators();
  return std::any_of(left.begin(), left.end(),
                     [](const std::string& name) { return name.rfind("conv", 0) == 0; });
}

BOOST_AUTO_TEST_CASE(convolutions_of_any_channels_have_kernels_of_their_own) {
  for (const std::int64_t in : {1, 2, 3, 5, 6, 12, 20, 33}) {
    std::vector<Middle> middles;
    for (const std::int64_t out : {in, std::int64_t{7}, std::int64_t{16}}) {
      middles.push_back({in, out, 3});
      middles.push_back({in, out, 1});
    }
    middles.push_back({in, 12, 3, 2});
    middles.push_back({in, 5, 1, 2});
    middles.push_back({in, in, 3, 1, 1, 2});
    middles.push_back({in, 6, 7});
    for (const std::int64_t kernel : {2, 3, 4}) {
      middles.push_back({in, 5, kernel, 2, 1, 1, true});
    }
    for (const auto& middle : middles) {
      BOOST_TEST_CONTEXT(middle) { BOOST_TEST(!is_left_to_libtorch(middle)); }
    }
  }
  for (const std::int64_t channels : {16, 48}) {
    BOOST_TEST(!is_left_to_libtorch({channels, channels, 3, 1, channels}));
    BOOST_TEST(!is_left_to_libtorch({2 * channels, 2 * channels, 3, 1, 2}));
  }
}

BOOST_AUTO_TEST_CASE(convolutions_have_kernels_in_bfloat16,
                     *boost::unit_test::precondition(machine_has_bfloat16)) {
  std::vector<Middle> middles{{3, 16, 7},
                              {3, 3, 3},
                              {5, 6, 3},
                              {12, 12, 3},
                              {33, 7, 1},
                              {32, 3, 7},
                              {16, 48, 3},
                              {32, 32, 3, 1, 32},
                              {32, 32, 3, 1, 2},
                              {12, 5, 4, 2, 1, 1, true},
                              {20, 32, 3, 2, 1, 1, true}};
  for (const auto& middle : middles) {
    BOOST_TEST_CONTEXT(middle) { BOOST_TEST(!is_left_to_libtorch(middle, Precision::bfloat16)); }
  }
}

BOOST_AUTO_TEST_CASE(transposed_convolutions_of_whole_blocks_are_usual_ones_of_their_subpixels) {
  for (const std::int64_t kernel : {2, 3, 4, 5, 6, 7}) {
    for (const std::int64_t stride : {2, 3}) {
      if (kernel < stride) continue;
      for (const auto& [in, out] : {std::pair<std::int64_t, std::int64_t>{16, 32}, {20, 16}}) {
        const Middle middle{in, out, kernel, stride, 1, 1, true};
        BOOST_TEST_CONTEXT(middle) { BOOST_TEST(!is_left_to_libtorch(middle)); }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(winograds_way_is_taken_where_its_memory_lies_on_other_maps) {
  using torch::nn::Conv2d, torch::nn::Conv2dOptions;
  torch::NoGradGuard no_grad;
  for (const bool has_wide_maps : {true, false}) {
    const auto before =
        has_wide_maps ? Conv2dOptions(3, 256, 3).padding(1) : Conv2dOptions(3, 256, 2).stride(2);
    const auto halve =
        has_wide_maps ? Conv2dOptions(256, 256, 2).stride(2) : Conv2dOptions(256, 256, 1);
    torch::nn::Sequential network{
        Conv2d(before), Conv2d(halve), Conv2d(Conv2dOptions(256, 256, 3).padding(1)),
        torch::nn::ConvTranspose2d(torch::nn::ConvTranspose2dOptions(256, 16, 2).stride(2)),
        Conv2d(Conv2dOptions(16, 3, 1))};
    network->eval();
    const auto restore = [&](const at::Tensor& image) { return network->forward(image); };
    limpid::detail::EngineNetwork engine{*network, restore, TileNeeds{{.multiple = 2}},
                                         Precision::float32};
    const auto has_winograd = [&](std::int64_t side) {
      const auto kernels = engine.kernels(side, side);
      return std::any_of(kernels.begin(), kernels.end(),
                         [](const auto& kernel) { return kernel.find("wino") != kernel.npos; });
    };
    BOOST_TEST(has_winograd(64));  // needs little
    BOOST_TEST(has_winograd(480) == has_wide_maps);
  }
}

BOOST_AUTO_TEST_CASE(functions_of_channels_that_fill_no_block_are_computed_by_kernels) {
  torch::NoGradGuard no_grad;
  using Function = at::Tensor (*)(const at::Tensor&);
  const Function functions[] = {
      [](const at::Tensor& x) { return torch::sigmoid(x); },
      [](const at::Tensor& x) { return torch::clamp(x, 0.25, 0.75); },
      [](const at::Tensor& x) { return torch::silu(x); },
      [](const at::Tensor& x) { return torch::leaky_relu(x, 0.1); },
  };
  for (const std::int64_t channels : {8, 12, 16, 33}) {
    for (const auto function : functions) {
      torch::manual_seed(4);
      torch::nn::Sequential network{
          torch::nn::Conv2d(torch::nn::Conv2dOptions(3, channels, 3).padding(1)),
          torch::nn::Functional(function),  // what follows sees zeros beyond its channels
          torch::nn::ConvTranspose2d(torch::nn::ConvTranspose2dOptions(channels, 3, 3).padding(1))};
      network->eval();
      const auto restore = [&](const at::Tensor& image) { return network->forward(image); };
      limpid::detail::EngineNetwork engine{*network, restore, TileNeeds{}, Precision::float32};
      const auto image = torch::rand({1, 3, 64, 70}) * 2 - 1;
      const auto expected = restore(image);
      BOOST_TEST(largest(engine.restore(image) - expected) <= 1e-4 * largest(expected));
      BOOST_TEST(engine.library_operators().empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(what_onednn_has_only_a_reference_for_stays_libtorchs) {
  const Middle reference[] = {
      {16, 16, 31}, {12, 12, 31}, {5, 20, 31}, {32, 32, 15, 1, 32}, {12, 6, 5, 3, 1, 1, true}};
  for (const auto& middle : reference) {
    BOOST_TEST_CONTEXT(middle) { BOOST_TEST(is_left_to_libtorch(middle)); }
  }
  const Middle groups[] = {
      {6, 6, 3, 1, 6}, {20, 20, 3, 1, 20}, {12, 6, 3, 1, 2}, {33, 33, 1, 1, 3}};
  for (const auto& middle : groups) {  // fill no blocks
    BOOST_TEST_CONTEXT(middle) { BOOST_TEST(is_left_to_libtorch(middle)); }
  }
}

/// Tiles of 64 pixels by the engine, and the whole picture by the network itself: how far they are
/// apart, as part of the largest value.
double error_of_tiles(const AnyModel& model, const Image& picture, Precision precision) {
  RestorerOptions options;
  options.convolution = Convolution::fast;
  options.precision = precision;
  options.tiling.tile = 64;
  const AnyRestorer tiles{model, options};
  const auto restored = tiles.restore_unit("deblur", picture);
  BOOST_TEST(tiles.engine("deblur").is_compiled, tiles.engine("deblur").reason);
  const auto expected = restorer_of(model, Convolution::exact).restore_unit("deblur", picture);
  return largest(restored - expected) / largest(expected);
}

/// Whether the compiled network of "deblur" takes statistics of the whole picture.
bool can_be_told(const AnyModel& model) {
  const c10::NoGradGuard no_grad;
  model.module->eval();
  const auto network = limpid::detail::compile_network(
      *model.module, [&](const at::Tensor& image) { return model.restore(0, image); },
      model.tile_needs(0), Precision::float32);
  return network->can_be_told();
}

BOOST_AUTO_TEST_CASE(tiles_that_are_told_of_the_whole_picture_are_compiled_too) {
  const auto picture = picture_of(150, 231);
  for (const std::string network :
       {"pixel-unet:width=16,blocks=[1,1,1],context=16", "resnet:width=16,blocks=1",
        "nafnet:width=16,blocks=[1,1],middle_blocks=1"}) {
    BOOST_TEST_CONTEXT(network) {
      const auto model = model_of(network);
      BOOST_TEST(can_be_told(model));
      BOOST_TEST(error_of_tiles(model, picture, Precision::float32) <= 1e-4);
      if (cpu_has_bfloat16()) {
        BOOST_TEST(error_of_tiles(model, picture, Precision::bfloat16) <= 0.1);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(who_cannot_be_told_of_the_whole_picture_restores_tiles_itself) {
  const auto picture = picture_of(150, 231);
  const auto model =
      model_of("restormer:width=16,blocks=[1,1],heads=[1,2],decoder.refinement_blocks=1");
  BOOST_TEST(!can_be_told(model));
  BOOST_TEST(error_of_tiles(model, picture, Precision::float32) <= 1e-4);
}

BOOST_AUTO_TEST_CASE(ensembles_and_several_threads_restore_the_same) {
  const auto model = model_of("nafnet:width=16,blocks=[1,1],middle_blocks=1");
  const auto picture = picture_of(96, 128);
  const auto expected = restorer_of(model, Convolution::exact, 8).restore_unit("deblur", picture);
  const auto fast = restorer_of(model, Convolution::fast, 8);
  std::vector<at::Tensor> made(3);
  std::vector<std::thread> threads;
  for (auto& one : made) {
    threads.emplace_back([&] { one = fast.restore_unit("deblur", picture); });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& one : made) BOOST_TEST(largest(one - expected) <= 1e-4);
  BOOST_TEST(fast.engine("deblur").is_compiled);
}

BOOST_AUTO_TEST_SUITE_END()

#endif

}  // namespace
