#include <limpid/model/task_set.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <array>
#include <string_view>

namespace {

using namespace limpid::detail;
using limpid_test::TinyCritic, limpid_test::TinyDecoder, limpid_test::TinyEncoder;

/// A decoder of features that no encoder here gives.
struct Maps {};
struct MapDecoderImpl : torch::nn::Cloneable<MapDecoderImpl> {
  static constexpr std::string_view task = "maps";
  void reset() override {}
  at::Tensor forward(const Maps&) { return {}; }
};
TORCH_MODULE(MapDecoder);

using Deblur = TinyDecoder<"deblur">;
using Derain = TinyDecoder<"derain">;

static_assert(task_set_fault<TinyEncoder, Deblur>() == TaskSetFault::none);
static_assert(task_set_fault<TinyEncoder, Deblur, Derain>() == TaskSetFault::none);
static_assert(task_set_fault<Deblur, Derain>() == TaskSetFault::no_encoder);
static_assert(task_set_fault<int>() == TaskSetFault::no_encoder);
static_assert(task_set_fault<TinyEncoder>() == TaskSetFault::no_decoders);
static_assert(task_set_fault<TinyEncoder, Deblur, TinyCritic>() == TaskSetFault::no_task_name);
static_assert(task_set_fault<TinyEncoder, TinyDecoder<"De blur">>() == TaskSetFault::bad_task_name);
static_assert(task_set_fault<TinyEncoder, TinyDecoder<"">>() == TaskSetFault::bad_task_name);
static_assert(task_set_fault<TinyEncoder, Deblur, Derain, Deblur>() == TaskSetFault::same_task);
static_assert(task_set_fault<TinyEncoder, Deblur, MapDecoder>() ==
              TaskSetFault::unreadable_features);

static_assert(all_unique(std::array<std::string_view, 3>{"a", "b", "ab"}));
static_assert(!all_unique(std::array<std::string_view, 3>{"a", "b", "a"}));
static_assert(all_unique(std::array<std::string_view, 0>{}));

BOOST_AUTO_TEST_SUITE(task_set)

BOOST_AUTO_TEST_CASE(names_have_positions) {
  constexpr auto names = kTaskNames<Deblur, Derain>;
  static_assert(task_index(names, "derain") == 1);
  BOOST_TEST(task_index(names, "deblur") == 0U);
  BOOST_TEST(task_index(names, "dehaze") == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
