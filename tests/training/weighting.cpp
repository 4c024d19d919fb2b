#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/losses/content/l2.hpp>
#include <limpid/training/trainer.hpp>
#include <limpid/weighting/named_weightings.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <vector>

// Weightings in the trainer: what encoder, decoders and critics learn by, and what a run keeps.
namespace {

using namespace limpid;
using namespace limpid_test;

using ThreeTasks = MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">, TinyDecoder<"dehaze">,
                                    TinyDecoder<"derain">>;
using TwoTasks = MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">, TinyDecoder<"dehaze">>;
using EightTasks = MultiTaskTrainer<TinyEncoder, TinyDecoder<"a">, TinyDecoder<"b">,
                                    TinyDecoder<"c">, TinyDecoder<"d">, TinyDecoder<"e">,
                                    TinyDecoder<"f">, TinyDecoder<"g">, TinyDecoder<"h">>;

TrainerOptions options_with(const std::string& weighting, const std::filesystem::path& out = {}) {
  TrainerOptions options;
  options.weighting = named_weighting(weighting);
  options.out = out;
  options.length = Steps{6};
  options.epoch = FixedSteps{2};
  options.rate = 1e-2;
  options.crop = 16;
  options.seed = 7;
  options.quiet = true;
  return options;
}

std::vector<Batch> random_batches(std::size_t tasks) {
  torch::manual_seed(11);
  std::vector<Batch> batches;
  for (std::size_t i = 0; i < tasks; ++i) {
    batches.push_back({torch::rand({2, 3, 16, 16}) - 0.5, torch::rand({2, 3, 16, 16}) - 0.5});
  }
  return batches;
}

at::Tensor flat_gradients(const std::vector<at::Tensor>& gradients) {
  std::vector<at::Tensor> parts;
  for (const auto& gradient : gradients) parts.push_back(gradient.reshape({-1}));
  return torch::cat(parts);
}

std::vector<at::Tensor> gradients_of(const torch::nn::Module& module) {
  std::vector<at::Tensor> gradients;
  for (const auto& parameter : module.parameters()) gradients.push_back(parameter.grad());
  return gradients;
}

void set_branches(ThreeTasks& trainer) {
  trainer.branch<"deblur">(Branch{.pairs = DarkPictures{3}, .content = L2{}});
  trainer.branch<"dehaze">(Branch{.pairs = DarkPictures{4}, .content = L1{}, .weight = 0.5});
  trainer.branch<"derain">(Branch{.pairs = DarkPictures{5}, .content = L1{}, .weight = 3.0});
}

BOOST_AUTO_TEST_SUITE(weighting_in_training)

BOOST_AUTO_TEST_CASE(
    every_weightings_gradients_are_those_of_an_implementation_that_keeps_all_graphs) {
  for (const auto& name : kWeightings.names()) {
    ThreeTasks trainer{options_with(name)};
    set_branches(trainer);
    auto& model = trainer.model();
    model->encoder()->drop = torch::nn::Dropout(0.0);
    auto reference = limpid::detail::deep_copy(model);
    reference->encoder()->drop = torch::nn::Dropout(0.0);
    const auto batches = random_batches(3);

    std::vector<at::Tensor> losses{
        L2{}(reference->restore<"deblur">(batches[0].degraded), batches[0].target),
        0.5 * L1{}(reference->restore<"dehaze">(batches[1].degraded), batches[1].target),
        3 * L1{}(reference->restore<"derain">(batches[2].degraded), batches[2].target)};
    const auto encoder = reference->encoder()->parameters();
    std::vector<at::Tensor> rows;
    WeightingStep step{{"deblur", "dehaze", "derain"}};
    step.losses = TaskVector{3};
    step.random = Random::stream(7, {0x776569676874});
    for (int t = 0; t < 3; ++t) {
      step.losses[t] = losses[t].item<double>();
      rows.push_back(
          flat_gradients(torch::autograd::grad({losses[t]}, encoder, {}, /*retain_graph=*/true)));
    }
    auto matrix = torch::stack(rows);
    const auto expected = named_weighting(name).combine(step, gram_matrix(matrix), matrix);
    at::Tensor sum = torch::zeros({});
    for (int t = 0; t < 3; ++t) sum = sum + expected.decoders[t] * losses[t];
    sum.backward();

    std::map<std::string, double> weights;
    for (const auto& loss : trainer.step(batches)) {
      if (loss.term == "weight") weights[loss.task] = loss.value;
    }
    const auto close = [&](const at::Tensor& a, const at::Tensor& b) {
      return ((a - b).norm() <= 1e-5 * b.norm() + 1e-9).item<bool>();
    };
    BOOST_TEST(close(flat_gradients(gradients_of(*model->encoder())), expected.row),
               name << ": the encoder's gradient");
    BOOST_TEST(close(flat_gradients(gradients_of(*model->decoder<"derain">())),
                     flat_gradients(gradients_of(*reference->decoder<"derain">()))),
               name << ": a decoder's gradient");
    if (name == "equal" || name == "graddrop") {
      BOOST_TEST(weights.empty(), name);
    } else {
      BOOST_TEST(weights.at("dehaze") == expected.weights[1], boost::test_tools::tolerance(1e-4));
    }
  }
}

BOOST_AUTO_TEST_CASE(weights_of_one_change_no_bit_of_the_plain_sum) {
  std::map<std::string, at::Tensor> first;
  for (const std::string name : {"equal", "fixed", "dwa"}) {
    TemporaryFolder run;
    ThreeTasks trainer{options_with(name, run.path())};
    set_branches(trainer);
    auto options = trainer.options();
    for (int i = 0; i < 3; ++i) trainer.step(random_batches(3));
    std::map<std::string, at::Tensor> weights;
    for (const auto& item : trainer.model()->named_parameters()) weights[item.key()] = item.value();
    if (first.empty()) first = weights;
    for (const auto& [key, weight] : weights) {
      BOOST_TEST(torch::equal(weight, first.at(key)), name << ": " << key << " differs");
    }
  }
}

BOOST_AUTO_TEST_CASE(looking_at_interference_changes_no_bit_of_training) {
  for (const std::string name : {"equal", "dwa", "uncertainty", "pcgrad", "graddrop"}) {
    std::map<std::string, at::Tensor> blind;
    for (const std::int64_t every : {0, 2}) {
      auto options = options_with(name);
      options.interference_every = every;
      ThreeTasks trainer{options};
      set_branches(trainer);
      for (int i = 1; i <= 4; ++i) {
        trainer.step(random_batches(3));
        BOOST_TEST(trainer.interference().has_value() == (every > 0 && i % every == 0));
      }
      for (const auto& item : trainer.model()->named_parameters()) {
        if (every == 0) {
          blind[item.key()] = item.value();
        } else {
          BOOST_TEST(torch::equal(item.value(), blind.at(item.key())), name << ": " << item.key());
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(interference_is_that_of_gradients_from_graphs_that_are_kept) {
  for (const std::string name : {"equal", "dwa", "fixed:deblur=4,dehaze=0.25", "upgrad"}) {
    auto options = options_with(name);
    options.interference_every = 1;
    ThreeTasks trainer{options};
    set_branches(trainer);
    auto& model = trainer.model();
    model->encoder()->drop = torch::nn::Dropout(0.0);
    const auto batches = random_batches(3);
    const std::vector<at::Tensor> losses{
        L2{}(model->restore<"deblur">(batches[0].degraded), batches[0].target),
        0.5 * L1{}(model->restore<"dehaze">(batches[1].degraded), batches[1].target),
        3 * L1{}(model->restore<"derain">(batches[2].degraded), batches[2].target)};
    std::vector<at::Tensor> rows;
    for (const auto& loss : losses) {
      rows.push_back(flat_gradients(torch::autograd::grad({loss}, model->encoder()->parameters())));
    }
    const auto expected = gram_matrix(torch::stack(rows));
    trainer.step(batches);
    const auto& seen = trainer.interference();
    BOOST_REQUIRE(seen.has_value());
    BOOST_TEST((seen->gram - expected).norm() <= 1e-5 * expected.norm(), name);
    BOOST_TEST(seen->parts.at(0).first == "conv");
    BOOST_TEST(seen->weights.size() == (name == "equal" ? 0 : 3), name);
  }
}

BOOST_AUTO_TEST_CASE(interference_is_logged_at_its_steps) {
  TemporaryFolder run;
  auto options = options_with("equal", run.path());
  options.interference_every = 2;
  ThreeTasks trainer{options};
  set_branches(trainer);
  trainer.fit();
  std::ifstream log{run / "metrics.jsonl"};
  std::vector<std::int64_t> steps;
  for (std::string line; std::getline(log, line);) {
    const auto json = nlohmann::json::parse(line);
    if (json.at("kind") != "interference") continue;
    steps.push_back(json.at("step"));
    BOOST_TEST(json.at("tasks").size() == 3U);
    BOOST_TEST(json.at("parts").at(0).at("cosine").size() == 3U);
  }
  const std::vector<std::int64_t> expected{2, 4, 6};
  BOOST_TEST(steps == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_run_stopped_in_the_middle_of_any_weighting_ends_bit_equal) {
  for (const auto& written : kWeightings.names()) {
    const auto name = written == "upgrad" ? "upgrad:average=0.5" : written;
    TemporaryFolder whole, parts;
    const auto train = [&](TrainerOptions options) {
      TwoTasks trainer{std::move(options)};
      trainer.branch<"deblur">(Branch{.pairs = DarkPictures{3}, .content = L2{}});
      trainer.branch<"dehaze">(Branch{.pairs = DarkPictures{4}, .content = L1{}});
      return trainer.fit();
    };
    train(options_with(name, whole.path()));
    auto options = options_with(name, parts.path());
    options.stop_after = 3;
    options.start = Start::resume;
    for (int sitting = 0; sitting < 2; ++sitting) {
      torch::manual_seed(1000 + sitting);
      train(options);
    }
    const auto a = read_safetensors(whole / "checkpoint.limpid");
    const auto b = read_safetensors(parts / "checkpoint.limpid");
    BOOST_REQUIRE_EQUAL(a.tensors.size(), b.tensors.size());
    for (const auto& [key, tensor] : a.tensors) {
      BOOST_TEST(torch::equal(tensor, b.tensors.at(key)), name << ": " << key << " differs");
    }
    const auto kept = [](const TensorFile& file) {
      return nlohmann::json::parse(file.metadata.at("limpid")).value("weighting", nlohmann::json{});
    };
    BOOST_TEST((kept(a) == kept(b)), name << ": " << kept(a) << " and " << kept(b));
  }
}

BOOST_AUTO_TEST_CASE(resuming_with_another_weighting_is_refused_by_its_name) {
  TemporaryFolder run;
  auto options = options_with("cagrad", run.path());
  options.stop_after = 2;
  ThreeTasks trainer{options};
  set_branches(trainer);
  trainer.fit();
  const auto refused = [&](const std::string& name) {
    auto other = options_with(name, run.path());
    other.start = Start::resume;
    ThreeTasks again{other};
    set_branches(again);
    return error_of([&] { again.fit(); });
  };
  const std::string begin = "cannot resume, because the run was started with /weighting = ";
  for (const std::string name : {"equal", "upgrad", "cagrad:c=0.4"}) {
    const auto error = refused(name);
    BOOST_TEST(error.find(begin + "\"cagrad, c 0.5, rescale yes\", and this one has \"" +
                          named_weighting(name).description()) != error.npos,
               error);
  }
  BOOST_TEST(refused("cagrad") == "no error");
}

BOOST_AUTO_TEST_CASE(weights_are_logged_beside_the_losses) {
  TemporaryFolder run;
  auto options = options_with("cagrad", run.path());
  options.log_every = 3;
  ThreeTasks trainer{options};
  set_branches(trainer);
  trainer.fit();
  std::ifstream log{run / "metrics.jsonl"};
  int lines = 0;
  for (std::string line; std::getline(log, line);) {
    const auto json = nlohmann::json::parse(line);
    if (json.at("kind") != "train") continue;
    ++lines;
    BOOST_TEST(json.at("weights").size() == 3U);
    BOOST_TEST(json.at("weights").at("derain").get<double>() > 0);
    BOOST_TEST(!json.at("losses").at("derain").contains("weight"));
  }
  BOOST_TEST(lines == 2);
}

BOOST_AUTO_TEST_CASE(a_gradient_that_is_not_finite_names_its_task_and_nothing_moves) {
  for (const std::string name : {"upgrad", "moco", "gls", "imtl"}) {
    ThreeTasks trainer{options_with(name)};
    set_branches(trainer);
    trainer.step(random_batches(3));
    const auto root = [](const at::Tensor& a, const at::Tensor&) {  // finite, its slope is not
      return (a - a.detach()).square().sum().sqrt() + a.square().mean();
    };
    trainer.branch<"dehaze">(Branch{.content = root});
    const auto before = trainer.model()->encoder()->conv->weight.detach().clone();
    const auto error = error_of([&] { trainer.step(random_batches(3)); });
    BOOST_TEST(error.find("task 'dehaze', step 2: the gradient of the ") != error.npos, error);
    BOOST_TEST(torch::equal(trainer.model()->encoder()->conv->weight, before));
    trainer.branch<"dehaze">(Branch{.content = L1{}});
    trainer.step(random_batches(3));
    BOOST_TEST(trainer.model()->encoder()->conv->weight.isfinite().all().item<bool>());
  }
}

BOOST_AUTO_TEST_CASE(a_loss_that_is_constant_stops_nobody) {
  for (const std::string name : {"upgrad", "mgda", "nash-mtl", "aligned-mtl", "imtl-g", "famo"}) {
    ThreeTasks trainer{options_with(name)};
    set_branches(trainer);
    trainer.branch<"dehaze">(Branch{
        .content = [](const at::Tensor& a, const at::Tensor&) { return 0 * a.sum() + 0.5; }});
    const auto before = trainer.model()->encoder()->conv->weight.detach().clone();
    for (int i = 0; i < 3; ++i) trainer.step(random_batches(3));
    BOOST_TEST(!torch::equal(trainer.model()->encoder()->conv->weight, before), name);
    BOOST_TEST(trainer.model()->encoder()->conv->weight.isfinite().all().item<bool>(), name);
  }
}

BOOST_AUTO_TEST_CASE(critics_learn_as_without_a_weighting) {
  std::vector<at::Tensor> critics;
  for (const std::string name : {"equal", "upgrad", "uncertainty:offset=80"}) {
    ThreeTasks trainer{options_with(name)};
    set_branches(trainer);
    torch::manual_seed(3);
    TinyCritic critic;
    trainer.branch<"dehaze">(
        Branch{.content = L1{}, .critic = critic, .adversarial = Wasserstein{.clip = 0.01}});
    trainer.model()->encoder()->drop = torch::nn::Dropout(0.0);
    trainer.step(random_batches(3));
    for (const auto& parameter : critic->parameters()) BOOST_TEST(!parameter.grad().defined());
    critics.push_back(critic->conv->weight.detach().clone());
    BOOST_TEST(torch::equal(critics.back(), critics.front()), name);
  }
}

/// A task without a critic and one with: three rows per term.
void set_branches_with_critic(TwoTasks& trainer, const TinyCritic& critic) {
  trainer.branch<"deblur">(Branch{.pairs = DarkPictures{3}, .content = L2{}});
  trainer.branch<"dehaze">(Branch{.pairs = DarkPictures{4},
                                  .content = L1{},
                                  .critic = critic,
                                  .adversarial = Wasserstein{.clip = 0.5},
                                  .adversarial_weight = 0.4,
                                  .weight = 2.0});
  trainer.model()->encoder()->drop = torch::nn::Dropout(0.0);
}

BOOST_AUTO_TEST_CASE(content_and_adversarial_loss_are_rows_of_their_own_where_asked_for) {
  for (const std::string name : {"equal:", "fixed:dehaze.adversarial=0.25,", "dwa:offset=80,",
                                 "uncertainty:offset=80,", "pcgrad:", "upgrad:", "stch:offset=80,",
                                 "gradnorm:offset=80,", "imtl:offset=80,", "graddrop:"}) {
    const auto weighting = name + "rows=per-term";
    for (const std::int64_t every : {0, 1}) {
      auto options = options_with(weighting);
      options.interference_every = every;
      TwoTasks trainer{options};
      TinyCritic critic;
      set_branches_with_critic(trainer, critic);
      auto& model = trainer.model();
      auto reference = limpid::detail::deep_copy(model);
      reference->encoder()->drop = torch::nn::Dropout(0.0);
      const auto batches = random_batches(2);
      std::map<std::string, double> weights;
      for (const auto& loss : trainer.step(batches)) {
        if (loss.term == "weight") weights[loss.task] = loss.value;
      }

      const auto restored = reference->restore<"dehaze">(batches[1].degraded);
      const std::vector<at::Tensor> losses{
          L2{}(reference->restore<"deblur">(batches[0].degraded), batches[0].target),
          2 * L1{}(restored, batches[1].target),
          2 * 0.4 * -critic->forward(restored).mean()};  // the critic has had its step
      const auto encoder = reference->encoder()->parameters();
      std::vector<at::Tensor> rows;
      WeightingStep step{{"deblur", "dehaze.content", "dehaze.adversarial"}};
      step.losses = TaskVector{3};
      step.random = Random::stream(7, {0x776569676874});
      for (int t = 0; t < 3; ++t) {
        step.losses[t] = losses[t].item<double>();
        rows.push_back(
            flat_gradients(torch::autograd::grad({losses[t]}, encoder, {}, /*retain_graph=*/true)));
      }
      auto matrix = torch::stack(rows);
      const auto expected = named_weighting(weighting).combine(step, gram_matrix(matrix), matrix);
      at::Tensor sum = torch::zeros({});
      for (int t = 0; t < 3; ++t) sum = sum + expected.decoders[t] * losses[t];
      sum.backward();

      const auto close = [&](const at::Tensor& a, const at::Tensor& b) {
        return ((a - b).norm() <= 1e-5 * b.norm() + 1e-9).item<bool>();
      };
      BOOST_TEST(close(flat_gradients(gradients_of(*model->encoder())), expected.row),
                 weighting << ": the encoder's gradient");
      BOOST_TEST(close(flat_gradients(gradients_of(*model->decoder<"dehaze">())),
                       flat_gradients(gradients_of(*reference->decoder<"dehaze">()))),
                 weighting << ": a decoder's gradient");
      if (name != "equal:" && name != "graddrop:") {
        BOOST_TEST(weights.at("dehaze.adversarial") == expected.weights[2],
                   boost::test_tools::tolerance(1e-4));
      }
      BOOST_TEST(trainer.interference().has_value() == (every == 1));
      if (every == 1) BOOST_TEST(trainer.interference()->tasks == step.tasks);
    }
  }
}

BOOST_AUTO_TEST_CASE(runs_with_rows_of_terms_are_looked_at_and_resumed_bit_by_bit) {
  const auto train = [](const std::string& weighting, std::int64_t every,
                        const std::filesystem::path& out, std::int64_t stop_after) {
    auto options = options_with(weighting, out);
    options.interference_every = every;
    options.stop_after = stop_after;
    options.start = Start::resume;
    TwoTasks trainer{options};
    torch::manual_seed(3);
    TinyCritic critic;
    set_branches_with_critic(trainer, critic);
    trainer.fit();
    return flat_gradients(trainer.model()->parameters()).detach().clone();
  };
  for (const std::string weighting :
       {"equal:rows=per-term", "uncertainty:offset=80,rows=per-term", "gradvac:rows=per-term"}) {
    TemporaryFolder whole, watched, parts;
    const auto expected = train(weighting, 0, whole.path(), 0);
    BOOST_TEST(torch::equal(train(weighting, 2, watched.path(), 0), expected), weighting);
    train(weighting, 0, parts.path(), 3);
    BOOST_TEST(torch::equal(train(weighting, 0, parts.path(), 0), expected), weighting);
  }
  TemporaryFolder run;
  train("pcgrad", 0, run.path(), 2);
  const auto error = error_of([&] { train("pcgrad:rows=per-term", 0, run.path(), 0); });
  BOOST_TEST(error.find("this one has \"pcgrad, shuffled yes, rows per-term") != error.npos, error);
  BOOST_TEST(value_error_of([] {
               ThreeTasks{options_with("fixed:dehaze.critic=1,rows=per-term")};
             }) == "weighting fixed: no task is called 'dehaze.critic'");
}

BOOST_AUTO_TEST_CASE(a_frozen_encoder_stays_and_thaws_under_any_weighting) {
  ThreeTasks trainer{options_with("upgrad")};
  set_branches(trainer);
  trainer.step(random_batches(3));
  const auto before = trainer.model()->encoder()->conv->weight.detach().clone();
  trainer.freeze_encoder(true);
  trainer.step(random_batches(3));
  BOOST_TEST(torch::equal(trainer.model()->encoder()->conv->weight, before));
  BOOST_TEST(!trainer.model()->encoder()->conv->weight.grad().defined());
  trainer.freeze_encoder(false);
  trainer.step(random_batches(3));
  BOOST_TEST(!torch::equal(trainer.model()->encoder()->conv->weight, before));
}

BOOST_AUTO_TEST_CASE(eight_tasks_and_one_are_balanced_too) {
  for (const std::string name : {"upgrad", "cagrad", "moco", "stch"}) {
    EightTasks trainer{options_with(name)};
    for (const auto& task : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
      trainer.branch(task, AnyBranch{Branch{.content = L1{}}});
    }
    trainer.step(random_batches(8));
    MultiTaskTrainer<TinyEncoder, TinyDecoder<"a">> alone{options_with(name)};
    alone.branch<"a">(Branch{.content = L1{}});
    alone.step(random_batches(1));
    BOOST_TEST(alone.steps_done() == 1);
  }
}

BOOST_AUTO_TEST_CASE(a_clipped_norm_is_that_of_the_combined_gradient) {
  auto options = options_with("upgrad");
  options.clip_gradient_norm = 1e-3;
  ThreeTasks trainer{options};
  set_branches(trainer);
  trainer.step(random_batches(3));
  const auto norm = flat_gradients(gradients_of(*trainer.model())).norm().item<double>();
  BOOST_TEST(norm == 1e-3, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(a_fixed_weight_of_no_task_is_refused_before_training) {
  BOOST_TEST(value_error_of([] { ThreeTasks{options_with("fixed:debur=1")}; }) ==
             "weighting fixed: no task is called 'debur'");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
