#include <limpid/core/memory_arena.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace {

using limpid::detail::MemoryArena;

constexpr auto kMiB = std::size_t{1} << 20;

BOOST_AUTO_TEST_SUITE(memory_arena)

BOOST_AUTO_TEST_CASE(what_comes_back_is_lent_again) {
  MemoryArena arena{64 * kMiB, 64 * kMiB};
  void* first = arena.take(5 * kMiB);
  BOOST_REQUIRE(first != nullptr);
  BOOST_TEST(arena.owns(first));
  BOOST_TEST(reinterpret_cast<std::uintptr_t>(first) % MemoryArena::kHugePage == 0U);
  BOOST_TEST(!arena.owns(&arena));
  std::memset(first, 7, 5 * kMiB);
  arena.give(first);
  BOOST_TEST(arena.in_use() == 0U);
  BOOST_TEST(arena.kept() == 6 * kMiB);
  BOOST_TEST(arena.take(4 * kMiB) == first);
  BOOST_TEST(static_cast<const char*>(first)[kMiB] == 7);  // nothing was cleared
}

BOOST_AUTO_TEST_CASE(neighbours_that_came_back_make_one_block) {
  MemoryArena arena{24 * kMiB, 24 * kMiB};
  std::vector<void*> blocks;
  for (int i = 0; i < 6; ++i) blocks.push_back(arena.take(4 * kMiB));
  BOOST_TEST(arena.take(1) == nullptr);  // no address is left
  for (const auto i : {1U, 3U, 2U}) arena.give(blocks[i]);
  BOOST_TEST(arena.take(12 * kMiB) == blocks[1]);
  BOOST_TEST(arena.take(1) == nullptr);
}

BOOST_AUTO_TEST_CASE(no_more_is_kept_than_the_bound) {
  MemoryArena arena{256 * kMiB, 16 * kMiB};
  std::vector<void*> blocks;
  for (int i = 0; i < 10; ++i) {
    blocks.push_back(arena.take(9 * kMiB));
    std::memset(blocks.back(), 1, 9 * kMiB);
  }
  std::shuffle(blocks.begin(), blocks.end(), std::mt19937{3});
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    arena.give(blocks[i]);
    // What begins or ends within a page that a block has cannot go.
    BOOST_TEST(arena.kept() <= (16 + 4 * (blocks.size() - i)) * kMiB);
  }
  BOOST_TEST(arena.kept() <= 16 * kMiB);
  void* again = arena.take(90 * kMiB);
  BOOST_REQUIRE(again != nullptr);
  std::memset(again, 2, 90 * kMiB);
}

BOOST_AUTO_TEST_CASE(blocks_of_several_threads_do_not_overlap) {
  MemoryArena arena{512 * kMiB, 8 * kMiB};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned char t = 1; t <= 3; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random{t};
      std::vector<std::pair<unsigned char*, std::size_t>> mine;
      for (int i = 0; i < 300; ++i) {
        if (mine.size() < 8) {
          const auto bytes = 1 + random() % (3 * kMiB);
          auto* block = static_cast<unsigned char*>(arena.take(bytes));
          if (block == nullptr) continue;
          block[0] = block[bytes - 1] = t;
          mine.emplace_back(block, bytes);
        } else {
          const auto which = mine.begin() + static_cast<std::ptrdiff_t>(random() % mine.size());
          const auto [block, bytes] = *which;
          if (block[0] != t || block[bytes - 1] != t) ++wrong;
          arena.give(block);
          mine.erase(which);
        }
      }
      for (const auto& [block, bytes] : mine) arena.give(block);
    });
  }
  for (auto& thread : threads) thread.join();
  BOOST_TEST(wrong == 0);
  BOOST_TEST(arena.in_use() == 0U);
  BOOST_TEST(arena.kept() <= 8 * kMiB);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
