#include <limpid/metrics/run_comparison.hpp>

#include <c10/util/Exception.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace limpid;

BOOST_AUTO_TEST_SUITE(comparison_of_runs)

BOOST_AUTO_TEST_CASE(p_is_that_of_scipys_distribution) {
  struct Case {
    double t;
    std::int64_t freedom;
    double p;
  };
  for (const auto& [t, freedom, p] :
       {Case{0.5, 1, 0.704832764699}, Case{12.7, 1, 0.0500243276893}, Case{2.0, 2, 0.183503419072},
        Case{4.3, 2, 0.0500571541171}, Case{1.3, 3, 0.284467508728}, Case{3.1, 4, 0.0362211110374},
        Case{2.2, 5, 0.0790938979032}, Case{0.7, 10, 0.499887570173},
        Case{2.9, 15, 0.0109946798729}, Case{1.96, 120, 0.0523136764458}}) {
    BOOST_TEST(student_t_p(t, freedom) == p, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(student_t_p(-t, freedom) == p, boost::test_tools::tolerance(1e-9));
  }
  BOOST_TEST(student_t_p(0, 7) == 1);
  BOOST_CHECK_THROW(student_t_p(1, 0), c10::ValueError);
}

BOOST_AUTO_TEST_CASE(two_groups_of_the_same_seeds_are_compared_by_the_paired_t_test) {
  std::vector<ScoredRun> runs;
  const std::vector<double> before{27.1, 27.35, 27.2, 27.9}, after{27.5, 27.62, 27.3, 28.3};
  for (std::size_t seed = 0; seed < before.size(); ++seed) {
    runs.push_back({5, static_cast<std::int64_t>(seed), before[seed]});
    runs.push_back({7, static_cast<std::int64_t>(seed), after[seed]});
  }
  const auto found = RunComparison{runs}.difference(5, 7);
  BOOST_TEST(found.mean == 0.2925, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(found.p == 0.0260240754043, boost::test_tools::tolerance(1e-8));  // scipy's ttest_rel
}

// Against NumPy's least squares, with one seed's column left out.
BOOST_AUTO_TEST_CASE(groups_that_lack_seeds_are_compared_by_what_seeds_did_to_the_others) {
  const std::vector<ScoredRun> runs{{0, 0, 27.1},  {0, 1, 27.4}, {0, 2, 27.2},
                                    {1, 0, 27.3},  {1, 1, 27.7}, {1, 2, 27.35},
                                    {2, 1, 27.55}, {3, 0, 26.9}, {3, 2, 27.1}};
  const RunComparison comparison{runs};
  BOOST_TEST(comparison.freedom() == 3);
  BOOST_TEST(comparison.deviation() == 0.0606675824107, boost::test_tools::tolerance(1e-8));
  const auto single = comparison.difference(0, 2);
  BOOST_TEST(single.mean == 0.108333333333, boost::test_tools::tolerance(1e-8));
  BOOST_TEST(single.p == 0.260571761946, boost::test_tools::tolerance(1e-8));
  const auto some = comparison.difference(1, 3);
  BOOST_TEST(some.mean == -0.345833333333, boost::test_tools::tolerance(1e-8));
  BOOST_TEST(some.p == 0.00947593710386, boost::test_tools::tolerance(1e-8));
}

BOOST_AUTO_TEST_CASE(what_runs_cannot_tell_is_no_number) {
  using Runs = std::vector<ScoredRun>;
  BOOST_TEST(std::isnan(RunComparison{Runs{}}.difference(0, 1).mean));
  const RunComparison one_each{Runs{{0, 0, 1}, {1, 0, 2}}};
  BOOST_TEST(one_each.difference(0, 1).mean == 1, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(std::isnan(one_each.difference(0, 1).p));
  BOOST_TEST(std::isnan(one_each.difference(0, 2).mean));
  const RunComparison apart{Runs{{0, 0, 1}, {0, 1, 2}, {1, 2, 2}}};  // no seed joins them
  BOOST_TEST(std::isnan(apart.difference(0, 1).mean));
  // Equal runs differ surely, or not at all.
  const RunComparison equal{Runs{{0, 0, 1}, {0, 1, 1}, {1, 0, 2}, {1, 1, 2}, {2, 0, 2}, {2, 1, 2}}};
  BOOST_TEST(equal.difference(0, 1).p < 1e-9);
  BOOST_TEST(equal.difference(1, 2).p == 1);
}

BOOST_AUTO_TEST_CASE(holm_raises_p_in_order_and_passes_over_what_is_no_number) {
  const auto p = holm_adjusted({0.01, std::nan(""), 0.04, 0.03, 0.6});
  const std::vector<double> expected{0.04, std::nan(""), 0.09, 0.09, 0.6};
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (i == 1) {
      BOOST_TEST(std::isnan(p[i]));
    } else {
      BOOST_TEST(p[i] == expected[i], boost::test_tools::tolerance(1e-12));
    }
  }
  BOOST_TEST(holm_adjusted({0.9, 0.8})[0] == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
