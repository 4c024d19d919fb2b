#include <limpid/weighting/named_weightings.hpp>
#include <support/errors.hpp>
#include <support/named.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

// What any weighting does, on random gradients of two to twelve tasks, and what some promise.
namespace {

using namespace limpid;

WeightingStep step_of(int tasks) {
  WeightingStep step;
  for (int i = 0; i < tasks; ++i) step.tasks.push_back("task" + std::to_string(i));
  step.losses = TaskVector::LinSpaced(tasks, 0.2, 0.9);
  return step;
}

/// Rows of 40 values that agree, have nothing to do with one another, or conflict.
at::Tensor random_rows(int tasks, int seed) {
  torch::manual_seed(seed);
  auto common = torch::randn({1, 40}).mul(seed % 3 == 1 ? 0.0 : 0.7).repeat({tasks, 1});
  for (int i = 1; i < tasks && seed % 3 == 2; i += 2) common[i].neg_();
  return (torch::randn({tasks, 40}) + common) * torch::rand({tasks, 1}).add(0.2);
}

std::vector<std::string> all_names() { return kWeightings.names(); }

/// Weightings of the Gram matrix that remember nothing and draw nothing.
const std::vector<std::string> kOfGram{"imtl-g",           "mgda",         "mgda:scale=l2",
                                       "cagrad",           "cagrad:c=0.9", "nash-mtl:max-norm=0",
                                       "fairgrad:alpha=2", "aligned-mtl",  "config",
                                       "upgrad",           "dualproj",     "pcgrad:shuffled=no"};

Combination combined(AnyWeighting weighting, WeightingStep step, const at::Tensor& gradients) {
  auto rows = gradients.clone();
  const auto gram = gram_matrix(rows);
  return weighting.combine(step, gram, rows);
}

double cosine(const at::Tensor& a, const at::Tensor& b) {
  return ((a * b).sum() / (a.norm() * b.norm())).item<double>();
}

BOOST_AUTO_TEST_SUITE(weightings)

BOOST_AUTO_TEST_CASE(every_weighting_gives_finite_results_for_one_to_twelve_tasks) {
  for (const auto& name : all_names()) {
    for (const int tasks : {1, 2, 3, 8, 12}) {
      BOOST_TEST_CONTEXT(name << ", " << tasks << " tasks") {
        auto weighting = named_weighting(name);
        for (int call = 0; call < 3; ++call) {
          auto step = step_of(tasks);
          auto rows = random_rows(tasks, call + tasks);
          const auto gram = gram_matrix(rows);
          const auto found = weighting.combine(step, gram, rows);
          BOOST_TEST(found.row.sizes() == at::IntArrayRef({40}));
          BOOST_TEST(found.row.isfinite().all().item<bool>());
          BOOST_TEST(found.row.norm().item<double>() > 0);
          BOOST_TEST(found.decoders.size() == tasks);
          BOOST_TEST(found.decoders.allFinite());
          BOOST_TEST(found.weights.allFinite());
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_scale_of_all_gradients_changes_no_direction) {
  for (const auto& name : kOfGram) {
    for (int seed = 0; seed < 6; ++seed) {
      const int tasks = 2 + seed % 4;
      const auto rows = random_rows(tasks, seed);
      const auto a = combined(named_weighting(name), step_of(tasks), rows).row;
      const auto b = combined(named_weighting(name), step_of(tasks), rows * 1e-3).row;
      BOOST_TEST(cosine(a, b) > 0.99999, name << ", seed " << seed);
    }
  }
}

// Processes that train together differ from one by rounding, and must not by more.
BOOST_AUTO_TEST_CASE(rounding_of_gradients_is_not_made_more_of) {
  for (const auto& name : all_names()) {
    double most = 0;
    for (int seed = 0; seed < 24; ++seed) {
      const int tasks = 2 + seed % 4;
      auto exact = named_weighting(name), rounded = exact;
      for (int call = 0; call < 3; ++call) {
        auto rows = random_rows(tasks, 3 * seed + call);
        auto near = rows * (1 + 1e-6 * torch::randn_like(rows));
        auto step = step_of(tasks), other = step;
        const auto gram = gram_matrix(rows), near_gram = gram_matrix(near);
        const auto expected = exact.combine(step, gram, rows).row;
        const auto found = rounded.combine(other, near_gram, near).row;
        most = std::max(most, ((found - expected).norm() / expected.norm()).item<double>());
      }
    }
    BOOST_TEST(most < 1e-4, name << " differs by " << most);
  }
}

BOOST_AUTO_TEST_CASE(the_order_of_tasks_changes_nothing) {
  for (const auto& name : kOfGram) {
    if (name.starts_with("pcgrad")) continue;  // in a fixed order the first comes first
    for (int seed = 0; seed < 6; ++seed) {
      const auto rows = random_rows(4, seed);
      auto step = step_of(4);
      step.losses.setConstant(0.5);
      const auto order = torch::tensor({2, 0, 3, 1});
      const auto a = combined(named_weighting(name), step, rows);
      const auto b = combined(named_weighting(name), step, rows.index_select(0, order));
      BOOST_TEST(((a.row - b.row).norm() < 1e-4 * a.row.norm()).item<bool>(),
                 name << ", seed " << seed);
      for (int i = 0; i < 4; ++i) {
        const double difference = b.weights[i] - a.weights[order[i].item<int>()];
        BOOST_TEST(std::abs(difference) < 1e-4 * a.weights.cwiseAbs().maxCoeff(), name);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(where_all_tasks_agree_everybody_follows) {
  const auto direction = random_rows(1, 5);
  for (const auto& name : all_names()) {
    if (name == "graddrop") continue;  // draws nothing here, but is tested below
    const auto rows = torch::tensor({1.0f, 0.3f, 2.5f}).reshape({3, 1}) * direction;
    const auto found = combined(named_weighting(name), step_of(3), rows).row;
    BOOST_TEST(cosine(found, direction[0]) > 0.9999, name);
  }
  const auto agreed = torch::ones({3, 40});
  BOOST_TEST(combined(named_weighting("graddrop"), step_of(3), agreed).row.equal(agreed.sum(0)));
}

BOOST_AUTO_TEST_CASE(promises_of_no_conflict_are_kept) {
  for (const std::string name : {"upgrad:regularisation=1e-9", "dualproj:regularisation=1e-9",
                                 "mgda", "nash-mtl", "fairgrad:alpha=2", "config"}) {
    for (int seed = 0; seed < 12; ++seed) {
      const int tasks = 2 + seed % 7;
      const auto rows = random_rows(tasks, seed);
      const auto found = combined(named_weighting(name), step_of(tasks), rows).row;
      const auto products = rows.mv(found);
      const double least = (products / (rows.norm(2, 1) * found.norm())).min().item<double>();
      BOOST_TEST(least > -1e-4, name << ", " << tasks << " tasks: a cosine of " << least);
    }
  }
}

BOOST_AUTO_TEST_CASE(surgery_between_two_tasks_leaves_no_conflict) {
  for (int seed = 0; seed < 6; ++seed) {
    const auto rows = random_rows(2, seed);
    const auto found = combined(named_weighting("pcgrad"), step_of(2), rows).row;
    BOOST_TEST(rows.mv(found).min().item<double>() > -1e-4);
  }
}

BOOST_AUTO_TEST_CASE(solutions_for_eight_tasks_and_for_nine_come_from_one_problem) {
  // A task with a long gradient that points away from all others' sum has no say in the minimum.
  for (int seed = 0; seed < 4; ++seed) {
    const auto eight = random_rows(8, seed);
    const auto nine = torch::cat({eight, eight.sum(0, true) * 50});
    const auto compare = [&](auto solve, double tolerance) {
      const TaskVector a = solve(gram_matrix(eight)), b = solve(gram_matrix(nine));
      BOOST_TEST((a - b.head(8)).cwiseAbs().maxCoeff() < tolerance);
    };
    compare(limpid::detail::shortest_on_simplex, 1e-6);
    compare(
        [](const TaskMatrix& gram) {
          const TaskMatrix k =
              gram / gram(0, 0) + 1e-3 * TaskMatrix::Identity(gram.rows(), gram.rows());
          const TaskVector exact =
              limpid::detail::shortest_above(k.topLeftCorner(8, 8), TaskVector::Constant(8, 0.1));
          if (gram.rows() == 8) return exact;
          TaskMatrix apart = TaskMatrix::Zero(9, 9);
          apart.topLeftCorner(8, 8) = k.topLeftCorner(8, 8);
          apart(8, 8) = 1;
          return limpid::detail::shortest_above(apart, TaskVector::Constant(9, 0.1));
        },
        1e-6);
  }
}

BOOST_AUTO_TEST_CASE(cagrad_solves_its_problem_exactly_and_by_descent_alike) {
  for (int seed = 0; seed < 12; ++seed) {
    const auto gram = gram_matrix(random_rows(2 + seed % 6, seed));
    const TaskVector b = gram.rowwise().mean();
    const double radius = 0.5 * std::sqrt(b.mean());
    const auto value = [&](const TaskVector& w) {
      return w.dot(b) + radius * std::sqrt(w.dot(gram * w));
    };
    const double exact = value(limpid::detail::conflict_averse_weights(gram, 0.5));
    const double descended = value(limpid::detail::descended_on_simplex(gram, b, radius));
    BOOST_TEST(exact <= descended + 1e-9 * std::abs(descended));
    BOOST_TEST(descended <= exact + 1e-6 * std::abs(exact), "seed " << seed);
  }
}

BOOST_AUTO_TEST_CASE(two_tasks_by_hand) {
  // g_0 = (2, 0), g_1 = (-1, 1): they conflict.
  const auto rows = torch::tensor({{2.0f, 0.0f}, {-1.0f, 1.0f}});
  const auto check = [&](const std::string& name, double x, double y) {
    const auto found = combined(named_weighting(name), step_of(2), rows).row;
    BOOST_TEST(std::abs(found[0].item<double>() - x) < 1e-5,
               name << " " << found[0].item<double>());
    BOOST_TEST(std::abs(found[1].item<double>() - y) < 1e-5,
               name << " " << found[1].item<double>());
  };
  check("equal", 1, 1);
  check("fixed:task0=0.5,task1=2", -1, 2);
  check("mgda", 0.2, 0.6);  // the foot of the perpendicular on their segment
  check("pcgrad", 1, 2);    // (2, 0) becomes (1, 1), (-1, 1) becomes (0, 1)
  check("upgrad:regularisation=1e-12", 0.5, 1);
  check("dualproj:regularisation=1e-12", 0.5, 0.5);
  // G w = 1 / w has the solution 1 / (|g_i| sqrt(1 + cosine)).
  const double w = 1 / std::sqrt(1 - std::sqrt(0.5));
  check("nash-mtl:max-norm=0", w * (1 - std::sqrt(0.5)), w * std::sqrt(0.5));
}

BOOST_AUTO_TEST_CASE(a_task_without_a_gradient_stops_nobody) {
  for (const auto& name : all_names()) {
    auto weighting = named_weighting(name);
    for (int call = 0; call < 3; ++call) {
      auto rows = random_rows(3, call);
      rows[1].zero_();
      auto step = step_of(3);
      const auto gram = gram_matrix(rows);
      const auto found = weighting.combine(step, gram, rows);
      BOOST_TEST(found.row.isfinite().all().item<bool>(), name);
      BOOST_TEST(found.row.norm().item<double>() > 0, name);
    }
    auto nothing = torch::zeros({3, 40});
    auto step = step_of(3);
    const auto found = weighting.combine(step, gram_matrix(nothing), nothing);
    BOOST_TEST(found.row.isfinite().all().item<bool>(), name << ", no gradient at all");
    BOOST_TEST(found.decoders.allFinite(), name << ", no gradient at all");
  }
}

BOOST_AUTO_TEST_CASE(two_equal_tasks_and_two_opposite_ones_have_finite_weights) {
  for (const auto& name : all_names()) {
    auto rows = random_rows(3, 1);
    rows[1].copy_(rows[0]);
    const auto equal = combined(named_weighting(name), step_of(3), rows);
    BOOST_TEST(equal.row.isfinite().all().item<bool>(), name);
    rows[1].copy_(-rows[0]);
    const auto opposite = combined(named_weighting(name), step_of(3), rows);
    BOOST_TEST(opposite.row.isfinite().all().item<bool>(), name);
  }
}

BOOST_AUTO_TEST_CASE(constant_losses_keep_weights_finite_and_tasks_alike) {
  for (const auto& name : all_names()) {
    if (name == "rlw") continue;  // never alike
    auto weighting = named_weighting(name);
    if (weighting.needs() > WeightingNeeds::losses) continue;
    TaskVector weights;
    for (int call = 0; call < 50; ++call) {
      auto step = step_of(3);
      step.losses.setConstant(0.25);
      step.epoch = call / 10;
      auto rows = torch::ones({3, 4});
      weights = weighting.combine(step, gram_matrix(rows), rows).weights;
    }
    BOOST_TEST(weights.allFinite(), name);
    BOOST_TEST((weights.array() - weights[0]).abs().maxCoeff() < 1e-12, name);
    BOOST_TEST(weights[0] > 0, name);
  }
}

BOOST_AUTO_TEST_CASE(a_loss_below_0_and_one_that_is_nan_are_refused_by_the_tasks_name) {
  for (const auto& name : {"uncertainty", "uw-so", "tur", "dwa", "gls", "stch", "famo", "imtl-l",
                           "imtl", "art", "gradnorm", "mgda:scale=loss", "moco", "db-mtl"}) {
    for (const double loss : {-20.5, std::nan("")}) {
      auto step = step_of(3);
      step.losses[1] = loss;
      const auto rows = random_rows(3, 0);
      const auto error =
          limpid_test::value_error_of([&] { return combined(named_weighting(name), step, rows); });
      BOOST_TEST(error.find("expected losses of at least 0, task 'task1' has ") != error.npos,
                 name << ": " << error);
      if (loss < 0) {
        const auto shifted = named_weighting(name).with_offset(80);
        BOOST_TEST(combined(shifted, step, rows).row.isfinite().all().item<bool>(), name);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(random_choices_follow_the_steps_own_stream) {
  const auto rows = random_rows(4, 2);
  for (const auto& name : {"rlw", "pcgrad", "graddrop"}) {
    const auto draw = [&](std::uint64_t seed, Random* after = nullptr) {
      auto step = step_of(4);
      step.random = Random{seed};
      auto copy = rows.clone();
      const auto gram = gram_matrix(copy);
      auto result = named_weighting(name).combine(step, gram, copy).row.clone();
      if (after != nullptr) *after = step.random;
      return result;
    };
    Random after{0};
    const auto first = draw(7, &after);
    BOOST_TEST(draw(7).equal(first), name);
    BOOST_TEST(after.state() != 7U, name);
    bool differs = false;
    for (std::uint64_t seed = 8; seed < 30; ++seed) differs = differs || !draw(seed).equal(first);
    BOOST_TEST(differs, name);
  }
}

BOOST_AUTO_TEST_CASE(graddrop_keeps_about_the_share_that_it_says) {
  // Two thirds of the length is positive: 3 with probability 3/4, else -1.
  const auto rows = torch::tensor({3.0f, -1.0f}).reshape({2, 1}).repeat({1, 20000});
  const auto found = combined(named_weighting("graddrop"), step_of(2), rows).row;
  BOOST_TEST(found.gt(0).to(torch::kDouble).mean().item<double>() == 0.75,
             boost::test_tools::tolerance(0.03));
  BOOST_TEST(found.eq(3).logical_or(found.eq(-1)).all().item<bool>());
}

BOOST_AUTO_TEST_CASE(an_average_over_time_holds_weights_back) {
  auto weighting = named_weighting("mgda:average=0.75");
  TaskVector average;
  for (int call = 0; call < 3; ++call) {
    const auto rows = random_rows(3, call);
    const TaskVector now = combined(named_weighting("mgda"), step_of(3), rows).weights;
    average = call == 0 ? now : TaskVector{0.75 * average + 0.25 * now};
    auto step = step_of(3);
    auto copy = rows.clone();
    const auto found = weighting.combine(step, gram_matrix(rows), copy);
    BOOST_TEST((found.weights - average).cwiseAbs().maxCoeff() < 1e-12);
  }
  BOOST_TEST(limpid_test::value_error_of([] { named_weighting("graddrop:average=0.5"); }) ==
             "graddrop, leak 0: no weights to average; it combines the gradients themselves");
}

BOOST_AUTO_TEST_CASE(a_saved_state_goes_on_bit_by_bit) {
  for (const auto& written : all_names()) {
    const bool has_weights = written != "graddrop" && written != "moco" && written != "modo" &&
                             written != "db-mtl" && written != "excess-mtl";
    const auto name = written + (has_weights ? ":average=0.5" : "");
    auto whole = named_weighting(name);
    Random random{3};
    const auto call = [&](AnyWeighting& weighting, Random& source, int number) {
      auto step = step_of(3);
      step.losses *= 1 + 0.1 * number;
      step.epoch = number / 2;
      step.random = source;
      auto rows = random_rows(3, number);
      const auto gram = gram_matrix(rows);
      auto row = weighting.combine(step, gram, rows).row.clone();
      source = step.random;
      return row;
    };
    for (int i = 0; i < 4; ++i) call(whole, random, i);
    const auto numbers = nlohmann::json::parse(whole.numbers().dump());
    const auto tensors = whole.tensors();
    auto resumed = named_weighting(name);
    resumed.load(numbers, tensors, "checkpoint 'a'");
    auto copy = whole;
    Random again = random, third = random;
    for (int i = 4; i < 8; ++i) {
      const auto expected = call(whole, random, i);
      BOOST_TEST(call(resumed, again, i).equal(expected), name << ", call " << i);
      BOOST_TEST(call(copy, third, i).equal(expected), name << ", a copy, call " << i);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_state_that_is_not_whole_is_refused_and_changes_nothing) {
  auto weighting = named_weighting("famo");
  auto step = step_of(2);
  auto rows = random_rows(2, 0);
  weighting.combine(step, gram_matrix(rows), rows);
  const auto before = weighting.numbers();
  auto missing = before;
  missing.erase("mean");
  BOOST_TEST(limpid_test::error_of([&] { weighting.load(missing, {}, "checkpoint 'a'"); }) ==
             "checkpoint 'a': expected 'mean' in the state of the weighting, found none");
  auto wrong = before;
  wrong["q"] = "high";
  const auto error = limpid_test::error_of([&] { weighting.load(wrong, {}, "checkpoint 'a'"); });
  BOOST_TEST(error.starts_with("checkpoint 'a': 'q' in the state of the weighting is no number"));
  BOOST_TEST((weighting.numbers() == before));
  auto three = step_of(3);
  auto more = random_rows(3, 0);
  BOOST_TEST(limpid_test::error_of([&] { weighting.combine(three, gram_matrix(more), more); }) ==
             "weighting: its state is of 2 tasks, the step has 3");
}

BOOST_AUTO_TEST_CASE(weightings_have_names_and_options) {
  limpid_test::check_table(kWeightings);
  BOOST_TEST(named_weighting("cagrad:c=0.4").description() == "cagrad, c 0.4, rescale yes");
  BOOST_TEST(named_weighting("mgda:scale=loss-l2").description() ==
             "mgda, scale loss-l2, combine-scaled no");
  BOOST_TEST(named_weighting("fixed:b=2,a=0.5,offset=80").description() ==
             "fixed, a 0.5, b 2, offset 80");
  const auto refused = [](const std::string& text) {
    return limpid_test::value_error_of([&] { named_weighting(text); });
  };
  BOOST_TEST(refused("cagrd").find("did you mean 'cagrad'?") != std::string::npos);
  BOOST_TEST(refused("cagrad:c") == "'cagrad:c': expected NAME:OPTION=VALUE,..., found 'c'");
  BOOST_TEST(refused("cagrad:c=high") == "cagrad: c: expected a number, found 'high'");
  BOOST_TEST(refused("cagrad:c=-1") == "cagrad: c must not be negative, got -1");
  BOOST_TEST(refused("cagrad:d=1") == "cagrad: expected an option, one of c, rescale; got 'd'");
  BOOST_TEST(refused("gls:mu=1") ==
             "gls: expected an option, one of average, offset, rows; got 'mu'");
  BOOST_TEST(refused("cagrad:c=1,c=2") == "cagrad: 'c' is named twice");
  BOOST_TEST(refused("pcgrad:shuffled=maybe") ==
             "pcgrad: shuffled: expected yes or no, found 'maybe'");
  BOOST_TEST(refused("upgrad:average=1") == "average must be at least 0 and below 1, got 1");
  BOOST_TEST(refused("fixed:a=-1") == "fixed: weight of 'a' must not be negative, got -1");
  auto fixed = named_weighting("fixed:nobody=1");
  auto step = step_of(2);
  BOOST_TEST(limpid_test::value_error_of([&] { fixed.ahead(step); }) ==
             "weighting fixed: no task is called 'nobody'");
}

BOOST_AUTO_TEST_CASE(what_a_weighting_needs_says_what_it_costs) {
  const auto needs = [](const std::string& name) { return named_weighting(name).needs(); };
  BOOST_TEST((AnyWeighting{}.needs() == WeightingNeeds::nothing));
  BOOST_TEST((needs("uncertainty") == WeightingNeeds::past));
  BOOST_TEST((needs("dwa:average=0.5") == WeightingNeeds::past));
  BOOST_TEST((needs("gls") == WeightingNeeds::losses));
  BOOST_TEST((needs("cagrad") == WeightingNeeds::gradients));
  BOOST_TEST((needs("graddrop") == WeightingNeeds::gradients));
}

BOOST_AUTO_TEST_CASE(a_gram_matrix_of_long_rows_keeps_its_digits) {
  const auto rows = torch::full({2, 3000001}, 0.1f);
  const auto gram = gram_matrix(rows);
  BOOST_TEST(gram(0, 1) == 3000001 * static_cast<double>(0.1f) * static_cast<double>(0.1f),
             boost::test_tools::tolerance(1e-6));
  BOOST_TEST(gram(0, 1) == gram(1, 0));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
