#include <limpid/core/host_reads.hpp>
#include <limpid/losses/adversarial/relativistic_least_squares.hpp>
#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/optim/sgd.hpp>
#include <limpid/training/trainer.hpp>
#include <limpid/training/training_step.hpp>
#include <limpid/weighting/named_weightings.hpp>
#include <support/errors.hpp>
#include <support/tiny.hpp>

#include <ATen/record_function.h>
#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid_test;

using ThreeTasks = MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">, TinyDecoder<"dehaze">,
                                    TinyDecoder<"derain">>;

// A graph's nodes are held by one kind of pointer or the other, by LibTorch's version.
template <class T>
std::weak_ptr<T> weak(const std::shared_ptr<T>& strong) {
  return strong;
}
template <class T, class Null>
c10::weak_intrusive_ptr<T, Null> weak(const c10::intrusive_ptr<T, Null>& strong) {
  return c10::weak_intrusive_ptr<T, Null>{strong};
}

/// A restored image and its graph, without keeping either.
struct Trace {
  explicit Trace(const at::Tensor& restored)
      : image(weak(restored.getIntrusivePtr())), graph(weak(restored.grad_fn())) {}
  bool gone() const { return image.expired() && graph.expired(); }

  decltype(weak(std::declval<at::Tensor>().getIntrusivePtr())) image;
  decltype(weak(std::declval<at::Tensor>().grad_fn())) graph;
};

std::vector<Batch> random_batches() {
  std::vector<Batch> batches;
  for (int i = 0; i < 3; ++i) {
    batches.push_back({torch::rand({1, 3, 16, 16}) - 0.5, torch::rand({1, 3, 16, 16}) - 0.5});
  }
  return batches;
}

TrainerOptions quiet() {
  TrainerOptions options;
  options.crop = 16;
  options.quiet = true;
  return options;
}

/// How often LibTorch's operators read a number of a tensor, or how many of its numbers there are
/// of a kind, which on a card waits for it.
class ReadWatch {
 public:
  ReadWatch() {
    reads() = 0;
    handle_ = at::addGlobalCallback(at::RecordFunctionCallback{
        [](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
          static const std::set<std::string> readers{
              "aten::item",    "aten::_local_scalar_dense", "aten::is_nonzero", "aten::equal",
              "aten::nonzero", "aten::masked_select",       "aten::_unique2",   "aten::allclose"};
          if (readers.count(function.name()) > 0) ++reads();
          return nullptr;
        }}.scopes({at::RecordScope::FUNCTION}));
  }
  ~ReadWatch() { at::removeCallback(handle_); }
  ReadWatch(const ReadWatch&) = delete;
  ReadWatch& operator=(const ReadWatch&) = delete;

  static std::atomic<int>& reads() {
    static std::atomic<int> count{0};
    return count;
  }

 private:
  at::CallbackHandle handle_;
};

/// A trainer of three tasks, two of them with critics.
std::unique_ptr<ThreeTasks> with_critics(TrainerOptions options) {
  torch::manual_seed(3);
  auto trainer = std::make_unique<ThreeTasks>(options);
  trainer->branch<"deblur">(Branch{.pairs = DarkPictures{}, .content = L1{} + 0.5 * L1{}});
  trainer->branch<"dehaze">(Branch{.pairs = DarkPictures{},
                                   .content = L1{},
                                   .critic = TinyCritic{},
                                   .adversarial = WassersteinGP{}});
  trainer->branch<"derain">(Branch{.pairs = DarkPictures{},
                                   .content = L1{},
                                   .critic = TinyCritic{},
                                   .adversarial = RelativisticLeastSquares{},
                                   .critic_updates = 2});
  return trainer;
}

bool have_equal_weights(ThreeTasks& a, ThreeTasks& b) {
  const auto others = b.model()->named_parameters();
  for (const auto& item : a.model()->named_parameters()) {
    if (!torch::equal(item.value(), others[item.key()])) return false;
  }
  return true;
}

BOOST_AUTO_TEST_SUITE(training_step)

BOOST_AUTO_TEST_CASE(on_a_card_a_step_waits_once) {
  const auto batches = random_batches();
  for (const double clip : {0.0, 0.01}) {
    for (const auto precision : {Precision::float32, Precision::bfloat16}) {
      auto options = quiet();
      options.clip_gradient_norm = clip;
      options.precision = precision;
      auto here = with_critics(options), card = with_critics(options);
      for (int step = 0; step < 3; ++step) {
        torch::manual_seed(step);
        const auto expected = here->step(batches);
        torch::manual_seed(step);
        const limpid::detail::AsOnACard as_on_a_card;
        const auto before = limpid::detail::HostReads::count();
        const ReadWatch watch;
        const auto found = card->step(batches);
        BOOST_TEST(limpid::detail::HostReads::count() - before == 1);
        BOOST_TEST(ReadWatch::reads() == 0);
        BOOST_REQUIRE(found.size() == expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
          BOOST_TEST(found[i].value == expected[i].value, found[i].term);
        }
      }
      BOOST_TEST(have_equal_weights(*here, *card));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_watch_sees_what_would_wait) {
  const ReadWatch watch;
  (void)torch::ones({1}).sum().item<float>();
  BOOST_TEST(ReadWatch::reads() > 0);
}

BOOST_AUTO_TEST_CASE(batches_got_while_a_card_computes_are_those_of_the_run) {
  auto options = quiet();
  options.length = Steps{5};
  auto here = with_critics(options), card = with_critics(options);
  torch::manual_seed(0);
  here->fit();
  torch::manual_seed(0);
  const limpid::detail::AsOnACard as_on_a_card;
  const auto before = limpid::detail::HostReads::count();
  card->fit();
  BOOST_TEST(limpid::detail::HostReads::count() - before == 5);
  BOOST_TEST(have_equal_weights(*here, *card));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_got_ahead_is_said_by_the_step_that_needs_it) {
  struct OneBad : DarkPictures {
    ImagePair load(std::int64_t i, std::int64_t epoch) const {
      TORCH_CHECK(i != 2, "picture 2 is torn");
      return DarkPictures::load(i, epoch);
    }
  };
  const auto run = [] {
    auto options = quiet();
    options.length = Steps{8};
    auto trainer = with_critics(options);
    trainer->branch<"derain">(Branch{.pairs = OneBad{}, .content = L1{}});
    const auto error = limpid_test::error_of([&] { trainer->fit(); });
    return std::pair{error, trainer->steps_done()};
  };
  const auto here = run();
  const limpid::detail::AsOnACard as_on_a_card;
  const auto card = run();
  BOOST_TEST((here.first.find("picture 2 is torn") != std::string::npos), here.first);
  BOOST_TEST(card.first == here.first);
  BOOST_TEST(card.second == here.second);
}

BOOST_AUTO_TEST_CASE(steps_that_cannot_be_recorded_are_ordinary_ones_and_the_trainer_says_why) {
  auto options = quiet();
  options.length = Steps{2};
  auto plain = with_critics(options);
  options.step_graphs = true;
  auto asked = with_critics(options);
  for (auto* trainer : {plain.get(), asked.get()}) {
    torch::manual_seed(0);
    trainer->fit();
  }
  BOOST_TEST(plain->why_no_step_graphs() == "");
  BOOST_TEST(asked->why_no_step_graphs() != "");
  BOOST_TEST(have_equal_weights(*plain, *asked));
}

BOOST_AUTO_TEST_CASE(on_a_card_a_loss_that_is_not_finite_moves_nothing) {
  auto trainer = with_critics(quiet());
  auto batches = random_batches();
  const limpid::detail::AsOnACard as_on_a_card;
  trainer->step(batches);
  const auto before = trainer->model()->encoder()->conv->weight.detach().clone();
  batches[2].target.fill_(std::numeric_limits<float>::quiet_NaN());
  const auto error = limpid_test::error_of([&] { trainer->step(batches); });
  BOOST_TEST((error.find("task 'derain', step 2: the critic loss is ") != std::string::npos),
             error);
  BOOST_TEST(torch::equal(trainer->model()->encoder()->conv->weight, before));
  BOOST_TEST(trainer->steps_done() == 1);
  trainer->step(random_batches());  // and the next one is sound
  BOOST_TEST(trainer->steps_done() == 2);
}

BOOST_AUTO_TEST_CASE(a_tasks_graph_is_gone_before_the_next_tasks_begins) {
  for (const auto precision : {Precision::float32, Precision::bfloat16}) {
    auto options = quiet();
    options.precision = precision;
    ThreeTasks trainer{options};
    std::vector<Trace> traces;
    int alive = 0;
    const auto traced = [&](const at::Tensor& restored, const at::Tensor& target) {
      for (const auto& trace : traces) alive += !trace.gone();
      BOOST_REQUIRE(restored.grad_fn() != nullptr);
      traces.emplace_back(restored);
      alive += traces.back().gone();
      return (restored - target).abs().mean();
    };
    trainer.branch<"deblur">(Branch{.content = traced});
    trainer.branch<"dehaze">(Branch{
        .content = traced, .critic = TinyCritic{}, .adversarial = Wasserstein{.clip = 0.01}});
    trainer.branch<"derain">(Branch{.content = traced});
    trainer.step(random_batches());
    trainer.step(random_batches());
    BOOST_TEST(traces.size() == 6U);
    BOOST_TEST(alive == 0);
    BOOST_TEST(traces.back().gone());
  }
}

BOOST_AUTO_TEST_CASE(accumulated_parts_make_the_step_of_the_whole_batch) {
  const auto batches = [] {
    std::vector<Batch> batches;
    for (int i = 0; i < 3; ++i) {
      batches.push_back({torch::rand({5, 3, 16, 16}) - 0.5, torch::rand({5, 3, 16, 16}) - 0.5});
    }
    return batches;
  }();
  const auto train = [&](std::int64_t accumulate, const std::string& weighting) {
    auto options = quiet();
    options.accumulate = accumulate;
    options.weighting = named_weighting(weighting);
    options.critic_rate = 1e-30;  // it is stepped on each part
    torch::manual_seed(1);
    options.optimizer = SGD{};  // Adam would make much of a gradient that is nearly nothing
    options.rate = 0.1;
    options.clip_gradient_norm = 0.5;
    auto trainer = std::make_unique<ThreeTasks>(options);
    trainer->model()->encoder()->drop->options.p(0);
    trainer->branch<"deblur">(Branch{.content = L1{}, .weight = 0.5});
    trainer->branch<"dehaze">(Branch{.content = L1{} + 0.5 * L1{}});
    trainer->branch<"derain">(Branch{.content = L1{},
                                     .critic = TinyCritic{},
                                     .adversarial = Wasserstein{.clip = 0.5},
                                     .adversarial_weight = 0.1});
    auto losses = trainer->step(batches);
    for (int i = 0; i < 3; ++i) losses = trainer->step(batches);
    return std::pair{std::move(trainer), losses};
  };
  for (const std::string weighting : {"equal", "pcgrad:shuffled=no,rows=per-term"}) {
    const auto [whole, losses] = train(1, weighting);
    for (const std::int64_t accumulate : {2, 5, 9}) {  // 9: more parts than pictures
      const auto [parts, losses_of_parts] = train(accumulate, weighting);
      BOOST_REQUIRE(losses_of_parts.size() == losses.size());
      for (std::size_t i = 0; i < losses.size(); ++i) {
        BOOST_TEST(losses_of_parts[i].term == losses[i].term);
        BOOST_TEST(losses_of_parts[i].value == losses[i].value, boost::test_tools::tolerance(1e-4));
      }
      for (const auto& item : whole->model()->named_parameters()) {
        BOOST_TEST(torch::allclose(parts->model()->named_parameters()[item.key()], item.value(),
                                   1e-4, 1e-6),
                   weighting << ": " << item.key());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_term_of_every_task_is_reported) {
  ThreeTasks trainer{quiet()};
  trainer.branch<"deblur">(Branch{.content = L1{}});
  trainer.branch<"dehaze">(Branch{
      .content =
          L1{} + 0.5 * loss_of([](const auto& a, const auto& b) { return (a - b).square().mean(); },
                               "square")});
  trainer.branch<"derain">(Branch{.content = L1{},
                                  .critic = TinyCritic{},
                                  .adversarial = Wasserstein{.clip = 0.01},
                                  .adversarial_weight = 0.5,
                                  .critic_updates = 2});
  std::map<std::string, double> values;
  std::vector<std::string> names;
  for (const auto& loss : trainer.step(random_batches())) {
    names.push_back(loss.task + "." + loss.term);
    values[names.back()] = loss.value;
  }
  BOOST_TEST((names == std::vector<std::string>{"deblur.content", "deblur.total", "dehaze.l1",
                                                "dehaze.square", "dehaze.content", "dehaze.total",
                                                "derain.critic", "derain.critic", "derain.content",
                                                "derain.adversarial", "derain.total"}));
  const auto close = boost::test_tools::tolerance(1e-5);
  BOOST_TEST(values["dehaze.content"] == values["dehaze.l1"] + 0.5 * values["dehaze.square"],
             close);
  BOOST_TEST(
      values["derain.total"] == values["derain.content"] + 0.5 * values["derain.adversarial"],
      close);
}

BOOST_AUTO_TEST_CASE(terms_of_one_name_are_reported_apart) {
  ThreeTasks trainer{quiet()};
  const auto total =
      loss_of([](const auto& a, const auto& b) { return (a - b).square().mean(); }, "total");
  trainer.branch<"deblur">(Branch{.content = L1{} + 0.5 * L1{} + total});
  trainer.branch<"dehaze">(Branch{});
  trainer.branch<"derain">(Branch{});
  std::vector<std::string> names;
  for (const auto& loss : trainer.step(random_batches())) {
    if (loss.task == "deblur") names.push_back(loss.term);
  }
  BOOST_TEST((names == std::vector<std::string>{"l1", "l1_2", "total_2", "content", "total"}));
}

BOOST_AUTO_TEST_CASE(a_gradient_that_is_not_finite_stops_before_the_weights_change) {
  ThreeTasks trainer{quiet()};
  const auto harmless = [](const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().mean();
  };
  const auto root = [](const at::Tensor& a, const at::Tensor&) {  // finite, its slope is not
    return (a - a.detach()).square().sum().sqrt() + a.mean();
  };
  trainer.branch<"deblur">(Branch{.content = harmless});
  trainer.branch<"dehaze">(Branch{.content = root});
  trainer.branch<"derain">(Branch{.content = harmless});
  const auto before = trainer.model()->encoder()->conv->weight.detach().clone();
  BOOST_CHECK_EXCEPTION(trainer.step(random_batches()), c10::Error, [](const auto& error) {
    const std::string text = error.what_without_backtrace();
    return text.rfind("training stopped: step 1: the gradient of the encoder and decoders has norm",
                      0) == 0;
  });
  BOOST_TEST(torch::equal(trainer.model()->encoder()->conv->weight, before));
  BOOST_TEST(trainer.steps_done() == 0);
}

BOOST_AUTO_TEST_CASE(a_clipped_gradient_has_the_norm_asked_for) {
  auto options = quiet();
  options.clip_gradient_norm = 1e-3;
  ThreeTasks trainer{options};
  trainer.branch<"deblur">(Branch{.content = L1{}});
  trainer.branch<"dehaze">(Branch{.content = L1{}});
  trainer.branch<"derain">(Branch{.content = L1{}});
  trainer.step(random_batches());
  double squares = 0;
  for (const auto& parameter : trainer.model()->parameters()) {
    squares += parameter.grad().square().sum().item<double>();
  }
  BOOST_TEST(std::sqrt(squares) == 1e-3, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(frozen_weights_thaw_as_they_were) {
  TinyCritic critic;
  critic->head->bias.requires_grad_(false);
  {
    const limpid::detail::FrozenWeights frozen{*critic};
    for (const auto& parameter : critic->parameters()) BOOST_TEST(!parameter.requires_grad());
  }
  BOOST_TEST(critic->conv->weight.requires_grad());
  BOOST_TEST(!critic->head->bias.requires_grad());
}

BOOST_AUTO_TEST_CASE(a_step_wants_one_batch_for_each_task) {
  ThreeTasks trainer{quiet()};
  trainer.branch<"deblur">(Branch{});
  trainer.branch<"dehaze">(Branch{});
  trainer.branch<"derain">(Branch{});
  BOOST_CHECK_EXCEPTION(trainer.step({}), c10::ValueError, [](const auto& error) {
    return error.what_without_backtrace() ==
           std::string{"step: expected 3 batches, one for each task, got 0"};
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
