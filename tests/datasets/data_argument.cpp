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
  BOOST_TEST(error_of("a=zip:/x") ==
             "'a=zip:/x': expected a data format, one of gopro, gopro-gamma, raindrop, dhazy, "
             "reside, reds, reds-comp, reds-jpeg, realblur-j, realblur-r, hide, dpdd, lol, "
             "lol-v2-real, lol-v2-synthetic, sidd, rain100, rain13k, outdoor-rain, snow100k, "
             "all-weather, cdd11, aio, pairs, photos; got 'zip'");
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

BOOST_AUTO_TEST_CASE(the_table_of_formats_is_in_order_and_help_shows_all_of_it) {
  limpid_test::check_table(limpid::kDataFormats);
  const auto help = limpid::data_argument_help();
  limpid::kDataFormats.for_each([&](const auto& entry) {
    BOOST_TEST(help.find("\n" + std::string{entry.name} + ": PATH is ") != help.npos);
  });
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
