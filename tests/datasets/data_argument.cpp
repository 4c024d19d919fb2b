#include <limpid/datasets/data_argument.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>
#include <support/named.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace {

using limpid::DataArgument, limpid::DataUse, limpid::open_pairs;
using namespace limpid_test;

std::string error_of(const std::string& text) {
  return limpid_test::value_error_of([&] { return DataArgument::parse(text); });
}

BOOST_AUTO_TEST_SUITE(data_argument)

BOOST_AUTO_TEST_CASE(splits_into_task_format_path_and_part) {
  const auto plain = DataArgument::parse("deblur=gopro:/data/a:b=c");
  BOOST_TEST(plain.task == "deblur");
  BOOST_TEST(plain.format == "gopro");
  BOOST_TEST(plain.path == "/data/a:b=c");
  BOOST_TEST(plain.part == "");
  const auto part = DataArgument::parse("derain=raindrop:/me@home/set@test_b");
  BOOST_TEST(part.path == "/me@home/set");
  BOOST_TEST(part.part == "test_b");
  BOOST_TEST(DataArgument::parse("derain=raindrop:/set@home/").path == "/set@home/");
  BOOST_TEST(DataArgument::parse("x=pairs:a@home").path == "a@home");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named) {
  BOOST_TEST(error_of("gopro:/x") ==
             "'gopro:/x': expected TASK=FORMAT:PATH[@PART], for example "
             "deblur=gopro:data/GoPro");
  BOOST_TEST(error_of("De blur=gopro:/x") ==
             "'De blur=gopro:/x': expected a task name of lower-case letters, digits, '-' and "
             "'_', got 'De blur'");
  BOOST_TEST(error_of("a=hide:/x") ==
             "'a=hide:/x': expected a data format, one of gopro, gopro-gamma, raindrop, dhazy, "
             "reside, reds, reds-comp, reds-jpeg, pairs, photos; got 'hide'");
  BOOST_TEST(error_of("a=gopro:") == "'a=gopro:': expected a path behind 'gopro:'");
  BOOST_TEST(error_of("a=gopro:/x@") == "'a=gopro:/x@': expected a part behind '@'");
  BOOST_TEST(error_of("a=gopro:/x@test_b") ==
             "'a=gopro:/x@test_b': unknown part 'test_b' of gopro, expected one of train test");
  BOOST_CHECK_THROW(open_pairs({"a", "pairs", "/x", "train"}, DataUse::training), c10::ValueError);
}

BOOST_AUTO_TEST_CASE(each_use_has_its_part) {
  TemporaryFolder folder;
  const auto put = [&](const std::string& name) { save(picture(4, 4), folder / name); };
  put("gopro/train/TR/blur/1.png");
  put("gopro/train/TR/sharp/1.png");
  put("gopro/test/TE/blur/1.png");
  put("gopro/test/TE/sharp/1.png");
  for (const std::string part : {"train", "test_a", "test_b"}) {
    put("rain/" + part + "/data/" + part + "_rain.png");
    put("rain/" + part + "/gt/" + part + "_clean.png");
  }
  put("pairs/input/p.png");
  put("pairs/target/p.png");
  const auto name = [&](const std::string& text, DataUse use) {
    return open_pairs(DataArgument::parse(text), use).name(0);
  };
  const auto gopro = "a=gopro:" + (folder / "gopro").string();
  const auto rain = "a=raindrop:" + (folder / "rain").string();
  const auto pairs = (folder / "pairs").string();
  BOOST_TEST(name(gopro, DataUse::training) == "TR_1");
  BOOST_TEST(name(gopro, DataUse::evaluation) == "TE_1");
  BOOST_TEST(name(gopro + "@test", DataUse::training) == "TE_1");
  BOOST_TEST(name(rain, DataUse::training) == "train");
  BOOST_TEST(name(rain, DataUse::evaluation) == "test_a");
  BOOST_TEST(name(rain + "@test_b", DataUse::evaluation) == "test_b");
  BOOST_TEST(name("a=pairs:" + pairs, DataUse::training) == "p");
  BOOST_TEST(name("a=pairs:" + pairs + "/target," + pairs + "/input", DataUse::evaluation) == "p");
}

BOOST_AUTO_TEST_CASE(each_published_set_has_its_formats) {
  TemporaryFolder folder;
  const auto put = [&](const std::string& name) { save(picture(4, 4), folder / name); };
  for (const std::string kind : {"blur", "blur_gamma", "sharp"})
    put("gopro/test/T/" + kind + "/1.png");
  for (const std::string n : {"1", "2", "3", "4"}) {
    put("dhazy/NYU_Hazy/" + n + "_Hazy.bmp");
    put("dhazy/NYU_GT/" + n + "_Image_.bmp");
  }
  put("dhazy/Middlebury_Hazy/M_Hazy.bmp");
  put("dhazy/Middlebury_GT/M_im0.png");
  put("reside/ITS/hazy/1_1_0.9.png");
  put("reside/ITS/clear/1.png");
  put("reside/SOTS/indoor/hazy/1400_1.png");
  put("reside/SOTS/indoor/gt/1400.png");
  for (const std::string kind : {"blur", "blur_comp", "blur_jpeg", "sharp"}) {
    put("reds/val/val_" + kind + "/000/00000009.png");
    put("reds/train/train_" + kind + "/000/00000001.png");
  }
  const auto open = [&](const std::string& format, const std::string& rest = {},
                        DataUse use = DataUse::evaluation) {
    const auto set = format.substr(0, format.find('-'));
    return open_pairs(DataArgument::parse("a=" + format + ":" + (folder / set).string() + rest),
                      use);
  };
  BOOST_TEST(open("gopro-gamma").file(0)->degraded == folder / "gopro/test/T/blur_gamma/1.png");
  BOOST_TEST(open("dhazy", "", DataUse::training).size() == 3);
  BOOST_TEST(open("dhazy").size() == 1);
  BOOST_TEST(open("dhazy", "@all").size() == 4);
  BOOST_TEST(open("dhazy", "@middlebury").name(0) == "M");
  const auto file = (folder / "split.json").string();
  limpid::PairSplit{"", 0, {"4"}, {"2", "1"}}.write(file);
  BOOST_TEST(open("dhazy", "," + file).name(0) == "2");
  BOOST_TEST(open("dhazy", "," + file + "@train").name(0) == "4");
  BOOST_TEST(open("reside", "", DataUse::training).name(0) == "1_1_0.9");
  BOOST_TEST(open("reside").name(0) == "1400_1");
  BOOST_TEST(open("reside", "@sots_indoor").name(0) == "1400_1");
  BOOST_TEST(open("reds", "", DataUse::training).name(0) == "000_00000001");
  BOOST_TEST(open("reds-comp", "@val300").file(0)->degraded ==
             folder / "reds/val/val_blur_comp/000/00000009.png");
  BOOST_TEST(open("reds-jpeg").description() ==
             "REDS '" + (folder / "reds").string() + "' (val, blur_jpeg)");
  limpid::UnpairedFiles unpaired;
  put("reds/val/val_sharp/000/00000010.png");
  const auto reds = DataArgument::parse("a=reds:" + (folder / "reds").string());
  BOOST_TEST(open_pairs(reds, DataUse::evaluation, &unpaired).size() == 1);
  BOOST_TEST(unpaired.target.size() == 1);
}

BOOST_AUTO_TEST_CASE(photographs_are_degraded_as_their_task_needs) {
  TemporaryFolder folder;
  save(picture(24, 32), folder / "clean/a.png");
  const auto clean = (folder / "clean").string();
  const auto pairs = open_pairs(DataArgument::parse("dehaze=photos:" + clean), DataUse::training);
  const auto pair = pairs.load(0);
  BOOST_TEST((pair.target == picture(24, 32)));
  BOOST_TEST(!(pair.degraded == pair.target));
  BOOST_TEST(pairs.variant(0) != pairs.variant(100));
  BOOST_TEST(error_of("colourise=photos:/x") ==
             "'colourise=photos:/x': task 'colourise' has no usual degradation: expected "
             "degradation=NAME, one of " +
                 limpid::kDegradations.list());
}

BOOST_AUTO_TEST_CASE(photographs_take_a_degradation_its_ranges_and_a_seed) {
  TemporaryFolder folder;
  save(picture(24, 32), folder / "clean, all/a.png");
  const auto clean = (folder / "clean, all").string();
  const auto open = [](const std::string& text, std::uint64_t seed = 0) {
    return open_pairs(DataArgument::parse(text), DataUse::training, nullptr, seed);
  };
  const auto chosen =
      open("smooth=photos:" + clean + ",degradation=motion-blur,size=5:9,gamma=2.2,seed=3,draws=2");
  const limpid::Pairs same = limpid::DegradedPhotos{
      std::filesystem::path{clean},
      limpid::AnyDegradation{limpid::MotionBlur{.size = {5, 9}, .gamma = 2.2}},
      {.seed = 3, .draws_per_variant = 2}};
  for (std::int64_t draw = 0; draw < 6; ++draw) {
    BOOST_TEST((chosen.load(0, draw).degraded == same.load(0, draw).degraded));
    BOOST_TEST(chosen.variant(draw) == draw / 2);
  }
  BOOST_TEST(chosen.description() == "photographs of '" + clean +
                                         "' with motion-blur (size 5:9, anxiety 0.001:0.01, "
                                         "exposure 0.7:1, gamma 2.2), seed 3");
  BOOST_TEST(open("dehaze=photos:" + clean + ",long-side=24").load(0).target.width() == 24);

  const auto plain = "deblur=photos:" + clean;
  const auto degraded = [&](const std::string& text, std::uint64_t seed) {
    return open(text, seed).load(0).degraded;
  };
  BOOST_TEST(!(degraded(plain, 1) == degraded(plain, 2)));  // the program's seed
  BOOST_TEST((degraded(plain + ",seed=1", 2) == degraded(plain, 1)));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_photographs_is_named_before_they_are_read) {
  const auto ends = [](const std::string& rest, const std::string& text) {
    const auto argument = "deblur=photos:/none" + rest;
    BOOST_TEST(error_of(argument) == "'" + argument + "': " + text);
  };
  ends(",degradation=blur",
       "expected a degradation, one of " + limpid::kDegradations.list() + "; got 'blur'");
  ends(",sizes=4",
       "motion-blur: expected an option, one of size, anxiety, exposure, gamma; got "
       "'sizes', did you mean 'size'?");
  ends(",size=9:5", "motion-blur: size: expected a number N or an interval LOW:HIGH, found '9:5'");
  ends(",size=0", "MotionBlur: size must be positive, got 0");
  ends(",seed=-1", "seed: expected a whole number, found '-1'");
  ends(",draws=0", "draws must be at least 1, got 0");
  ends(",seed=nan", "seed: expected a whole number, found 'nan'");
}

BOOST_AUTO_TEST_CASE(the_table_of_formats_is_in_order_and_help_shows_all_of_it) {
  limpid_test::check_table(limpid::kDataFormats);
  const auto help = limpid::data_argument_help();
  limpid::kDataFormats.for_each([&](const auto& entry) {
    BOOST_TEST(help.find("\n" + std::string{entry.name} + ": PATH is ") != help.npos);
  });
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
