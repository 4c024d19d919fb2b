#include <limpid/inference/any_restorer.hpp>
#include <limpid/inference/evaluate.hpp>
#include <limpid/metrics/evaluation.hpp>
#include <limpid/metrics/metric_table.hpp>
#include <limpid/metrics/unrounded.hpp>
#include <support/errors.hpp>
#include <support/tiny.hpp>
#include <support/troubled_pictures.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid_test;

using TinyModel = MultiTaskModel<TinyEncoder, TinyDecoder<"deblur">, TinyDecoder<"derain">>;
using UNet =
    MultiTaskModel<PixelUNetEncoder, PixelUNetDecoder<"deblur">, PixelUNetDecoder<"night">>;

Image picture(std::int64_t height, std::int64_t width) {
  return DarkPictures{1, height, width}.load(0, 0).target;
}

/// A model whose outputs are not those of the untouched input.
template <class Model>
Model scrambled() {
  torch::manual_seed(3);
  Model model;
  torch::NoGradGuard no_grad;
  for (auto& parameter : model->parameters()) parameter.add_(0.05 * torch::randn_like(parameter));
  return model;
}

BOOST_AUTO_TEST_SUITE(restorer)

BOOST_AUTO_TEST_CASE(restores_what_the_model_makes_of_the_whole_picture) {
  auto model = scrambled<TinyModel>();
  Restorer restorer{model};
  const auto degraded = picture(37, 51);
  const auto restored = restorer.restore<"derain">(degraded);
  BOOST_TEST(!model->is_training());
  torch::NoGradGuard no_grad;
  const auto expected = model->restore<"derain">(to_signed(degraded.unit()));
  BOOST_TEST((restored == Image::from_unit(to_unit(expected))));
  BOOST_TEST(!(restored == degraded));
}

BOOST_AUTO_TEST_CASE(kernels_lie_as_asked_also_where_the_model_was_read_before) {
  constexpr auto kLast = at::MemoryFormat::ChannelsLast;
  const TemporaryFolder folder;
  save(AnyModel{scrambled<UNet>()}, folder / "model.limpid");
  const auto loaded = load_any(folder / "model.limpid");
  const AnyRestorer restorer{loaded, {.memory_format = kLast}};
  for (const auto& [name, parameter] : loaded.model.parameters) {
    if (parameter.dim() == 4) BOOST_TEST(parameter.is_contiguous(kLast), name);
  }
  const auto degraded = picture(37, 51);
  const AnyRestorer usual{folder / "model.limpid"};
  BOOST_TEST(torch::allclose(restorer.restore_unit("night", degraded),
                             usual.restore_unit("night", degraded), 1e-4, 1e-4));
}

BOOST_AUTO_TEST_CASE(metrics_of_unrounded_values_see_what_the_model_makes) {
  auto model = scrambled<UNet>();
  Restorer restorer{model};
  const DarkPictures pairs{1, 40, 48};
  const auto pair = pairs.load(0, 0);
  const auto unit = restorer.restore_unit<"night">(pair.degraded);
  BOOST_TEST((Image::from_unit(unit) == restorer.restore<"night">(pair.degraded)));
  const auto rounded = Image::from_unit(unit).unit();
  BOOST_TEST((unit - rounded).abs().max().item<double>() > 0.2 / 255);

  const auto scores =
      evaluate("night", pairs, [&](const Image&) { return RestoredPicture::of_unit(unit); },
               {UnroundedPSNR{}, PSNR<>{}});
  const auto target = pair.target.unit();
  BOOST_TEST(scores.images[0].restored[0] == UnroundedPSNR{}(unit, target));
  BOOST_TEST(scores.images[0].restored[0] != UnroundedPSNR{}(rounded, target));
  BOOST_TEST(scores.images[0].restored[1] == PSNR<>{}(rounded, target));
  // Tile by tile it is as exact.
  Restorer tiled{model, {.tiling = {.tile = 32}}};
  BOOST_TEST(torch::allclose(tiled.restore_unit<"night">(pair.degraded), unit, 1e-3, 1e-3));
}

BOOST_AUTO_TEST_CASE(blended_tiles_of_a_local_network_hardly_differ_from_the_whole) {
  auto model = scrambled<TinyModel>();
  const auto degraded = picture(90, 120);
  const auto whole = Restorer{model}.restore<"deblur">(degraded).unit();
  const auto tiled = Restorer{model, {.tiling = {48, 16}}}.restore<"deblur">(degraded).unit();
  BOOST_TEST((whole - tiled).abs().max().item<double>() < 3.0 / 255);
  BOOST_TEST((whole - tiled).abs().mean().item<double>() < 0.1 / 255);
}

BOOST_AUTO_TEST_CASE(bfloat16_is_close_to_float) {
  auto model = scrambled<TinyModel>();
  const auto degraded = picture(32, 32);
  const auto exact = Restorer{model}.restore<"deblur">(degraded).unit();
  const auto coarse =
      Restorer{model, {.precision = Precision::bfloat16}}.restore<"deblur">(degraded);
  BOOST_TEST((exact - coarse.unit()).abs().max().item<double>() < 0.05);
}

BOOST_AUTO_TEST_CASE(a_model_in_training_is_not_moved_and_stays_in_training) {
  auto model = scrambled<TinyModel>();
  const auto weight = model->encoder()->conv->weight;
  BOOST_TEST(limpid::detail::is_on(*model, at::kCPU));
  BOOST_TEST(!limpid::detail::is_on(*model, at::kCUDA));
  try {
    Restorer elsewhere{model, {.device = at::kCUDA}};
    BOOST_TEST(elsewhere.model()->encoder()->conv->weight.is_cuda());
  } catch (const c10::Error&) {  // there is no such device here
  }
  BOOST_TEST(model->encoder()->conv->weight.is_same(weight));
  BOOST_TEST(weight.device().is_cpu());

  Restorer restorer{model};
  const auto degraded = picture(37, 51);
  const auto before = restorer.restore<"derain">(degraded);
  model->train();                                                // a trainer's next step
  BOOST_TEST((restorer.restore<"derain">(degraded) == before));  // no dropout
  BOOST_TEST(model->is_training());
  {
    torch::NoGradGuard no_grad;
    model->encoder()->conv->weight.add_(0.2);
  }
  BOOST_TEST(!(restorer.restore<"derain">(degraded) == before));  // it follows the training
}

BOOST_AUTO_TEST_CASE(an_empty_image_is_refused) {
  Restorer restorer{TinyModel{}};
  BOOST_CHECK_EXCEPTION(restorer.restore<"deblur">(Image{}), c10::ValueError, [](const auto& e) {
    return std::string{e.what_without_backtrace()} == "restore: the image is empty";
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(any_restorer)

BOOST_AUTO_TEST_CASE(restores_as_the_typed_model_does) {
  TemporaryFolder folder;
  const auto file = folder / "model.limpid";
  auto model = scrambled<UNet>();
  save(model, file, {{"recipe", "by hand"}});
  const auto degraded = picture(45, 62);
  Restorer typed{load<UNet>(file)};
  const AnyRestorer any{file};
  BOOST_TEST((any.restore("deblur", degraded) == typed.restore<"deblur">(degraded)));
  BOOST_TEST((any.restore("night", degraded) == typed.restore<"night">(degraded)));
  BOOST_TEST(!(any.restore("night", degraded) == any.restore("deblur", degraded)));
  BOOST_TEST((any.tasks() == std::vector<std::string>{"deblur", "night"}));
  BOOST_TEST(any.manifest().at("recipe") == "by hand");
}

BOOST_AUTO_TEST_CASE(a_model_in_training_is_neither_moved_nor_seen_in_training) {
  torch::manual_seed(5);
  AnyModel model = MultiTaskModel<FPNEncoder<MobileNetV2>, FPNDecoder<"deblur">>{
      FPNEncoder<MobileNetV2>{FPNEncoderOptions<MobileNetV2>{
          .backbone = {.width = 0.25}, .pyramid_width = 16, .head_width = 8}},
      FPNDecoder<"deblur">{FPNDecoderOptions{.width = 8}}};
  const auto weight = model.parameters.front().second;
  const auto picture_of_any = picture(40, 70);
  const AnyRestorer restorer{model};
  const auto before = restorer.restore("deblur", picture_of_any);
  TensorMap kept;
  for (const auto& [name, tensor] : model.tensors()) kept[name] = tensor.clone();
  model.module->train();  // a trainer's next step
  BOOST_TEST((restorer.restore("deblur", picture_of_any) == before));
  BOOST_TEST(model.module->is_training());
  for (const auto& [name, tensor] : model.tensors()) {
    BOOST_TEST(torch::equal(tensor, kept.at(name)), name);  // no statistics are updated
  }
  {
    torch::NoGradGuard no_grad;
    for (auto& [name, parameter] : model.parameters) parameter.add_(0.01);
  }
  BOOST_TEST(!(restorer.restore("deblur", picture_of_any) == before));  // it follows the training

  try {
    const AnyRestorer elsewhere{model, {.device = at::kMeta}};
  } catch (const c10::Error&) {  // not every LibTorch moves weights there
  }
  BOOST_TEST(model.parameters.front().second.is_same(weight));
  BOOST_TEST(weight.device().is_cpu());
  BOOST_TEST((model.module->parameters().front().device().is_cpu()));
}

BOOST_AUTO_TEST_CASE(a_copy_of_a_model_shares_nothing_with_it) {
  auto model = make_model({"pixel-unet", nlohmann::json::object()}, {"deblur", "night"});
  const auto copy = model.copy();
  BOOST_TEST((copy.tasks == model.tasks));
  BOOST_TEST(copy.describe() == model.describe());
  const auto image = to_signed(picture(16, 16).unit());
  torch::NoGradGuard no_grad;
  BOOST_TEST(torch::equal(copy.restore(1, image), model.restore(1, image)));
  for (auto& [name, parameter] : model.parameters) parameter.add_(0.05);
  BOOST_TEST(!torch::equal(copy.restore(1, image), model.restore(1, image)));
}

BOOST_AUTO_TEST_CASE(an_unknown_task_is_refused) {
  TemporaryFolder folder;
  auto model = UNet{};
  save(model, folder / "model.limpid");
  const AnyRestorer restorer{folder / "model.limpid"};
  const auto names_tasks = [&](const auto& e) {
    return std::string{e.what_without_backtrace()} ==
           "model '" + (folder / "model.limpid").string() +
               "': expected one of its tasks (deblur, night), got 'derain'";
  };
  BOOST_CHECK_EXCEPTION(restorer.restore("derain", picture(20, 20)), c10::ValueError, names_tasks);
  BOOST_CHECK_EXCEPTION(restorer.check_task("derain"), c10::ValueError, names_tasks);
  BOOST_CHECK_NO_THROW(restorer.check_task("night"));
}

template <class Backbone>
void check_file_of_fpn(typename ModuleOf<Backbone>::Options narrow) {
  using Model = MultiTaskModel<FPNEncoder<Backbone>, FPNDecoder<"deblur">, FPNDecoder<"night">>;
  const auto width = FPNDecoderOptions{.width = 8};
  Model model{
      FPNEncoder<Backbone>{FPNEncoderOptions<Backbone>{
          .backbone = narrow, .pyramid_width = 16, .head_width = 8, .top_down_convs = true}},
      FPNDecoder<"deblur">{width}, FPNDecoder<"night">{width}};
  {
    torch::NoGradGuard no_grad;  // statistics that are not those of a new network
    for (auto& buffer : model->buffers()) buffer.add_(1);
  }
  TemporaryFolder folder;
  save(model, folder / "model.limpid");
  const AnyRestorer any{folder / "model.limpid"};
  Restorer restorer{load<Model>(folder / "model.limpid")};
  for (const auto& [height, width] : {std::pair{40, 70}, {129, 131}}) {
    const auto degraded = picture(height, width);
    const auto restored = any.restore("night", degraded);
    BOOST_TEST((restored == restorer.template restore<"night">(degraded)));
    BOOST_TEST((restored == Restorer{model}.template restore<"night">(degraded)));
    BOOST_TEST(!(restored == degraded));
  }
}

BOOST_AUTO_TEST_CASE(any_restorer_restores_pictures_of_any_size_with_an_fpn) {
  torch::manual_seed(0);
  check_file_of_fpn<InceptionResNetV2>({.width = 0.0625, .repeat = 1, .repeat_1 = 1});
  check_file_of_fpn<MobileNetV2>({.width = 0.25});
}

BOOST_AUTO_TEST_CASE(files_that_hold_no_model_of_limpids_are_refused) {
  TemporaryFolder folder;
  const auto file = folder / "model.limpid";
  const auto refused = [&](const std::string& text) {
    BOOST_CHECK_EXCEPTION(AnyRestorer{file}, c10::Error, [&](const auto& e) {
      const std::string found = e.what_without_backtrace();
      BOOST_TEST_MESSAGE(found);
      return found.find(text) != std::string::npos &&
             found.find(file.string()) != std::string::npos;
    });
  };
  refused("there is no such file");
  auto foreign = TinyModel{};
  save(foreign, file);
  refused("expected an encoder of limpid's own (" + limpid::kFamilies.list() + ")");
  auto model = UNet{};
  save(model, file);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 100);
  refused("");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(evaluate_pairs)

BOOST_AUTO_TEST_CASE(scores_each_picture_before_and_after) {
  std::vector<std::string> names;
  const auto brighter = [](const Image& degraded) {
    return Image::from_unit(degraded.unit() / 0.6);
  };
  const auto scores = evaluate("night", DarkPictures{3}, brighter, metrics_by_name({"psnr_rgb"}),
                               [&](const EvaluatedPicture& picture) {
                                 BOOST_TEST(picture.index == static_cast<int>(names.size()));
                                 names.push_back(picture.name);
                               });
  BOOST_TEST((names == std::vector<std::string>{"dark0", "dark1", "dark2"}));
  BOOST_TEST(scores.task == "night");
  BOOST_TEST(scores.images.size() == 3u);
  BOOST_TEST(scores.restored(0).mean > scores.identity(0).mean + 20);
}

BOOST_AUTO_TEST_CASE(one_bad_picture_costs_no_other_its_scores) {
  const auto same = [](const Image& degraded) { return degraded; };
  std::string shown;
  const auto scores = evaluate("night", damaged([](std::int64_t i) { return i == 1; }, 3), same,
                               metrics_by_name({"psnr_rgb", "ssim_uniform"}),
                               [&](const EvaluatedPicture& picture) { shown += picture.name; });
  BOOST_TEST(shown == "dark0dark2");
  BOOST_TEST(scores.failed() == 1u);
  BOOST_TEST(scores.images[1].error == "'dark1' is damaged");
  BOOST_TEST(scores.restored(0).count == 2);
  BOOST_TEST(scores.restored(0).none == 1);
  const auto lines = left_out_lines(std::vector{scores});
  BOOST_REQUIRE(lines.size() == 1u);  // not once for each metric
  BOOST_TEST(lines[0] ==
             "night: 1 of 3 pictures could not be measured: 'dark1' ('dark1' is damaged)");
  const auto json = to_json(std::vector{scores}).at("tasks").at("night");
  BOOST_TEST(json.at("failed") == 1);
  const auto& image = json.at("images")[1];
  BOOST_TEST(image.at("restored").at("psnr_rgb") == "none");
  BOOST_TEST(image.at("none").at("restored").at("ssim_uniform") == "'dark1' is damaged");
  BOOST_TEST(image.at("error") == "'dark1' is damaged");
  BOOST_TEST(json.at("images")[0].at("restored").at("psnr_rgb").is_number());
}

BOOST_AUTO_TEST_CASE(an_error_that_is_not_the_pictures_ends_an_evaluation) {
  const auto full_disk = [](const EvaluatedPicture&) { TORCH_CHECK(false, "the disk is full"); };
  BOOST_TEST(error_of([&] {
               evaluate(
                   "night", DarkPictures{}, [](const Image& image) { return image; },
                   default_metrics(), full_disk);
             }) == "the disk is full");
}

BOOST_AUTO_TEST_CASE(no_pairs_are_refused) {
  BOOST_CHECK_EXCEPTION(evaluate("deblur", Pairs{}, [](const Image& image) { return image; }),
                        c10::ValueError, [](const auto& e) {
                          return std::string{e.what_without_backtrace()} ==
                                 "evaluate: task 'deblur' has no pairs";
                        });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(restored_facts)

BOOST_AUTO_TEST_CASE(a_grey_picture_comes_back_grey_with_its_profile) {
  PictureFacts facts;
  facts.channels = 1;
  facts.is_grey = true;
  facts.colour_profile = "kept";
  const auto tinted = [](const at::Tensor& x) {
    return x * torch::tensor({0.5, 1.0, 0.7}).view({1, 3, 1, 1});
  };
  const auto restored =
      limpid::detail::restore_picture({"x", tinted}, picture(16, 20).with_facts(facts), {});
  BOOST_TEST(restored.facts().colour_profile == "kept");
  const auto written = Image::decode(restored.encoded("png"), "x");
  BOOST_TEST(written.facts().is_grey);
  BOOST_TEST(written.facts().channels == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
