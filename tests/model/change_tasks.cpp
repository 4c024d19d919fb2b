#include <limpid/model/change_tasks.hpp>
#include <limpid/model/model_file.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::error_of, limpid_test::TemporaryFolder, limpid_test::value_error_of;

AnyModel small_model(const std::vector<std::string>& tasks, std::uint64_t seed = 1) {
  torch::manual_seed(seed);
  auto model = make_model({"pixel-unet", {{"width", 4}}}, tasks);
  model.module->eval();
  return model;
}

at::Tensor restored(const AnyModel& model, const std::string& task) {
  torch::NoGradGuard no_grad;
  return model.restore(model.index_of(task),
                       torch::linspace(-1, 1, 3 * 16 * 20).view({1, 3, 16, 20}));
}

bool same(const AnyModel& a, const AnyModel& b, const std::string& task) {
  return torch::equal(restored(a, task), restored(b, task));
}

BOOST_AUTO_TEST_SUITE(change_tasks)

BOOST_AUTO_TEST_CASE(tasks_are_added_taken_out_and_joined_without_a_changed_bit) {
  const auto two = small_model({"deblur", "dehaze"});
  const auto night = add_tasks(two, {"night"}), fog = add_tasks(two, {"fog", "snow"});
  BOOST_TEST((night.tasks == std::vector<std::string>{"deblur", "dehaze", "night"}));
  BOOST_TEST((same(two, night, "deblur") && same(two, night, "dehaze")));
  const auto copy = add_tasks(two, {});
  for (const auto& [name, tensor] : copy.tensors()) tensor.fill_(0.1);  // nothing is shared
  BOOST_TEST(same(two, night, "deblur"));
  const auto all = join_tasks({{"night", night}, {"fog", fog}});
  BOOST_TEST((all.tasks == std::vector<std::string>{"deblur", "dehaze", "night", "fog", "snow"}));
  BOOST_TEST((same(all, night, "night") && same(all, fog, "snow") && same(all, two, "deblur")));
  const auto some = take_tasks(all, {"snow", "deblur"});
  BOOST_TEST((some.tasks == std::vector<std::string>{"snow", "deblur"}));
  BOOST_TEST((same(some, fog, "snow") && same(some, two, "deblur")));
}

BOOST_AUTO_TEST_CASE(an_encoder_that_gets_a_context_restores_the_same_at_first) {
  const auto two = small_model({"deblur", "dehaze"});
  const auto more = extend_encoder(two, {{"context", 3}});
  BOOST_TEST((same(two, more, "deblur") && same(two, more, "dehaze")));
  BOOST_TEST(more.tensors().size() == two.tensors().size() + 4);
  BOOST_TEST(more.describe().at("encoder").at("options").at("context") == 3);
  TemporaryFolder folder;
  save(more, folder / "more.limpid");
  BOOST_TEST(same(load_any(folder / "more.limpid").model, two, "deblur"));
  BOOST_TEST(error_of([&] {
               extend_encoder(more, {{"context", 0}});
             })
                 .find("expected some that add to the encoder, found that they drop "
                       "'encoder.context.mlp.1.bias'") != std::string::npos);
  BOOST_TEST(error_of([&] {
               extend_encoder(two, {{"width", 8}});
             }).find("encoder.") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_together_is_said) {
  const auto two = small_model({"deblur", "dehaze"}), other = small_model({"night"}, 2);
  BOOST_TEST(value_error_of([&] { add_tasks(two, {"deblur"}); }) ==
             "add_tasks: the model has a task 'deblur' already");
  BOOST_TEST(value_error_of([&] { add_tasks(two, {"Night"}); }).find("a task is named by a-z") !=
             std::string::npos);
  BOOST_TEST(value_error_of([&] { take_tasks(two, {"night"}); }) ==
             "model: expected one of its tasks (deblur, dehaze), got 'night'");
  BOOST_TEST(value_error_of([&] { take_tasks(two, {}); }) ==
             "expected at least one task, got none");
  const auto text = error_of([&] { join_tasks({{"a", two}, {"b", other}}); });
  BOOST_TEST(text.find("'b' has another encoder than 'a': different values of encoder.") == 0u,
             text);
  torch::manual_seed(1);
  const auto wide = make_model({"pixel-unet", {{"width", 8}}}, {"night"});
  BOOST_TEST(error_of([&] {
               join_tasks({{"a", two}, {"b", wide}});
             }).find("'b' has another encoder than 'a': expected {") == 0u);
  const auto changed = add_tasks(two, {});
  for (const auto& [name, tensor] : changed.tensors()) {
    if (name.starts_with("decoder.dehaze.")) tensor.add_(1);
  }
  BOOST_TEST(error_of([&] {
               join_tasks({{"a", two}, {"b", changed}});
             }) ==
             "'b' has another task 'dehaze' than an earlier model; take it out of one of them");
}

BOOST_AUTO_TEST_CASE(adapters_are_saved_kept_by_all_changes_and_merged_to_the_same_bits) {
  const TemporaryFolder folder;
  const auto two = small_model({"deblur", "dehaze"});
  const auto adapted = add_adapters(add_tasks(two, {"night"}), {"night"}, {.rank = 3});
  BOOST_TEST((same(two, adapted, "deblur") && same(two, adapted, "dehaze")));
  for (const auto& [name, tensor] : adapted.tensors()) {
    if (name.ends_with(".up")) tensor.fill_(0.05);
  }
  BOOST_TEST(same(two, adapted, "deblur"));
  save(adapted, folder / "model.limpid");
  const auto loaded = load_any(folder / "model.limpid").model;
  BOOST_TEST(same(loaded, adapted, "night"));
  const auto more = add_adapters(add_tasks(loaded, {"fog"}), {"night", "fog"}, {.rank = 2});
  BOOST_TEST(same(more, adapted, "night"));
  BOOST_TEST(more.describe().at("tasks").at(2).at("adapter").at("rank") == 3);
  const auto night = take_tasks(more, {"night"});
  BOOST_TEST(same(night, adapted, "night"));
  BOOST_TEST(same(join_tasks({{"a", two}, {"b", night}}), adapted, "night"));
  const auto merged = merge_adapters(night);
  BOOST_TEST(same(merged, adapted, "night"));
  BOOST_TEST(merged.tensors().size() == small_model({"night"}).tensors().size());
  BOOST_TEST(value_error_of([&] { merge_adapters(more); }).find("adapters: expected one task") ==
             0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
