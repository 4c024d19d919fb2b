#include <limpid/recipes/everyday.hpp>

#include <limpid/model/families.hpp>
#include <limpid/recipes/named_recipes.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>

using namespace limpid;

BOOST_AUTO_TEST_SUITE(everyday_recipe)

BOOST_AUTO_TEST_CASE(four_tasks_fit_into_five_megabytes_of_16_bits) {
  const auto model =
      make_model(recipes::everyday().network, {"deblur", "dehaze", "derain", "denoise"});
  std::int64_t numbers = 0;
  for (const auto& parameter : model.module->parameters()) numbers += parameter.numel();
  BOOST_TEST(2 * numbers < 5'000'000);
  BOOST_TEST(2 * numbers > 4'000'000);  // what is allowed is used
}

BOOST_AUTO_TEST_CASE(deblur_sees_half_as_many_crops_again) {
  const auto recipe = recipes::everyday();
  BOOST_TEST(recipe.batch_size("dehaze") == 16);
  BOOST_TEST(recipe.batch_size("deblur") == 24);
  BOOST_TEST(recipe.branch("deblur", {}).batch_size == 24);
}

BOOST_AUTO_TEST_CASE(programs_know_it_by_name) {
  with_recipe("everyday", [](const auto& recipe) {
    BOOST_TEST(recipe.options.recipe == "everyday");
    BOOST_TEST(!recipe.needs_vgg);
    return 0;
  });
}

BOOST_AUTO_TEST_SUITE_END()
