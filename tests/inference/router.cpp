#include <limpid/inference/any_restorer.hpp>
#include <limpid/inference/fit_router.hpp>
#include <limpid/inference/router.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::picture, limpid_test::TemporaryFolder;

Router by_hand() { return {{1, 2}, {2, 0.5}, {{"deblur", -1, {1, 0.5}}, {"derain", 0, {0, -1}}}}; }

at::Tensor features(double first, double second) {
  return torch::tensor({first, second}, torch::kDouble);
}

/// A model whose tasks change pictures, and what leads it: sure of derain, or of nothing.
AnyModel scrambled() {
  torch::manual_seed(3);
  auto model = make_model({"pixel-unet", {{"width", 4}}}, {"deblur", "derain"});
  const torch::NoGradGuard no_grad;
  for (auto& [name, parameter] : model.parameters) {
    parameter.add_(0.05 * torch::randn_like(parameter));
  }
  return model;
}

Router constant(double deblur, double derain) {
  constexpr std::size_t kCount = 2 * 28 + 2 * 2;  // maps of 4, 8 and 16 channels, two tasks
  const std::vector<double> zeros(kCount, 0), ones(kCount, 1);
  return {zeros, ones, {{"deblur", deblur, zeros}, {"derain", derain, zeros}}};
}

BOOST_AUTO_TEST_SUITE(router)

BOOST_AUTO_TEST_CASE(guesses_are_the_logistic_of_a_line_through_standardised_features) {
  const auto guesses = by_hand().guess(features(3, 3));  // z = (1, 2): scores 1 and -2
  BOOST_REQUIRE_EQUAL(guesses.size(), 2u);
  BOOST_TEST(guesses[0].task == "deblur");
  BOOST_TEST(guesses[0].probability == 0.7310585786300049, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(guesses[1].probability == 0.1192029220221176, boost::test_tools::tolerance(1e-12));
  // A feature beyond all that was seen counts as four deviations: scores 3 and 0.
  const auto far = by_hand().guess(features(1e9, 2));
  BOOST_TEST(far[0].probability == 0.9525741268224334, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(far[1].probability == 0.5, boost::test_tools::tolerance(1e-12));
  BOOST_CHECK_THROW(by_hand().guess(features(std::nan(""), 0)), c10::ValueError);
  BOOST_CHECK_THROW(by_hand().guess(torch::zeros({3}, torch::kDouble)), c10::ValueError);
}

BOOST_AUTO_TEST_CASE(it_does_what_it_is_sure_of_each_task_once_and_looks_anew) {
  const auto photo = picture(8, 8);
  std::vector<std::string> asked;
  // Sure of derain, then of deblur, then of derain again, which was done.
  const Router router{{0}, {1}, {{"deblur", 0, {4}}, {"derain", 0, {-4}}}};
  const auto routed = router.lead(
      photo,
      [&](const Image&) {
        return torch::full({1}, asked.size() == 1 ? 1.0 : -1.0, torch::kDouble);
      },
      [&](const std::string& task, const Image& seen) {
        asked.push_back(task);
        return Image{(seen.pixels() / 2).to(torch::kByte)};
      });
  BOOST_TEST((asked == std::vector<std::string>{"derain", "deblur"}));
  BOOST_TEST((routed.image == Image{(photo.pixels() / 4).to(torch::kByte)}));
  BOOST_TEST(routed.text() == "derain (98 % sure), then deblur (98 % sure)");

  const auto left = by_hand().lead(
      photo, [](const Image&) { return features(3, 3); },
      [](const std::string&, const Image&) -> Image { throw std::logic_error("not asked"); });
  BOOST_TEST(left.image.pixels().is_same(photo.pixels()));
  BOOST_TEST(left.text() ==
             "left as it is: no task is sure to help, the likeliest deblur (73 % sure, "
             "done from 90 %)");
}

BOOST_AUTO_TEST_CASE(of_what_it_is_sure_the_largest_gain_comes_first) {
  // Surer of deblur, which gains 1 dB, than of denoise, which gains 5; derain would gain most, and
  // is not sure.
  const Router router{{0},
                      {1},
                      {{"deblur", 4, {0}, 0, 1, {0}},
                       {"denoise", 3, {0}, 0, 5, {0}},
                       {"derain", 0, {0}, 0, 9, {0}}}};
  const auto led = [](const Router& by) {
    std::string order;
    const auto routing = by.lead([] { return torch::zeros({1}, torch::kDouble); },
                                 [&](const std::string& task) { order += task + " "; });
    return order + std::to_string(static_cast<int>(routing.last_seen.size()));
  };
  BOOST_TEST(led(router) == "denoise deblur 1");
  BOOST_TEST(led(Router::from_json(router.to_json(), "file")) == "denoise deblur 1");
  // A task may have a threshold of its own.
  const Router strict{{0}, {1}, {{"deblur", 4, {0}, 0.99}, {"denoise", 1, {0}, 0.7}}};
  BOOST_TEST(led(strict) == "denoise 1");
  BOOST_TEST(led(Router::from_json(strict.to_json(), "file")) == "denoise 1");
  BOOST_CHECK_THROW((Router{{0}, {1}, {{"deblur", 4, {0}, 0.2}}}), c10::ValueError);
  BOOST_CHECK_THROW((Router{{0}, {1}, {{"deblur", 4, {0}, 0, 1, {0, 0}}}}), c10::ValueError);
}

BOOST_AUTO_TEST_CASE(a_router_of_before_gains_were_known_does_the_likeliest_first) {
  auto json = by_hand().to_json();
  BOOST_TEST(!json["tasks"][0].contains("gain"));
  BOOST_TEST(!json["tasks"][0].contains("sure"));
  const auto old = Router::from_json(json, "file");
  for (const auto& guess : old.guess(features(3, 3))) BOOST_TEST(guess.gain == 0);
}

BOOST_AUTO_TEST_CASE(it_is_the_same_from_its_json) {
  const auto again = Router::from_json(nlohmann::json::parse(by_hand().to_json().dump()), "file");
  const auto before = by_hand().guess(features(0.3, 2.7)), after = again.guess(features(0.3, 2.7));
  BOOST_TEST(before[0].probability == after[0].probability);
  BOOST_TEST(before[1].task == after[1].task);
  BOOST_TEST((by_hand().with_tasks({"derain"}).tasks() == std::vector<std::string>{"derain"}));
  auto broken = by_hand().to_json();
  broken["scale"] = {0, 1};
  BOOST_CHECK_THROW(Router::from_json(broken, "file"), c10::Error);
  broken = by_hand().to_json();
  broken["tasks"][0].erase("bias");
  BOOST_CHECK_EXCEPTION(Router::from_json(broken, "file"), c10::Error, [](const auto& error) {
    return std::string{error.what_without_backtrace()}.starts_with(
        "file: its router is malformed (");
  });
}

BOOST_AUTO_TEST_CASE(the_fit_is_ridge_regression_made_log_odds) {
  Eigen::MatrixXd rows(2, 2);
  rows << -1, 1, 1, 1;
  const Eigen::MatrixXd targets = Eigen::Vector2d{-1, 1};
  const auto line = limpid::detail::ridge_lines(rows, targets, 2);  // 2 / (2 + 2), and no bias
  BOOST_TEST(line(0, 0) == 0.5, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(std::abs(line(1, 0)) < 1e-9);
  // Eight scores of 1 that are right and eight of -1 that are wrong: Platt's 9 in 10, log 9.
  Eigen::VectorXd scores(16);
  for (int i = 0; i < 16; ++i) scores[i] = i < 8 ? 1 : -1;
  const auto [slope, offset] = limpid::detail::log_odds(scores, scores);
  BOOST_TEST(slope == std::log(9.0), boost::test_tools::tolerance(1e-4));
  BOOST_TEST(std::abs(offset) < 1e-6);
}

BOOST_AUTO_TEST_CASE(what_gains_is_learnt_and_what_nothing_tells_is_not_promised) {
  torch::manual_seed(1);
  std::vector<RoutingSample> samples;
  for (int i = 0; i < 200; ++i) {
    const auto values = torch::randn({5}, torch::kDouble);
    const auto first = values[0].item<double>();
    const auto chance = torch::rand({1}).item<double>();
    samples.push_back({i / 2, values, {first > 0 ? 3.0 : -1.0, chance < 0.5 ? 1.0 : -1.0, -1.0}});
  }
  const auto fit = fit_router({"seen", "chance", "never"}, samples, {.ridge = 1});
  BOOST_TEST((fit.router.tasks() == std::vector<std::string>{"seen", "chance"}));
  const auto at = [&](double first) {
    auto values = torch::zeros({5}, torch::kDouble);
    values[0] = first;
    for (const auto& guess : fit.router.guess(values)) {
      if (guess.task == "seen") return guess.probability;
    }
    return -1.0;
  };
  BOOST_TEST(at(2) > 0.95);
  BOOST_TEST(at(-2) < 0.05);
  BOOST_TEST(fit.tasks[0].done > 40);
  BOOST_TEST(fit.tasks[0].done_right >= fit.tasks[0].done * 9 / 10);
  BOOST_TEST(fit.tasks[1].done == 0);
  BOOST_CHECK_THROW(fit_router({"a", "b", "c"}, {samples[0], samples[2]}), c10::ValueError);
  BOOST_CHECK_THROW(fit_router({"a"}, samples), c10::ValueError);
}

BOOST_AUTO_TEST_CASE(a_task_is_done_from_where_it_pays) {
  // 200 samples, the router 99 % sure of the first and 30 % of the last.
  Eigen::VectorXd probabilities(200);
  for (int i = 0; i < 200; ++i) probabilities[i] = 0.99 - i * 0.69 / 199;
  const auto from = [&](auto worth_at) {
    Eigen::VectorXd worth(200);
    for (int i = 0; i < 200; ++i) worth[i] = worth_at(probabilities[i], i);
    return limpid::detail::pays_from(probabilities, worth);
  };
  BOOST_TEST(from([](double, int) { return 4.0; }) == 0.6);
  BOOST_TEST(from([](double, int) { return -0.1; }) == 1);
  // Large gains below, lost again where it is less sure than 70 %.
  const auto split = from([](double p, int i) { return p > 0.7 ? 4.0 : i % 2 == 0 ? 4.0 : -9.0; });
  BOOST_TEST(split > 0.62);
  BOOST_TEST(split < 0.74);
  // Two of three gain 5 dB and the third loses 1, which weighs 3: that pays. Gaining 0.4 does not.
  BOOST_TEST(from([](double, int i) { return i % 3 == 0 ? -3.0 : 5.0; }) == 0.6);
  BOOST_TEST(from([](double, int i) { return i % 3 == 0 ? -3.0 : 0.4; }) == 1);
  const Eigen::VectorXd few = probabilities.head(5);
  BOOST_TEST(limpid::detail::pays_from(few, few) == Router::kUsuallySure);
}

BOOST_AUTO_TEST_CASE(a_fitted_router_does_first_what_gains_most_and_leaves_what_loses) {
  torch::manual_seed(2);
  std::vector<RoutingSample> samples;
  for (int i = 0; i < 300; ++i) {  // damaged: both help, one by far more; hazy: rarely, but much
    const auto values = torch::randn({4}, torch::kDouble);
    const bool damaged = values[0].item<double>() > 0, hazy = values[1].item<double>() > 0.3;
    samples.push_back(
        {i / 3, values, {damaged ? 1.0 : -2.0, damaged ? 9.0 : -30.0, hazy ? 5.0 : -30.0}});
  }
  const auto fit = fit_router({"deblur", "denoise", "dehaze"}, samples, {.ridge = 1});
  const auto led = [&](double damage, double haze) {
    std::string order;
    auto values = torch::tensor({damage, haze, 0.0, 0.0}, torch::kDouble);
    fit.router.lead([&] { return values; }, [&](const std::string& task) { order += task + " "; });
    return order;
  };
  BOOST_TEST(led(1.5, -2) == "denoise deblur ");
  BOOST_TEST(led(-1.5, -2) == "");
  BOOST_TEST(led(-1.5, 2) == "dehaze ");
  for (const auto& task : fit.tasks) {
    BOOST_TEST((task.sure >= 0.6 && task.sure < 1));
    BOOST_TEST(task.done_right >= task.done * 8 / 10);
  }
  const auto told =
      fit_router({"deblur", "denoise", "dehaze"}, samples, {.ridge = 1, .sure = 0.95});
  for (const auto& task : told.tasks) BOOST_TEST(task.sure == 0.95);
}

BOOST_AUTO_TEST_CASE(a_router_sees_the_encoders_maps_and_what_each_task_would_change) {
  const auto model = scrambled();
  const auto photo = picture(24, 40);
  const auto seen = routing_features(model, photo);
  const torch::NoGradGuard no_grad;
  std::vector<at::Tensor> expected;
  const auto input = to_signed(photo.unit());
  const auto look = model.look(input);
  const auto& maps = look.maps;
  for (const auto& map : maps) expected.push_back(map.to(torch::kDouble).mean({0, 2, 3}));
  for (const auto& map : maps) {
    expected.push_back(map.to(torch::kDouble).std({0, 2, 3}, /*unbiased=*/false));
  }
  for (std::size_t task = 0; task < 2; ++task) {
    BOOST_TEST(look.restored[task].equal(model.restore(task, input)));
    const auto change = (look.restored[task] - input).to(torch::kDouble);
    expected.push_back((change.square().mean() + 1e-6).log10().reshape({1}));
    expected.push_back(change.mean().reshape({1}));
  }
  BOOST_TEST(torch::allclose(seen, torch::cat(expected), 1e-9, 1e-9));
  BOOST_TEST(limpid::detail::windows_to_look_at(24, 40).size() == 1u);
  const auto windows = limpid::detail::windows_to_look_at(200, 60000);
  BOOST_TEST(windows.size() == 9u);
  for (const auto& window : windows) BOOST_TEST(window.lies_within(200, 60000));
}

BOOST_AUTO_TEST_CASE(a_model_file_keeps_its_router_and_other_readers_pass_over_it) {
  const TemporaryFolder folder;
  const auto file = folder / "model.limpid";
  const auto model = scrambled();
  save(model, file, {{"router", constant(-10, 10).to_json()}});
  const auto photo = picture(20, 30);
  const AnyRestorer restorer{file};
  BOOST_TEST((restorer.restore("auto", photo) == restorer.restore("derain", photo)));
  const auto routed = restorer.restore_routed(photo);
  BOOST_REQUIRE_EQUAL(routed.done.size(), 1u);
  BOOST_TEST(routed.done[0].task == "derain");
  using Model =
      MultiTaskModel<PixelUNetEncoder, PixelUNetDecoder<"deblur">, PixelUNetDecoder<"derain">>;
  BOOST_CHECK_NO_THROW(load<Model>(file));

  AnyRestorer without{model};
  BOOST_CHECK_EXCEPTION(without.restore("auto", photo), c10::ValueError, [](const auto& error) {
    return std::string{error.what_without_backtrace()} ==
           "model: it has no router for task 'auto'; expected one of its tasks (deblur, derain)";
  });
  without.use_router(constant(-10, -10));
  BOOST_TEST((without.restore("auto", photo) == photo));
  BOOST_CHECK_THROW(without.use_router({{0}, {1}, {{"dehaze", 0, {0}}}}), c10::ValueError);
}

BOOST_AUTO_TEST_CASE(a_model_of_known_type_is_led_by_its_files_router_too) {
  using Model =
      MultiTaskModel<PixelUNetEncoder, PixelUNetDecoder<"deblur">, PixelUNetDecoder<"derain">>;
  const TemporaryFolder folder;
  const auto file = folder / "model.limpid";
  const auto model = scrambled();
  save(model, file, {{"router", constant(10, 9).to_json()}});
  const auto photo = picture(20, 30);
  const AnyRestorer any{file, {.strength = 0.5}};
  Restorer<Model> typed{file, {.strength = 0.5}};
  BOOST_REQUIRE(typed.router());
  const auto routed = typed.restore_routed(photo), expected = any.restore_routed(photo);
  BOOST_TEST(routed.text() == expected.text());
  BOOST_REQUIRE_EQUAL(routed.done.size(), 2u);
  BOOST_TEST((routed.image == expected.image));

  const auto interleaved = photo.unit()[0].permute({1, 2, 0}).contiguous();
  at::Tensor there, other;
  const auto floats = [&](at::Tensor& to) {
    to = torch::empty_like(interleaved);
    return PictureBuffer{to.data_ptr(), 30, 20, PixelFormat::rgb_float32};
  };
  const PictureView view{interleaved.data_ptr(), 30, 20, PixelFormat::rgb_float32};
  typed.restore_routed(view, floats(there));
  any.restore("auto", view, floats(other));
  BOOST_TEST(there.equal(other));
  BOOST_TEST(!there.equal(interleaved));

  typed.use_router(constant(-10, -10));
  BOOST_TEST((typed.restore_routed(photo).image == photo));
  BOOST_CHECK_THROW(typed.use_router({{0}, {1}, {{"dehaze", 0, {0}}}}), c10::ValueError);
  Restorer without{load<Model>(file)};
  BOOST_CHECK_EXCEPTION(without.restore_routed(photo), c10::ValueError, [](const auto& error) {
    return std::string{error.what_without_backtrace()} ==
           "Restorer: it has no router; use_router gives it one";
  });
  save(model, file, {{"router", Router{{0}, {1}, {{"dehaze", 0, {0}}}}.to_json()}});
  BOOST_CHECK_EXCEPTION(Restorer<Model>{file}, c10::ValueError, [&](const auto& error) {
    const std::string text = error.what_without_backtrace();
    return text.find(file.string()) != text.npos && text.find("a task of its router") != text.npos;
  });
}

BOOST_AUTO_TEST_CASE(strength_blends_between_the_picture_and_what_is_made_of_it) {
  const auto model = scrambled();
  const auto photo = picture(40, 72);
  const auto at = [&](double strength, std::int64_t tile, const std::string& task) {
    AnyRestorer restorer{model, {.tiling = {.tile = tile}, .strength = strength}};
    restorer.use_router(constant(-10, 10));
    return restorer.restore(task, photo);
  };
  const torch::NoGradGuard no_grad;
  const auto from = to_signed(photo.unit());
  const auto between = to_unit(from.lerp(model.restore(1, from), 0.5)).clamp(0, 1);
  for (const std::int64_t tile : {0, 32}) {
    for (const auto* task : {"derain", "auto"}) BOOST_TEST((at(0, tile, task) == photo), task);
    const auto whole = at(1, tile, "derain").unit();
    BOOST_TEST((whole - photo.unit()).abs().max().item<double>() > 0.05);
    const auto off = [&](const at::Tensor& a, const at::Tensor& b) {
      return (a - b).abs().max().item<double>();
    };
    BOOST_TEST(off(at(0.5, tile, "derain").unit(), between) < 0.6 / 255);
    BOOST_TEST(off(at(0.5, tile, "auto").unit(), (whole + photo.unit()) / 2) < 0.6 / 255);
  }
  BOOST_CHECK_THROW(at(1.5, 0, "derain"), c10::ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
