#include <limpid/datasets/gopro.hpp>
#include <limpid/datasets/paired_folders.hpp>
#include <limpid/datasets/raindrop.hpp>
#include <limpid/datasets/reds.hpp>
#include <support/errors.hpp>
#include <support/fixtures.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace {

using limpid::GoPro, limpid::GoProBlur, limpid::PairedFolders, limpid::Pairs, limpid::Raindrop;
using limpid::REDS, limpid::REDSBlur, limpid::UnpairedFiles;
using namespace limpid_test;
namespace fs = std::filesystem;

struct InFolder {
  TemporaryFolder folder;
  std::string root = folder.path().string();

  void put(const std::string& name, std::uint64_t seed = 0) {
    save(picture(6, 8, seed), folder / name);
  }
};

BOOST_FIXTURE_TEST_SUITE(published, InFolder)

BOOST_AUTO_TEST_CASE(paired_folders_match_stems) {
  put("input/b.png", 1);
  put("input/a.jpg", 2);
  put("target/a.png", 3);
  put("target/b.bmp", 4);
  const auto source = PairedFolders::inside(root);
  BOOST_TEST(source.file(1).degraded == folder / "input/b.png");
  const Pairs pairs = source;
  BOOST_REQUIRE(pairs.size() == 2);
  BOOST_TEST(pairs.name(0) == "a");
  BOOST_TEST((pairs.load(1).degraded == picture(6, 8, 1)));
  BOOST_TEST((pairs.load(1).target == picture(6, 8, 4)));
  BOOST_TEST(pairs.description() ==
             "paired folders '" + root + "/input' and '" + root + "/target'");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_paired_folders_is_named) {
  const auto open = [&] { return error_of([&] { PairedFolders::inside(root); }); };
  BOOST_TEST(open() ==
             "PairedFolders: expected folders 'input', 'target' in '" + root + "', found nothing");
  put("input/a.png");
  BOOST_TEST(open() ==
             "PairedFolders: expected folders 'input', 'target' in '" + root + "', found 'input'");
  fs::create_directory(folder / "target");
  BOOST_TEST(open() == "cannot list images in '" + root + "/target': found no " +
                           limpid::readable_formats() + " file");
  put("target/b.png");
  BOOST_TEST(open() ==
             "PairedFolders: '" + root + "/input/a.png' has no partner in '" + root + "/target'");
  put("target/a.png");
  BOOST_TEST(open() ==
             "PairedFolders: '" + root + "/target/b.png' has no partner in '" + root + "/input'");
  put("input/b.png");
  put("input/b.jpg");
  BOOST_TEST(open() == "PairedFolders: '" + root + "/input/b.jpg' and '" + root +
                           "/input/b.png' have the same name, so their pair is not clear");
  fs::remove(folder / "input/b.jpg");
  save(picture(8, 6), folder / "target/b.png");
  const auto pairs = PairedFolders::inside(root);
  BOOST_TEST(error_of([&] { pairs.load(1); }) == "pair 'b': '" + root +
                                                     "/input/b.png' has 8 x 6 pixels, '" + root +
                                                     "/target/b.png' has 6 x 8");
  BOOST_TEST(error_of([&] { PairedFolders(folder / "input", folder / "none"); }) ==
             "cannot list images in '" + root + "/none': No such file or directory");
}

BOOST_AUTO_TEST_CASE(gopro_is_read_as_published) {
  for (const std::string part : {"train", "test"}) {
    for (const std::string kind : {"blur", "blur_gamma", "sharp"}) {
      put(part + "/GOPR2/" + kind + "/000001.png", kind.size());
      put(part + "/GOPR1/" + kind + "/000007.png", kind.size());
      put(part + "/GOPR1/" + kind + "/000003.png", kind.size());
    }
  }
  write_bytes(folder / "train/.DS_Store", "x");
  const auto train = GoPro{root}.train();
  BOOST_REQUIRE(train.size() == 3);
  BOOST_TEST(train.name(0) == "GOPR1_000003");
  BOOST_TEST(train.name(2) == "GOPR2_000001");
  BOOST_TEST((train.load(0).degraded == picture(6, 8, 4)));
  BOOST_TEST((train.load(0).target == picture(6, 8, 5)));
  const GoPro gamma{root, GoProBlur::gamma};
  BOOST_TEST((gamma.test().load(0).degraded == picture(6, 8, 10)));
  BOOST_TEST(gamma.test().description() == "GoPro '" + root + "/test' (blur_gamma)");
}

BOOST_AUTO_TEST_CASE(half_a_gopro_says_what_is_missing) {
  const auto train = [&] { return error_of([&] { GoPro{root}.train(); }); };
  BOOST_TEST(error_of([&] { GoPro{folder / "none"}.train(); }) ==
             "GoPro: expected a folder 'train' in '" + root + "/none', found no such folder");
  fs::create_directories(folder / "GOPRO_Large");
  BOOST_TEST(train() == "GoPro: expected a folder 'train' in '" + root + "', found 'GOPRO_Large'");
  fs::create_directories(folder / "train");
  BOOST_TEST(train() == "GoPro: expected folders SEQUENCE/{blur,sharp} in '" + root +
                            "/train', found nothing");
  put("train/GOPR1/blur/1.png");
  BOOST_TEST(train() ==
             "GoPro: expected folders 'blur', 'sharp' in '" + root + "/train/GOPR1', found 'blur'");
  put("train/GOPR1/sharp/2.png");
  BOOST_TEST(train() == "GoPro: '" + root + "/train/GOPR1/blur/1.png' has no partner in '" + root +
                            "/train/GOPR1/sharp'");
}

BOOST_AUTO_TEST_CASE(raindrop_is_read_as_published) {
  for (const std::string part : {"train", "test_a"}) {
    put(part + "/data/0_rain.png", 1);
    put(part + "/gt/0_clean.png", 2);
  }
  save(picture(16, 16), folder / "test_b/data/7_rain.jpg");
  save(picture(16, 16), folder / "test_b/gt/7_clean.jpg");
  save(picture(16, 16), folder / "test_b/data/12_rain.jpg");
  save(picture(16, 16), folder / "test_b/gt/12_clean.png");
  const Raindrop set{root};
  BOOST_TEST(set.train().name(0) == "0");
  BOOST_TEST((set.test_a().load(0).degraded == picture(6, 8, 1)));
  BOOST_TEST((set.test_a().load(0).target == picture(6, 8, 2)));
  BOOST_TEST(set.test_b().size() == 2);
  BOOST_TEST(set.test_b().load(1).target.height() == 16);
  put("train/data/3_rain.png");
  BOOST_TEST(error_of([&] { set.train(); }) == "Raindrop: '" + root +
                                                   "/train/data/3_rain.png' has no partner in '" +
                                                   root + "/train/gt'");
  BOOST_TEST(error_of([&] { Raindrop{folder / "test_b"}.train(); }) ==
             "Raindrop: expected a folder 'train' in '" + root + "/test_b', found 'data', 'gt'");
}

BOOST_AUTO_TEST_CASE(reds_is_read_as_published) {
  for (const std::string part : {"train", "val"}) {
    const auto in = part + "/" + part;
    for (const std::string frame : {"000/00000000", "000/00000009", "001/00000019"}) {
      put(in + "_blur/" + frame + ".png", 1);
      put(in + "_blur_comp/" + frame + ".png", 2);
      save(picture(16, 16), folder / (in + "_blur_jpeg/" + frame + ".jpg"));
      put(in + "_sharp/" + frame + ".png", 3);
    }
  }
  const REDS set{root};
  BOOST_REQUIRE(set.train().size() == 3);
  BOOST_TEST(set.train().name(2) == "001_00000019");
  BOOST_TEST((set.val().load(0).degraded == picture(6, 8, 1)));
  BOOST_TEST((set.val().load(0).target == picture(6, 8, 3)));
  BOOST_REQUIRE(set.val300().size() == 2);
  BOOST_TEST(set.val300().name(0) == "000_00000009");
  BOOST_TEST((REDS{root, REDSBlur::compressed}.val().load(0).degraded == picture(6, 8, 2)));
  const auto jpeg = REDS{root, REDSBlur::jpeg}.train();
  BOOST_TEST(jpeg.file(0)->degraded == folder / "train/train_blur_jpeg/000/00000000.jpg");
  BOOST_TEST(jpeg.description() == "REDS '" + root + "' (train, blur_jpeg)");
}

BOOST_AUTO_TEST_CASE(reds_is_read_as_others_unpack_it) {
  put("train_blur/train/train_blur/000/00000000.png");
  put("train_sharp/train/train_sharp/000/00000000.png");
  put("val_blur/000/00000000.png");
  put("val_sharp/000/00000000.png");
  BOOST_TEST(REDS{root}.train().name(0) == "000_00000000");
  BOOST_TEST(REDS{root}.val().name(0) == "000_00000000");
  put("flat/val/blur/000_00000009.png");
  put("flat/val/sharp/000_00000009.png");
  BOOST_TEST(REDS{folder / "flat"}.val300().name(0) == "000_00000009");
}

BOOST_AUTO_TEST_CASE(half_a_reds_says_what_is_missing) {
  const auto train = [&] { return error_of([&] { REDS{root}.train(); }); };
  write_bytes(folder / "train_blur.zip", "x");
  BOOST_TEST(train() ==
             "REDS: expected a folder of one of the names 'train/train_blur', "
             "'train_blur/train/train_blur', 'train_blur', 'train/blur' in '" +
                 root + "', found 'train_blur.zip'");
  put("train_blur/000/00000000.png");
  put("train_blur/001/00000000.png");
  put("train_sharp/000/00000000.png");
  BOOST_TEST(train() == "REDS: expected a folder '001' in '" + root + "/train_sharp', found '000'");
  fs::remove_all(folder / "train_blur/001");
  put("train_sharp/002/00000000.png");
  BOOST_TEST(train() == "REDS: expected a folder '002' in '" + root + "/train_blur', found '000'");
}

BOOST_AUTO_TEST_CASE(files_without_a_partner_can_be_collected) {
  for (const std::string kind : {"blur", "sharp"}) put("train/A/" + kind + "/1.png");
  put("train/A/blur/2.png");
  put("train/A/sharp/3.png");
  UnpairedFiles unpaired;
  const auto pairs = GoPro{root, GoProBlur::linear, &unpaired}.train();
  BOOST_TEST(pairs.size() == 1);
  BOOST_TEST(pairs.file(0)->target == folder / "train/A/sharp/1.png");
  BOOST_TEST(unpaired.degraded == std::vector<fs::path>{folder / "train/A/blur/2.png"});
  BOOST_TEST(unpaired.target == std::vector<fs::path>{folder / "train/A/sharp/3.png"});
}

BOOST_AUTO_TEST_CASE(reads_the_real_sets) {
  if (!available(data_folder() / "gopro") || !available(data_folder() / "raindrop")) return;
  const auto gopro = GoPro{data_folder() / "gopro"};
  BOOST_TEST(gopro.train().size() == 2);
  BOOST_TEST(gopro.test().name(1) == "GOPR_dh2_000001");
  BOOST_TEST(gopro.test().load(0).target.width() == 1280);
  const auto raindrop = Raindrop{data_folder() / "raindrop"}.train();
  BOOST_TEST(raindrop.size() == 4);
  BOOST_TEST(raindrop.load(0).target.width() == 720);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
