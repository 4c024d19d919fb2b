#include <limpid/parallel/world_place.hpp>

#include <boost/test/unit_test.hpp>

#include <map>
#include <optional>
#include <string>

namespace {

using limpid::WorldPlace;

using Variables = std::map<std::string, std::string>;

WorldPlace place(const Variables& variables, const std::string& master = {}) {
  return limpid::world_place_from_environment(
      master, [&](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional{found->second};
      });
}

std::string refusal(const Variables& variables, const std::string& master = {}) {
  try {
    place(variables, master);
  } catch (const c10::ValueError& error) {
    return error.what_without_backtrace();
  }
  return "no error";
}

Variables torchrun(const std::string& rank, const std::string& size) {
  return {{"RANK", rank},
          {"WORLD_SIZE", size},
          {"LOCAL_RANK", "1"},
          {"MASTER_ADDR", "node3"},
          {"MASTER_PORT", "29500"}};
}

const Variables kSlurm{{"SLURM_PROCID", "5"},        {"SLURM_NTASKS", "8"},
                       {"SLURM_LOCALID", "1"},       {"SLURM_JOB_ID", "31007"},
                       {"SLURM_STEP_ID", "0"},       {"SLURM_STEP_NODELIST", "gpu[03-04,9]"},
                       {"SLURM_STEP_NUM_TASKS", "8"}};

const Variables kOpenMpi{{"OMPI_COMM_WORLD_RANK", "2"},
                         {"OMPI_COMM_WORLD_SIZE", "4"},
                         {"OMPI_COMM_WORLD_LOCAL_RANK", "2"},
                         {"OMPI_COMM_WORLD_LOCAL_SIZE", "4"},
                         {"PMIX_NAMESPACE", "prterun-here-17@1"}};

Variables joined(Variables some, const Variables& others) {
  some.insert(others.begin(), others.end());
  return some;
}

BOOST_AUTO_TEST_SUITE(world_place)

BOOST_AUTO_TEST_CASE(a_process_that_no_launcher_started_is_alone) {
  const auto alone = place({{"HOME", "/root"}, {"MASTER_ADDR", "elsewhere"}});
  BOOST_TEST(alone.rank == 0);
  BOOST_TEST(alone.size == 1);
  BOOST_TEST(alone.store.empty());
  BOOST_TEST(place({{"SLURM_NTASKS", "4"}, {"SLURM_JOB_ID", "1"}}).size == 1);  // salloc's shell
}

BOOST_AUTO_TEST_CASE(every_launchers_variables_are_read) {
  auto at = place(torchrun("3", "4"));
  BOOST_TEST(at.rank == 3);
  BOOST_TEST(at.size == 4);
  BOOST_TEST(at.local_rank == 1);
  BOOST_TEST(at.store == "tcp:node3:29500");
  BOOST_TEST(!at.store_is_served);

  at = place(kSlurm);
  BOOST_TEST(at.rank == 5);
  BOOST_TEST(at.size == 8);
  BOOST_TEST(at.local_rank == 1);
  BOOST_TEST(at.store == "tcp:gpu03:27007");

  at = place(kOpenMpi);
  BOOST_TEST(at.rank == 2);
  BOOST_TEST(at.size == 4);
  BOOST_TEST(at.local_size == 4);
  BOOST_TEST(at.store.starts_with("tcp:127.0.0.1:"));

  at = place({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MPI_LOCALRANKID", "0"}}, "10.0.0.1:4000");
  BOOST_TEST(at.rank == 1);
  BOOST_TEST(at.local_rank == 0);
  BOOST_TEST(at.store == "tcp:10.0.0.1:4000");

  at = place({{"LIMPID_RANK", "1"}, {"LIMPID_WORLD_SIZE", "2"}, {"LIMPID_STORE", "file:/run/s"}});
  BOOST_TEST(at.rank == 1);
  BOOST_TEST(at.local_rank == 1);
  BOOST_TEST(at.local_size == 2);
  BOOST_TEST(at.store == "file:/run/s");
}

BOOST_AUTO_TEST_CASE(the_launcher_nearest_to_the_program_is_believed) {
  BOOST_TEST(place(joined(kOpenMpi, kSlurm)).size == 4);
  auto inside = joined(torchrun("0", "16"), kSlurm);
  inside["TORCHELASTIC_RUN_ID"] = "none";
  inside["TORCHELASTIC_USE_AGENT_STORE"] = "True";
  inside["TORCHELASTIC_RESTART_COUNT"] = "2";
  const auto at = place(inside);
  BOOST_TEST(at.size == 16);
  BOOST_TEST(at.store_is_served);
  BOOST_TEST(at.prefix == "/worker/attempt_2");
}

BOOST_AUTO_TEST_CASE(one_node_meets_on_the_loopback) {
  auto one = kSlurm;
  one["SLURM_STEP_NODELIST"] = "gpu[3]";
  BOOST_TEST(place(one).store.starts_with("tcp:127.0.0.1:"));
  BOOST_TEST(limpid::first_node("a[01-3]b,c") == "a01b");
  BOOST_TEST(limpid::first_node("n7,n8") == "n7");
  BOOST_TEST(!limpid::is_one_node("n[7,8]"));
}

BOOST_AUTO_TEST_CASE(the_interface_is_that_of_pytorch) {
  auto variables = torchrun("0", "2");
  variables["GLOO_SOCKET_IFNAME"] = "ib0";
  BOOST_TEST(place(variables).interface == "ib0");
}

BOOST_AUTO_TEST_CASE(variables_that_cannot_be_right_are_one_error_that_names_them) {
  BOOST_TEST(refusal(torchrun("two", "4")) == "RANK: expected a whole number from 0, got 'two'");
  BOOST_TEST(refusal(torchrun("-1", "4")) == "RANK: expected a whole number from 0, got '-1'");
  BOOST_TEST(refusal(torchrun("0", "0")) == "WORLD_SIZE: expected a whole number from 1, got '0'");
  BOOST_TEST(refusal(torchrun("4", "4")) == "RANK=4 is not below WORLD_SIZE=4");
  BOOST_TEST(refusal({{"WORLD_SIZE", "2"}}) ==
             "WORLD_SIZE is set and RANK is not: torchrun sets both");
  BOOST_TEST(refusal({{"PMI_RANK", "0"}}) ==
             "PMI_RANK is set and PMI_SIZE is not: MPICH sets both");
  BOOST_TEST(refusal(joined(torchrun("0", "2"), kSlurm)) ==
             "RANK=0 of WORLD_SIZE=2 contradicts SLURM_PROCID=5 of SLURM_NTASKS=8: unset those "
             "that are not meant");
  BOOST_TEST(refusal({{"RANK", "0"}, {"WORLD_SIZE", "2"}}) ==
             "RANK=0 of WORLD_SIZE=2: nothing says where the ranks meet; set MASTER_ADDR and "
             "MASTER_PORT, or give --master HOST:PORT");
  BOOST_TEST(refusal({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}}) ==
             "MASTER_ADDR is set and MASTER_PORT is not");
  auto port = torchrun("0", "2");
  port["MASTER_PORT"] = "99999";
  BOOST_TEST(refusal(port) == "MASTER_PORT: expected a whole number from 1 to 65535, got '99999'");
  BOOST_TEST(refusal(torchrun("0", "2"), "nowhere") ==
             "--master: expected HOST:PORT, got 'nowhere'");
  BOOST_TEST(refusal({}, "a:1").starts_with("--master: no variable says which rank"));
  auto script = kSlurm;
  script.erase("SLURM_STEP_ID");
  script["ENVIRONMENT"] = "BATCH";
  BOOST_TEST(
      refusal(script) ==
      "SLURM_NTASKS=8, and this is the batch script itself: write 'srun' before the program");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
