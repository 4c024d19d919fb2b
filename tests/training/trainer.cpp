#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/losses/content/l2.hpp>
#include <limpid/training/trainer.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid_test;

using ThreeTasks = MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">, TinyDecoder<"dehaze">,
                                    TinyDecoder<"derain">>;
using OneTask = MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">>;

TrainerOptions quick(const std::filesystem::path& out = {}, std::int64_t steps = 6) {
  TrainerOptions options;
  options.out = out;
  options.length = Steps{steps};
  options.rate = 1e-2;
  options.crop = 16;
  options.seed = 7;
  options.quiet = true;
  return options;
}

/// Three branches: with two critic updates, without a critic, with clipping.
ThreeTasks three_tasks(const TrainerOptions& options) {
  ThreeTasks trainer{options};
  trainer.branch<"deblur">(Branch{.pairs = DarkPictures{},
                                  .validation = DarkPictures{2},
                                  .batch_size = 2,
                                  .content = L2{} + 0.5 * L1{},
                                  .critic = TinyCritic{},
                                  .adversarial = WassersteinGP{.penalty = 10.0},
                                  .adversarial_weight = 0.01,
                                  .critic_updates = 2});
  trainer.branch<"dehaze">(Branch{.pairs = DarkPictures{3}, .content = L1{}});
  trainer.branch<"derain">(Branch{.pairs = DarkPictures{5},
                                  .content = L1{},
                                  .critic = TinyCritic{},
                                  .adversarial = Wasserstein{.clip = 0.01}});
  return trainer;
}

std::map<std::string, at::Tensor> weights(const std::filesystem::path& run) {
  return read_safetensors(run / "checkpoint.limpid").tensors;
}

void check_equal(const std::map<std::string, at::Tensor>& a,
                 const std::map<std::string, at::Tensor>& b) {
  BOOST_REQUIRE_EQUAL(a.size(), b.size());
  for (const auto& [name, tensor] : a) {
    BOOST_TEST(torch::equal(tensor, b.at(name)), name << " differs");
  }
}

std::string text_of(const c10::Error& error) { return error.what_without_backtrace(); }

BOOST_AUTO_TEST_SUITE(trainer)

BOOST_AUTO_TEST_CASE(training_makes_every_task_better) {
  TemporaryFolder run;
  auto options = quick(run.path(), 60);
  auto trainer = three_tasks(options);
  BOOST_TEST((trainer.fit() == FitResult::finished));
  std::ifstream log{run / "metrics.jsonl"};
  std::map<std::string, double> psnr;
  double identity = 0;
  for (std::string line; std::getline(log, line);) {
    const auto json = nlohmann::json::parse(line);
    if (json.at("kind") != "validation") continue;
    psnr["deblur"] = json.at("tasks").at("deblur").at("psnr_rgb");
    identity = json.at("tasks").at("deblur").at("identity_psnr_rgb");
  }
  BOOST_TEST(psnr["deblur"] > identity + 1.0);
}

BOOST_AUTO_TEST_CASE(a_stopped_and_resumed_run_ends_bit_equal) {
  TemporaryFolder whole, parts;
  auto uninterrupted = three_tasks(quick(whole.path()));
  uninterrupted.fit();

  auto options = quick(parts.path());
  options.stop_after = 2;
  options.start = Start::resume;
  for (int sitting = 0; sitting < 3; ++sitting) {
    torch::manual_seed(1000 + sitting);  // a new process stands elsewhere
    auto trainer = three_tasks(options);
    const auto result = trainer.fit();
    BOOST_TEST((result == (sitting < 2 ? FitResult::stopped : FitResult::finished)));
  }
  check_equal(weights(whole.path()), weights(parts.path()));
}

BOOST_AUTO_TEST_CASE(the_number_of_workers_changes_nothing) {
  TemporaryFolder one, three;
  auto options = quick(one.path());
  three_tasks(options).fit();
  options.out = three.path();
  options.workers = 3;
  options.cache_mb = 16;
  three_tasks(options).fit();
  check_equal(weights(one.path()), weights(three.path()));
}

BOOST_AUTO_TEST_CASE(backward_per_task_adds_up_to_the_backward_of_the_sum) {
  auto options = quick();
  OneTask one{options};  // for its batch shapes only
  ThreeTasks trainer{options};
  trainer.branch<"deblur">(Branch{.content = L2{}});
  trainer.branch<"dehaze">(Branch{.content = L1{}});
  trainer.branch<"derain">(Branch{.content = L2{}, .weight = 2.0});
  auto& model = trainer.model();
  model->encoder()->drop = torch::nn::Dropout(0.0);
  std::vector<Batch> batches;
  for (int i = 0; i < 3; ++i) {
    batches.push_back({torch::rand({2, 3, 16, 16}) - 0.5, torch::rand({2, 3, 16, 16}) - 0.5});
  }
  auto reference = limpid::detail::deep_copy(model);
  reference->encoder()->drop = torch::nn::Dropout(0.0);
  const auto restored_loss = [&](std::size_t t, const auto& restore) {
    const auto restored = restore(batches[t].degraded);
    return t == 1 ? L1{}(restored, batches[t].target) : L2{}(restored, batches[t].target);
  };
  auto sum = restored_loss(0, [&](const auto& x) { return reference->restore<"deblur">(x); }) +
             restored_loss(1, [&](const auto& x) { return reference->restore<"dehaze">(x); }) +
             2 * restored_loss(2, [&](const auto& x) { return reference->restore<"derain">(x); });
  sum.backward();
  trainer.step(batches);
  const auto& found = model->encoder()->conv->weight.grad();
  const auto& expected = reference->encoder()->conv->weight.grad();
  BOOST_TEST(torch::allclose(found, expected, 1e-5, 1e-7));
}

BOOST_AUTO_TEST_CASE(the_generators_step_leaves_no_gradient_on_a_critic) {
  OneTask trainer{quick()};
  TinyCritic critic;
  trainer.branch<"deblur">(Branch{.content = L1{},
                                  .critic = critic,
                                  .adversarial = Wasserstein{.clip = 10.0},
                                  .adversarial_weight = 1.0});
  const auto x = torch::rand({1, 3, 16, 16}) - 0.5, y = torch::rand({1, 3, 16, 16}) - 0.5;
  trainer.step({{x, y}});
  // The critic's own gradient is forgotten after its step; the generator's would be here.
  for (const auto& parameter : critic->parameters()) BOOST_TEST(!parameter.grad().defined());
}

BOOST_AUTO_TEST_CASE(a_loss_that_is_not_finite_stops_the_run_and_saves_what_was_done) {
  TemporaryFolder run;
  auto options = quick(run.path(), 4);
  int calls = 0;
  const auto broken_at = [&calls](int call) {
    return [&calls, call](const at::Tensor& restored, const at::Tensor& target) {
      const auto loss = (restored - target).abs().mean();
      return ++calls == call ? loss * std::numeric_limits<double>::quiet_NaN() : loss;
    };
  };
  options.stop_after = 2;
  {
    OneTask trainer{options};
    trainer.branch<"deblur">(Branch{.pairs = DarkPictures{}, .content = broken_at(1000)});
    trainer.fit();
  }
  const auto before = weights(run.path());
  calls = 0;
  options.stop_after = 0;
  options.start = Start::resume;
  OneTask trainer{options};
  trainer.branch<"deblur">(Branch{.pairs = DarkPictures{}, .content = broken_at(2)});
  BOOST_CHECK_EXCEPTION(trainer.fit(), c10::Error, [](const auto& error) {
    BOOST_TEST_MESSAGE(text_of(error));
    const auto text = text_of(error);
    return text.rfind("training stopped: task 'deblur', step 4: the content loss is nan", 0) == 0 &&
           text.find("saved after 3 steps") != text.npos;
  });
  const auto saved = weights(run.path());
  bool moved = false;
  for (const auto& [name, tensor] : saved) {
    BOOST_TEST(torch::isfinite(tensor).all().item<bool>(), name);
    moved = moved || !torch::equal(tensor, before.at(name));
  }
  BOOST_TEST(moved);  // the step before it is not lost
  calls = 100;
  OneTask again{options};
  again.branch<"deblur">(Branch{.pairs = DarkPictures{}, .content = broken_at(1000)});
  BOOST_CHECK_NO_THROW(again.fit());
}

BOOST_AUTO_TEST_CASE(a_signal_finishes_the_step_saves_and_stops) {
  TemporaryFolder run;
  auto options = quick(run.path(), 1'000'000);
  OneTask trainer{options};
  int steps = 0;
  trainer.branch<"deblur">(Branch{.pairs = DarkPictures{},
                                  .content = [&steps](const auto& restored, const auto& target) {
                                    if (++steps == 3) std::raise(SIGTERM);
                                    return (restored - target).abs().mean();
                                  }});
  BOOST_TEST((trainer.fit() == FitResult::interrupted));
  BOOST_TEST(trainer.steps_done() == 3);
  const auto manifest =
      nlohmann::json::parse(read_safetensors(run / "checkpoint.limpid").metadata.at("limpid"));
  BOOST_TEST(manifest.at("step") == 3);
}

BOOST_AUTO_TEST_CASE(a_run_is_not_overwritten_by_accident) {
  TemporaryFolder run;
  three_tasks(quick(run.path(), 1)).fit();
  auto again = three_tasks(quick(run.path(), 1));
  BOOST_CHECK_EXCEPTION(again.fit(), c10::Error, [&](const auto& error) {
    return text_of(error) ==
           "'" + run.path().string() + "' already holds a run; resume it, or name another folder";
  });
}

BOOST_AUTO_TEST_CASE(a_resume_under_other_conditions_is_refused) {
  TemporaryFolder run;
  auto options = quick(run.path(), 4);
  options.stop_after = 1;
  three_tasks(options).fit();
  options.start = Start::resume;
  options.crop = 24;
  auto other = three_tasks(options);
  BOOST_CHECK_EXCEPTION(other.fit(), c10::Error, [](const auto& error) {
    return text_of(error).find("/branches/deblur/crop = 16, and this one has 24") !=
           std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_branch_says_how_its_crops_are_varied_and_a_resume_keeps_to_it) {
  const auto steps_with = [](const Augmentation& augmentation, const std::filesystem::path& folder,
                             Start start) {
    auto options = quick(folder, 4);
    options.stop_after = 2;
    options.start = start;
    OneTask trainer{options};
    trainer.branch<"deblur">(Branch{.pairs = DarkPictures{}, .augmentation = augmentation});
    trainer.fit();
    return weights(folder).at("encoder.conv.weight");
  };
  TemporaryFolder plain, turned;
  const auto without = steps_with({.flip = false, .turns = false}, plain.path(), Start::fresh);
  const auto with = steps_with({}, turned.path(), Start::fresh);
  BOOST_TEST(!with.equal(without));
  BOOST_CHECK_EXCEPTION(steps_with({}, plain.path(), Start::resume), c10::Error,
                        [](const auto& error) {
                          return text_of(error).find(
                                     "/branches/deblur/augmentation = \"none\", and this one has "
                                     "\"flip+turns\"") != std::string::npos;
                        });
}

BOOST_AUTO_TEST_CASE(a_damaged_or_foreign_checkpoint_is_refused) {
  TemporaryFolder run;
  auto options = quick(run.path(), 4);
  options.stop_after = 1;
  three_tasks(options).fit();
  options.start = Start::resume;
  const auto file = run / "checkpoint.limpid";

  OneTask one{options};
  one.branch<"deblur">(Branch{.pairs = DarkPictures{}});
  BOOST_CHECK_EXCEPTION(one.fit(), c10::Error, [](const auto& error) {
    return text_of(error).find("expected the tasks deblur, found deblur, dehaze, derain") !=
           std::string::npos;
  });

  const auto size = std::filesystem::file_size(file);
  std::filesystem::resize_file(file, size / 2);
  auto cut = three_tasks(options);
  BOOST_CHECK_EXCEPTION(cut.fit(), c10::Error, [&](const auto& error) {
    return text_of(error).find(file.string()) != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_a_checkpoint_is_found) {
  TemporaryFolder run;
  auto options = quick(run.path(), 4);
  options.stop_after = 1;
  three_tasks(options).fit();
  const auto file = run / "checkpoint.limpid";
  std::fstream stream{file, std::ios::in | std::ios::out | std::ios::binary};
  stream.seekp(-5, std::ios::end);
  stream.put('\x55');
  stream.close();
  options.start = Start::resume;
  auto trainer = three_tasks(options);
  BOOST_CHECK_EXCEPTION(trainer.fit(), c10::Error, [](const auto& error) {
    return text_of(error).find("does not hold; the file is damaged") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(an_out_folder_that_cannot_be_written_is_an_error_at_the_start) {
  auto trainer = three_tasks(quick("/proc/limpid", 1));
  BOOST_CHECK_EXCEPTION(trainer.fit(), c10::Error, [](const auto& error) {
    return text_of(error).rfind("cannot write to '/proc/limpid'", 0) == 0;
  });
}

BOOST_AUTO_TEST_CASE(a_missing_branch_is_named) {
  ThreeTasks trainer{quick()};
  trainer.branch<"deblur">(Branch{.pairs = DarkPictures{}});
  BOOST_CHECK_EXCEPTION(trainer.fit(), c10::Error, [](const auto& error) {
    return text_of(error) == "MultiTaskTrainer: no branch was set for dehaze, derain";
  });
}

BOOST_AUTO_TEST_CASE(two_branches_cannot_share_a_critic) {
  ThreeTasks trainer{quick()};
  TinyCritic critic;
  const auto branch = Branch{.critic = critic, .adversarial = WassersteinGP{}};
  trainer.branch<"deblur">(branch);
  BOOST_CHECK_EXCEPTION(trainer.branch<"dehaze">(branch), c10::ValueError, [](const auto& error) {
    return text_of(error) ==
           "branch 'dehaze': its critic is already the critic of 'deblur'; each task needs its own";
  });
}

BOOST_AUTO_TEST_CASE(bfloat16_trains_and_keeps_float_weights) {
  auto options = quick();
  options.precision = Precision::bfloat16;
  auto trainer = three_tasks(options);
  trainer.fit();
  for (const auto& item : trainer.model()->named_parameters()) {
    BOOST_TEST((item.value().scalar_type() == torch::kFloat));
    BOOST_TEST(torch::isfinite(item.value()).all().item<bool>());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
