#include <limpid/inference/any_restorer.hpp>
#include <limpid/kernels/winograd_rule.hpp>
#include <limpid/model/merged_tasks.hpp>
#include <limpid/model/model_file.hpp>
#include <support/images.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>

namespace {

using namespace limpid;
using limpid_test::picture, limpid_test::TemporaryFolder;

/// Two of three tasks have adapters; all do something.
AnyModel adapted_model() {
  torch::manual_seed(1);
  const auto plain = make_model({"pixel-unet", {{"width", 16}}}, {"deblur", "dehaze", "night"});
  const auto model = add_adapters(plain, {"deblur", "night"}, {.rank = 2});
  for (const auto& [name, tensor] : model.tensors()) {
    if (name.ends_with(".up") || name.ends_with("tail.weight")) tensor.normal_(0, 0.1);
  }
  model.module->eval();
  return model;
}

BOOST_AUTO_TEST_SUITE(merged_tasks_suite)

BOOST_AUTO_TEST_CASE(merged_tasks_restore_the_same_bits_and_exchange_nothing) {
  const torch::NoGradGuard no_grad;
  const auto model = adapted_model(), merged = merged_tasks(model);
  BOOST_TEST(!merged.module->named_children().contains("adapter"));
  BOOST_TEST(merged.describe() == model.describe());
  BOOST_TEST((merged.tasks == model.tasks));
  const auto input = torch::linspace(-1, 1, 3 * 16 * 24).view({1, 3, 16, 24});
  const auto look = model.look(input), same = merged.look(input),
             copied = merged.copy().look(input);
  for (std::size_t task = 0; task < 3; ++task) {
    const auto restored = model.restore(task, input);
    BOOST_TEST(torch::equal(merged.restore(task, input), restored));
    BOOST_TEST(torch::equal(same.restored[task], look.restored[task]));
    BOOST_TEST(torch::equal(copied.restored[task], restored));
  }
  BOOST_TEST(torch::equal(same.maps.back(), look.maps.back()));
  const auto without = make_model({"pixel-unet", {{"width", 16}}}, {"deblur"});
  BOOST_TEST(merged_tasks(without).module == without.module);
}

BOOST_AUTO_TEST_CASE(a_file_with_adapters_is_restored_merged_and_can_be_compiled) {
  const TemporaryFolder folder;
  const auto model = adapted_model();
  save(model, folder / "model.limpid");
  const auto photo = picture(80, 96);
  const AnyRestorer from_file{folder / "model.limpid"}, in_turns{model};
  const AnyRestorer fast{folder / "model.limpid", {.convolution = Convolution::fast}};
  for (const auto& task : model.tasks) {
    BOOST_TEST((from_file.restore(task, photo) == in_turns.restore(task, photo)));
    const auto quick = fast.restore(task, photo).unit(),
               exact = in_turns.restore(task, photo).unit();
    BOOST_TEST((quick - exact).abs().max().item<float>() < 1.5 / 255);
#if LIMPID_WITH_ONEDNN
    if (limpid::detail::machine_has_winograd())
      BOOST_TEST(fast.engine(task).is_compiled, fast.engine(task).reason);
#endif
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
