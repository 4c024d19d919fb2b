#include <limpid/datasets/loader.hpp>
#include <limpid/datasets/paired_files.hpp>
#include <limpid/interpolation/frame_triplets.hpp>
#include <limpid/io/picture_formats.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

// Sources that read files: what a loader decodes of them in part is what it would crop of the
// whole.
namespace {

using limpid::FrameTriplets, limpid::Image, limpid::ImagePair, limpid::LazyImage, limpid::LazyPair,
    limpid::PairedFile, limpid::PairedFiles, limpid::PairLoader, limpid::Pairs;
using namespace limpid_test;

/// The same pairs without their parts.
struct Whole {
  Pairs pairs;
  std::int64_t size() const { return pairs.size(); }
  std::string name(std::int64_t i) const { return pairs.name(i); }
  ImagePair load(std::int64_t i, std::int64_t draw) const { return pairs.load(i, draw); }
  std::int64_t inputs() const { return pairs.inputs(); }
};

/// Pairs of files in several formats and sizes, one smaller than a crop; targets with a border.
Pairs files_in(const std::filesystem::path& folder) {
  std::vector<PairedFile> files;
  const std::vector<std::pair<std::string, std::string>> kinds{
      {".png", ".png"}, {".jpg", ".jpg"}, {".bmp", ".ppm"}, {".jpg", ".png"}};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto height = 20 + 25 * static_cast<std::int64_t>(i);
    const auto stem = std::to_string(i);
    files.push_back(
        {stem, folder / ("x" + stem + kinds[i].first), folder / ("y" + stem + kinds[i].second)});
    picture(height, 70, i).save(files.back().degraded, 85);
    picture(height + 3, 74, i + 9).save(files.back().target, 85);
  }
  return PairedFiles{files, "files", 4};
}

void check_equal_batches(const Pairs& pairs) {
  BOOST_REQUIRE(pairs.makes_parts());
  const Pairs whole = Whole{pairs};
  BOOST_REQUIRE(!whole.makes_parts());
  for (const std::int64_t crop : {8, 32}) {
    for (const std::uint64_t seed : {0, 4}) {
      limpid::LoaderOptions options{.batch_size = 3, .crop = crop, .seed = seed, .workers = 0};
      std::vector<limpid::Batch> expected;
      PairLoader cropped{whole, options};
      for (int step = 0; step < 12; ++step) expected.push_back(cropped.next());
      for (const std::int64_t workers : {0, 1, 3}) {
        for (const auto& [cache_mb, cut_mb] :
             std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 0}, {0, 1}, {1, 1}}) {
          options.workers = workers;
          options.cache_mb = cache_mb;
          options.cut_mb = cut_mb;
          PairLoader loader{pairs, options};
          for (const auto& [degraded, target] : expected) {
            const auto batch = loader.next();
            BOOST_TEST(batch.degraded.equal(degraded), workers << " workers");
            BOOST_TEST(batch.target.equal(target), workers << " workers");
          }
          BOOST_TEST((loader.cache().size() > 0) == (cache_mb > 0));
          const bool cuts = cache_mb == 0 && cut_mb > 0 && limpid::kJpeg.decoder == "libjpeg";
          if (!cuts) BOOST_TEST(loader.cuts().size() == 0);
          if (cuts && crop == 8) BOOST_TEST(loader.cuts().size() > 0);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE(partwise_pairs)

BOOST_AUTO_TEST_CASE(batches_of_files_are_those_of_whole_pictures) {
  TemporaryFolder folder;
  check_equal_batches(files_in(folder.path()));
}

BOOST_AUTO_TEST_CASE(batches_of_some_of_the_files_are_those_of_whole_pictures) {
  TemporaryFolder folder;
  check_equal_batches(files_in(folder.path()).subset({3, 1, 0}));
}

BOOST_AUTO_TEST_CASE(batches_of_three_frames_are_those_of_whole_pictures) {
  TemporaryFolder folder;
  limpid::FrameSequence sequence{"scene", {}};
  for (std::uint64_t i = 0; i < 4; ++i) {
    sequence.frames.push_back(folder / (std::to_string(i) + ".jpg"));
    picture(50, 60, i).save(sequence.frames.back());
  }
  FrameTriplets triplets;
  triplets.add(sequence);
  check_equal_batches(triplets);
}

BOOST_AUTO_TEST_CASE(only_a_crop_is_decoded_unless_a_cache_keeps_the_whole) {
  TemporaryFolder folder;
  // Rows of which the last has a filter that there is not: no error unless it is decoded.
  auto rows = std::string(40 * (1 + 3 * 8), '\0');
  rows[39 * (1 + 3 * 8)] = '\x05';
  write_bytes(folder / "a.png", png_file(8, 40, 8, 2, rows));
  const Pairs pairs = PairedFiles{{{"a", folder / "a.png", folder / "a.png"}}, "one"};
  const auto first_error = [&](std::int64_t cache_mb) {
    PairLoader loader{pairs, {.crop = 8, .workers = 1, .cache_mb = cache_mb}};
    return error_of([&] { loader.next(); });
  };
  BOOST_TEST(first_error(0) == "no error");
  const auto damaged = "cannot read image '" + (folder / "a.png").string() +
                       "': it is damaged (a filter that there is not)";
  BOOST_TEST(first_error(1) == damaged);
  BOOST_TEST(error_of([&] { pairs.load(0); }) == damaged);
}

BOOST_AUTO_TEST_CASE(a_loader_names_files_that_cannot_be_read_or_differ_in_size) {
  TemporaryFolder folder;
  save(picture(10, 12), folder / "a.png");
  save(picture(10, 13), folder / "b.png");
  write_bytes(folder / "c.png", "words");
  const auto error = [&](const std::string& degraded, const std::string& target) {
    const Pairs pairs = PairedFiles{{{"pair", folder / degraded, folder / target}}, "one"};
    const auto whole = error_of([&] { pairs.load(0); });
    PairLoader loader{pairs, {.crop = 4}};
    BOOST_TEST(error_of([&] { loader.next(); }) == whole);
    return whole;
  };
  BOOST_TEST(error("a.png", "a.png") == "no error");
  BOOST_TEST(error("a.png", "b.png") == "pair 'pair': '" + (folder / "a.png").string() +
                                            "' has 12 x 10 pixels, '" +
                                            (folder / "b.png").string() + "' has 13 x 10");
  BOOST_TEST(error("a.png", "c.png").find("found a text file") != std::string::npos);
  BOOST_TEST(error("d.png", "a.png").find("No such file or directory") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_source_may_keep_pictures_instead_of_files) {
  struct InMemory {
    Image image = picture(30, 41);
    std::int64_t size() const { return 1; }
    std::string name(std::int64_t) const { return "one"; }
    ImagePair load(std::int64_t, std::int64_t) const { return {image, image}; }
    bool makes_parts() const { return true; }
    ImagePair base(std::int64_t i) const { return load(i, 0); }
    ImagePair part(const LazyPair& base, std::int64_t, std::int64_t,
                   const limpid::Window& window) const {
      return base.part(window);
    }
  };
  static_assert(limpid::PartwiseSource<InMemory>);
  const Pairs pairs = InMemory{};
  const auto part = pairs.part(pairs.base(0), 0, 0, {3, 4, 10, 11});
  BOOST_TEST((part.target == InMemory{}.image.crop(3, 4, 10, 11)));
  BOOST_TEST(part.target.data() == part.degraded.data());  // made once
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
