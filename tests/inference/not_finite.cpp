#include <limpid/inference/any_restorer.hpp>
#include <limpid/inference/evaluate.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace limpid;
using namespace limpid_test;

using TinyModel = MultiTaskModel<TinyEncoder, TinyDecoder<"deblur">>;

/// Weights are finite, what they make is not.
template <class Module>
void overflow(Module& module) {
  const torch::NoGradGuard no_grad;
  double sign = 1;
  for (auto& parameter : module.parameters()) parameter.fill_(3e38 * (sign = -sign));
}

constexpr auto kText = "the picture restored by task 'deblur': ";

BOOST_AUTO_TEST_SUITE(not_finite)

BOOST_AUTO_TEST_CASE(a_picture_that_is_not_finite_is_an_error_that_names_the_task) {
  TinyModel model;
  const torch::NoGradGuard no_grad;
  for (auto& parameter : model->parameters()) parameter.fill_(NAN);
  Restorer restorer{model};
  const auto error = error_of([&] { restorer.restore<"deblur">(picture(8, 8)); });
  BOOST_TEST(error == kText + std::string{"192 of 192 values are NaN or infinite"});
}

BOOST_AUTO_TEST_CASE(so_it_is_where_tasks_are_known_at_run_time) {
  auto model = make_model({"pixel-unet", nlohmann::json::object()}, {"deblur"});
  overflow(*model.module);
  const AnyRestorer restorer{std::move(model)};
  BOOST_TEST(error_of([&] { restorer.restore("deblur", picture(16, 16)); }).starts_with(kText));
}

BOOST_AUTO_TEST_CASE(an_evaluation_names_the_picture_too) {
  TinyModel model;
  const torch::NoGradGuard no_grad;
  for (auto& parameter : model->parameters()) parameter.fill_(NAN);
  Restorer restorer{model};
  const auto scores = evaluate("deblur", DarkPictures{1}, [&](const Image& degraded) {
    return restorer.restore<"deblur">(degraded);
  });
  BOOST_TEST(scores.failed() == 1u);
  BOOST_TEST(scores.images[0].name == "dark0");
  BOOST_TEST(scores.images[0].error.find(kText) != std::string::npos, scores.images[0].error);
}

BOOST_AUTO_TEST_CASE(so_is_what_a_function_of_the_users_makes) {
  const auto scores = evaluate("deblur", DarkPictures{1}, [](const Image& degraded) {
    return Image::from_unit(degraded.unit() * NAN);
  });
  BOOST_TEST(scores.images[0].error == "Image: expected finite values, got NaN or infinity");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
