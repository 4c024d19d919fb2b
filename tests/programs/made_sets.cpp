#include <support/images.hpp>
#include <support/run_program.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

// Sets that limpid-data makes: never mixed with, or written over, what is there.
namespace {

using namespace limpid_test;
namespace fs = std::filesystem;

using Names = std::vector<std::string>;

/// All files below a folder but records.
Names files_below(const fs::path& folder) {
  Names names;
  for (const auto& entry : fs::recursive_directory_iterator{folder}) {
    const auto name = entry.path().lexically_relative(folder).string();
    if (!entry.is_directory() && !name.ends_with("made.json")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Names with(Names words, const Names& more) {
  words.insert(words.begin(), "limpid-data");
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

void succeeds(const Names& words, const Names& more = {}) {
  const auto ended = run(with(words, more));
  BOOST_TEST(ended.code == 0, ended.err);
}

void fails(const Names& words, const Names& more, const std::string& text) {
  const auto ended = run(with(words, more));
  BOOST_TEST(ended.code == 1, ended.err);
  BOOST_TEST((ended.err.find(text) != std::string::npos), ended.err);
}

struct Photos {
  TemporaryFolder folder;
  Photos() {
    for (int i = 0; i < 8; ++i) {
      save(picture(24, 32, static_cast<std::uint64_t>(i)),
           folder / "photos" / (std::to_string(i) + ".png"));
    }
  }
  std::string path(const std::string& name) const { return (folder / name).string(); }
};

BOOST_AUTO_TEST_SUITE(made_sets)

BOOST_AUTO_TEST_CASE(another_split_never_mixes_with_the_one_that_is_there) {
  const Photos photos;
  const auto set = photos.folder / "set";
  const Names split{"split", photos.path("photos"), photos.path("set"), "--test", "0.5"};
  succeeds(split, {"--seed", "1"});
  const auto first = files_below(set);
  BOOST_TEST(first.size() == 8u);
  fails(split, {"--seed", "2"}, "' and 7 others are there already; name another folder, or see");
  fails(split, {"--seed", "2", "--skip-existing"}, "was made with seed 1, not 2");
  BOOST_TEST((files_below(set) == first));
  succeeds(split, {"--seed", "2", "--overwrite"});
  const auto second = files_below(set);
  BOOST_TEST(second.size() == 8u);
  BOOST_TEST((second != first), "another split, whole");
  save(picture(24, 32), photos.folder / "photos/new.png");
  fails(split, {"--seed", "2", "--skip-existing"}, "was made with names");
}

BOOST_AUTO_TEST_CASE(a_share_of_none_or_all_means_so) {
  const Photos photos;
  const auto parts = [&](const std::string& share) {
    const auto set = photos.folder / ("set" + share);
    succeeds({"split", photos.path("photos"), set.string(), "--test", share});
    return std::pair{files_below(set / "train").size(), files_below(set / "test").size()};
  };
  BOOST_TEST((parts("0") == std::pair{std::size_t{8}, std::size_t{0}}));
  BOOST_TEST((parts("1") == std::pair{std::size_t{0}, std::size_t{8}}));
  BOOST_TEST((parts("0.001") == std::pair{std::size_t{7}, std::size_t{1}}));
  BOOST_TEST((parts("0.999") == std::pair{std::size_t{1}, std::size_t{7}}));
}

BOOST_AUTO_TEST_CASE(a_set_that_was_cut_off_goes_on) {
  const Photos photos;
  const auto set = photos.folder / "set";
  const Names degrade{"degrade", "--task", "derain", photos.path("photos"), photos.path("set")};
  succeeds(degrade);
  const auto all = files_below(set);
  BOOST_TEST(all.size() == 16u);
  const auto lost = read_bytes(set / "input/3.png");
  fs::remove(set / "input/3.png");
  write_bytes(set / "input/5.png", "an old one");  // which shows that it is not made again
  fails(degrade, {}, "are there already");
  fails(degrade, {"--skip-existing", "--max-side", "16"}, "was made with max-side 0, not 16");
  succeeds(degrade, {"--skip-existing"});
  BOOST_TEST((files_below(set) == all));
  BOOST_TEST((read_bytes(set / "input/3.png") == lost));
  BOOST_TEST(read_bytes(set / "input/5.png") == "an old one");
  fs::remove(photos.folder / "photos/7.png");
  succeeds(degrade, {"--overwrite"});
  BOOST_TEST(files_below(set).size() == 14u, "no stale pair stays");
}

BOOST_AUTO_TEST_CASE(a_set_goes_on_only_with_the_photographs_that_it_was_begun_with) {
  const Photos photos;
  for (int i = 0; i < 8; ++i) {
    const auto depth = torch::arange(10, 42).reshape({1, 32, 1}).expand({24, 32, 3});
    save(limpid::Image{depth.to(torch::kByte).contiguous()},
         photos.folder / "depths" / (std::to_string(i) + ".png"));
  }
  const Names degrade{"degrade", "--task", "derain", photos.path("photos"), photos.path("set")};
  const Names with_depth{"degrade",
                         "--task",
                         "dehaze",
                         "--depth",
                         photos.path("depths"),
                         photos.path("photos"),
                         photos.path("hazy")};
  const Names haze{"haze", photos.path("photos"), photos.path("depths"), photos.path("measured")};
  const Names blur{"blur", photos.path("photos"), photos.path("gopro"), "--frames", "3"};
  const Names split{"split", photos.path("photos"), photos.path("parts")};
  for (const auto& words : {degrade, with_depth, haze, blur, split}) succeeds(words);
  for (const auto& words : {degrade, with_depth, haze, blur, split}) {
    succeeds(words, {"--skip-existing"});
  }
  const auto all_fail = [&](const std::string& what) {
    for (const auto& words : {degrade, with_depth, haze, blur, split}) {
      const auto ended = run(with(words, {"--skip-existing"}));
      BOOST_TEST(ended.code == 1, what << ": " << words[0]);
      BOOST_TEST((ended.err.find("names [") != std::string::npos), ended.err);
    }
  };
  const auto third = photos.folder / "photos/3.png";
  save(picture(24, 32, 3), photos.folder / "photos/3.bmp");
  const auto fails_now = run(with(degrade, {"--skip-existing"}));
  BOOST_TEST(fails_now.code == 1, "3.bmp beside 3.png renames the pair of 3.png");
  fs::remove(third);
  all_fail("3.bmp in place of 3.png");
  fs::remove(photos.folder / "photos/3.bmp");
  all_fail("a photograph is gone");
  save(picture(24, 32, 3), third);
  succeeds(degrade, {"--skip-existing"});
  fs::rename(photos.folder / "depths/3.png", photos.folder / "depths/3");
  fails(with_depth, {"--skip-existing"}, "was made with depth-names");
  fails(haze, {"--skip-existing"}, "was made with depth-names");
}

BOOST_AUTO_TEST_CASE(what_no_run_recorded_is_never_removed) {
  const Photos photos;
  write_bytes(photos.folder / "set/input/mine.png", "mine");
  const Names degrade{"degrade", "--task", "derain", photos.path("photos"), photos.path("set")};
  for (const Names& how : {Names{}, Names{"--overwrite"}, Names{"--skip-existing"}}) {
    fails(degrade, how, "mine.png' is there already");
  }
  BOOST_TEST((files_below(photos.folder / "set") == Names{"input/mine.png"}));
}

BOOST_AUTO_TEST_CASE(one_bad_photograph_is_named_and_the_others_are_made) {
  const Photos photos;
  const auto whole = read_bytes(photos.folder / "photos/5.png");
  write_bytes(photos.folder / "photos/5.png", whole.substr(0, whole.size() / 2));
  const Names degrade{"degrade", "--task", "derain", photos.path("photos"), photos.path("set")};
  fails(degrade, {}, "5.png'");
  BOOST_TEST(files_below(photos.folder / "set").size() == 14u);
  fails({"split", photos.path("photos"), photos.path("parts")}, {}, "5.png'");
  save(picture(24, 32), photos.folder / "photos/5.png");
  succeeds(degrade, {"--skip-existing"});
  BOOST_TEST(files_below(photos.folder / "set").size() == 16u);
}

BOOST_AUTO_TEST_CASE(a_photograph_of_any_width_that_is_read_is_made_into_a_pair) {
  TemporaryFolder folder;
  save(limpid::Image{torch::full({16, 66000, 3}, 90, torch::kByte)}, folder / "photos/wide.ppm");
  save(picture(24, 32), folder / "photos/z.png");
  succeeds({"degrade", "--degradation", "noise,sigma=5", (folder / "photos").string(),
            (folder / "set").string()});
  BOOST_TEST(limpid::Image::load(folder / "set/input/wide.png").width() == 66000);
  succeeds({"split", (folder / "photos").string(), (folder / "parts").string()});
  BOOST_TEST(files_below(folder / "parts").size() == 2u);
}

BOOST_AUTO_TEST_CASE(two_photographs_of_one_name_are_two_pairs) {
  const Photos photos;
  save(picture(24, 32, 8), photos.folder / "photos/3.bmp");
  const Names degrade{"degrade", "--task", "derain", photos.path("photos"), photos.path("set")};
  succeeds(degrade);
  const auto made = files_below(photos.folder / "set");
  BOOST_TEST(made.size() == 18u);
  for (const auto* name : {"input/3.bmp.png", "input/3.png.png", "target/3.bmp.png"}) {
    BOOST_TEST((std::count(made.begin(), made.end(), name) == 1), name);
  }
  succeeds({"split", photos.path("photos"), photos.path("parts")});
  BOOST_TEST(files_below(photos.folder / "parts").size() == 9u);
  succeeds({"check", "derain=pairs:" + photos.path("set")});
}

BOOST_AUTO_TEST_CASE(hazy_and_blurred_sets_too) {
  const Photos photos;
  for (int i = 0; i < 8; ++i) {
    const auto depth = torch::arange(10, 42).reshape({1, 32, 1}).expand({24, 32, 3});
    save(limpid::Image{depth.to(torch::kByte).contiguous()},
         photos.folder / "depths" / (std::to_string(i) + ".png"));
  }
  const Names haze{"haze", photos.path("photos"), photos.path("depths"), photos.path("hazy")};
  succeeds(haze);
  const auto table = read_bytes(photos.folder / "hazy/haze.csv");
  fails(haze, {}, "are there already");
  fails(haze, {"--skip-existing", "--beta", "2"}, "was made with beta");
  fs::remove(photos.folder / "hazy/input/2.png");
  fs::remove(photos.folder / "hazy/haze.csv");
  succeeds(haze, {"--skip-existing"});
  BOOST_TEST(read_bytes(photos.folder / "hazy/haze.csv") == table);
  BOOST_TEST(files_below(photos.folder / "hazy").size() == 17u);

  const Names blur{"blur", photos.path("photos"), photos.path("gopro"), "--frames", "3"};
  succeeds(blur);
  const auto all = files_below(photos.folder / "gopro");
  fails(blur, {}, "are there already");
  fails(blur, {"--seed", "4", "--skip-existing"}, "was made with seed 1, not 4");
  succeeds(blur, {"--skip-existing"});
  succeeds(blur, {"--step", "4", "--overwrite"});
  BOOST_TEST((files_below(photos.folder / "gopro") != all));
}

BOOST_AUTO_TEST_CASE(single_files_are_not_replaced_unasked) {
  TemporaryFolder folder;
  for (const std::string n : {"1", "2", "3"}) {
    save(picture(8, 8, 1), folder / "NYU_Hazy" / (n + "_Hazy.bmp"));
    save(picture(8, 8, 2), folder / "NYU_GT" / (n + "_Image_.bmp"));
  }
  const auto file = folder / "split.json";
  const Names split{"dhazy-split", folder.path().string(), file.string()};
  succeeds(split);
  const auto first = read_bytes(file);
  fails(split, {"--seed", "9"}, "split.json' is there already; --overwrite replaces it");
  BOOST_TEST(read_bytes(file) == first);
  succeeds(split, {"--seed", "9", "--overwrite"});
  BOOST_TEST(read_bytes(file) != first);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
