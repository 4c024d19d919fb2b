#include <limpid/model/adapters.hpp>
#include <limpid/model/multi_task_model.hpp>
#include <support/errors.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid_test;

using TwoTasks = MultiTaskModel<TinyEncoder, TinyDecoder<"deblur">, TinyDecoder<"derain">>;

/// A model in evaluation mode whose task "derain" has adapters.
struct Adapted {
  Adapted() {
    torch::manual_seed(3);
    plain = TwoTasks{};
    plain->eval();
    image = torch::rand({1, 3, 12, 10}) * 2 - 1;
    model = with_adapters(plain, {{"derain", {.rank = 2}}});
  }

  at::Tensor tensor(const std::string& name) const { return model.tensors().at(name); }

  TwoTasks plain{nullptr};
  AnyModel model;
  at::Tensor image;
};

BOOST_AUTO_TEST_SUITE(adapters)

BOOST_AUTO_TEST_CASE(a_model_restores_the_same_bits_until_its_adapters_have_learned) {
  torch::NoGradGuard no_grad;
  Adapted adapted;
  auto& model = adapted.model;
  const auto deblur = adapted.plain->restore(0, adapted.image),
             derain = adapted.plain->restore(1, adapted.image);
  BOOST_TEST(torch::equal(model.restore(0, adapted.image), deblur));
  BOOST_TEST(torch::equal(model.restore(1, adapted.image), derain));

  adapted.tensor("adapter.derain.conv.up").fill_(0.3);
  BOOST_TEST(torch::equal(model.restore(0, adapted.image), deblur));
  const auto learned = model.restore(1, adapted.image);
  BOOST_TEST(!torch::equal(learned, derain));
  BOOST_TEST(torch::equal(adapted.plain->restore(1, adapted.image), derain));  // put back

  // The same as plain convolutions of the sum.
  auto weight = adapted.tensor("encoder.conv.weight");
  weight += adapted.tensor("adapter.derain.conv.up")
                .matmul(adapted.tensor("adapter.derain.conv.down"))
                .view_as(weight);
  BOOST_TEST(torch::equal(adapted.plain->restore(1, adapted.image), learned));
}

BOOST_AUTO_TEST_CASE(its_parts_have_names_gradients_and_a_place_in_the_description) {
  Adapted adapted;
  auto& model = adapted.model;
  const auto up = adapted.tensor("adapter.derain.conv.up");
  BOOST_TEST((up.sizes() == at::IntArrayRef{6, 2}));
  BOOST_TEST((adapted.tensor("adapter.derain.conv.down").sizes() == at::IntArrayRef{2, 27}));
  BOOST_TEST(model.tensors().count("adapter.deblur.conv.up") == 0u);
  BOOST_TEST(model.describe().at("tasks").at(1).at("adapter").at("rank") == 2);
  BOOST_TEST(!model.describe().at("tasks").at(0).contains("adapter"));

  std::vector<std::string> with_gradient;
  model.restore(1, adapted.image).square().sum().backward();
  for (const auto& [name, parameter] : model.parameters) {
    if (parameter.grad().defined() && parameter.grad().abs().sum().item<float>() > 0) {
      with_gradient.push_back(name);
    }
  }
  const std::vector<std::string> expected{"encoder.conv.weight", "encoder.conv.bias",
                                          "decoder.derain.conv.weight", "decoder.derain.conv.bias",
                                          "adapter.derain.conv.up"};  // down's is up's, zero so far
  BOOST_TEST(with_gradient == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_look_is_what_each_task_restores) {
  torch::NoGradGuard no_grad;
  Adapted adapted;
  adapted.tensor("adapter.derain.conv.up").fill_(0.3);
  const auto look = adapted.model.look(adapted.image);
  BOOST_REQUIRE(look.restored.size() == 2u);
  for (std::size_t task = 0; task < 2; ++task) {
    BOOST_TEST(torch::equal(look.restored[task], adapted.model.restore(task, adapted.image)));
  }
  BOOST_TEST(!torch::equal(look.restored[1], AnyModel{adapted.plain}.restore(1, adapted.image)));
}

BOOST_AUTO_TEST_CASE(a_copy_owns_its_adapters) {
  torch::NoGradGuard no_grad;
  Adapted adapted;
  adapted.tensor("adapter.derain.conv.up").fill_(0.3);
  auto copy = adapted.model.copy();
  const auto before = adapted.model.restore(1, adapted.image);
  BOOST_TEST(torch::equal(copy.restore(1, adapted.image), before));
  copy.tensors().at("adapter.derain.conv.up").fill_(0.7);
  BOOST_TEST(!torch::equal(copy.restore(1, adapted.image), before));
  BOOST_TEST(torch::equal(adapted.model.restore(1, adapted.image), before));
}

BOOST_AUTO_TEST_CASE(rank_is_at_most_that_of_the_weight_and_errors_are_said) {
  const Adapted adapted;
  const auto error = [&](const AnyModel& model, const std::string& task, std::int64_t rank) {
    return value_error_of([&] { with_adapters(model, {{task, {rank}}}); });
  };
  const AnyModel plain{adapted.plain};
  const auto wide = with_adapters(plain, {{"deblur", {.rank = 1000}}});
  BOOST_TEST(wide.tensors().at("adapter.deblur.conv.up").size(1) == 6);
  BOOST_TEST(error(plain, "snow", 8) ==
             "model: expected one of its tasks (deblur, derain), got "
             "'snow'");
  BOOST_TEST(error(plain, "deblur", 0) == "adapters: rank must be at least 1, got 0");
  BOOST_TEST(error(adapted.model, "deblur", 8) == "with_adapters: the model has adapters already");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
