// Content losses by name.
#include <limpid/losses/content/content_losses.hpp>
#include <support/errors.hpp>
#include <support/named.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

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
  }
  return terms;
}

BOOST_AUTO_TEST_SUITE(content_by_names)

BOOST_AUTO_TEST_CASE(the_table_is_spelled_as_tables_are) {
  limpid_test::check_table(kContentLosses);
}

BOOST_AUTO_TEST_CASE(each_name_leads_to_its_loss) {
  ContentNetworks networks;
  networks.set("vgg19", VGG19::random_for_benchmark({.deepest = "conv3_3"}));
  torch::manual_seed(1);
  const auto restored = torch::rand({1, 3, 16, 16}) * 2 - 1;
  const auto target = torch::rand({1, 3, 16, 16}) * 2 - 1;
  for (const auto& name : kContentLosses.names()) {
    const auto loss = content_by_name(name, networks);
    BOOST_TEST(loss.name() == name);
    BOOST_TEST(loss(restored, target).isfinite().item<bool>());
    BOOST_TEST((content_networks(name).empty() == (name != "perceptual" && name != "contextual")));
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
}

BOOST_AUTO_TEST_CASE(what_logs_call_a_loss_can_be_said_again) {
  const auto name = content_by_name("2 (psnr + 0.5 l1) + l2 * 3").name();
  BOOST_TEST(name == "(2 * psnr + l1 + 3 * l2)");
  BOOST_TEST(content_by_name(name).name() == name);
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
             "content loss 'psnr + 2 perceptal', character 10: expected a content loss, one of l1, "
             "l2, charbonnier, psnr, perceptual, contextual; got 'perceptal', did you mean "
             "'perceptual'?");
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
