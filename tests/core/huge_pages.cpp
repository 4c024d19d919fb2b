#include <limpid/core/huge_pages.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <memory>
#include <thread>

namespace {

using limpid::HugePages;
using limpid::detail::HugePageAllocator;

/// LibTorch with an allocator of its own, which goes when the test ends; so must all its tensors.
struct Installed {
  Installed() {
    HugePageAllocator::of_process() = &allocator;
    c10::SetCPUAllocator(&allocator, 1);
  }
  ~Installed() {
    c10::SetCPUAllocator(before, 1);
    HugePageAllocator::of_process() = nullptr;
  }

  c10::Allocator* before = c10::GetCPUAllocator();
  HugePageAllocator allocator{*before, std::size_t{256} << 20,
                              HugePages{.least = 1 << 20, .most = 64 << 20}};
};

BOOST_AUTO_TEST_SUITE(huge_pages)

BOOST_FIXTURE_TEST_CASE(large_tensors_lie_in_the_arena_and_small_ones_do_not, Installed) {
  const auto& arena = allocator.arena();
  {
    const auto large = torch::ones({512, 1024}), small = torch::ones({512});
    BOOST_TEST(arena.owns(large.data_ptr()));
    BOOST_TEST(!arena.owns(small.data_ptr()));
    BOOST_TEST(arena.in_use() == large.nbytes());
    BOOST_TEST(large.sum().item<float>() == 512 * 1024);
    BOOST_TEST(torch::equal(large.clone(), large));
    auto grown = torch::ones({300000});
    grown.resize_({600000});
    BOOST_TEST(grown.slice(0, 0, 300000).sum().item<float>() == 300000);
  }
  BOOST_TEST(arena.in_use() == 0U);
}

BOOST_FIXTURE_TEST_CASE(what_has_no_room_there_is_libtorchs_or_its_error, Installed) {
  const auto larger = torch::zeros({80, 1 << 20});
  BOOST_TEST(!allocator.arena().owns(larger.data_ptr()));
  BOOST_CHECK_THROW(torch::empty({std::int64_t{1} << 50}), c10::Error);
}

BOOST_FIXTURE_TEST_CASE(a_tensor_may_be_freed_by_another_thread, Installed) {
  auto tensor = std::make_unique<at::Tensor>(torch::ones({1 << 20}));
  std::thread{[&] { tensor.reset(); }}.join();
  BOOST_TEST(allocator.arena().in_use() == 0U);
}

BOOST_FIXTURE_TEST_CASE(raw_blocks_of_both_kinds_come_back, Installed) {
  for (const std::size_t bytes : {100U, 3U << 20U}) {
    auto* block = allocator.raw_allocate(bytes);
    BOOST_TEST(allocator.arena().owns(block) == (bytes > 100));
    allocator.raw_deallocate(block);
  }
  BOOST_TEST(allocator.arena().in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(it_is_left_to_the_c_library_where_that_was_asked_for) {
  ::setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 1);
  BOOST_TEST(!limpid::use_huge_pages());
  ::unsetenv("GLIBC_TUNABLES");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
