#include <limpid/datasets/all_in_one.hpp>
#include <limpid/datasets/all_weather.hpp>
#include <limpid/datasets/cdd11.hpp>
#include <limpid/datasets/data_argument.hpp>
#include <limpid/datasets/data_format.hpp>
#include <limpid/datasets/published_layout.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

using limpid::DataArgument, limpid::DataUse, limpid::open_pairs;
using namespace limpid_test;
namespace fs = std::filesystem;
using Names = std::vector<std::string>;

struct InFolder {
  TemporaryFolder folder;
  std::string root = folder.path().string();

  /// Tiny pictures of these names, between spaces.
  void put(const std::string& names) {
    std::istringstream words{names};
    for (std::string name; words >> name;) {
      if (!fs::exists(folder / name)) save(picture(4, 4), folder / name);
    }
  }

  limpid::Pairs open(const std::string& format, DataUse use = DataUse::evaluation,
                     const std::string& task = "deblur", const std::string& part = "") {
    return open_pairs(DataArgument::parse(task + "=" + format + ":" + root + part), use);
  }

  /// "INPUT > TARGET" of each pair, below the folder.
  Names files(const std::string& format, const std::string& part) {
    const auto pairs = open(format, DataUse::evaluation, "deblur", part);
    Names names;
    for (std::int64_t i = 0; i < pairs.size(); ++i) {
      const auto file = pairs.file(i);
      names.push_back(file->degraded.lexically_relative(root).string() + " > " +
                      file->target.lexically_relative(root).string());
    }
    return names;
  }

  std::string error(const std::string& format, const std::string& part = "") {
    return error_of([&] { open(format, DataUse::evaluation, "deblur", part); });
  }
};

Names names_of(const limpid::Pairs& pairs) {
  Names names;
  for (std::int64_t i = 0; i < pairs.size(); ++i) names.push_back(pairs.name(i));
  return names;
}

const std::string kRealBlurJ = "RealBlur-J_ECC_IMCORR_centroid_itensity_ref";

BOOST_FIXTURE_TEST_SUITE(published_layout, InFolder)

BOOST_AUTO_TEST_CASE(realblur_goes_by_its_lists) {
  for (const std::string scene : {"scene001", "scene002"}) {
    put(kRealBlurJ + "/" + scene + "/gt/gt_1.png " + kRealBlurJ + "/" + scene + "/blur/blur_1.png");
  }
  const auto line = [&](const std::string& scene) {
    return kRealBlurJ + "/" + scene + "/gt/gt_1.png " + kRealBlurJ + "/" + scene +
           "/blur/blur_1.png";
  };
  write_bytes(folder / "RealBlur_J_train_list.txt", line("scene002") + " \r\n\n");
  write_bytes(folder / "RealBlur_J_test_list.txt", line("scene001") + "\n" + line("scene002"));
  BOOST_TEST(names_of(open("realblur-j", DataUse::training)) == Names{"blur_1"});
  BOOST_TEST(names_of(open("realblur-j")) ==
             (Names{"scene001_blur_blur_1", "scene002_blur_blur_1"}));
  BOOST_TEST(files("realblur-j", "@train") == Names{kRealBlurJ + "/scene002/blur/blur_1.png > " +
                                                    kRealBlurJ + "/scene002/gt/gt_1.png"});
  BOOST_TEST(error("realblur-r") ==
             "RealBlur-R: expected the list 'RealBlur_R_test_list.txt' in '" + root +
                 "'; there is no such list in '" + root + "', found '" + kRealBlurJ +
                 "', 'RealBlur_J_test_list.txt', 'RealBlur_J_train_list.txt'");
}

BOOST_AUTO_TEST_CASE(a_list_that_names_what_is_not_there_says_which_line) {
  put("s/gt/gt_1.png s/blur/blur_1.png");
  const auto list = (folder / "RealBlur_R_test_list.txt").string();
  const auto with = [&](const std::string& text) {
    write_bytes(list, text);
    return error("realblur-r");
  };
  const auto at = "RealBlur-R: line 2 of '" + list + "': ";
  const std::string good = "s/gt/gt_1.png s/blur/blur_1.png\n";
  BOOST_TEST(with(good + "s/gt/gt_2.png s/blur/blur_2.png") ==
             at + "expected a file 's/blur/blur_2.png' below '" + root + "', found none");
  BOOST_TEST(with(good + "s/gt/gt_1.png") ==
             at + "expected the paths of a sharp and a blurred picture, found 's/gt/gt_1.png'");
  BOOST_TEST(with(good + "../x.png ../y.png").find("expected a file '../y.png'") !=
             std::string::npos);
  BOOST_TEST(with("\n") == "RealBlur-R: expected pictures in list '" + list + "', found none");
}

BOOST_AUTO_TEST_CASE(hide_has_one_folder_of_targets_for_all_its_parts) {
  put("HIDE_dataset/train/a.png HIDE_dataset/test/test-close-ups/b.png "
      "HIDE_dataset/test/test-long-shot/c.png HIDE_dataset/GT/a.png HIDE_dataset/GT/b.png "
      "HIDE_dataset/GT/c.png");
  BOOST_TEST(names_of(open("hide", DataUse::training)) == Names{"a"});
  BOOST_TEST(names_of(open("hide")) == (Names{"test-close-ups_b", "test-long-shot_c"}));
  BOOST_TEST(files("hide", "@long-shot") ==
             Names{"HIDE_dataset/test/test-long-shot/c.png > HIDE_dataset/GT/c.png"});
  fs::remove(folder / "HIDE_dataset/GT/c.png");
  BOOST_TEST(error("hide") == "HIDE: '" + root +
                                  "/HIDE_dataset/test/test-long-shot/c.png' has no partner 'GT/c' "
                                  "below '" +
                                  root + "/HIDE_dataset'");
}

BOOST_AUTO_TEST_CASE(lol_comes_in_three_kinds) {
  put("our485/low/1.png our485/high/1.png eval15/low/2.png eval15/high/2.png "
      "Real_captured/Train/Low/low00001.png Real_captured/Train/Normal/normal00001.png "
      "Real_captured/Test/Low/00690.png Real_captured/Test/Normal/00690.png "
      "Synthetic/Train/Low/r1.png Synthetic/Train/Normal/r1.png "
      "Synthetic/Test/Low/r2.png Synthetic/Test/Normal/r2.png");
  BOOST_TEST(files("lol", "@train") == Names{"our485/low/1.png > our485/high/1.png"});
  BOOST_TEST(names_of(open("lol")) == Names{"2"});
  BOOST_TEST(files("lol-v2-real", "@train") == Names{"Real_captured/Train/Low/low00001.png > "
                                                     "Real_captured/Train/Normal/normal00001.png"});
  BOOST_TEST(names_of(open("lol-v2-real")) == Names{"00690"});
  BOOST_TEST(names_of(open("lol-v2-synthetic", DataUse::training)) == Names{"r1"});
  BOOST_TEST(names_of(open("lol-v2-synthetic")) == Names{"r2"});
  fs::remove_all(folder / "eval15/high");
  BOOST_TEST(error("lol") == "LOL: expected 'eval15/low/{}' with 'eval15/high/{}' in '" + root +
                                 "'; there is no folder 'high' in '" + root +
                                 "/eval15', found 'low'");
}

BOOST_AUTO_TEST_CASE(sidd_has_numbers_before_its_names_or_none) {
  put("Data/0001_001_S6_L/0001_NOISY_SRGB_010.PNG Data/0001_001_S6_L/0001_GT_SRGB_010.PNG "
      "Data/0002_001_S6_L/NOISY_SRGB_011.PNG Data/0002_001_S6_L/GT_SRGB_011.PNG");
  BOOST_TEST(names_of(open("sidd")) ==
             (Names{"0001_001_S6_L_0001_NOISY_SRGB_010", "0002_001_S6_L_NOISY_SRGB_011"}));
  fs::remove(folder / "Data/0002_001_S6_L/GT_SRGB_011.PNG");
  BOOST_TEST(error("sidd").find("NOISY_SRGB_011.PNG' has no partner "
                                "'Data/0002_001_S6_L/*GT_SRGB_011'") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(rain100_has_its_targets_beside_or_apart) {
  put("rainy/rain-001.png norain/norain-001.png");
  BOOST_TEST(files("rain100", "") == Names{"rainy/rain-001.png > norain/norain-001.png"});
  fs::rename(folder / "norain/norain-001.png", folder / "rainy/norain-001.png");
  BOOST_TEST(files("rain100", "") == Names{"rainy/rain-001.png > rainy/norain-001.png"});
  fs::rename(folder / "rainy/norain-001.png", folder / "norain-001.png");
  BOOST_TEST(files("rain100", "") == Names{"rainy/rain-001.png > norain-001.png"});
  fs::remove(folder / "norain-001.png");
  BOOST_TEST(error("rain100").find("rain-001.png' has no partner") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(rain13k_tests_on_one_set_or_all_five) {
  put("train/input/1.jpg train/target/1.jpg");
  for (const std::string set : {"Test100", "Rain100H", "Rain100L", "Test2800", "Test1200"}) {
    put("test/" + set + "/input/1.png test/" + set + "/target/1.png");
  }
  BOOST_TEST(open("rain13k", DataUse::training).size() == 1);
  BOOST_TEST(names_of(open("rain13k")) ==
             (Names{"Rain100H_1", "Rain100L_1", "Test100_1", "Test1200_1", "Test2800_1"}));
  for (const std::string part : {"test100", "rain100h", "rain100l", "test2800", "test1200"}) {
    BOOST_TEST(files("rain13k", "@" + part).size() == 1);
  }
}

BOOST_AUTO_TEST_CASE(outdoor_rain_has_many_inputs_for_a_target) {
  put("CVPR19RainTrain/test/data/im_0001_s80_a04.png CVPR19RainTrain/test/data/im_0001_s95_a06.png "
      "CVPR19RainTrain/test/gt/im_0001.png");
  BOOST_TEST(names_of(open("outdoor-rain")) == (Names{"im_0001_s80_a04", "im_0001_s95_a06"}));
  put("CVPR19RainTrain/test/data/im_0002_s80_a04.png");
  BOOST_TEST(error("outdoor-rain").find("im_0002_s80_a04.png' has no partner 'test/gt/im_0002'") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(snow100k_is_found_below_the_folders_of_its_archive) {
  const std::string deep = "media/jdway/GameSSD/overlapping/test/Snow100K-";
  for (const std::string size : {"S", "M", "L"}) {
    put(deep + size + "/synthetic/a.jpg " + deep + size + "/gt/a.jpg");
  }
  BOOST_TEST(names_of(open("snow100k")) == (Names{"L_a", "M_a", "S_a"}));
  for (const std::string part : {"small", "medium", "large"}) {
    BOOST_TEST(files("snow100k", "@" + part).size() == 1);
  }
  TemporaryFolder other;
  save(picture(4, 4), other / "all/synthetic/b.jpg");
  save(picture(4, 4), other / "all/gt/b.jpg");
  const auto train = "desnow=snow100k:" + other.path().string();
  BOOST_TEST(open_pairs(DataArgument::parse(train), DataUse::training).name(0) == "b");
}

BOOST_AUTO_TEST_CASE(all_weather_goes_by_its_lists_and_the_names_of_its_sets) {
  put("input/0_rain.png gt/0_clean.png input/im_0001_s80_a04.png gt/im_0001.png input/snow.jpg "
      "gt/snow.jpg input/1_rain.png gt/1_rain.png");
  write_bytes(folder / "allweather.txt",
              "input/im_0001_s80_a04.png\nallweather/input/snow.jpg\n/allweather/input/1_rain.png");
  write_bytes(folder / "raindroptesta.txt", "input/0_rain.png\n");
  write_bytes(folder / "test1.txt", "./input/im_0001_s80_a04.png\n");
  write_bytes(folder / "snowtest100k_L.txt", "input/snow.jpg\n");
  BOOST_TEST(files("all-weather", "@train") ==
             (Names{"input/im_0001_s80_a04.png > gt/im_0001.png", "input/snow.jpg > gt/snow.jpg",
                    "input/1_rain.png > gt/1_rain.png"}));
  BOOST_TEST(files("all-weather", "") == Names{"input/0_rain.png > gt/0_clean.png"});
  BOOST_TEST(open("all-weather", DataUse::evaluation, "deblur", "@rain").size() == 1);
  BOOST_TEST(open("all-weather", DataUse::evaluation, "deblur", "@snow").name(0) == "snow");
  fs::remove(folder / "gt/0_clean.png");
  BOOST_TEST(error("all-weather").find("has no partner 'gt/0_rain', 'gt/0_clean' below") !=
                 std::string::npos,
             error("all-weather"));
}

BOOST_AUTO_TEST_CASE(cdd11_shows_each_damage_against_the_clear_pictures) {
  for (const std::string tree : {"train", "test"}) {
    for (const std::string kind :
         {"clear", "low", "haze", "rain", "snow", "low_haze", "low_rain", "low_snow", "haze_rain",
          "haze_snow", "low_haze_rain", "low_haze_snow"}) {
      put(tree + "/" + kind + "/" + tree + "1.png");
    }
  }
  const auto all = names_of(open("cdd11"));
  BOOST_TEST(all.size() == 11);
  BOOST_TEST(all.front() == "haze_test1");
  BOOST_TEST(names_of(open("cdd11", DataUse::training)).size() == 11);
  BOOST_TEST(files("cdd11", "@low_haze_snow") ==
             Names{"test/low_haze_snow/test1.png > test/clear/test1.png"});
  BOOST_TEST(files("cdd11", "@train_rain") ==
             Names{"train/rain/train1.png > train/clear/train1.png"});
}

BOOST_AUTO_TEST_CASE(dpdd_pairs_equal_names_else_their_order) {
  put("test_c/source/1.png test_c/source/3.png test_c/target/1.png test_c/target/3.png");
  BOOST_TEST(files("dpdd", "@test") == (Names{"test_c/source/1.png > test_c/target/1.png",
                                              "test_c/source/3.png > test_c/target/3.png"}));
  fs::rename(folder / "test_c/target/3.png", folder / "test_c/target/4.png");
  BOOST_TEST(
      error("dpdd").find("source/3.png' has no partner 'test_c/target/3'") != std::string::npos,
      "one of unequal names among equal ones is a mistake");
  fs::rename(folder / "test_c/target/1.png", folder / "test_c/target/2.png");
  BOOST_TEST(files("dpdd", "@test") == (Names{"test_c/source/1.png > test_c/target/2.png",
                                              "test_c/source/3.png > test_c/target/4.png"}));
  fs::remove(folder / "test_c/target/4.png");
  BOOST_TEST(error("dpdd").find("found 2 and 1") != std::string::npos, error("dpdd"));
}

BOOST_AUTO_TEST_CASE(the_trees_of_all_in_one_restoration_go_by_the_task) {
  put("Train/Deblur/blur/G_1.png Train/Deblur/sharp/G_1.png "
      "Train/Dehaze/synthetic/part1/0025_0.8_0.1.jpg Train/Dehaze/synthetic/part1/0025_0.8_0.2.jpg "
      "Train/Dehaze/original/0025.png Train/Dehaze/original/0039.png "
      "Train/Denoise/00001.bmp Train/Derain/gt/norain-1.png Train/Derain/rainy/rain-1.png "
      "Train/Enhance/gt/2.png Train/Enhance/low/2.png "
      "test/deblur/gopro/input/G_2.png test/deblur/gopro/target/G_2.png "
      "test/dehaze/input/0001_0.8_0.2.jpg test/dehaze/target/0001.png "
      "test/denoise/bsd68/3096.jpg test/denoise/urban100/img_001.png "
      "test/denoise/kodak24/kodim01.png "
      "test/derain/Rain100L/input/1.png test/derain/Rain100L/target/1.png "
      "test/enhance/lol/input/1.png test/enhance/lol/target/1.png");
  const auto names = [&](const std::string& task, DataUse use) {
    return names_of(open("aio", use, task));
  };
  BOOST_TEST(names("deblur", DataUse::training) == Names{"G_1"});
  BOOST_TEST(names("dehaze", DataUse::training) ==
             (Names{"part1_0025_0.8_0.1", "part1_0025_0.8_0.2"}));
  BOOST_TEST(names("derain-streaks", DataUse::training) == Names{"1"});
  BOOST_TEST(names("enlighten", DataUse::training) == Names{"2"});
  BOOST_TEST(names("denoise", DataUse::training) == Names{"00001"});
  BOOST_TEST(names("deblur", DataUse::evaluation) == Names{"G_2"});
  BOOST_TEST(names("dehaze", DataUse::evaluation) == Names{"0001_0.8_0.2"});
  BOOST_TEST(names("derain", DataUse::evaluation) == Names{"1"});
  BOOST_TEST(names("enhance", DataUse::evaluation) == Names{"1"});
  BOOST_TEST(names("denoise", DataUse::evaluation) == Names{"3096"});
  for (const std::string part : {"urban100", "kodak24", "train-denoise"}) {
    BOOST_TEST(open("aio", DataUse::evaluation, "any", "@" + part).size() == 1);
  }
  BOOST_TEST(open("aio", DataUse::evaluation, "any", "@test-dehaze").size() == 1);
  BOOST_TEST(value_error_of([&] { names("sharpen", DataUse::training); })
                 .find("AIO: expected a task deblur, dehaze, derain, enhance or denoise, or a part "
                       "such as @train-deblur, got task 'sharpen'") != std::string::npos);
  fs::remove_all(folder / "test/denoise/bsd68");
  BOOST_TEST(error_of([&] {
               names("denoise", DataUse::evaluation);
             }).find("AIO: expected a folder of one of the names 'test/denoise/bsd68'") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_part_of_a_layout_can_be_named_and_no_other) {
  const auto check = [](const limpid::PublishedLayout& layout, std::string_view parts) {
    std::set<std::string> named, known;
    std::istringstream words{std::string{parts}};
    for (std::string word; words >> word;) named.insert(word);
    for (const auto& line : layout.parts) {
      if (!line.part.empty()) known.insert(std::string{line.part});
    }
    BOOST_TEST(named == known, layout.name);
  };
  check(limpid::kRealBlurJLayout, limpid::kRealBlurJFormat.parts);
  check(limpid::kRealBlurRLayout, limpid::kRealBlurRFormat.parts);
  check(limpid::kHIDELayout, limpid::kHIDEFormat.parts);
  check(limpid::kLOLLayout, limpid::kLOLFormat.parts);
  check(limpid::kLOLv2RealLayout, limpid::kLOLv2RealFormat.parts);
  check(limpid::kLOLv2SyntheticLayout, limpid::kLOLv2SyntheticFormat.parts);
  check(limpid::kSIDDLayout, limpid::kSIDDFormat.parts);
  check(limpid::kRain100Layout, limpid::kRain100Format.parts);
  check(limpid::kRain13KLayout, limpid::kRain13KFormat.parts);
  check(limpid::kOutdoorRainLayout, limpid::kOutdoorRainFormat.parts);
  check(limpid::kSnow100KLayout, limpid::kSnow100KFormat.parts);
  check(limpid::kAllWeatherLayout, limpid::kAllWeatherFormat.parts);
  check(limpid::kCDD11Layout, limpid::kCDD11Format.parts);
  check(limpid::kDPDDLayout, limpid::kDPDDFormat.parts);
}

BOOST_AUTO_TEST_CASE(a_layout_that_is_not_there_says_what_it_looked_for) {
  const auto none = root + "/none";
  BOOST_TEST(error_of([&] { published_pairs(limpid::kDPDDLayout, none, "val"); }) ==
             "DPDD: expected 'val_c/source/{}' with 'val_c/target/{}', or 'val_c/source/*' with "
             "'val_c/target/*' in '" +
                 none + "'; there is no folder 'val_c' in '" + none + "', found no such folder");
  BOOST_TEST(value_error_of([&] { published_pairs(limpid::kDPDDLayout, root, "spring"); }) ==
             "DPDD: unknown part 'spring'");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
