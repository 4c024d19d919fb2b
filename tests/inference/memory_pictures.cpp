#include <limpid/core/single_thread.hpp>
#include <limpid/inference/any_restorer.hpp>
#include <limpid/inference/restore_watch.hpp>
#include <limpid/io/picture_view.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

// Pictures from memory to memory, as applications have them; watched, stopped, several at once.
namespace {

using namespace limpid;
using namespace limpid_test;

/// A model of a family whose outputs are not its inputs.
AnyModel scrambled(const Network& network) {
  torch::manual_seed(5);
  auto model = make_model(network, {"deblur", "night"});
  const torch::NoGradGuard no_grad;
  for (auto& parameter : model.module->parameters()) {
    parameter.add_(0.05 * torch::randn_like(parameter));
  }
  model.module->eval();
  return model;
}

AnyModel small_unet() { return scrambled({"pixel-unet", {{"width", 8}}}); }

Image noise(std::int64_t height, std::int64_t width, int seed = 7) {
  torch::manual_seed(seed);
  return Image::from_unit(torch::rand({3, height, width}));
}

/// A picture of any format in memory that has more beside its rows.
struct Memory {
  Memory(const Image& image, PixelFormat format, bool is_upside_down = false)
      : layout(pixel_layout(format)),
        stride(image.width() * layout.bytes + 5),
        bytes(static_cast<std::size_t>(stride * image.height()), 0xab) {
    buffer = {bytes.data(), image.width(), image.height(), format, stride};
    if (is_upside_down) {
      buffer.pixels = bytes.data() + stride * (image.height() - 1);
      buffer.stride = -stride;
    }
    copy_to(buffer, image);
    for (std::int64_t y = 0; y < image.height() && layout.has_alpha(); ++y) {
      for (std::int64_t x = 0; x < image.width(); ++x) *alpha(y, x) = alpha_at(y, x);
    }
  }
  Memory(const Memory&) = delete;

  static std::uint8_t alpha_at(std::int64_t y, std::int64_t x) {
    return static_cast<std::uint8_t>(7 * y + x);
  }
  std::uint8_t* alpha(std::int64_t y, std::int64_t x) {
    return static_cast<std::uint8_t*>(buffer.pixels) + y * buffer.stride + x * layout.bytes +
           layout.alpha;
  }
  bool gaps_are_untouched() const {
    const auto row = buffer.width * layout.bytes;
    for (std::int64_t y = 0; y < buffer.height; ++y) {
      for (auto i = row; i < stride; ++i) {
        if (bytes[static_cast<std::size_t>(y * stride + i)] != 0xab) return false;
      }
    }
    return true;
  }

  PixelLayout layout;
  std::int64_t stride;
  std::vector<std::uint8_t> bytes;
  PictureBuffer buffer;
};

BOOST_AUTO_TEST_SUITE(memory_pictures)

BOOST_AUTO_TEST_CASE(each_format_is_restored_as_the_image_is_and_keeps_its_alpha) {
  const AnyRestorer restorer{small_unet()};
  const auto colours = noise(19, 23);
  const auto grey = image_of(Memory{colours, PixelFormat::grey8}.buffer);
  const auto expected = restorer.restore("night", colours);
  BOOST_TEST(!(expected == colours));
  kPixelFormats.for_each([&](const auto& entry) {
    for (const bool is_upside_down : {false, true}) {
      const PixelLayout& layout = entry.value;
      BOOST_TEST_CONTEXT(entry.name << (is_upside_down ? ", upside down" : "")) {
        Memory memory{colours, layout.format, is_upside_down};
        const auto before = memory.bytes;
        Memory other{noise(19, 23, 8), layout.format};
        restorer.restore("night", memory.buffer, other.buffer);
        BOOST_TEST((memory.bytes == before));
        restorer.restore_in_place("night", memory.buffer);
        BOOST_TEST(memory.gaps_are_untouched());
        BOOST_TEST(other.gaps_are_untouched());
        const auto restored = image_of(memory.buffer);
        BOOST_TEST((restored == image_of(other.buffer)));
        if (layout.is_grey()) {
          const Memory luma{restorer.restore("night", grey), PixelFormat::grey8};
          BOOST_TEST((restored == image_of(luma.buffer)));
        } else {
          BOOST_TEST((restored == expected));
        }
        for (std::int64_t y = 0; layout.has_alpha() && y < 19; ++y) {
          for (std::int64_t x = 0; x < 23; ++x) {
            BOOST_REQUIRE(*memory.alpha(y, x) == Memory::alpha_at(y, x));
            BOOST_REQUIRE(*other.alpha(y, x) == Memory::alpha_at(y, x));
          }
        }
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(formats_may_differ_and_what_had_no_alpha_is_opaque) {
  const AnyRestorer restorer{small_unet()};
  const auto picture = noise(11, 14);
  const auto expected = restorer.restore("deblur", picture);
  Memory degraded{picture, PixelFormat::bgr8}, restored{picture, PixelFormat::rgba8};
  restorer.restore("deblur", degraded.buffer, restored.buffer);
  BOOST_TEST((image_of(restored.buffer) == expected));
  for (std::int64_t x = 0; x < 14; ++x) BOOST_TEST(int{*restored.alpha(10, x)} == 255);
}

BOOST_AUTO_TEST_CASE(floats_are_rounded_nowhere) {
  auto model = small_unet();
  const AnyRestorer restorer{model};
  torch::manual_seed(3);
  const auto unit = torch::rand({1, 3, 12, 16});
  auto values = unit[0].permute({1, 2, 0}).contiguous();
  restorer.restore_in_place("deblur", {values.data_ptr<float>(), 16, 12, PixelFormat::rgb_float32});
  const torch::NoGradGuard no_grad;
  const auto expected = to_unit(model.restore(0, to_signed(unit))).clamp(0, 1);
  BOOST_TEST(torch::equal(values.permute({2, 0, 1}), expected[0]));
}

BOOST_AUTO_TEST_CASE(a_part_of_a_larger_picture_is_restored_in_place) {
  const AnyRestorer restorer{small_unet(), {.tiling = {.tile = 16}}};
  const auto canvas = noise(40, 60);
  const auto part = canvas.crop(5, 9, 33, 34);
  auto pixels = canvas.pixels().clone();
  auto* first = pixels.data_ptr<std::uint8_t>() + (5 * 60 + 9) * 3;
  restorer.restore_in_place("deblur", {first, 34, 33, PixelFormat::rgb8, 60 * 3});
  const Image after{pixels};
  BOOST_TEST((after.crop(5, 9, 33, 34) == restorer.restore("deblur", part)));
  BOOST_TEST((after.crop(0, 0, 5, 60) == canvas.crop(0, 0, 5, 60)));
  BOOST_TEST((after.crop(5, 43, 33, 17) == canvas.crop(5, 43, 33, 17)));
}

BOOST_AUTO_TEST_CASE(wrong_views_are_refused_and_nothing_is_written) {
  const AnyRestorer restorer{small_unet()};
  Memory memory{noise(8, 10), PixelFormat::rgb8};
  const auto before = memory.bytes;
  const auto error = [&](auto change) {
    auto view = memory.buffer;
    change(view);
    return error_of([&] { restorer.restore("deblur", view, memory.buffer); });
  };
  BOOST_TEST(error([](auto& view) { view.stride = 29; }) ==
             "degraded picture: expected a stride of at least 30 bytes for 10 pixels of rgb8, "
             "got 29");
  BOOST_TEST(error([](auto& view) { view.stride = -29; }) ==
             "degraded picture: expected a stride of at least 30 bytes for 10 pixels of rgb8, "
             "got -29");
  BOOST_TEST(error([](auto& view) { view.pixels = nullptr; }) ==
             "degraded picture: expected pixels, got a null pointer");
  BOOST_TEST(error([](auto& view) { view.height = 0; }) ==
             "degraded picture: expected a size of at least 1 x 1, got 10 x 0");
  BOOST_TEST(error([](auto& view) {
               view.height = std::numeric_limits<std::int64_t>::max();
             }).find("degraded picture: expected a size") == 0u);
  BOOST_TEST(error([](auto& view) { view.width = 9; }) ==
             "restored picture: expected 9 x 8 pixels, got 10 x 8");
  BOOST_TEST(error([](auto& view) { view.format = static_cast<PixelFormat>(17); }) ==
             "degraded picture: expected a pixel format, one of rgb8, bgr8, rgba8, bgra8, grey8, "
             "rgb-float32; got number 17");
  std::vector<float> floats(3 * 80, 0.5f);
  floats[70] = std::numeric_limits<float>::quiet_NaN();
  BOOST_TEST(
      error_of([&] {
        restorer.restore("deblur", {floats.data(), 10, 8, PixelFormat::rgb_float32}, memory.buffer);
      }) == "degraded picture: expected finite values, got NaN or infinity");
  BOOST_TEST((memory.bytes == before));
}

BOOST_AUTO_TEST_CASE(a_model_is_read_from_memory_as_from_its_file) {
  TemporaryFolder folder;
  const auto path = folder / "model.limpid";
  save(small_unet(), path, {{"recipe", "by hand"}});
  std::ifstream stream{path, std::ios::binary};
  std::string bytes{std::istreambuf_iterator<char>{stream}, {}};
  const auto picture = noise(20, 24);
  const auto expected = AnyRestorer{path}.restore("night", picture);
  const auto restorer = [&] {
    const auto short_lived = bytes;
    return AnyRestorer{ModelBytes{short_lived}};
  }();
  BOOST_TEST((restorer.restore("night", picture) == expected));
  BOOST_TEST(restorer.manifest().at("recipe") == "by hand");

  const auto error = [&](std::string_view part) {
    return error_of([&] { AnyRestorer{ModelBytes{part, "the one in the box"}}; });
  };
  BOOST_TEST(error({}).find("'the one in the box'") != std::string::npos);
  BOOST_TEST(
      error(std::string_view{bytes}.substr(0, bytes.size() - 9)).find("'the one in the box'") !=
      std::string::npos);
  bytes[bytes.size() - 1] ^= 1;
  BOOST_TEST(error(bytes).find("model 'the one in the box': the checksum of tensor") == 0u);
}

BOOST_AUTO_TEST_CASE(who_watches_sees_each_tile_once) {
  const auto picture = noise(70, 50);
  for (const auto& options :
       {RestorerOptions{}, RestorerOptions{.tiling = {.tile = 32}},
        RestorerOptions{.tiling = {.tile = 32}, .ensemble = 2}, RestorerOptions{.ensemble = 4}}) {
    for (const auto& network : {Network{"pixel-unet", {{"width", 8}}},
                                Network{"resnet", {{"width", 8}, {"blocks", 2}}}}) {
      const AnyRestorer restorer{scrambled(network), options};
      std::vector<RestoreProgress> seen;
      const auto restored = restorer.restore(
          "deblur", picture,
          {.progress = [&](const RestoreProgress& progress) { seen.push_back(progress); }});
      BOOST_TEST((restored == restorer.restore("deblur", picture)));
      BOOST_REQUIRE(!seen.empty());
      const auto tiles = options.tiling.tile == 32 ? 3 * 2 : 1;
      BOOST_TEST(seen.front().tiles_done == 0);
      BOOST_TEST(seen.front().runs == 0);
      BOOST_TEST(seen.back().tiles_done == tiles);
      for (std::size_t i = 0; i < seen.size(); ++i) {
        BOOST_TEST(seen[i].tiles == tiles);
        if (i == 0) continue;
        const auto steps = seen[i].tiles_done - seen[i - 1].tiles_done;
        const auto runs = seen[i].runs - seen[i - 1].runs;
        BOOST_TEST(steps + runs == 1);
        BOOST_TEST(steps * runs == 0);
      }
      // A network of convolutions runs once for each tile and way to lay it.
      if (network.family == "pixel-unet") BOOST_TEST(seen.back().runs == tiles * options.ensemble);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_stopped_picture_stays_as_it_was) {
  const AnyRestorer restorer{small_unet(), {.tiling = {.tile = 16}}};
  Memory memory{noise(48, 48), PixelFormat::rgba8};
  const auto before = memory.bytes;
  std::stop_source stop;
  std::int64_t runs = 0;
  const RestoreWatch watch{.stop = stop.get_token(), .progress = [&](const auto& progress) {
                             runs = progress.runs;
                             if (progress.tiles_done == 4) stop.request_stop();
                           }};
  BOOST_CHECK_EXCEPTION(restorer.restore_in_place("deblur", memory.buffer, watch), RestoreCancelled,
                        [](const auto& e) {
                          return std::string{e.what()} == "restore: cancelled after 4 of 9 tiles";
                        });
  BOOST_TEST(runs == 4);
  BOOST_TEST((memory.bytes == before));
  // Another time it does not begin.
  BOOST_CHECK_THROW(restorer.restore("deblur", noise(20, 20), watch), RestoreCancelled);
  BOOST_TEST(runs == 4);
  // What the watcher throws ends it, too.
  const RestoreWatch angry{.progress = [](const auto&) { throw std::logic_error{"enough"}; }};
  BOOST_CHECK_THROW(restorer.restore_in_place("deblur", memory.buffer, angry), std::logic_error);
  BOOST_TEST((memory.bytes == before));
  BOOST_CHECK_NO_THROW(restorer.restore_in_place("deblur", memory.buffer));
  BOOST_TEST(!(memory.bytes == before));
}

BOOST_AUTO_TEST_CASE(several_threads_restore_what_one_does) {
  std::vector<AnyRestorer> restorers;
  restorers.emplace_back(small_unet(), RestorerOptions{.tiling = {.tile = 32}});
  restorers.emplace_back(scrambled({"resnet", {{"width", 8}, {"blocks", 2}}}),
                         RestorerOptions{.tiling = {.tile = 32}});
  restorers.emplace_back(
      with_adapters(scrambled({"nafnet", {{"width", 8}, {"middle_blocks", 1}}}), {{"night", {}}}));
  restorers.emplace_back(small_unet(), RestorerOptions{.precision = Precision::bfloat16,
                                                       .convolution = Convolution::fast});
  for (const auto& restorer : restorers) {
    constexpr std::size_t kThreads = 4, kPictures = 3;
    const auto task_of = [](std::size_t i) { return i % 2 == 0 ? "deblur" : "night"; };
    std::vector<Image> pictures, expected;
    for (std::size_t i = 0; i < kPictures; ++i) {
      pictures.push_back(noise(40 + static_cast<std::int64_t>(i), 36, static_cast<int>(i)));
      expected.push_back(restorer.restore(task_of(i), pictures[i]));
    }
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        use_one_thread();
        for (std::size_t k = 0; k < kPictures; ++k) {
          const auto i = (t + k) % kPictures;
          try {
            if (!(restorer.restore(task_of(i), pictures[i]) == expected[i])) ++wrong;
          } catch (const std::exception&) {
            ++wrong;
          }
        }
      });
    }
    for (auto& thread : threads) thread.join();
    BOOST_TEST(wrong == 0);
  }
}

/// Sure of night, then of nothing but what was done; or of nothing at all.
Router sure_of_night(double score) {
  constexpr std::size_t kCount = 2 * (8 + 16 + 32) + 2 * 2;  // maps of PixelUNet, two tasks
  const std::vector<double> zeros(kCount, 0), ones(kCount, 1);
  return {zeros, ones, {{"deblur", -10, zeros}, {"night", score, zeros}}};
}

BOOST_AUTO_TEST_CASE(what_a_router_is_sure_of_is_done_in_memory_and_said) {
  AnyRestorer restorer{small_unet()};
  restorer.use_router(sure_of_night(10));
  const auto photo = noise(19, 23);
  Memory memory{photo, PixelFormat::bgra8};
  const auto routing = restorer.restore_routed(memory.buffer, memory.buffer);
  BOOST_REQUIRE_EQUAL(routing.done.size(), 1u);
  BOOST_TEST(routing.text() == "night (99 % sure)");
  BOOST_TEST((image_of(memory.buffer) == restorer.restore("night", photo)));
  BOOST_TEST(*memory.alpha(3, 4) == Memory::alpha_at(3, 4));
  BOOST_TEST(memory.gaps_are_untouched());
  Memory by_name{photo, PixelFormat::bgra8};
  restorer.restore_in_place("auto", by_name.buffer);
  BOOST_TEST((by_name.bytes == memory.bytes));

  // Floats are rounded nowhere.
  Memory floats{photo, PixelFormat::rgb_float32};
  restorer.restore_routed(floats.buffer, floats.buffer);
  const auto unit = limpid::detail::unit_of(floats.buffer, Window::whole(19, 23));
  BOOST_TEST(unit.equal(restorer.restore_unit("night", photo)));
  BOOST_TEST(unit.equal(restorer.restore_unit("auto", photo)));

  // Sure of nothing: the picture itself, whatever its format becomes.
  restorer.use_router(sure_of_night(-10));
  kPixelFormats.for_each([&](const auto& entry) {
    const PixelLayout& layout = entry.value;
    Memory same{photo, layout.format};
    const auto before = same.bytes;
    const auto none = restorer.restore_routed(same.buffer, same.buffer);
    BOOST_TEST(none.done.empty());
    BOOST_TEST(none.last_seen.size() == 2u);
    BOOST_TEST((same.bytes == before), entry.name);
  });

  // What is wrong, or stopped, changes nothing.
  restorer.use_router(sure_of_night(10));
  Memory kept{photo, PixelFormat::rgb8};
  const auto before = kept.bytes;
  std::stop_source stop;
  stop.request_stop();
  BOOST_CHECK_THROW(restorer.restore_routed(kept.buffer, kept.buffer, {.stop = stop.get_token()}),
                    RestoreCancelled);
  auto narrow = kept.buffer;
  narrow.stride = 5;
  BOOST_CHECK_THROW(restorer.restore_routed(narrow, kept.buffer), c10::ValueError);
  BOOST_TEST((kept.bytes == before));
}

BOOST_AUTO_TEST_CASE(tasks_in_turn_are_blended_with_the_picture_once) {
  const auto model = small_unet();
  const auto photo = noise(19, 23);
  const AnyRestorer whole{model}, half{model, {.strength = 0.5}};
  const auto both = whole.restore("night", whole.restore("deblur", photo));
  BOOST_TEST((whole.restore_in_turn({"deblur", "night"}, photo) == both));
  const auto between = (photo.unit() + both.unit()) / 2;
  const auto off = half.restore_in_turn({"deblur", "night"}, photo).unit() - between;
  BOOST_TEST(off.abs().max().item<double>() < 0.6 / 255);
  BOOST_TEST((half.restore_in_turn({}, photo) == photo));
  BOOST_CHECK_THROW(whole.restore_in_turn({"fly"}, photo), c10::ValueError);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
