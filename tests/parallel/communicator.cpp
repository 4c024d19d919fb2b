#include <limpid/parallel/communicator.hpp>
#include <support/errors.hpp>
#include <support/free_port.hpp>
#include <support/ranks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid_test;
using namespace std::chrono_literals;

double seconds_of(const auto& call) {
  const auto began = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

BOOST_AUTO_TEST_SUITE(communicator)

BOOST_AUTO_TEST_CASE(one_process_is_alone_and_changes_nothing) {
  const Communicator one;
  BOOST_TEST(one.is_alone());
  BOOST_TEST(one.is_first());
  auto buffer = torch::tensor({1.5f, -2.0f});
  one.sum(buffer);
  one.broadcast(buffer);
  one.barrier();
  BOOST_TEST(torch::equal(buffer, torch::tensor({1.5f, -2.0f})));
  BOOST_TEST(one.any(true));
  BOOST_TEST(!one.any(false));
  BOOST_TEST(one.gather_text("a") == std::vector<std::string>{"a"},
             boost::test_tools::per_element());
  BOOST_TEST(one.traffic().calls == 0);
  BOOST_TEST(join({}).is_alone());
}

#if LIMPID_WITH_GLOO

BOOST_AUTO_TEST_CASE(processes_sum_and_share_buffers_numbers_and_texts) {
  if (const auto here = Rank::here()) {
    const auto all = here->join();
    const auto rank = all.rank(), size = all.size();
    BOOST_TEST(rank == here->place.rank);
    BOOST_TEST(size == here->place.size);
    for (const auto type : {torch::kFloat, torch::kDouble, torch::kLong, torch::kByte}) {
      auto buffer = torch::full({3, 2}, rank + 1, type);
      all.sum(buffer);
      BOOST_TEST(torch::equal(buffer, torch::full({3, 2}, size * (size + 1) / 2, type)));
      buffer.fill_(rank);
      all.broadcast(buffer, 1);
      BOOST_TEST(torch::equal(buffer, torch::full({3, 2}, 1, type)));
    }
    // The same bits everywhere, whatever order the sum was made in.
    torch::manual_seed(rank);
    auto noise = torch::randn({10007});
    all.sum(noise);
    auto first = noise.clone();
    all.broadcast(first);
    BOOST_TEST(torch::equal(noise, first));

    BOOST_TEST(all.any(rank == 1));
    BOOST_TEST(!all.any(false));
    BOOST_TEST(all.broadcast_text("from " + std::to_string(rank), 1) == "from 1");
    const auto texts = all.gather_text(std::string(static_cast<std::size_t>(rank), 'x'));
    for (std::int64_t r = 0; r < size; ++r) {
      BOOST_TEST(texts[static_cast<std::size_t>(r)].size() == static_cast<std::size_t>(r));
    }
    BOOST_TEST(error_of([&] {
                 all.sum(torch::zeros({4, 4}).t());
               }) == "Communicator: expected a contiguous buffer, got [4, 4] with strides [1, 4]");
    BOOST_TEST(all.traffic().bytes > 40000);
    all.barrier();
    return;
  }
  TemporaryFolder folder;
  for (const std::int64_t size : {2, 3}) check_in_ranks(size, folder / std::to_string(size));
  check_in_ranks(3, folder / "port", "tcp:127.0.0.1:" + free_port());
}

BOOST_AUTO_TEST_CASE(who_leaves_says_why_to_those_who_wait) {
  if (const auto here = Rank::here()) {
    const auto all = here->join();
    all.barrier();
    if (all.rank() == 1) {
      all.leave("cannot read 'p.png'");
      return;
    }
    std::string said;
    BOOST_TEST(seconds_of([&] { said = error_of([&] { all.barrier(); }); }) < 10);
    BOOST_TEST(contains(said, "rank 1 failed: cannot read 'p.png'"), said);
    return;
  }
  TemporaryFolder folder;
  check_in_ranks(3, folder.path());
}

BOOST_AUTO_TEST_CASE(who_dies_or_hangs_is_named_within_the_timeout) {
  struct Way {
    std::string name;
    std::int64_t lost;
    int signal;
    bool at_a_port;  // which rank 0 serves
  };
  const std::vector<Way> ways{{"dies", 2, SIGKILL, false},
                              {"hangs", 2, SIGSTOP, false},
                              {"dies at a port", 2, SIGKILL, true},
                              {"hangs at a port", 2, SIGSTOP, true},
                              {"serves the port and dies", 0, SIGKILL, true},
                              {"serves the port and hangs", 0, SIGSTOP, true}};
  if (const auto here = Rank::here()) {
    const auto& way = *std::find_if(ways.begin(), ways.end(), [&](const Way& each) {
      return each.name == here->folder.filename();
    });
    const auto all = here->join(3s);
    all.barrier();
    if (all.rank() == way.lost) std::raise(way.signal);
    std::string said;
    BOOST_TEST(seconds_of([&] { said = error_of([&] { all.barrier(); }); }) < 15);
    BOOST_TEST(contains(said, way.lost == 0 ? "rank 0, where the processes meet, cannot be reached"
                                            : "rank 2 does not answer"),
               said);
    return;
  }
  TemporaryFolder folder;
  for (const auto& way : ways) {
    Ranks ranks{3, folder / way.name, way.at_a_port ? "tcp:127.0.0.1:" + free_port() : ""};
    for (std::int64_t r = 0; r < 3; ++r) {
      if (r == way.lost) continue;
      const auto rank = static_cast<std::size_t>(r);
      BOOST_TEST(ranks.passed(rank), way.name << ", rank " << r << ":\n" << ranks.output(rank));
    }
  }
}

BOOST_AUTO_TEST_CASE(who_does_not_come_or_fit_is_named) {
  TemporaryFolder folder;
  const auto place = [&](std::int64_t rank, std::int64_t size, const std::string& name) {
    return WorldPlace{.rank = rank, .size = size, .store = "file:" + (folder / name).string()};
  };
  const auto said = error_of([&] { join(place(0, 3, "alone"), 200ms); });
  BOOST_TEST(contains(said, "rank 0 of 3 waited 0.2 s at file:"), said);
  BOOST_TEST(contains(said, "and rank 1, 2 did not come"), said);

  std::string first, second;
  std::thread other{[&] { first = error_of([&] { join(place(1, 3, "sizes"), 2s); }); }};
  second = error_of([&] { join(place(0, 2, "sizes"), 2s); });
  other.join();
  BOOST_TEST(contains(first, "does not fit rank 0: this one is of 3 processes"), first);
  BOOST_TEST(contains(second, "does not fit rank 1: this one is of 2 processes"), second);

  const auto again = error_of([&] { join(place(0, 3, "alone"), 200ms); });
  BOOST_TEST(contains(again, "there has been a rank 0 already"), again);

  BOOST_TEST(error_of([] { join({.rank = 2, .size = 2}); }) ==
             "WorldPlace: expected a rank below size, got rank 2 and size 2");
  BOOST_TEST(contains(error_of([] { join({.rank = 0, .size = 2, .store = "here"}); }),
                      "expected \"file:PATH\" or \"tcp:HOST:PORT\", got \"here\""));
}

BOOST_AUTO_TEST_CASE(a_store_that_answers_nothing_ends_in_time) {
  // As that of another version of LibTorch does: it takes the connection, and that is all.
  const int silent = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  BOOST_REQUIRE(::bind(silent, reinterpret_cast<sockaddr*>(&address), length) == 0);
  BOOST_REQUIRE(::listen(silent, 8) == 0);
  ::getsockname(silent, reinterpret_cast<sockaddr*>(&address), &length);
  const auto port = std::to_string(ntohs(address.sin_port));
  std::string said;
  BOOST_TEST(
      seconds_of([&] {
        said = error_of([&] {
          join({.rank = 1, .size = 2, .store = "tcp:127.0.0.1:" + port, .store_is_served = true},
               200ms);
        });
      }) < 10);
  BOOST_TEST(said != "no error");
  BOOST_TEST(contains(said, "rank 1 of 2"), said);
  ::close(silent);
}

#endif

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
