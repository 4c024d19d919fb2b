#include <limpid/engine/arena.hpp>
#include <limpid/engine/engines.hpp>
#include <limpid/inference/any_restorer.hpp>
#include <limpid/model/families.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace limpid;

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

/// Every family, small, some with channels that fill blocks of sixteen and some that do not.
const std::vector<std::string> kNetworks{
    "resnet:width=4,blocks=2",
    "resnet:width=16,blocks=2",
    "pixel-unet:width=8,context=4",
    "pixel-unet:width=32",
    "nafnet:width=8,blocks=[1,1],middle_blocks=1",
    "nafnet:width=16,blocks=[1,1],middle_blocks=1",
    "nafnet:width=16,blocks=[1,1],middle_blocks=1,range=unit,padding=zeros,prompt=3",
    "nafnet:width=16,blocks=[1,1],middle_blocks=1,local_train_size=16",
    "restormer:width=16,blocks=[1,1,1],heads=[1,2,2],decoder.refinement_blocks=1",
    "restormer:width=8,blocks=[1,1],heads=[1,2],norm=bias-free",
    "gunet:width=16,blocks=[1,1,1]",
    "gunet:width=8,blocks=[1,1],norm=batch",
    R"(fpn-inception-resnet-v2:{"backbone":{"width":0.1,"repeat":1,"repeat_1":1},"pyramid_width":16,"head_width":8})",
    R"(fpn-mobilenet-v2:{"backbone":{"width":0.25},"pyramid_width":16,"head_width":16,"top_down_convs":true})",
    R"(fpn-resnet34:{"backbone":{"width":0.25,"blocks":[1,1,1,1]},"pyramid_width":16,"head_width":8})",
    R"(fpn-densenet121:{"backbone":{"width":0.25,"layers":[1,1,1,1]},"pyramid_width":16,"head_width":8})",
    R"(fpn-se-resnext50:{"backbone":{"width":0.25,"blocks":[1,1,1,1]},"pyramid_width":16,"head_width":8})",
};

AnyModel model_of(const std::string& network) {
  torch::manual_seed(1);
  auto model = make_model(parse_network(network), {"deblur"});
  torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : model.tensors()) {  // nothing stays a neutral start
    if (!tensor.is_floating_point() || name.find("var") != name.npos) continue;
    auto values = tensor;
    if (values.abs().max().item<float>() == 0) values.normal_(0, 0.1);
  }
  model.module->eval();
  return model;
}

Image picture_of(std::int64_t height, std::int64_t width) {
  torch::manual_seed(2);
  return Image::from_unit(torch::rand({1, 3, height, width}));
}

AnyRestorer restorer_of(const AnyModel& model, Convolution convolution, int ensemble = 1) {
  RestorerOptions options;
  options.convolution = convolution;
  options.ensemble = ensemble;
  return AnyRestorer{model, options};
}

double largest(const at::Tensor& tensor) { return tensor.abs().max().item<double>(); }

boost::test_tools::assertion_result machine_has_it(boost::unit_test::test_unit_id) {
  return limpid::detail::machine_has_winograd();
}

BOOST_AUTO_TEST_SUITE(engines, *boost::unit_test::precondition(machine_has_it))

BOOST_AUTO_TEST_CASE(every_family_is_compiled_and_restores_as_itself) {
  for (const auto& network : kNetworks) {
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
