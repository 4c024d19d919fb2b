#include <limpid/io/image.hpp>
#include <limpid/metrics/compare_folders.hpp>
#include <limpid/metrics/left_out.hpp>
#include <limpid/metrics/metric_table.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace {

using limpid::compare_folders, limpid::Image;

namespace fs = std::filesystem;

struct TwoFolders {
  fs::path root = fs::temp_directory_path() / ("limpid_compare_" + std::to_string(::getpid()));
  fs::path restored = root / "restored", target = root / "target";

  TwoFolders() {
    fs::remove_all(root);
    fs::create_directories(restored);
    fs::create_directories(target);
  }
  ~TwoFolders() { fs::remove_all(root); }

  static void save(const fs::path& path, double value, std::int64_t width = 16) {
    Image::from_unit(torch::full({1, 3, 16, width}, value / 255)).save(path);
  }

  void fails(const std::string& text) const {
    BOOST_CHECK_EXCEPTION(compare_folders(restored, target), c10::Error, [&](const c10::Error& e) {
      BOOST_TEST(e.what_without_backtrace() == text);
      return e.what_without_backtrace() == text;
    });
  }
};

BOOST_FIXTURE_TEST_SUITE(compare_folders_of_pictures, TwoFolders)

BOOST_AUTO_TEST_CASE(pairs_by_stem_and_sorts_by_name) {
  save(restored / "b.bmp", 110), save(target / "b.png", 100);
  save(restored / "a.0.5.png", 101), save(target / "a.0.5.ppm", 100);
  std::ofstream{restored / "notes.txt"} << "no picture";
  const auto comparison = compare_folders(restored, target, limpid::metrics_by_name({"psnr_rgb"}));
  BOOST_REQUIRE(comparison.images.size() == 2u);
  BOOST_TEST(comparison.images[0].name == "a.0.5");
  BOOST_TEST(comparison.images[0].scores[0] == 48.1308, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(comparison.images[1].scores[0] == 28.1308, boost::test_tools::tolerance(1e-5));
  BOOST_REQUIRE(comparison.notes.size() == 1u);
  BOOST_TEST(comparison.notes[0].find("notes.txt") != std::string::npos, comparison.notes[0]);
  BOOST_TEST(limpid::left_out_lines(comparison).front() == comparison.notes[0]);
}

BOOST_AUTO_TEST_CASE(a_picture_is_told_by_what_it_holds_and_progress_is_shown) {
  save(restored / "a.png", 110), save(target / "a.png", 100);
  fs::rename(target / "a.png", target / "a");
  std::string shown;
  const auto comparison = compare_folders(
      restored, target, limpid::metrics_by_name({"psnr_rgb"}), [&](const auto& picture) {
        shown += std::to_string(picture.index + 1) + "/" + std::to_string(picture.count) + " " +
                 picture.name;
      });
  BOOST_TEST(comparison.images.size() == 1u);
  BOOST_TEST(shown == "1/1 a");
}

BOOST_AUTO_TEST_CASE(an_error_of_a_metric_names_the_picture_and_costs_no_other) {
  save(restored / "large.png", 110), save(target / "large.png", 100);
  save(restored / "small.png", 110, 6), save(target / "small.png", 100, 6);
  const auto comparison =
      compare_folders(restored, target, limpid::metrics_by_name({"ssim_uniform", "psnr_rgb"}));
  BOOST_TEST(comparison.compared(0).count == 1);
  BOOST_TEST(comparison.compared(0).none == 1);
  BOOST_TEST(comparison.compared(1).count == 2);
  BOOST_TEST(limpid::left_out_lines(comparison)[0].find("'small' (SSIMUniform: ") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(names_a_missing_partner_on_either_side) {
  save(restored / "a.png", 1), save(target / "a.png", 1), save(target / "b.png", 1);
  fails("compare: no partner for '" + (target / "b.png").string() + "' in '" + restored.string() +
        "'");
  save(restored / "c.png", 1), save(restored / "d.png", 1);
  fails("compare: no partner for '" + (restored / "c.png").string() + "' in '" + target.string() +
        "', and for 1 more");
}

BOOST_AUTO_TEST_CASE(pictures_that_cannot_be_compared_have_no_score_and_cost_no_other) {
  save(restored / "a.png", 1, 20), save(target / "a.png", 1);
  save(restored / "b.png", 110), save(target / "b.png", 100);
  save(restored / "c.png", 1), save(target / "c.png", 1);
  fs::resize_file(restored / "c.png", fs::file_size(restored / "c.png") / 2);
  const auto comparison = compare_folders(restored, target, limpid::metrics_by_name({"psnr_rgb"}));
  BOOST_REQUIRE(comparison.images.size() == 3u);
  BOOST_TEST(comparison.failed() == 2u);
  BOOST_TEST(comparison.images[0].error == "'" + (restored / "a.png").string() + "' is 20 x 16, '" +
                                               (target / "a.png").string() + "' is 16 x 16 pixels");
  BOOST_TEST(comparison.images[2].error.find("cannot read image '" + (restored / "c.png").string() +
                                             "'") == 0u,
             comparison.images[2].error);
  BOOST_TEST(comparison.compared(0).mean == 28.1308, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(comparison.compared(0).none == 2);
  const auto lines = limpid::left_out_lines(comparison);
  BOOST_REQUIRE(lines.size() == 1u);
  BOOST_TEST(lines[0].find("2 of 3 pictures could not be measured: 'a' (") == 0u, lines[0]);
}

BOOST_AUTO_TEST_CASE(two_pictures_of_one_stem_are_told_apart_by_their_extension) {
  save(restored / "IMG.jpg.png", 101), save(target / "IMG.jpg", 100);
  save(restored / "IMG.bmp.png", 110), save(target / "IMG.bmp", 100);
  save(restored / "other.png", 110), save(target / "other.jpg", 100);
  const auto comparison = compare_folders(restored, target, limpid::metrics_by_name({"psnr_rgb"}));
  BOOST_REQUIRE(comparison.images.size() == 3u);
  BOOST_TEST(comparison.images[0].name == "IMG.bmp");
  BOOST_TEST(comparison.images[0].scores[0] == 28.1308, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(comparison.images[1].scores[0] > 40);
  save(restored / "other.bmp", 110);
  fails("compare: no partner for '" + (restored / "other.bmp").string() + "' in '" +
        target.string() + "', and for 1 more");
  save(target / "IMG.jpg.png", 100);
  fails("compare: expected names that differ, found '" + (target / "IMG.jpg").string() + "' and '" +
        (target / "IMG.jpg.png").string() + "'");
}

BOOST_AUTO_TEST_CASE(an_empty_or_missing_folder_and_a_damaged_picture_are_errors) {
  save(restored / "a.png", 1);
  BOOST_CHECK_THROW(compare_folders(restored, target), c10::Error);
  BOOST_CHECK_THROW(compare_folders(restored, root / "nowhere"), c10::Error);
  std::ofstream{target / "a.png"} << "text";
  const auto names = [&](const char* file) {
    BOOST_CHECK_EXCEPTION(
        compare_folders(restored, target), c10::Error, [&](const c10::Error& error) {
          const std::string text = error.what_without_backtrace();
          return text.find(target.string()) != text.npos && text.find(file) != text.npos;
        });
  };
  names("a.png");
  save(restored / "b.png", 1), save(target / "b.png", 1);
  names("a.png");  // why it has no partner
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
