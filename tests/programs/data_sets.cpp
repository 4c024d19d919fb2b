#include <limpid/datasets/dhazy.hpp>
#include <limpid/datasets/gopro.hpp>
#include <support/images.hpp>
#include <support/run_program.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <sys/resource.h>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

// limpid-data, where it makes and checks whole sets.

namespace {

using namespace limpid_test;
using limpid::Image;
namespace fs = std::filesystem;

Image flat(int value) { return Image{torch::full({24, 32, 3}, value, torch::kByte)}; }

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(data_sets)

BOOST_AUTO_TEST_CASE(blurred_frames_are_a_set_as_gopro_was_published) {
  TemporaryFolder folder;
  // Frame n has value 10 n; without leading zeros, so that 10 must not come before 2.
  for (int n = 1; n <= 11; ++n) {
    save(flat(10 * n), folder / "videos/street" / (std::to_string(n) + ".png"));
  }
  const auto ended =
      run({"limpid-data", "blur", (folder / "videos").string(), (folder / "set").string(),
           "--frames", "3", "--step", "4", "--part", "test", "--linear-light", "gamma"});
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  const auto pairs = limpid::GoPro{folder / "set"}.test();
  BOOST_REQUIRE(pairs.size() == 3);
  BOOST_TEST(pairs.name(1) == "street_000006");  // of 5, 6 and 7
  BOOST_TEST((pairs.load(1).target == flat(60)));
  BOOST_TEST((pairs.load(1).degraded == flat(60)));
  const auto gamma = limpid::GoPro{folder / "set", limpid::GoProBlur::gamma}.test().load(0);
  const auto light = (std::pow(10, 2.2) + std::pow(20, 2.2) + std::pow(30, 2.2)) / 3;
  BOOST_TEST((gamma.degraded == flat(static_cast<int>(std::lround(std::pow(light, 1 / 2.2))))));
  BOOST_TEST(read_bytes(folder / "set/test/street/frames.csv") ==
             "picture,first_frame,last_frame\n000002,1,3\n000006,5,7\n000010,9,11\n");
  const auto few = run({"limpid-data", "blur", (folder / "videos/street").string(),
                        (folder / "few").string(), "--frames", "13"});
  BOOST_TEST(few.code == 1);
  BOOST_TEST(has(few.err, "expected at least 13 frames"), few.err);
}

BOOST_AUTO_TEST_CASE(averaged_frames_keep_what_frames_say_of_their_colours) {
  TemporaryFolder folder;
  limpid::PictureFacts facts;
  facts.channels = 1;
  facts.is_grey = true;
  facts.colour_profile = std::string("\0\0\0\x80", 4) + std::string(124, 'p');
  facts.colour_profile.replace(16, 4, "GRAY").replace(36, 4, "acsp");
  for (const auto* name : {"1.png", "2.png", "3.png"}) {
    save(flat(70).with_facts(facts), folder / "street" / name);
  }
  const auto ended = run({"limpid-data", "blur", (folder / "street").string(),
                          (folder / "set").string(), "--frames", "3", "--linear-light", "srgb"});
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  for (const auto* room : {"sharp", "blur", "blur_gamma"}) {
    const auto made = Image::load(folder / "set/train/street" / room / "000002.png");
    BOOST_TEST(made.facts().channels == 1, room);
    BOOST_TEST(made.facts().colour_profile == facts.colour_profile, room);
  }
}

BOOST_AUTO_TEST_CASE(the_limit_of_pixels_holds_for_frames_of_a_video) {
  TemporaryFolder folder;
  std::string frames;
  for (int n = 1; n <= 3; ++n) frames += flat(n).encoded("ppm");
  write_bytes(folder / "frames.ppm", frames);
  write_bytes(folder / "video.mp4", "a video");
  write_bytes(folder / "bin/ffmpeg",
              "#!/bin/sh\nexec /bin/cat '" + (folder / "frames.ppm").string() + "'\n");
  fs::permissions(folder / "bin/ffmpeg", fs::perms::owner_all);
  const auto blur = [&](const std::string& most) {
    return run({"limpid-data", "blur", "--max-pixels", most, (folder / "video.mp4").string(),
                (folder / "set").string(), "--frames", "3"},
               [&] { ::setenv("PATH", (folder / "bin").c_str(), 1); });
  };
  const auto refused = blur("767");
  BOOST_TEST(refused.code == 1);
  BOOST_TEST(has(refused.err, "video.mp4': its 32 x 24 pixels exceed the limit of 767"),
             refused.err);
  BOOST_TEST(blur("768").code == 0);
}

BOOST_AUTO_TEST_CASE(a_video_comes_through_ffmpeg) {
  TemporaryFolder folder;
  std::string frames;
  for (int n = 1; n <= 6; ++n) frames += flat(n).encoded("ppm");
  write_bytes(folder / "frames.ppm", frames);
  // What ffmpeg makes of a video of 10 bits where it is not asked for 8.
  write_bytes(folder / "deep.ppm", "P6\n32 24\n65535\n" + std::string(32 * 24 * 6, 'd'));
  write_bytes(folder / "video.mp4", "a video");
  write_bytes(folder / "bin/ffmpeg",
              "#!/bin/sh\ncd '" + folder.path().string() +
                  "'\ncase \"$*\" in *'-pix_fmt rgb24'*) /bin/cat frames.ppm;; "
                  "*) /bin/cat deep.ppm;; esac\n"
                  "case \"$*\" in *bad.mp4*) exit 3;; esac\n");
  fs::permissions(folder / "bin/ffmpeg", fs::perms::owner_all);
  const auto blur = [&](const std::string& video, const std::string& path) {
    return run({"limpid-data", "blur", (folder / video).string(), (folder / "set").string(),
                "--frames", "3"},
               [path] { ::setenv("PATH", path.c_str(), 1); });
  };
  const auto ended = blur("video.mp4", (folder / "bin").string());
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  const auto pairs = limpid::GoPro{folder / "set"}.train();
  BOOST_REQUIRE(pairs.size() == 2);
  BOOST_TEST(pairs.name(1) == "video_000005");
  BOOST_TEST((pairs.load(1).target == flat(5)));
  fs::rename(folder / "video.mp4", folder / "bad.mp4");
  const auto bad = blur("bad.mp4", (folder / "bin").string());
  BOOST_TEST(bad.code == 1);
  BOOST_TEST(has(bad.err, "bad.mp4': ffmpeg could not decode it"), bad.err);
  fs::remove_all(folder / "set/train/bad");
  const auto none = blur("bad.mp4", folder.path().string());
  BOOST_TEST(none.code == 1);
  BOOST_TEST(has(none.err, "expected ffmpeg on the PATH, found none"), none.err);
}

BOOST_AUTO_TEST_CASE(haze_follows_disparity_of_16_bits_and_counts_what_is_unknown) {
  TemporaryFolder folder;
  save(flat(51), folder / "images/a_im0.png");
  // Disparity 1000 on the left, 2000 on the right, one unknown pixel; half of the photograph's
  // size.
  std::string rows;
  for (int y = 0; y < 12; ++y) {
    rows += '\0';
    for (int x = 0; x < 16; ++x) {
      rows += big_endian(y == 0 && x == 0 ? 0 : x < 8 ? 1000 : 2000, 2);
    }
  }
  write_bytes(folder / "depths/a_disp.png", png_file(16, 12, 16, 0, rows));
  const auto ended =
      run({"limpid-data", "haze", (folder / "images").string(), (folder / "depths").string(),
           (folder / "out").string(), "--disparity", "--beta", "1.3862943611", "--airlight", "0.8",
           "--image-ending", "_im0", "--depth-ending", "_disp"});
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  BOOST_TEST(has(ended.err, "1 depth values were unknown and filled (0.5 %)"), ended.err);
  const auto hazy = Image::load(folder / "out/input/a.png");
  // J = 0.2, A = 0.8, beta = 2 ln 2: t = 1/4 at distance 1, 1/2 at distance 1/2.
  BOOST_TEST(int{hazy.data()[0]} == std::lround(255 * (0.2 * 0.25 + 0.8 * 0.75)));
  BOOST_TEST(int{hazy.data()[31 * 3]} == std::lround(255 * (0.2 * 0.5 + 0.8 * 0.5)));
  BOOST_TEST((Image::load(folder / "out/target/a.png") == flat(51)));
  BOOST_TEST(read_bytes(folder / "out/haze.csv") ==
             "picture,beta,airlight,nearest,farthest,unknown_pixels,depth_pixels\n"
             "a,1.38629,0.8,0.5,1,1,192\n");
}

BOOST_AUTO_TEST_CASE(names_with_commas_and_quotes_stay_one_field_of_the_table) {
  TemporaryFolder folder;
  for (const std::string name : {"a, \"b\"", "plain"}) {
    save(flat(51), folder / "images" / (name + ".png"));
    save(flat(128), folder / "depths" / (name + ".png"));
  }
  const auto ended = run({"limpid-data", "haze", (folder / "images").string(),
                          (folder / "depths").string(), (folder / "out").string()});
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  BOOST_TEST(read_bytes(folder / "out/haze.csv") ==
             "picture,beta,airlight,nearest,farthest,unknown_pixels,depth_pixels\n"
             "\"a, \"\"b\"\"\",1,1,1,1,0,768\nplain,1,1,1,1,0,768\n");
}

BOOST_AUTO_TEST_CASE(degrade_takes_any_degradation_by_name_with_its_ranges) {
  TemporaryFolder folder;
  save(flat(100), folder / "photos/a.png");
  const auto degrade = [&](const std::string& out, const std::string& degradation) {
    return run({"limpid-data", "degrade", "--degradation", degradation,
                (folder / "photos").string(), (folder / out).string()});
  };
  BOOST_TEST(degrade("none", "noise,sigma=0").code == 0);
  BOOST_TEST((Image::load(folder / "none/input/a.png") == flat(100)));
  BOOST_TEST(degrade("some", "noise,sigma=20:25").code == 0);
  BOOST_TEST(!(Image::load(folder / "some/input/a.png") == flat(100)));
  BOOST_TEST((Image::load(folder / "some/target/a.png") == flat(100)));
  const auto wrong = degrade("wrong", "noise,sigma=-1");
  BOOST_TEST(wrong.code == 2, wrong.err);
  BOOST_TEST(has(wrong.err, "--degradation: Noise: sigma must not be negative, got -1"), wrong.err);
  BOOST_TEST(!fs::exists(folder / "wrong"));
  BOOST_TEST(has(degrade("wrong", "nose").err, "did you mean 'noise'?"));
  const auto help = run({"limpid-data", "degrade", "--help"});
  BOOST_TEST(has(help.out, "noise: white Gaussian noise (denoise); sigma 0:55"), help.out);
}

BOOST_AUTO_TEST_CASE(photographs_are_named_with_their_degradation_wherever_pairs_are) {
  TemporaryFolder folder;
  save(picture(24, 32, 1), folder / "photos/a.png");
  const auto photos = "night=photos:" + (folder / "photos").string();
  const auto check = [&](const std::string& rest) {
    return run({"limpid-data", "check", photos + rest});
  };
  const auto good = check(",degradation=noise,sigma=10:20,seed=7");
  BOOST_TEST(good.code == 0, good.err);
  BOOST_TEST(has(good.out, "with noise (sigma 10:20), seed 7"), good.out);
  const auto unnamed = check("");
  BOOST_TEST(unnamed.code == 2);
  BOOST_TEST(has(unnamed.err, "task 'night' has no usual degradation: expected degradation=NAME"),
             unnamed.err);
}

BOOST_AUTO_TEST_CASE(check_reads_published_sets_and_names_by_a_rule) {
  TemporaryFolder folder;
  for (const std::string name : {"im_0001_s80_a04", "im_0001_s95_a06"}) {
    save(picture(24, 32, 1), folder / "CVPR19RainTrain/test/data" / (name + ".png"));
  }
  save(picture(24, 32, 2), folder / "CVPR19RainTrain/test/gt/im_0001.png");
  const auto root = folder.path().string();
  const auto check = [&](const std::string& data) { return run({"limpid-data", "check", data}); };
  const auto good = check("derain=outdoor-rain:" + root + "@test");
  BOOST_TEST(good.code == 0, good.out << good.err);
  BOOST_TEST(has(good.out, "Outdoor-Rain '" + root + "/CVPR19RainTrain' (test)"), good.out);
  const auto both = check("derain=outdoor-rain:" + root);  // and what is to be trained on
  BOOST_TEST(both.code == 1);
  BOOST_TEST(has(both.out, "expected 'train/data/{}_s*_a*' with 'train/gt/{}', or"), both.out);
  BOOST_TEST(has(both.out, "there is no folder 'train' in"), both.out);

  const auto rule = "derain=pairs:" + root + "/CVPR19RainTrain/test,input=data/{}_s*,target=gt/{}";
  BOOST_TEST(has(check(rule).out, "pairs                      2"), check(rule).out);
  save(picture(24, 32, 3), folder / "CVPR19RainTrain/test/data/stray.png");
  const auto stray = check(rule);
  BOOST_TEST(stray.code == 1);
  BOOST_TEST(has(stray.out, "degraded without target    1"), stray.out);
  BOOST_TEST(has(stray.out, "stray.png"), stray.out);
  const auto wrong = check("derain=pairs:" + root + ",input=data/a,target=gt/{}");
  BOOST_TEST(wrong.code == 2, wrong.err);
  BOOST_TEST(has(wrong.err, "expected a '{}' in input='data/a' for each '{}' in"), wrong.err);
}

BOOST_AUTO_TEST_CASE(check_counts_all_that_is_wrong) {
  TemporaryFolder folder;
  for (const std::string name : {"a", "b", "c", "d"}) {
    save(picture(24, 32, 1), folder / "set/input" / (name + ".png"));
    save(picture(24, 32, 2), folder / "set/target" / (name + ".png"));
  }
  const auto set = "dehaze=pairs:" + (folder / "set").string();
  const auto sheet = folder / "sheet.png";
  const auto good = run({"limpid-data", "check", set, "--sheet", sheet.string()});
  BOOST_TEST(good.code == 0, good.err);
  BOOST_TEST(has(good.out, "32 x 24 ... 32 x 24, 4 of 32 x 24"), good.out);
  BOOST_TEST(has(good.out, "0 problems"), good.out);
  BOOST_TEST(Image::load(sheet).width() == 4 * 240 + 3 * 8);

  fs::remove(folder / "set/target/a.png");
  save(picture(24, 32), folder / "set/target/z.png");
  const auto whole = read_bytes(folder / "set/input/b.png");
  write_bytes(folder / "set/input/b.png", whole.substr(0, whole.size() / 2));
  save(picture(24, 30), folder / "set/target/c.png");
  save(picture(24, 32, 2), folder / "set/input/d.png");
  const auto bad = run({"limpid-data", "check", set, "--json", "-"});
  BOOST_TEST(bad.code == 1);
  const auto json = nlohmann::json::parse(bad.out);
  BOOST_TEST(json.at("problems") == 5);
  const auto& part = json.at("parts").at(0);
  BOOST_TEST(part.at("pairs") == 3);
  BOOST_TEST(part.at("degraded_without_target").at(0) == (folder / "set/input/a.png").string());
  BOOST_TEST(part.at("target_without_degraded").at(0) == (folder / "set/target/z.png").string());
  BOOST_TEST(has(part.at("unreadable").at(0), "set/input/b.png': the file is cut short"));
  BOOST_TEST(has(part.at("unequal_size").at(0), "pair 'c'"));
  BOOST_TEST(part.at("identical").at(0) == "d");

  const auto none = run({"limpid-data", "check", "deblur=gopro:" + folder.path().string()});
  BOOST_TEST(none.code == 1);
  BOOST_TEST(has(none.out, "GoPro: expected a folder 'train' in"), none.out);
  BOOST_TEST(has(none.out, "found 'set', 'sheet.png'"), none.out);
  BOOST_TEST(has(none.out, "2 problems"), none.out);
}

BOOST_AUTO_TEST_CASE(a_changed_byte_of_a_png_is_found_by_check) {
  TemporaryFolder folder;
  save(picture(24, 32, 1), folder / "set/input/whole.png");
  save(picture(24, 32, 2), folder / "set/target/whole.png");
  const auto whole = read_bytes(folder / "set/input/whole.png");
  const auto last = whole.size();
  // In the header, the pixels, their checksum, and the end's name.
  const std::size_t places[]{19, last / 2, last - 20, last - 14, last - 6};
  for (const auto place : places) {
    auto changed = whole;
    changed[place] = static_cast<char>(changed[place] ^ 4);
    const auto name = std::to_string(place) + ".png";
    write_bytes(folder / "set/input" / name, changed);
    save(picture(24, 32, 2), folder / "set/target" / name);
  }
  const auto ended = run({"limpid-data", "check", "deblur=pairs:" + (folder / "set").string()});
  BOOST_TEST(ended.code == 1);
  for (const auto place : places) {
    BOOST_TEST(has(ended.out, "input/" + std::to_string(place) + ".png': it is damaged (the check"),
               ended.out);
  }
  BOOST_TEST(has(ended.out, "5 problems"), ended.out);
}

BOOST_AUTO_TEST_CASE(memory_that_runs_out_names_the_pair_and_is_no_score) {
  TemporaryFolder folder;
  const Image large{torch::zeros({4000, 6000, 3}, torch::kByte)};
  save(large, folder / "set/input/large.png");
  save(large, folder / "set/target/large.png");
  const auto ended =
      run({"limpid-data", "check", "deblur=pairs:" + (folder / "set").string(), "--json", "-"}, [] {
        const rlimit limit{std::uint64_t{1'000'000'000}, std::uint64_t{1'000'000'000}};
        ::setrlimit(RLIMIT_AS, &limit);
      });
  BOOST_TEST(ended.code == 1, ended.err);
  const auto part = nlohmann::json::parse(ended.out).at("parts").at(0);
  BOOST_TEST(part.at("mean_psnr") == "none");
  BOOST_TEST(part.at("unequal_size").empty());
  BOOST_TEST(has(part.at("unreadable").at(0), "out of memory"), part.dump());
  BOOST_TEST(has(part.at("unreadable").at(0), "large"), part.dump());
}

BOOST_AUTO_TEST_CASE(the_limit_of_pixels_stands_before_or_behind_the_subcommand) {
  TemporaryFolder folder;
  save(picture(24, 32), folder / "a.png");
  const auto set = "deblur=pairs:" + folder.path().string() + "," + folder.path().string();
  using Words = std::vector<std::string>;
  for (const auto& words :
       {Words{"limpid-data", "--max-pixels", "99", "check", set},
        Words{"limpid-data", "--max-pixels=99", "check", set, "--sheet", "s.png"},
        Words{"limpid-data", "check", "--max-pixels", "99", set},
        Words{"limpid-data", "check", set, "--max-pixels", "99"}}) {
    const auto ended = run(words);
    BOOST_TEST(ended.code == 1, ended.err);
    BOOST_TEST(has(ended.out, "its 32 x 24 pixels exceed the limit of 99"), ended.out);
  }
}

BOOST_AUTO_TEST_CASE(a_sheet_is_tried_before_the_work_and_replaces_nothing_unasked) {
  TemporaryFolder folder;
  for (const auto* part : {"input", "target"}) save(flat(9), folder / "set" / part / "a.png");
  const auto check = [&](const fs::path& sheet, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"limpid-data", "check",
                                   "deblur=pairs:" + (folder / "set").string(), "--sheet",
                                   sheet.string()};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  write_bytes(folder / "sheet.png", "hours of work");
  const auto there = check(folder / "sheet.png");
  BOOST_TEST(there.code == 1);
  BOOST_TEST(has(there.err, "--sheet: '" + (folder / "sheet.png").string() + "' is there already"),
             there.err);
  BOOST_TEST(read_bytes(folder / "sheet.png") == "hours of work");
  const auto nowhere = check(folder / "none/sheet.png");
  BOOST_TEST(has(nowhere.err, "--sheet: cannot write '"), nowhere.err);
  const auto no_kind = check(folder / "sheet.gif");
  BOOST_TEST(has(no_kind.err, "sheet.gif': expected an extension "), no_kind.err);
  for (const auto& ended : {there, nowhere, no_kind}) {
    BOOST_TEST(ended.code == 1);
    BOOST_TEST(ended.out == "", "before the work");
  }
  check(folder / "sheet.png", {"--overwrite"});
  BOOST_TEST(Image::load(folder / "sheet.png").width() > 0);
}

BOOST_AUTO_TEST_CASE(a_sheet_shows_before_and_after_of_any_data) {
  TemporaryFolder folder;
  save(picture(48, 64, 1), folder / "photos/harbour.png");
  for (const auto* part : {"input", "target"}) save(flat(9), folder / "set" / part / "a.png");
  const auto photos = "night=photos:" + (folder / "photos").string() + ",degradation=noise";
  const auto set = "deblur=pairs:" + (folder / "set").string();
  const auto sheet = [&](const std::string& out, std::vector<std::string> words) {
    words.insert(words.begin(), {"limpid-data", "sheet"});
    words.insert(words.end(), {"--out", (folder / out).string()});
    return run(words);
  };
  const auto page = sheet("page.html", {photos, set, "--pictures", "3", "--title", "Noise"});
  BOOST_REQUIRE_MESSAGE(page.code == 0, page.err);
  BOOST_TEST(has(page.err, "sheet: 4 pairs in '"), page.err);  // one photograph in three draws
  const auto html = read_bytes(folder / "page.html");
  BOOST_TEST(has(html, "<h1>Noise</h1>"));
  BOOST_TEST(has(html, "with noise (sigma 0:55), seed 0"));
  BOOST_TEST(has(html, "<strong>a</strong>"));
  const auto shown = [&](const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> words{photos, "--pictures", "1", "--label", "noise"};
    words.insert(words.end(), more.begin(), more.end());
    const auto ended = sheet(out, words);
    BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
    return Image::load(folder / out);
  };
  const auto first = shown("1.png", {"--seed", "1"});
  BOOST_TEST(first.width() == 2 * 360 + 4);
  BOOST_TEST((first == shown("again.png", {"--seed", "1"})));
  BOOST_TEST(!(first == shown("2.png", {"--seed", "2"})));
  BOOST_TEST(shown("crop.png", {"--crop", "16", "--width", "64"}).width() == 2 * 64 + 4);
}

BOOST_AUTO_TEST_CASE(a_sheet_that_cannot_be_made_says_why_before_the_work) {
  TemporaryFolder folder;
  for (const auto* part : {"input", "target"}) save(flat(9), folder / "set" / part / "a.png");
  const auto set = "deblur=pairs:" + (folder / "set").string();
  const auto fails = [&](std::vector<std::string> words, int code, const std::string& text) {
    words.insert(words.begin(), {"limpid-data", "sheet", set});
    const auto ended = run(words);
    BOOST_TEST(ended.code == code, ended.err);
    BOOST_TEST(has(ended.err, text), ended.err);
  };
  const auto gif = (folder / "sheet.gif").string(), png = (folder / "sheet.png").string();
  fails({"--out", gif}, 2, "--out: expected FILE.html or a picture: cannot write image '" + gif);
  write_bytes(png, "hours of work");
  fails({"--out", png}, 1, "--out: '" + png + "' is there already");
  BOOST_TEST(read_bytes(png) == "hours of work");
  fails({"--out", png, "--overwrite", "--label", "a", "--label", "b"}, 2,
        "--label: expected one for each of 1 sets, found 2");
  fails({}, 2, "--out is required");
  fails({"--out", png, "--overwrite"}, 0, "sheet: 1 pairs in '" + png);
}

BOOST_AUTO_TEST_CASE(the_split_of_dhazy_comes_as_a_file) {
  TemporaryFolder folder;
  for (const std::string n : {"1", "2", "3", "4", "5"}) {
    save(picture(8, 8, 1), folder / "NYU_Hazy" / (n + "_Hazy.bmp"));
    save(picture(8, 8, 2), folder / "NYU_GT" / (n + "_Image_.bmp"));
  }
  const auto file = (folder / "split.json").string();
  const auto ended =
      run({"limpid-data", "dhazy-split", folder.path().string(), file, "--seed", "9"});
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  BOOST_TEST((limpid::PairSplit::read(file) == limpid::DHazy{folder.path(), {.seed = 9}}.split()));
  const auto checked =
      run({"limpid-data", "check", "dehaze=dhazy:" + folder.path().string() + "," + file});
  BOOST_TEST(checked.code == 0, checked.err);
  BOOST_TEST(has(checked.out, "train of split file '" + file + "'"), checked.out);
}

BOOST_AUTO_TEST_CASE(wrong_usage_is_named) {
  const auto check = [](std::vector<std::string> words, const std::string& text) {
    words.insert(words.begin(), "limpid-data");
    const auto ended = run(words);
    BOOST_TEST(ended.code == 2, ended.err);
    BOOST_TEST(has(ended.err, text), ended.err);
  };
  check({"blur", "a", "b", "--frames", "7:12"},
        "--frames: expected odd whole numbers, so that there is a middle frame, found '7:12'");
  check({"blur", "a", "b", "--frames", "13:7"},
        "--frames: expected a number N or an interval LOW:HIGH within 3:999, found '13:7'");
  check({"haze", "a", "b", "c", "--airlight", "0.5:1.5"}, "within 0:1, found '0.5:1.5'");
  check({"haze", "a", "b", "c", "--disparity", "--zero-is-near"}, "--zero-is-near");
  check({"check", "dehaze=hazy:a"}, "got 'hazy'");
  check({"degrade", "a", "b", "--degradation", "motion-blur,size=1e20"}, "MotionBlur: size");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
