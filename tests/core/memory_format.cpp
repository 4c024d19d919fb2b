#include <limpid/core/memory_format.hpp>
#include <limpid/critics/patch_gan.hpp>
#include <limpid/inference/any_restorer.hpp>
#include <limpid/layers/instance_norm.hpp>
#include <limpid/layers/reflection_pad2d.hpp>
#include <limpid/losses/adversarial/least_squares.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/model/families.hpp>
#include <limpid/optim/sgd.hpp>
#include <limpid/training/any_trainer.hpp>
#include <support/errors.hpp>
#include <support/layout_watch.hpp>
#include <support/small_networks.hpp>
#include <support/temporary_folder.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace limpid;

constexpr auto kLast = at::MemoryFormat::ChannelsLast;

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// A run of three steps on two pictures each, with a critic.
struct ShortRun {
  ShortRun(at::MemoryFormat format, const std::filesystem::path& out, Start start = Start::fresh)
      : trainer{options(format, out, start), model()} {
    trainer.branch("brighten", Branch{.pairs = limpid_test::DarkPictures{},
                                      .batch_size = 2,
                                      .content = L1{},
                                      .critic = PatchGAN<>{PatchGANOptions{.width = 4}},
                                      .adversarial = LeastSquares{}});
  }

  static TrainerOptions options(at::MemoryFormat format, const std::filesystem::path& out,
                                Start start) {
    TrainerOptions options{.out = out, .length = Steps{3}, .crop = 64};
    options.start = start;
    options.memory_format = format;
    options.optimizer = options.critic_optimizer = SGD{};  // Adam makes much of rounding
    options.rate = options.critic_rate = 0.01;
    options.quiet = true;
    return options;
  }

  static AnyModel model() {
    torch::manual_seed(4);
    return make_model(limpid_test::small_network("resnet"), {"brighten"});
  }

  AnyTrainer trainer;
};

BOOST_AUTO_TEST_SUITE(memory_format)

BOOST_AUTO_TEST_CASE(has_a_name) {
  BOOST_TEST(name_of(kLast) == "channels-last");
  BOOST_TEST((kMemoryFormats.at("contiguous") == TrainerOptions{}.memory_format));
}

BOOST_AUTO_TEST_CASE(a_file_does_not_tell_how_its_model_lay_in_memory) {
  const limpid_test::TemporaryFolder folder;
  const auto model = ShortRun::model();
  save(model, folder / "one.limpid");
  limpid::detail::lay_out(*model.module, kLast);
  std::size_t laid = 0;
  for (const auto& [name, parameter] : model.parameters) laid += parameter.is_contiguous() ? 0 : 1;
  BOOST_TEST(laid > 3U);
  save(model, folder / "other.limpid");
  BOOST_TEST((bytes_of(folder / "one.limpid") == bytes_of(folder / "other.limpid")));
  // Neither does what is loaded in it.
  RestorerOptions options;
  options.memory_format = kLast;
  const auto picture = Image::from_unit(torch::rand({3, 37, 53}));
  for (const int ensemble : {1, 8}) {
    options.ensemble = ensemble;
    RestorerOptions plain;
    plain.ensemble = ensemble;
    const auto expected =
        AnyRestorer{folder / "one.limpid", plain}.restore_unit("brighten", picture);
    const auto found =
        AnyRestorer{folder / "other.limpid", options}.restore_unit("brighten", picture);
    BOOST_TEST(torch::allclose(expected, found, 1e-4, 1e-5));
  }
}

BOOST_AUTO_TEST_CASE(a_run_trains_alike_says_which_and_goes_on_with_it) {
  const limpid_test::TemporaryFolder folder;
  ShortRun plain{at::MemoryFormat::Contiguous, folder / "plain"};
  ShortRun last{kLast, folder / "last"};
  for (auto* run : {&plain, &last}) {
    torch::manual_seed(5);  // of dropout
    run->trainer.fit();
  }
  const auto& expected = plain.trainer.model().parameters;
  const auto& found = last.trainer.model().parameters;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    BOOST_TEST(torch::allclose(found[i].second, expected[i].second, 1e-3, 1e-5),
               expected[i].first << " by " << (found[i].second - expected[i].second).abs().max());
    if (found[i].second.dim() == 4 && found[i].second.size(2) > 1) {
      BOOST_TEST(found[i].second.is_contiguous(kLast), expected[i].first);
    }
  }
  BOOST_TEST(load_any(folder / "last/model.limpid").manifest.at("memory_format") ==
             "channels-last");
  BOOST_TEST(!load_any(folder / "plain/model.limpid").manifest.contains("memory_format"));
  const auto resume = [&](at::MemoryFormat format, const std::string& name) {
    return limpid_test::error_of([&] {
      ShortRun{format, folder / name, Start::resume}.trainer.fit();
    });
  };
  BOOST_TEST(resume(kLast, "last") == "no error");
  BOOST_TEST((resume(kLast, "plain").find("memory_format") != std::string::npos));
  BOOST_TEST(
      (resume(at::MemoryFormat::Contiguous, "last").find("memory_format") != std::string::npos));
}

/// Restores a picture of a size that has to be padded, by a network laid out pixel by pixel.
void lasts_through(const Network& network, Precision precision, bool trains) {
  torch::manual_seed(1);
  const auto model = make_model(network, {"any"});
  model.module->train(trains);
  const auto picture = torch::rand({2, 3, 67, 98}) * 2 - 1;
  const auto expected = model.restore(0, picture);
  limpid::detail::lay_out(*model.module, kLast);
  limpid_test::LayoutWatch watch;
  at::Tensor found;
  {
    const AutocastScope autocast{precision, at::kCPU};
    found = model.restore(0, limpid::detail::laid_out(picture, kLast));
  }
  if (precision == Precision::float32 && !trains) {  // dropout draws anew
    BOOST_TEST(torch::allclose(found, expected, 1e-4, 1e-4),
               "differs by " << (found - expected).abs().max());
  }
  BOOST_TEST(watch.last > 5);
  BOOST_TEST(watch.others == 0, watch.sizes_of_others);
}

BOOST_AUTO_TEST_CASE(lasts_through_every_network) {
  kFamilies.for_each([](const auto& entry) {
    const auto network = limpid_test::small_network(std::string{entry.name});
    BOOST_TEST_CONTEXT(entry.name) { lasts_through(network, Precision::float32, false); }
    BOOST_TEST_CONTEXT(entry.name << ", bfloat16") {
      lasts_through(network, Precision::bfloat16, false);
    }
    BOOST_TEST_CONTEXT(entry.name << ", while it trains") {
      lasts_through(network, Precision::float32, true);
    }
  });
}

BOOST_AUTO_TEST_CASE(the_watch_sees_a_map_that_lies_otherwise) {
  limpid_test::LayoutWatch watch;
  const auto convolve = [](at::MemoryFormat format) {
    torch::conv2d(torch::ones({1, 2, 4, 4}).contiguous(format), torch::ones({3, 2, 3, 3}));
  };
  convolve(kLast);
  BOOST_TEST(watch.last == 1);
  BOOST_TEST(watch.others == 0);
  convolve(at::MemoryFormat::Contiguous);
  BOOST_TEST(watch.last == 1);
  BOOST_TEST(watch.sizes_of_others == " 1 2 4 4;");
}

BOOST_AUTO_TEST_CASE(layers_that_have_a_way_of_their_own_compute_the_same) {
  const auto map = torch::randn({2, 4, 9, 7}, torch::kDouble).requires_grad_();
  const auto agree = [&](auto layer) {
    const auto value_and_gradient = [&](const at::Tensor& input) {
      const auto value = layer(input);
      const auto weights = torch::arange(value.numel(), torch::kDouble).view(value.sizes()).sin();
      return std::pair{value, torch::autograd::grad({(value * weights).sum()}, {map})[0]};
    };
    const auto expected = value_and_gradient(map),
               found = value_and_gradient(map.contiguous(kLast));
    BOOST_TEST((found.first.suggest_memory_format() == kLast));
    BOOST_TEST(torch::allclose(found.first, expected.first, 1e-10, 1e-10));
    BOOST_TEST(torch::allclose(found.second, expected.second, 1e-10, 1e-10));
  };
  agree([](const at::Tensor& input) {
    return InstanceNorm { 4 } -> forward(input);
  });
  agree([](const at::Tensor& input) {
    return ReflectionPad2d { 3 } -> forward(input);
  });
  agree([](const at::Tensor& input) {
    return limpid::detail::reflection_pad(input, {0, 6, 1, 0});
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
