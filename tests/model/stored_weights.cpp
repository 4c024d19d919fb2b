#include <limpid/model/stored_weights.hpp>

#include <limpid/model/families.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <filesystem>

namespace {

using namespace limpid;
using namespace limpid_test;

BOOST_AUTO_TEST_SUITE(stored_weights)

BOOST_AUTO_TEST_CASE(sixteen_bits_take_half_the_file_and_load_as_float32) {
  torch::manual_seed(2);
  const TemporaryFolder folder;
  const auto model = make_model({"pixel-unet", {{"width", 16}}}, {"deblur"});
  torch::nn::init::normal_(model.module->parameters().back());
  save(model, folder / "whole.limpid");
  save(model, folder / "half.limpid", {{"note", "small"}}, StoredWeights::float16);
  const auto whole = std::filesystem::file_size(folder / "whole.limpid");
  const auto half = std::filesystem::file_size(folder / "half.limpid");
  BOOST_TEST(half < 0.6 * static_cast<double>(whole));

  const auto loaded = load_any(folder / "half.limpid");
  BOOST_TEST(loaded.manifest.at("note") == "small");
  auto read = loaded.model;
  const auto expected = model.tensors(), found = read.tensors();
  for (const auto& [name, tensor] : expected) {
    BOOST_TEST((found.at(name).scalar_type() == at::kFloat));
    const auto scale = tensor.abs() / 2048 + 1e-7;
    BOOST_TEST(((found.at(name) - tensor).abs() <= scale).all().item<bool>(), name);
  }
}

BOOST_AUTO_TEST_CASE(a_weight_that_sixteen_bits_cannot_hold_is_named_and_nothing_is_written) {
  const TemporaryFolder folder;
  const auto model = make_model({"pixel-unet", {{"width", 4}}}, {"deblur"});
  {
    const torch::NoGradGuard no_grad;
    model.tensors().at("encoder.head.bias").fill_(70000);
  }
  const auto path = folder / "half.limpid";
  BOOST_TEST(error_of([&] { save(model, path, {}, StoredWeights::float16); }) ==
             "model file: 'encoder.head.bias' has a weight of 70000; float16 holds at most 65504");
  BOOST_TEST(!std::filesystem::exists(path));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
