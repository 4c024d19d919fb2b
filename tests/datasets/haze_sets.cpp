#include <limpid/datasets/dhazy.hpp>
#include <limpid/datasets/folder_layout.hpp>
#include <limpid/datasets/pair_split.hpp>
#include <limpid/datasets/reside.hpp>
#include <support/errors.hpp>
#include <support/fixtures.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <sys/stat.h>
#include <algorithm>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

namespace {

using limpid::DHazy, limpid::DHazyOptions, limpid::PairSplit, limpid::Random, limpid::RESIDE;
using namespace limpid_test;
namespace fs = std::filesystem;

std::vector<std::string> names_of(const limpid::Pairs& pairs) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < pairs.size(); ++i) names.push_back(pairs.name(i));
  return names;
}

std::vector<std::string> numbers(std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t i = 1; i <= count; ++i) names.push_back(std::to_string(i));
  return names;
}

/// What both lists hold.
std::vector<std::string> common(const std::vector<std::string>& a,
                                const std::vector<std::string>& b) {
  std::vector<std::string> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

struct InFolder {
  TemporaryFolder folder;
  std::string root = folder.path().string();

  void put(const std::string& name, std::uint64_t seed = 0, std::int64_t height = 6,
           std::int64_t width = 8) {
    save(picture(height, width, seed), folder / name);
  }

  /// N_Hazy.bmp, N_Image_.bmp and N_Depth_.bmp for N = 1 ... count.
  void put_nyu(std::int64_t count) {
    for (std::int64_t i = 1; i <= count; ++i) {
      const auto n = std::to_string(i);
      put("NYU_Hazy/" + n + "_Hazy.bmp", 1);
      put("NYU_GT/" + n + "_Image_.bmp", 2);
      put("NYU_GT/" + n + "_Depth_.bmp", 3);
    }
  }
};

BOOST_FIXTURE_TEST_SUITE(haze_sets, InFolder)

BOOST_AUTO_TEST_CASE(a_split_of_1449_names_has_1000_and_449_that_differ) {
  const auto split = PairSplit::draw("set", numbers(1449), 1000, 0);
  BOOST_TEST(split.train.size() == 1000);
  BOOST_TEST(split.test.size() == 449);
  BOOST_TEST(common(split.train, split.test).empty());
  auto all = split.train;
  all.insert(all.end(), split.test.begin(), split.test.end());
  std::sort(all.begin(), all.end());
  auto names = numbers(1449);
  std::sort(names.begin(), names.end());
  BOOST_TEST(all == names);
}

BOOST_AUTO_TEST_CASE(a_split_follows_from_the_seed_and_the_names_alone) {
  auto names = numbers(50);
  const auto split = PairSplit::draw("set", names, 30, 7);
  std::reverse(names.begin(), names.end());
  BOOST_TEST((PairSplit::draw("set", names, 30, 7) == split));
  BOOST_TEST(!(PairSplit::draw("set", names, 30, 8).train == split.train));
  // Pinned: whoever trained on this split must find it again in later versions.
  const auto small = PairSplit::draw("set", numbers(6), 3, 0);
  BOOST_TEST(small.train == (std::vector<std::string>{"2", "4", "5"}));
}

BOOST_AUTO_TEST_CASE(a_split_comes_back_from_its_file) {
  const auto split = PairSplit::draw("a \"set\"", numbers(20), 12, 123456789012345);
  split.write(folder / "split.json");
  BOOST_TEST((PairSplit::read(folder / "split.json") == split));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_split_is_named) {
  const auto file = (folder / "split.json").string();
  const auto read = [&](const std::string& text) {
    write_bytes(file, text);
    return error_of([&] { PairSplit::read(file); });
  };
  const auto where = "cannot read split file '" + file + "': ";
  BOOST_TEST(read("words") == "split file '" + file + "': expected JSON, found 'words' at byte 0");
  BOOST_TEST(read(std::string(100'000, '[')) ==
             "split file '" + file + "': expected JSON of at most 64 nested brackets, found more");
  BOOST_TEST(read(R"({"train": ["1"]})").rfind(where + "expected JSON with lists", 0) == 0);
  BOOST_TEST(read(R"({"train": ["1", 2], "test": []})").rfind(where + "expected JSON", 0) == 0);
  BOOST_TEST(read(R"({"train": ["1"], "test": []})") ==
             where + "expected names in 'train' and in 'test'");
  BOOST_TEST(read(R"({"train": ["1", "2"], "test": ["2"]})") == where + "'2' is named twice");
  BOOST_TEST(error_of([&] { PairSplit::read(folder / "none"); }) ==
             "cannot read split file '" + root + "/none': No such file or directory");
  BOOST_REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  BOOST_TEST(error_of([&] { PairSplit::read(folder / "pipe"); }) ==
             "cannot read split file '" + root + "/pipe': it is a named pipe");
  BOOST_TEST(error_of([&] {
               PairSplit::draw("set", {"a", "a", "b"}, 1, 0);
             }) == "PairSplit: expected names that differ, got 'a' twice");
  BOOST_TEST(error_of([&] {
               PairSplit::draw("set", {"a", "b"}, 2, 0);
             }) == "PairSplit: expected 1 to 1 pairs to train on, got 2 of 2");
}

BOOST_AUTO_TEST_CASE(dhazy_is_read_as_published) {
  put_nyu(12);
  put("Middlebury_Hazy/Adirondack_Hazy.bmp", 4);
  put("Middlebury_GT/Adirondack_im0.png", 5);
  const DHazy set{root};
  BOOST_TEST(set.all().size() == 12);
  BOOST_TEST((set.all().load(0).degraded == picture(6, 8, 1)));
  BOOST_TEST((set.all().load(0).target == picture(6, 8, 2)));
  const auto train = names_of(set.train()), test = names_of(set.test());
  BOOST_TEST(train.size() == 8);  // 12 * 1000 / 1449 = 8.28
  BOOST_TEST(test.size() == 4);
  BOOST_TEST(common(train, test).empty());
  BOOST_TEST(names_of(DHazy{root}.train()) == train);
  BOOST_TEST(!(names_of(DHazy{root, {.seed = 3}}.train()) == train));
  const auto middlebury = set.middlebury();
  BOOST_REQUIRE(middlebury.size() == 1);
  BOOST_TEST(middlebury.name(0) == "Adirondack");
  BOOST_TEST((middlebury.load(0).target == picture(6, 8, 5)));
  BOOST_TEST(set.train().description() == "D-HAZY '" + root + "' (NYU, train of seed 0)");
}

BOOST_AUTO_TEST_CASE(dhazy_goes_by_a_split_file) {
  put_nyu(12);
  const auto file = folder / "split.json";
  const DHazy seeded{root, {.seed = 5}};
  seeded.split_to_file(file);
  const DHazy set{root, {.split_file = file}};
  BOOST_TEST(names_of(set.train()) == names_of(seeded.train()));
  BOOST_TEST(names_of(set.test()) == names_of(seeded.test()));
  PairSplit{"", 0, {"2", "10"}, {"7"}}.write(file);
  BOOST_TEST(names_of(set.train()) == (std::vector<std::string>{"2", "10"}));
  PairSplit{"", 0, {"2", "13"}, {"7"}}.write(file);
  BOOST_TEST(error_of([&] { set.train(); }) == "D-HAZY: expected pair '13', which split file '" +
                                                   file.string() + "' names, in '" + root +
                                                   "', found 12 others");
}

BOOST_AUTO_TEST_CASE(half_a_dhazy_says_what_is_missing) {
  const auto train = [&] { return error_of([&] { DHazy{root}.train(); }); };
  BOOST_TEST(train() ==
             "D-HAZY: expected a folder of one of the names 'NYU_Hazy', 'D-HAZY_DATASET/NYU_Hazy' "
             "in '" +
                 root + "', found nothing");
  put("NYU_Hazy/1_Hazy.bmp");
  write_bytes(folder / "NYU_GT.zip", "x");
  BOOST_TEST(
      train() ==
      "D-HAZY: expected a folder of one of the names 'NYU_GT', 'D-HAZY_DATASET/NYU_GT' in '" +
          root + "', found 'NYU_GT.zip', 'NYU_Hazy'");
  put("NYU_GT/2_Image_.bmp");
  BOOST_TEST(train() ==
             "D-HAZY: '" + root + "/NYU_Hazy/1_Hazy.bmp' has no partner in '" + root + "/NYU_GT'");
  limpid::UnpairedFiles unpaired;
  BOOST_TEST(DHazy(root, {.unpaired = &unpaired}).all().size() == 0);
  BOOST_TEST(unpaired.degraded == std::vector<fs::path>{folder / "NYU_Hazy/1_Hazy.bmp"});
  BOOST_TEST(unpaired.target == std::vector<fs::path>{folder / "NYU_GT/2_Image_.bmp"});
}

BOOST_AUTO_TEST_CASE(dhazy_may_lie_in_the_folders_of_its_archives) {
  put("D-HAZY_DATASET/NYU_Hazy/NYU_Hazy/1_Hazy.png");
  put("D-HAZY_DATASET/NYU_GT/NYU_GT/1_Image_.png");
  BOOST_TEST(DHazy{root}.all().size() == 1);
}

BOOST_AUTO_TEST_CASE(reside_has_many_hazy_pictures_for_one_clear_one) {
  put("ITS/hazy/1_1_0.90179.png", 1);
  put("ITS/hazy/1_2_0.97842.png", 2);
  put("ITS/hazy/12_1_0.7.png", 3);
  put("ITS/clear/1.png", 4);
  put("ITS/clear/12.png", 5);
  put("OTS_BETA/haze/part1/0001_0.8_0.2.jpg", 6);
  put("OTS_BETA/haze/part2/0003_1_0.08.jpg", 6);
  put("OTS_BETA/clear/clear_images/0001.jpg", 7);
  put("OTS_BETA/clear/clear_images/0002.jpg", 7);  // OTS has clear ones without haze
  put("OTS_BETA/clear/clear_images/0003.jpg", 7);
  put("SOTS/outdoor/hazy/0001_0.8_0.2.jpg", 8);
  put("SOTS/outdoor/gt/0001.png", 9);
  const RESIDE set{root};
  const auto its = set.its();
  BOOST_TEST(names_of(its) == (std::vector<std::string>{"12_1_0.7", "1_1_0.90179", "1_2_0.97842"}));
  BOOST_TEST((its.load(0).target == picture(6, 8, 5)));
  BOOST_TEST((its.load(1).target == picture(6, 8, 4)));
  BOOST_TEST((its.load(2).target == picture(6, 8, 4)));
  BOOST_TEST((its.load(2).degraded == picture(6, 8, 2)));
  BOOST_TEST(names_of(set.train()) == names_of(its));
  BOOST_TEST(names_of(set.ots()) == (std::vector<std::string>{"0001_0.8_0.2", "0003_1_0.08"}));
  BOOST_TEST(set.ots().file(1)->target == folder / "OTS_BETA/clear/clear_images/0003.jpg");
  BOOST_TEST((set.sots_outdoor().load(0).target == picture(6, 8, 9)));
  limpid::UnpairedFiles unpaired;
  RESIDE(root, &unpaired).ots();
  BOOST_TEST(unpaired.degraded.empty());
  BOOST_TEST(unpaired.target ==
             std::vector<fs::path>{folder / "OTS_BETA/clear/clear_images/0002.jpg"});
}

BOOST_AUTO_TEST_CASE(the_border_of_a_clear_picture_of_reside_is_left_out) {
  put("SOTS/indoor/nyuhaze500/hazy/1400_1.png", 1, 20, 30);
  put("SOTS/indoor/nyuhaze500/gt/1400.png", 2, 40, 50);
  const auto pairs = RESIDE{root}.sots_indoor();
  BOOST_TEST((pairs.load(0).target == picture(40, 50, 2).crop(10, 10, 20, 30)));
  put("SOTS/indoor/nyuhaze500/gt/1400.png", 2, 40, 64);
  const auto pair = root + "/SOTS/indoor/nyuhaze500/";
  BOOST_TEST(error_of([&] { pairs.load(0); }) == "pair '1400_1': '" + pair +
                                                     "hazy/1400_1.png' has 30 x 20 pixels, '" +
                                                     pair + "gt/1400.png' has 64 x 40");
  put("SOTS/indoor/nyuhaze500/gt/1400.png", 2, 19, 30);
  BOOST_TEST((error_of([&] { pairs.load(0); }).find("has 30 x 19") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(reside_is_read_as_others_repack_it) {
  put("train/hazy/7.png", 1);  // equal names
  put("train/GT/7.png", 2);
  put("test/hazy/1400_3.png", 3);
  put("test/gt/1400.png", 4);
  const RESIDE set{root};
  BOOST_TEST((set.train().load(0).target == picture(6, 8, 2)));
  BOOST_TEST((set.test().load(0).target == picture(6, 8, 4)));
  BOOST_TEST((RESIDE{folder / "test"}.all().load(0).degraded == picture(6, 8, 3)));
}

BOOST_AUTO_TEST_CASE(half_a_reside_says_what_is_missing) {
  const auto its = [&] { return error_of([&] { RESIDE{root}.its(); }); };
  fs::create_directories(folder / "SOTS");
  BOOST_TEST(its() ==
             "RESIDE: expected a folder of one of the names 'ITS', 'ITS_v2', 'ITS/train', "
             "'ITS_v2/train' for ITS in '" +
                 root + "', found 'SOTS'");
  put("ITS/train/ITS_haze/1_1_0.9.png");
  BOOST_TEST(its() ==
             "RESIDE: expected folders 'hazy' (or 'haze', 'ITS_haze') and 'clear' (or "
             "'gt', 'GT', 'ITS_clear') in '" +
                 root + "/ITS/train', found 'ITS_haze'");
  put("ITS/train/ITS_clear/2.png");
  BOOST_TEST(its() == "RESIDE: '" + root +
                          "/ITS/train/ITS_haze/1_1_0.9.png' has no partner "
                          "'1_1_0.9' or '1' in '" +
                          root + "/ITS/train/ITS_clear'");
  put("ITS/train/ITS_clear/1.png");
  BOOST_TEST(RESIDE{root}.its().size() == 1);
}

BOOST_AUTO_TEST_CASE(reads_real_haze_with_equal_names) {
  if (!available(data_folder() / "haze")) return;
  const auto pairs = RESIDE{data_folder() / "haze"}.all();
  BOOST_TEST(pairs.size() == 8);
  for (std::int64_t i = 0; i < pairs.size(); ++i) {
    BOOST_TEST(pairs.file(i)->degraded.stem() == pairs.file(i)->target.stem());
    BOOST_TEST(pairs.load(i).target.height() > 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
