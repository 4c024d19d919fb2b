#include <limpid/inference/output_files.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace {

using limpid::plan_output_files;
using limpid_test::picture, limpid_test::TemporaryFolder;

BOOST_AUTO_TEST_SUITE(output_files)

BOOST_AUTO_TEST_CASE(files_and_folders_keep_their_names) {
  TemporaryFolder folder;
  std::filesystem::create_directories(folder / "photos");
  picture(16, 16).save(folder / "photos/b.png");
  picture(16, 16).save(folder / "photos/a.v2.jpg");
  const auto files =
      plan_output_files({folder / "photos", folder / "not-there.bmp"}, folder / "out", ".png");
  BOOST_REQUIRE_EQUAL(files.size(), 3u);
  BOOST_TEST((files[0].output == folder / "out/a.v2.png"));
  BOOST_TEST((files[1].input == folder / "photos/b.png"));
  BOOST_TEST((files[2].output == folder / "out/not-there.png"));
}

BOOST_AUTO_TEST_CASE(an_input_is_never_an_output) {
  TemporaryFolder folder;
  std::filesystem::create_directories(folder / "photos");
  const auto a = folder / "photos/a.png";
  picture(16, 16).save(a);
  const auto text =
      "'" + a.string() + "' would overwrite the input '" + a.string() + "'; name another folder";
  BOOST_CHECK_EXCEPTION(plan_output_files({a}, folder / "photos", ".png"), c10::Error,
                        [&](const auto& e) { return e.what_without_backtrace() == text; });
  std::filesystem::create_directories(folder / "out");
  std::filesystem::create_symlink(a, folder / "out/a.png");
  BOOST_CHECK_THROW(plan_output_files({a}, folder / "out", ".png"), c10::Error);
  BOOST_CHECK_NO_THROW(plan_output_files({a}, folder / "out", ".jpg"));
}

/// The names of the results of these pictures, each named on the command line by itself.
std::vector<std::string> names_of(const std::vector<std::string>& inputs) {
  std::vector<std::string> names;
  for (const auto& file : plan_output_files(
           std::vector<std::filesystem::path>{inputs.begin(), inputs.end()}, "out", ".png")) {
    names.push_back(file.output.lexically_relative("out").string());
  }
  return names;
}

using Names = std::vector<std::string>;

BOOST_AUTO_TEST_CASE(two_inputs_never_share_an_output) {
  BOOST_TEST(
      (names_of({"IMG.jpg", "IMG.bmp", "b.png"}) == Names{"IMG.jpg.png", "IMG.bmp.png", "b.png"}));
  BOOST_TEST((names_of({"cam1/IMG.jpg", "cam2/IMG.jpg", "cam2/b.jpg"}) ==
              Names{"cam1/IMG.png", "cam2/IMG.png", "b.png"}));
  BOOST_TEST((names_of({"one/a.png", "two/a.jpg"}) == Names{"a.png.png", "a.jpg.png"}));
  BOOST_TEST(
      (names_of({"1/cam/IMG.jpg", "2/cam/IMG.jpg"}) == Names{"1/cam/IMG.png", "2/cam/IMG.png"}));
  BOOST_TEST((names_of({"1/IMG.jpg", "1/IMG.bmp", "2/IMG.jpg"}) ==
              Names{"1/IMG.jpg.png", "1/IMG.bmp.png", "2/IMG.png"}));
  BOOST_TEST((names_of({"IMG.jpg", "IMG.bmp", "IMG.jpg.jpg"}).size() == 3u));
}

BOOST_AUTO_TEST_CASE(results_beside_their_pictures_have_names_of_their_own) {
  const auto beside = [](const std::vector<std::string>& inputs,
                         const std::string& extension = {}) {
    std::vector<limpid::InputPicture> pictures;
    for (const auto& input : inputs) pictures.push_back({input, ""});
    Names names;
    for (const auto& file : limpid::plan_outputs_beside(pictures, extension)) {
      names.push_back(file.output.string());
    }
    return names;
  };
  BOOST_TEST((beside({"a/IMG.JPG", "IMG.v2.png", "IMG.bmp"}) ==
              Names{"a/IMG.restored.JPG", "IMG.v2.restored.png", "IMG.restored.bmp"}));
  BOOST_TEST((beside({"IMG", "scan.xyz"}) == Names{"IMG.restored.png", "scan.restored.png"}));
  BOOST_TEST((beside({"IMG.jpg", "IMG.bmp", "b.jpg"}, ".png") ==
              Names{"IMG.jpg.restored.png", "IMG.bmp.restored.png", "b.restored.png"}));
  BOOST_TEST(limpid::is_called_restored("a/IMG.restored.jpg"));
  BOOST_TEST(!limpid::is_called_restored("a/IMG.jpg"));
  TemporaryFolder folder;
  const auto a = (folder / "a.png").string(), restored = (folder / "a.restored.png").string();
  picture(16, 16).save(a);
  picture(16, 16).save(restored);
  BOOST_CHECK_THROW(beside({a, restored}), c10::Error);
  BOOST_TEST((beside({restored}) == Names{(folder / "a.restored.restored.png").string()}));
}

BOOST_AUTO_TEST_CASE(a_picture_named_twice_is_restored_once) {
  BOOST_TEST((names_of({"cam/a.jpg", "./cam/a.jpg", "cam/../cam/a.jpg"}) == Names{"a.png"}));
}

BOOST_AUTO_TEST_CASE(pictures_keep_their_place_below_a_named_folder) {
  const auto files =
      limpid::plan_outputs(std::vector<limpid::InputPicture>{{"in/a.jpg", "in"},
                                                             {"in/x/a.jpg", "in"},
                                                             {"in/x/y/b.jpg", "in"},
                                                             {"other/x/a.jpg", "other"}},
                           "out", ".png");
  BOOST_TEST(files[0].output.string() == "out/a.png");
  BOOST_TEST(files[1].output.string() == "out/in/x/a.png", "two trees hold x/a.jpg");
  BOOST_TEST(files[2].output.string() == "out/x/y/b.png");
  BOOST_TEST(files[3].output.string() == "out/other/x/a.png");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
