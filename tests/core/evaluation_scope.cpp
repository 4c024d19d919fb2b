#include <limpid/core/evaluation_scope.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <stdexcept>

namespace {

BOOST_AUTO_TEST_SUITE(evaluation_scope)

BOOST_AUTO_TEST_CASE(a_model_is_in_evaluation_mode_inside_and_as_before_behind_it) {
  torch::nn::Sequential model(torch::nn::Dropout(0.5), torch::nn::Linear(2, 2));
  for (const bool training : {true, false}) {
    model->train(training);
    {
      const limpid::detail::EvaluationScope scope{*model};
      BOOST_TEST(!model->is_training());
      BOOST_TEST(!model[0]->is_training());
      {
        const limpid::detail::EvaluationScope inner{*model};
        BOOST_TEST(!model->is_training());
      }
      BOOST_TEST(!model->is_training());
    }
    BOOST_TEST(model->is_training() == training);
    BOOST_TEST(model[0]->is_training() == training);
  }
}

BOOST_AUTO_TEST_CASE(an_error_inside_puts_training_back) {
  torch::nn::Linear model(2, 2);
  model->train();
  try {
    const limpid::detail::EvaluationScope scope{*model};
    throw std::runtime_error("inside");
  } catch (const std::runtime_error&) {
  }
  BOOST_TEST(model->is_training());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
