#include <limpid/model/families.hpp>
#include <limpid/recipes/named_recipes.hpp>
#include <limpid/training/any_trainer.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace limpid;
using limpid_test::DarkPictures;

BOOST_AUTO_TEST_SUITE(named_recipes)

BOOST_AUTO_TEST_CASE(every_recipe_is_called_as_the_table_says_and_names_networks_that_there_are) {
  for (const auto& name : kRecipes.names()) {
    with_recipe(name, [&](const auto& recipe) {
      BOOST_TEST(recipe.name == name);
      BOOST_TEST(recipe.options.recipe == name);
      BOOST_CHECK_NO_THROW(all_options(recipe.network));
    });
  }
  BOOST_CHECK_EXCEPTION(with_recipe("thesis-resnt", [](const auto&) {}), c10::ValueError,
                        [](const auto& error) {
                          return std::string{error.what_without_backtrace()} ==
                                 "expected a recipe, one of quickstart, everyday, thesis-resnet, "
                                 "thesis-fpn-inception; got 'thesis-resnt', did you mean "
                                 "'thesis-resnet'?";
                        });
}

BOOST_AUTO_TEST_CASE(a_recipe_trains_networks_of_another_family_on_tasks_of_any_name) {
  auto recipe = recipes::quickstart();
  recipe.network = parse_network("nafnet:width=4,blocks=[1],middle_blocks=1,range=unit");
  recipe.options.length = Steps{3};
  recipe.options.crop = 24;
  recipe.options.quiet = true;
  recipe.batch = 1;
  torch::manual_seed(1);
  AnyTrainer trainer{recipe.options, make_model(recipe.network, {"night-2", "under_water"})};
  for (const auto* task : {"night-2", "under_water"}) {
    trainer.branch(task, recipe.branch(task, DarkPictures{}));
  }
  std::vector<at::Tensor> before;
  for (const auto& [name, parameter] : trainer.model().parameters) {
    before.push_back(parameter.detach().clone());
  }
  BOOST_TEST((trainer.fit() == FitResult::finished));
  std::size_t i = 0;
  for (const auto& [name, parameter] : trainer.model().parameters) {
    BOOST_TEST(!torch::equal(parameter, before[i++]), name);
  }
  BOOST_CHECK_EXCEPTION(trainer.branch("deblur", AnyBranch{}), c10::ValueError,
                        [](const auto& error) {
                          return std::string{error.what_without_backtrace()} ==
                                 "branch: expected one of its tasks (night-2, under_water), got "
                                 "'deblur'";
                        });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
