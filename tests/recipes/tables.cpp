#include <limpid/recipes/tables.hpp>
#include <limpid/recipes/thesis_fpn_inception.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <set>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid::recipes;
using Tasks = std::vector<std::string>;

void check_names(const PaperTable& table) {
  std::set<std::string> names;
  for (const auto& run : table.runs) {
    BOOST_TEST(names.insert(run.name).second, "two runs are called " << run.name);
    BOOST_TEST(!run.tasks.empty());
    for (const auto& paper : run.paper) {
      BOOST_TEST((std::find(run.tasks.begin(), run.tasks.end(), paper.task) != run.tasks.end()));
    }
  }
}

BOOST_AUTO_TEST_SUITE(tables)

BOOST_AUTO_TEST_CASE(the_fpn_recipe_has_the_numbers_of_the_thesis) {
  const auto recipe = thesis_fpn_inception();
  BOOST_TEST(recipe.options.recipe == "thesis-fpn-inception");
  BOOST_TEST(recipe.options.freeze_encoder_epochs == 3);
  BOOST_TEST(recipe.options.rate == 1e-4);
  BOOST_TEST(recipe.options.critic_rate == 1e-4);
  BOOST_TEST(recipe.options.crop == 256);
  BOOST_TEST(recipe.batch_size("deblur") == 2);
  BOOST_TEST(recipe.objective.adversarial == "wasserstein-gp");
}

BOOST_AUTO_TEST_CASE(table_4_1_trains_one_two_and_three_tasks) {
  const auto table = table_4_1();
  check_names(table);
  BOOST_REQUIRE(table.runs.size() == 3U);
  BOOST_TEST((table.runs[0].tasks == Tasks{"deblur"}));
  BOOST_TEST((table.runs[1].tasks == Tasks{"deblur", "dehaze"}));
  BOOST_TEST((table.runs[2].tasks == Tasks{"deblur", "dehaze", "derain"}));
  BOOST_TEST(table.runs[0].paper[0].psnr == 28.277);
  BOOST_TEST(table.runs[0].paper[0].ssim_metric == "cw_ssim");
  BOOST_TEST(table.runs[2].paper[0].ssim == 0.80);
  BOOST_TEST(table.runs[2].paper[0].ssim_metric == "ssim_uniform");
}

BOOST_AUTO_TEST_CASE(table_4_2_has_its_three_variants) {
  const auto table = table_4_2();
  check_names(table);
  BOOST_REQUIRE(table.runs.size() == 3U);
  const auto& doubled = table.runs[0].recipe;
  BOOST_TEST(doubled.options.critic_rate == 2e-4);
  BOOST_TEST(doubled.options.rate == 1e-4);
  BOOST_TEST(doubled.objective.contextual_weight == 0);
  BOOST_TEST(table.runs[1].recipe.objective.contextual_weight == 0.5);
  const auto& five = table.runs[2].recipe;
  BOOST_TEST(five.objective.critic_updates == 5);
  BOOST_TEST(five.options.critic_rate == 1e-4);
  BOOST_TEST(table.runs[2].paper[1].psnr == 16.6);
}

BOOST_AUTO_TEST_CASE(every_shared_task_gets_a_twin_of_the_same_recipe_once) {
  const auto first = with_twins(table_4_1());
  check_names(first);
  BOOST_TEST(first.runs.size() == 5U);  // deblurring alone is the paper's own first run
  const auto* twin = twin_of(first, first.runs[2], "deblur");
  BOOST_REQUIRE(twin != nullptr);
  BOOST_TEST(twin->name == "one-task");
  BOOST_TEST(twin_of(first, first.runs[0], "deblur") == nullptr);

  const auto second = with_twins(table_4_2());
  check_names(second);
  BOOST_TEST(second.runs.size() == 12U);
  for (const auto& run : table_4_2().runs) {
    for (const auto& task : run.tasks) {
      const auto* alone = twin_of(second, run, task);
      BOOST_REQUIRE(alone != nullptr);
      BOOST_TEST((alone->tasks == Tasks{task}));
      BOOST_TEST(alone->paper.empty());
      BOOST_TEST(alone->recipe.objective.critic_updates == run.recipe.objective.critic_updates);
      BOOST_TEST(alone->recipe.options.critic_rate == run.recipe.options.critic_rate);
    }
  }
  BOOST_TEST(twin_of(table_4_2(), table_4_2().runs[0], "deblur") == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
