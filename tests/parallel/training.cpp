#include <limpid/losses/adversarial/began.hpp>
#include <limpid/losses/adversarial/dragan.hpp>
#include <limpid/losses/adversarial/relativistic.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/losses/content/l2.hpp>
#include <limpid/losses/content/psnr_loss.hpp>
#include <limpid/training/any_trainer.hpp>
#include <limpid/training/gradient_exchange.hpp>
#include <limpid/training/step_agenda.hpp>
#include <limpid/weighting/named_weightings.hpp>
#include <support/errors.hpp>
#include <support/ranks.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <atomic>
#include <cmath>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

// Several processes train as one does: the test of training_step, balanced_step, loaders,
// validation and checkpoints where there is more than one.
namespace {

using namespace limpid;
using namespace limpid_test;

using Model = MultiTaskModel<TinyEncoder, TinyDecoder<"deblur">, TinyDecoder<"dehaze">,
                             TinyDecoder<"derain">>;

/// Pictures that ask the run to stop, or cannot be read, once they have been drawn often enough.
struct TroubledPictures : DarkPictures {
  bool fails = false;
  bool stops = false;
  ImagePair load(std::int64_t i, std::int64_t draw) const {
    if (draw >= 2 && fails) TORCH_CHECK(false, "cannot read '", name(i), "'");
    static std::atomic<bool> raised{false};
    if (draw >= 20 && stops && !raised.exchange(true)) std::raise(SIGTERM);
    return DarkPictures::load(i, draw);
  }
};

constexpr std::int64_t kWholeBatch = 12;

TrainerOptions options_of(const Communicator& communicator, std::int64_t steps) {
  TrainerOptions options;
  options.communicator = communicator;
  options.length = Steps{steps};
  options.epoch = FixedSteps{2};
  options.rate = options.critic_rate = 1e-3;
  options.crop = 12;
  options.seed = 7;
  options.quiet = true;
  return options;
}

AnyTrainer trainer_of(TrainerOptions options, bool dropout = false) {
  torch::manual_seed(3 + options.communicator.rank());  // the first one's weights count
  Model model;
  if (!dropout) model->encoder()->drop = torch::nn::Dropout(0.0);
  return {std::move(options), AnyModel{model}};
}

/// Three tasks, each with a critic and an objective that sees the batch as a whole.
/// @param augment  how the first task's crops are varied
void set_branches(AnyTrainer& trainer, bool validate = false,
                  const std::string& augment = "flip+turns") {
  const auto batch = kWholeBatch / trainer.options().communicator.size();
  const Pairs validation = validate ? Pairs{DarkPictures{5}} : Pairs{};
  trainer.branch("deblur", Branch{.pairs = DarkPictures{5},
                                  .validation = validation,
                                  .batch_size = batch,
                                  .augmentation = Augmentation::parse(augment),
                                  .content = PSNRLoss{},
                                  .critic = TinyCritic{},
                                  .adversarial = Relativistic{}});
  trainer.branch("dehaze", Branch{.pairs = DarkPictures{7},
                                  .batch_size = batch,
                                  .content = L1{},
                                  .critic = TinyCritic{},
                                  .adversarial = DRAGAN<>{},
                                  .critic_updates = 2});
  trainer.branch("derain", Branch{.pairs = DarkPictures{4},
                                  .batch_size = batch,
                                  .content = L2{},
                                  .critic = TinyAutoencoder{},
                                  .adversarial = BEGAN{.lambda_k = 0.1}});
}

at::Tensor weights_of(const AnyTrainer& trainer) {
  std::vector<at::Tensor> parts;
  for (const auto& [name, parameter] : trainer.model().parameters) {
    parts.push_back(parameter.detach().reshape({-1}));
  }
  return torch::cat(parts).clone();
}

/// Batches of random pictures, of which each process has its part.
std::vector<Batch> batches_of(const Communicator& communicator, std::int64_t step) {
  const auto size = kWholeBatch / communicator.size();
  std::vector<Batch> batches;
  for (int task = 0; task < 3; ++task) {
    torch::manual_seed(100 * step + task);
    const auto pictures = torch::rand({2, kWholeBatch, 3, 12, 12}) * 2 - 1;
    const auto part = pictures.narrow(1, communicator.rank() * size, size);
    batches.push_back({part[0].contiguous(), part[1].contiguous()});
  }
  return batches;
}

/// Losses of each step and the weights at the end: what one process and several must agree on.
at::Tensor steps_of(const Communicator& communicator, const std::string& weighting,
                    std::int64_t steps, bool critics, Precision reduce_in = Precision::float32) {
  auto options = options_of(communicator, steps);
  options.reduce_in = reduce_in;
  options.weighting = named_weighting(weighting);
  auto trainer = trainer_of(options);
  if (critics) {
    set_branches(trainer);
    if (weighting != "equal") {  // some take no negative losses, as a PSNR's
      trainer.branch("deblur", Branch{.pairs = DarkPictures{5},
                                      .batch_size = kWholeBatch / communicator.size(),
                                      .content = L1{},
                                      .critic = TinyCritic{},
                                      .adversarial = Relativistic{}});
    }
  } else {
    trainer.branch("deblur", Branch{.content = L1{}});
    trainer.branch("dehaze", Branch{.content = L2{}, .weight = 0.5});
    trainer.branch("derain", Branch{.content = L1{}});
  }
  std::vector<double> losses;
  for (std::int64_t step = 0; step < steps; ++step) {
    for (const auto& loss : trainer.step(batches_of(communicator, step))) {
      losses.push_back(loss.value);
    }
  }
  return torch::cat({torch::tensor(losses), weights_of(trainer)});
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  BOOST_TEST_REQUIRE((a.sizes() == b.sizes()));
  return ((a - b).abs() / b.abs().clamp_min(1)).max().item<double>();
}

at::Tensor read(const std::filesystem::path& file) {
  at::Tensor tensor;
  torch::load(tensor, file.string());
  return tensor;
}

/// What several processes come to is what one comes to alone.
/// @param ends_of  a communicator -> one tensor for each of `names`
template <class EndsOf>
void check_as_in_one_process(const std::vector<std::int64_t>& sizes,
                             const std::vector<std::string>& names, const EndsOf& ends_of) {
  if (const auto here = Rank::here()) {
    const auto all = here->join();
    const std::vector<at::Tensor> ends = ends_of(all);
    if (all.is_first()) torch::save(ends, (here->folder / "ends").string());
    return;
  }
  TemporaryFolder folder;
  const std::vector<at::Tensor> alone = ends_of(Communicator{});
  BOOST_REQUIRE(alone.size() == names.size());
  for (const auto size : sizes) {
    const auto place = folder / std::to_string(size);
    check_in_ranks(size, place);
    std::vector<at::Tensor> ends;
    torch::load(ends, (place / "ends").string());
    BOOST_REQUIRE(ends.size() == alone.size());
    for (std::size_t i = 0; i < alone.size(); ++i) {
      const auto difference = largest_difference(ends[i], alone[i]);
      BOOST_TEST(difference < 1e-5, names[i] << " of " << size << " processes: " << difference);
    }
  }
}

/// A run that would go on for long, of which one task has these pictures; it saves after each step.
AnyTrainer long_run(const Communicator& all, const std::filesystem::path& out,
                    const TroubledPictures& pictures) {
  auto options = options_of(all, 1000);
  options.out = out;
  options.checkpoint_seconds = 0;
  auto trainer = trainer_of(options);
  set_branches(trainer);
  trainer.branch("deblur", Branch{.pairs = pictures, .batch_size = 2, .content = L1{}});
  return trainer;
}

BOOST_AUTO_TEST_SUITE(training_in_several_processes)

BOOST_AUTO_TEST_CASE(the_clock_keeps_its_digits_in_an_agenda_of_floats) {
  for (const double seconds : {0.0, 0.1, 12345.678901234567, 3e8 + 1.0 / 3}) {
    const limpid::detail::StepAgenda first{false, seconds, true}, other{true, 7.0, false};
    auto sums = first.to_floats(true);
    const auto more = other.to_floats(false);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += more[i];
    const auto agreed = limpid::detail::StepAgenda::of_sums(sums.data());
    BOOST_TEST(agreed.stop);
    BOOST_TEST(agreed.validation_due);
    BOOST_TEST(agreed.seconds == seconds);
  }
}

#if LIMPID_WITH_GLOO

BOOST_AUTO_TEST_CASE(fifty_steps_with_critics_are_those_of_one_process_with_the_whole_batch) {
  check_as_in_one_process({2, 3}, {"the run"}, [](const Communicator& communicator) {
    return std::vector{steps_of(communicator, "equal", 50, true)};
  });
}

BOOST_AUTO_TEST_CASE(every_weighting_weighs_as_in_one_process) {
  const auto names = kWeightings.names();
  // LIMPID_WEIGHTING_STEPS=50: as many steps, and three processes, too; minutes.
  const char* asked = std::getenv("LIMPID_WEIGHTING_STEPS");
  const std::int64_t steps = asked == nullptr ? 6 : std::atoll(asked);
  const std::vector<std::int64_t> sizes =
      asked == nullptr ? std::vector<std::int64_t>{2} : std::vector<std::int64_t>{2, 3};
  check_as_in_one_process(sizes, {names.begin(), names.end()},
                          [&](const Communicator& communicator) {
                            std::vector<at::Tensor> ends;
                            for (const auto& name : names)
                              ends.push_back(steps_of(communicator, name, steps, true));
                            return ends;
                          });
}

/// What a user may ask of a run beside its weighting.
struct Policy {
  std::string name, weighting = "equal", augment = "flip+turns";
  std::int64_t accumulate = 1;
  double average = 0;
  std::string crops{};
};

at::Tensor end_of(const Policy& policy, const Communicator& communicator) {
  auto options = options_of(communicator, 4);
  options.weighting = named_weighting(policy.weighting);
  options.accumulate = policy.accumulate;
  options.average = policy.average;
  if (!policy.crops.empty()) options.progressive_crop = ProgressiveCrop::parse(policy.crops);
  auto trainer = trainer_of(options);
  set_branches(trainer, false, policy.augment);
  trainer.fit();
  std::vector<at::Tensor> parts{weights_of(trainer)};
  const auto in_use = trainer.model_for_use();
  for (const auto& [name, parameter] : in_use.parameters) {
    parts.push_back(parameter.detach().reshape({-1}));
  }
  return torch::cat(parts).clone();
}

BOOST_AUTO_TEST_CASE(every_policy_of_a_run_does_what_it_does_in_one_process) {
  const std::vector<Policy> policies{
      {.name = "accumulation", .accumulate = 2},
      {.name = "average", .average = 0.9},
      {.name = "rows of terms", .weighting = "mgda:offset=80,rows=per-term"},
      {.name = "rows of terms, accumulated", .weighting = "pcgrad:rows=per-term", .accumulate = 3},
      {.name = "mixed batches", .augment = "flip+turns+mixup@0.7+cut-mix@0.7+cut-blur@0.7"},
      {.name = "mixed and accumulated", .augment = "mixup", .accumulate = 2},
      {.name = "growing crops", .crops = "10:0,14:0.5"}};
  std::vector<std::string> names;
  for (const auto& policy : policies) names.push_back(policy.name);
  check_as_in_one_process({2}, names, [&](const Communicator& communicator) {
    std::vector<at::Tensor> ends;
    for (const auto& policy : policies) ends.push_back(end_of(policy, communicator));
    return ends;
  });
}

BOOST_AUTO_TEST_CASE(gradients_in_bfloat16_train_nearly_alike_or_are_refused) {
  if (const auto here = Rank::here()) {
    const auto all = here->join();
    at::Tensor end;
    const auto said = error_of([&] { end = steps_of(all, "equal", 6, true, Precision::bfloat16); });
    if (!end.defined()) {
      BOOST_TEST(said.starts_with("reduce_in bfloat16: the LibTorch of this build, "), said);
    }
    // Either way the processes go on together.
    const auto exact = steps_of(all, "equal", 6, true);
    if (!end.defined()) return;
    const auto difference = largest_difference(end, exact);
    BOOST_TEST(difference > 0);
    BOOST_TEST(difference < 1e-2);
    auto sum = end.to(at::kDouble);
    all.sum(sum);
    BOOST_TEST(torch::equal(sum, 2 * end.to(at::kDouble)));
    return;
  }
  TemporaryFolder folder;
  check_in_ranks(2, folder.path());
}

BOOST_AUTO_TEST_CASE(a_run_of_two_processes_goes_on_with_one_three_or_four) {
  const auto run = [](const Communicator& communicator, const std::filesystem::path& out,
                      bool dropout, bool begun) {
    auto options = options_of(communicator, 6);
    options.out = out;
    options.start = Start::resume;
    options.stop_after = begun ? 3 : 0;
    options.validate_every = 3;
    auto trainer = trainer_of(options, dropout);
    set_branches(trainer, true);
    BOOST_TEST((trainer.fit() == (begun ? FitResult::stopped : FitResult::finished)));
    BOOST_TEST(trainer.steps_done() == (begun ? 3 : 6));
    return weights_of(trainer);
  };
  if (const auto here = Rank::here()) {
    const auto all = here->join();
    const auto name = here->folder.filename().string();
    const auto end = run(all, here->folder / "run", name.find("dropout") != name.npos,
                         name.starts_with("begun"));
    if (all.is_first()) torch::save(end, (here->folder / "end").string());
    return;
  }
  TemporaryFolder folder;
  const auto go_on = [&](const std::string& begun, const std::string& name, std::int64_t size) {
    std::filesystem::create_directories(folder / name);
    std::filesystem::copy(folder / begun / "run", folder / name / "run");
    check_in_ranks(size, folder / name);
    return read(folder / name / "end");
  };
  check_in_ranks(2, folder / "whole dropout");
  check_in_ranks(2, folder / "begun dropout");
  BOOST_TEST(torch::equal(go_on("begun dropout", "on dropout", 2),
                          read(folder / "whole dropout" / "end")));

  check_in_ranks(2, folder / "begun");
  const auto alone = run({}, folder / "alone", false, false);
  for (const std::int64_t size : {1, 3, 4}) {
    const auto name = "on " + std::to_string(size);
    const auto difference = largest_difference(go_on("begun", name, size), alone);
    BOOST_TEST(difference < 1e-5, size << " processes differ by " << difference);
  }
  // All pictures are validated, each by one process.
  std::ifstream log{folder / "on 3" / "run" / kMetricsName},
      expected{folder / "alone" / kMetricsName};
  nlohmann::json exchange;
  const auto last_validation = [&](std::ifstream& stream) {
    nlohmann::json last;
    for (std::string line; std::getline(stream, line);) {
      auto json = nlohmann::json::parse(line);
      if (json.at("kind") == "validation") last = json.at("tasks").at("deblur");
      exchange = json.value("exchange", exchange);
    }
    return last;
  };
  const auto found = last_validation(log);
  BOOST_TEST(exchange.at("bytes_per_step") > 4 * weights_of(trainer_of(options_of({}, 1))).numel());
  BOOST_TEST(exchange.at("share_of_time") > 0.0);
  BOOST_TEST(exchange.at("share_of_time") < 1.0);
  exchange = nullptr;
  const auto wanted = last_validation(expected);
  BOOST_TEST(exchange.is_null());  // one process has nobody to talk to
  BOOST_TEST(found.at("images") == 5);
  BOOST_TEST(std::abs(found.at("psnr_rgb").get<double>() - wanted.at("psnr_rgb").get<double>()) <
             1e-2);
  BOOST_TEST(found.at("identity_psnr_rgb") == wanted.at("identity_psnr_rgb"));
}

BOOST_AUTO_TEST_CASE(a_signal_to_one_process_ends_all_at_one_step_and_other_wishes_are_refused) {
  if (const auto here = Rank::here()) {
    const auto all = here->join();
    TroubledPictures pictures;
    pictures.stops = all.rank() == 1;
    auto trainer = long_run(all, here->folder / "run", pictures);
    BOOST_TEST((trainer.fit() == FitResult::interrupted));
    const auto steps = all.gather_text(std::to_string(trainer.steps_done()));
    BOOST_TEST(steps[0] == steps[1]);
    BOOST_TEST(steps[0] != "1000");
    BOOST_TEST(std::filesystem::exists(here->folder / "run" / kCheckpointName));

    auto other = options_of(all, 10);
    if (all.rank() == 1) other.rate = 0.5;
    auto unlike = trainer_of(other);
    set_branches(unlike);
    const auto said = error_of([&] { unlike.fit(); });
    BOOST_TEST(
        said.find("rank 1 of 2 was asked for another run than rank 0: /rate = 0.5, there 0.001") !=
            said.npos,
        said);
    return;
  }
  TemporaryFolder folder;
  check_in_ranks(2, folder.path());
}

BOOST_AUTO_TEST_CASE(a_picture_that_one_process_cannot_read_ends_all_with_that_reason) {
  if (const auto here = Rank::here()) {
    const auto all = here->join();
    TroubledPictures pictures;
    pictures.fails = all.rank() == 1;
    auto trainer = long_run(all, here->folder / "run", pictures);
    const auto said = error_of([&] { trainer.fit(); });
    BOOST_TEST(said.find("cannot read 'dark") != said.npos, said);
    if (all.is_first()) BOOST_TEST(said.find("rank 1 failed: ") != said.npos, said);
    return;
  }
  TemporaryFolder folder;
  check_in_ranks(2, folder.path());
  BOOST_TEST(std::filesystem::file_size(folder / "run" / kCheckpointName) > 0U);
}

#endif

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
