// Content losses by name.
#include <limpid/core/autocast.hpp>
#include <limpid/losses/content/content_losses.hpp>
#include <support/errors.hpp>
#include <support/named.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::error_of;

std::string error_in(const std::string& text) {
  return limpid_test::value_error_of([&] { content_by_name(text); });
}

/// The terms as "1 perceptual, 0.5 l1".
std::string parsed(const std::string& text) {
  std::string terms;
  for (const auto& term : parse_content_expression(text)) {
    terms += (terms.empty() ? "" : ", ") + c10::str(term.weight) + " " + term.name;
    for (const auto& [option, value] : term.options) terms += " " + option + "=" + value;
  }
  return terms;
}

/// A VGG-19 and three networks of LPIPS, made once: all that names of content losses need.
ContentNetworks all_networks() {
  static const ContentNetworks made = [] {
    torch::manual_seed(7);
    ContentNetworks networks;
    networks.set("vgg19", VGG19::random_for_benchmark({.deepest = "conv3_3"}));
    for (const auto net : {LPIPSNet::alex, LPIPSNet::vgg, LPIPSNet::squeeze}) {
      networks.set(std::string{lpips_network_names(net)[0]},
                   LPIPSNetwork::random_for_benchmark(net));
    }
    return networks;
  }();
  return made;
}

BOOST_AUTO_TEST_SUITE(content_by_names)

BOOST_AUTO_TEST_CASE(the_table_is_spelled_as_tables_are) {
  limpid_test::check_table(kContentLosses);
}

BOOST_AUTO_TEST_CASE(each_name_leads_to_its_loss) {
  auto networks = all_networks();
  torch::manual_seed(1);
  const auto restored = torch::rand({1, 3, 32, 32}) * 2 - 1;
  const auto target = torch::rand({1, 3, 32, 32}) * 2 - 1;
  for (const auto& name : kContentLosses.names()) {
    const auto loss = content_by_name(name, networks);
    BOOST_TEST(loss.name() == name);
    BOOST_TEST(loss(restored, target).isfinite().item<bool>());
    const bool is_plain = content_networks(name).empty();
    BOOST_TEST((error_in(name) == "no error") == is_plain, name);
  }
  BOOST_TEST(content_networks("style") == std::vector<std::string>{"vgg19"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(all_of_them_make_one_sum) {
  auto networks = all_networks();
  std::string text;
  for (const auto& name : kContentLosses.names()) text += (text.empty() ? "" : " + 0.05 ") + name;
  torch::manual_seed(6);
  const auto restored = torch::rand({1, 3, 32, 32}) * 2 - 1;
  const auto target = torch::rand({1, 3, 32, 32}) * 2 - 1;
  const auto sum = content_by_name(text, networks);
  const auto terms = loss_terms(sum, restored, target);
  BOOST_TEST(terms.size() == kContentLosses.size());
  BOOST_TEST(std::abs((sum_of(terms) - sum(restored, target)).item<double>()) < 1e-5);
}

/// Gradients that are no numbers would end a run: of any image, each loss gives finite ones, and
/// under autocast a value near the exact one.
BOOST_AUTO_TEST_CASE(equal_constant_and_tiny_images_give_finite_gradients) {
  auto networks = all_networks();
  torch::manual_seed(8);
  struct Pair {
    std::string what;
    at::Tensor restored, target;
  };
  const auto noise = [](std::int64_t side) { return torch::rand({1, 3, side, side}) * 2 - 1; };
  const auto image = noise(32);
  const auto flat = torch::full({1, 3, 32, 32}, 0.25), black = torch::full({1, 3, 32, 32}, -1.0);
  const std::vector<Pair> pairs{{"equal", image, image},          {"flat", flat, image},
                                {"flat target", image, flat},     {"both flat", flat, black},
                                {"equal and flat", flat, flat},   {"inverted", -image, image},
                                {"1 x 1", noise(1), noise(1)},    {"3 x 3", noise(3), noise(3)},
                                {"16 x 16", noise(16), noise(16)}};
  for (const auto& name : kContentLosses.names()) {
    const auto loss = content_by_name(name, networks);
    for (const auto& [what, degraded, target] : pairs) {
      auto restored = degraded.clone().requires_grad_();
      at::Tensor value;
      const auto refused = limpid_test::value_error_of([&] { value = loss(restored, target); });
      if (refused != "no error") {
        BOOST_TEST((refused.find("expected sides of at least") != std::string::npos),
                   name << ": " << refused);
        BOOST_TEST(target.size(3) < 32, name);
        continue;
      }
      value.backward();
      BOOST_TEST(value.isfinite().item<bool>(), name << ", " << what);
      BOOST_TEST(restored.grad().isfinite().all().item<bool>(), name << ", " << what);
    }
  }
}

BOOST_AUTO_TEST_CASE(under_autocast_each_stays_float_and_near_the_exact_value) {
  auto networks = all_networks();
  torch::manual_seed(9);
  const auto target = torch::rand({1, 3, 32, 32}) * 2 - 1;
  const auto degraded = target + 0.3 * torch::randn({1, 3, 32, 32});
  for (const auto& name : kContentLosses.names()) {
    const auto loss = content_by_name(name, networks);
    auto restored = degraded.clone().requires_grad_();
    at::Tensor value;
    {
      const AutocastScope autocast{Precision::bfloat16, torch::kCPU};
      value = loss(restored, target);
    }
    BOOST_TEST((value.scalar_type() == torch::kFloat), name);
    const auto exact = loss(degraded, target).item<double>();
    BOOST_TEST(std::abs(value.item<double>() - exact) < 0.05 * std::abs(exact), name);
    value.backward();
    BOOST_TEST(restored.grad().isfinite().all().item<bool>(), name);
  }
}

BOOST_AUTO_TEST_CASE(a_few_steps_of_training_lower_each) {
  auto networks = all_networks();
  for (const auto& name : kContentLosses.names()) {
    torch::manual_seed(10);
    const auto along = torch::arange(32, torch::kFloat) / 5;
    const auto target =
        (0.7 * along.sin().unsqueeze(1) * (along * 1.3).cos()).expand({1, 3, 32, 32}).contiguous();
    const auto degraded = 0.6 * target + 0.2 * torch::randn({1, 3, 32, 32});
    torch::nn::Sequential network{torch::nn::Conv2d{torch::nn::Conv2dOptions(3, 8, 3).padding(1)},
                                  torch::nn::ReLU{},
                                  torch::nn::Conv2d{torch::nn::Conv2dOptions(8, 3, 3).padding(1)}};
    torch::optim::Adam adam{network->parameters(), torch::optim::AdamOptions(1e-2)};
    const auto loss = content_by_name(name, networks);
    std::vector<double> values;
    for (int step = 0; step < 12; ++step) {
      adam.zero_grad();
      const auto value = loss(degraded + network->forward(degraded), target);
      value.backward();
      adam.step();
      values.push_back(value.item<double>());
    }
    BOOST_TEST(values.front() - values.back() > 0.03 * std::abs(values.front()),
               name << ": " << values.front() << " to " << values.back());
  }
}

BOOST_AUTO_TEST_CASE(an_expression_is_the_sum_that_it_says) {
  torch::manual_seed(2);
  const auto restored = torch::rand({1, 3, 16, 16}) * 2 - 1;
  const auto target = torch::rand({1, 3, 16, 16}) * 2 - 1;
  const auto by_name = content_by_name("psnr + 0.5 l1");
  const auto by_type = PSNRLoss{} + 0.5 * L1{};
  BOOST_TEST(torch::equal(by_name(restored, target), by_type(restored, target)));
  BOOST_TEST(by_name.name() == loss_name(by_type));
  const auto terms = loss_terms(by_name, restored, target);
  BOOST_REQUIRE(terms.size() == 2U);
  BOOST_TEST(terms[1].name == "l1");
  BOOST_TEST(terms[1].weight == 0.5);
}

BOOST_AUTO_TEST_CASE(weights_stand_before_or_behind_and_parentheses_are_multiplied_out) {
  BOOST_TEST(parsed("perceptual+0.5l1") == "1 perceptual, 0.5 l1");
  BOOST_TEST(parsed("perceptual + 0.5 * l1") == "1 perceptual, 0.5 l1");
  BOOST_TEST(parsed(" l1*0.5 ") == "0.5 l1");
  BOOST_TEST(parsed("2 (l1 + 3 l2) + psnr") == "2 l1, 6 l2, 1 psnr");
  BOOST_TEST(parsed("(l1 + l2) * 4") == "4 l1, 4 l2");
  BOOST_TEST(parsed("1e-2 l1") == "0.01 l1");
  BOOST_TEST(parsed(".5 edge-aware-2") == "0.5 edge-aware-2");
  BOOST_TEST(parsed("2(a:b=1 + c:d=2e-3,e-f=.5*3)") == "2 a b=1, 6 c d=2e-3 e-f=.5");
}

BOOST_AUTO_TEST_CASE(what_logs_call_a_loss_can_be_said_again) {
  const auto name = content_by_name("2 (psnr + 0.5 l1) + l2 * 3").name();
  BOOST_TEST(name == "(2 * psnr + l1 + 3 * l2)");
  BOOST_TEST(content_by_name(name).name() == name);
}

BOOST_AUTO_TEST_CASE(options_stand_behind_a_name) {
  torch::manual_seed(3);
  const auto restored = torch::rand({1, 3, 16, 16}) * 2 - 1;
  const auto target = torch::rand({1, 3, 16, 16}) * 2 - 1;
  const auto same = [&](const std::string& text, const auto& loss) {
    BOOST_TEST(torch::equal(content_by_name(text)(restored, target), loss(restored, target)), text);
  };
  same("psnr:floor=3e-4", PSNRLoss{.floor = 3e-4});
  same("psnr-y:floor=0.01", PSNRYLoss{.floor = 0.01});
  same("charbonnier:epsilon=.5", Charbonnier{.epsilon = 0.5});
  same("edge:epsilon=1e-2", LaplacianEdge{.epsilon = 1e-2});
  same("focal-frequency:alpha=2", FocalFrequencyLoss{.alpha = 2.0});
  same("charbonnier + 0.05 edge", Charbonnier{} + 0.05 * LaplacianEdge{});

  const auto sum = content_by_name("2 psnr:floor=3e-4 + l1");
  BOOST_TEST(sum.name() == "(2 * psnr:floor=3e-04 + l1)");
  BOOST_TEST(content_by_name(sum.name()).name() == sum.name());
  BOOST_TEST(content_by_name("psnr:floor=1e-8").name() == "psnr");
  BOOST_TEST(loss_terms(sum, restored, target)[0].name == "psnr");
  BOOST_TEST(loss_terms(sum, restored, target)[0].weight == 2.0);
}

BOOST_AUTO_TEST_CASE(an_option_that_cannot_be_is_refused_before_any_network_is_loaded) {
  BOOST_TEST(
      error_in("l1 + psnr:floors=1") ==
      "content loss 'l1 + psnr:floors=1', character 6: expected an option, one of floor; got "
      "'floors', did you mean 'floor'?");
  BOOST_TEST(error_in("psnr:floor=0") ==
             "content loss 'psnr:floor=0', character 1: PSNRLoss: floor must be positive, got 0");
  BOOST_TEST(error_in("psnr:floor=much") ==
             "content loss 'psnr:floor=much', character 1: floor: expected a number, found 'much'");
  BOOST_TEST(error_in("psnr:floor=1,floor=2") ==
             "content loss 'psnr:floor=1,floor=2', character 1: 'floor' is named twice");
  for (const std::string name : {"l1", "frequency-half", "perceptual", "lpips-vgg"}) {
    const auto text = name + ":layer=2";
    const auto expected =
        "content loss '" + text + "', character 1: " + name + " has no options, got 'layer'";
    BOOST_TEST(error_in(text) == expected);
    BOOST_TEST(limpid_test::value_error_of([&] { content_networks(text); }) == expected);
  }
  BOOST_TEST(error_in("psnr:") ==
             "content loss 'psnr:': expected an option, NAME=VALUE at character 6, got the end");
  BOOST_TEST(error_in("psnr:floor") ==
             "content loss 'psnr:floor': expected '=' and a value at character 11, got the end");
  BOOST_TEST(error_in("psnr:floor=") ==
             "content loss 'psnr:floor=': expected a value at character 12, got the end");
}

BOOST_AUTO_TEST_CASE(an_error_says_where_what_was_expected) {
  BOOST_TEST(error_in("") ==
             "content loss '': expected a weight or a content loss at character 1, got the end");
  BOOST_TEST(
      error_in("l1 +") ==
      "content loss 'l1 +': expected a weight or a content loss at character 5, got the end");
  BOOST_TEST(error_in("0.5") ==
             "content loss '0.5': expected a content loss at character 4, got the end");
  BOOST_TEST(error_in("psnr ++ l1") ==
             "content loss 'psnr ++ l1': expected a weight or a content loss at character 7, got "
             "'+ l1'");
  BOOST_TEST(error_in("psnr l1") ==
             "content loss 'psnr l1': expected '+' or the end at character 6, got 'l1'");
  BOOST_TEST(error_in("psnr - l1") ==
             "content loss 'psnr - l1': expected '+' or the end at character 6, got '- l1'");
  BOOST_TEST(error_in("-1 l1") ==
             "content loss '-1 l1': expected a weight above 0 at character 1, got '-1 l1'");
  BOOST_TEST(error_in("1e999 l1") ==
             "content loss '1e999 l1': expected a weight above 0 at character 1, got '1e999 l1'");
  BOOST_TEST(error_in("0 l1") ==
             "content loss '0 l1': expected a weight above 0 at character 1, got '0 l1'");
  BOOST_TEST(error_in("2 (l1 + l2") ==
             "content loss '2 (l1 + l2': expected '+' or ')' at character 11, got the end");
  BOOST_TEST(error_in("l1 * l2") ==
             "content loss 'l1 * l2': expected a weight at character 6, got 'l2'");
}

BOOST_AUTO_TEST_CASE(an_unknown_name_gets_the_list_and_the_nearest) {
  BOOST_TEST(error_in("psnr + 2 perceptal") ==
             "content loss 'psnr + 2 perceptal', character 10: expected a content loss, one of " +
                 kContentLosses.list() + "; got 'perceptal', did you mean 'perceptual'?");
  BOOST_TEST(error_in("nan l1").find("expected '+' or the end") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(hostile_text_is_refused_quickly) {
  BOOST_TEST(error_in(std::string(100000, '(')) ==
             "content loss: expected at most 1000 characters, got 100000");
  BOOST_TEST(error_in(std::string(900, '(')) != "no error");
  BOOST_TEST(error_in(std::string("l1\0l2", 5)) != "no error");
}

BOOST_AUTO_TEST_CASE(a_loss_on_a_network_says_whose_weights_it_needs) {
  BOOST_TEST(error_in("l1 + perceptual") ==
             "content loss 'l1 + perceptual', character 6: no weights of vgg19 are given");
  BOOST_TEST(
      content_networks("l1 + perceptual + 2 contextual") == std::vector<std::string>{"vgg19"},
      boost::test_tools::per_element());
  BOOST_TEST(content_networks("l1").empty());
  BOOST_TEST(content_networks("lpips-alex + perceptual + lpips-alex") ==
                 (std::vector<std::string>{"lpips-alex", "alexnet", "vgg19"}),
             boost::test_tools::per_element());
  ContentNetworks heads;
  heads.set_file("lpips-vgg", "vgg.pth");
  BOOST_TEST(limpid_test::value_error_of([&] { content_by_name("lpips-vgg", heads); }) ==
             "content loss 'lpips-vgg', character 1: no weights of vgg16 are given");
  heads.set_file("vgg16", "nowhere.pth");
  const auto missing = error_of([&] { content_by_name("lpips-vgg", heads); });
  BOOST_TEST((missing.find("LPIPS (vgg): no weights at 'nowhere.pth'") == 0), missing);
}

BOOST_AUTO_TEST_CASE(a_network_is_loaded_once_when_the_first_loss_asks) {
  ContentNetworks networks;
  networks.set_file("number", "four");
  int loads = 0;
  const auto load = [&](const std::filesystem::path& file) {
    ++loads;
    return static_cast<int>(file.string().size());
  };
  BOOST_TEST(networks.has("number"));
  BOOST_TEST(!networks.has("letter"));
  BOOST_TEST(loads == 0);
  BOOST_TEST(networks.get<int>("number", "none", load) == 4);
  BOOST_TEST(networks.get<int>("number", "none", load) == 4);
  BOOST_TEST(loads == 1);
  BOOST_TEST(error_of([&] { networks.get<int>("letter", "ask the post", load); }) ==
             "no weights of letter are given: ask the post");
  BOOST_TEST(error_of([&] { networks.get<std::int64_t>("number", "", load); }) ==
             "the network given as number is of another type");
}

BOOST_AUTO_TEST_CASE(losses_by_name_share_one_network) {
  ContentNetworks networks;
  networks.set("vgg19", VGG19::random_for_benchmark({.deepest = "conv3_3"}));
  const auto loss = content_by_name("perceptual + 0.5 contextual", networks);
  SharedFeatures shared;
  loss.expect_features(shared);
  BOOST_TEST(shared.passes() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
