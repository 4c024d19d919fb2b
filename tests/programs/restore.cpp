#include <limpid/model/families.hpp>
#include <support/images.hpp>
#include <support/restore_place.hpp>
#include <support/run_program.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <sys/resource.h>
#include <filesystem>
#include <string>
#include <vector>

// limpid-restore on folders as people have them.
namespace {

using namespace limpid_test;
namespace fs = std::filesystem;
using Names = std::vector<std::string>;

using Place = RestorePlace;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(restore)

BOOST_AUTO_TEST_CASE(an_edited_picture_is_not_lost) {
  const Place place;
  save(picture(16, 16), place.folder / "IMG.jpg");
  write_bytes(place.folder / "IMG.png", "hours of work");
  const Names words{"--out", place.folder.path().string(), place.path("IMG.jpg")};
  const auto refused = place.restore(words);
  BOOST_TEST(refused.code == 1);
  BOOST_TEST(has(refused.err, "IMG.png' is there already; name another folder, --overwrite"),
             refused.err);
  BOOST_TEST(read_bytes(place.folder / "IMG.png") == "hours of work");
  auto skipping = words;
  skipping.push_back("--skip-existing");
  const auto skipped = place.restore(skipping);
  BOOST_TEST(skipped.code == 0, skipped.err);
  BOOST_TEST(has(skipped.err, "restored 0 of 1 pictures"), skipped.err);
  BOOST_TEST(read_bytes(place.folder / "IMG.png") == "hours of work");
  auto overwriting = words;
  overwriting.push_back("--overwrite");
  BOOST_TEST(place.restore(overwriting).code == 0);
  BOOST_TEST(limpid::Image::load(place.folder / "IMG.png").width() == 16);
}

BOOST_AUTO_TEST_CASE(a_tree_is_kept_and_names_do_not_meet) {
  const Place place;
  for (const auto* name : {"in/IMG.jpg", "in/IMG.bmp", "in/a/IMG_1.jpg", "in/b/c/IMG_1.jpg"}) {
    save(picture(16, 16), place.folder / name);
  }
  const Names words{"--recursive", "--out", place.path("in/sharp"), place.path("in/")};
  const auto ended = place.restore(words);
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  for (const auto* name : {"IMG.jpg.png", "IMG.bmp.png", "a/IMG_1.png", "b/c/IMG_1.png"}) {
    BOOST_TEST(fs::exists(place.folder / "in/sharp" / name), name);
  }
  auto again = words;
  again.push_back("--skip-existing");
  const auto second = place.restore(again);
  BOOST_TEST(second.code == 0, second.err);
  BOOST_TEST(has(second.err, "restored 0 of 4 pictures"), "its own results are no inputs");

  save(picture(16, 16), place.folder / "cam1/IMG_1.jpg");
  save(picture(16, 16), place.folder / "cam2/IMG_1.jpg");
  const auto cameras =
      place.restore({"--out", place.path("out"), place.path("cam1"), place.path("cam2")});
  BOOST_TEST(cameras.code == 0, cameras.err);
  BOOST_TEST(fs::exists(place.folder / "out/cam1/IMG_1.png"));
  BOOST_TEST(fs::exists(place.folder / "out/cam2/IMG_1.png"));
}

BOOST_AUTO_TEST_CASE(one_bad_picture_is_named_and_the_rest_is_restored) {
  const Place place;
  save(picture(16, 16), place.folder / "in/good.png");
  save(picture(8, 8), place.folder / "in/tiny.png");
  save(picture(1, 1), place.folder / "in/one.png");
  save(picture(64, 64), place.folder / "in/cut.png");
  const auto png = read_bytes(place.folder / "in/cut.png");
  write_bytes(place.folder / "in/cut.png", png.substr(0, png.size() / 2));
  const auto ended = place.restore({"--out", place.path("out"), "--json", "-", place.path("in")});
  BOOST_TEST(ended.code == 1);
  BOOST_TEST(has(ended.err, "cut.png'"), ended.err);
  BOOST_TEST(has(ended.err, "of 4 pictures could not be restored; see above: '" +
                                place.path("in/cut.png") + "'"),
             ended.err);
  const auto json = nlohmann::json::parse(ended.out);
  BOOST_TEST(json.at("pictures").size() + json.at("failed").size() == 4u);
  for (const auto& failure : json.at("failed")) {
    const auto name = failure.at("input").get<std::string>();
    BOOST_TEST(has(failure.at("error").get<std::string>(), "'" + name + "'"), name);
  }
  BOOST_TEST(fs::exists(place.folder / "out/good.png"));
}

BOOST_AUTO_TEST_CASE(a_picture_that_the_format_cannot_hold_is_named_before_it_is_restored) {
  const Place place;
  save(picture(16, 16), place.folder / "in/a.png");
  save(limpid::Image{torch::full({1, 66000, 3}, 9, torch::kByte)}, place.folder / "in/b.png");
  save(picture(16, 16), place.folder / "in/c.png");
  const auto ended = place.restore(
      {"--out", place.path("out"), "--format", "jpg", "--json", "-", place.path("in")});
  BOOST_TEST(ended.code == 1);
  BOOST_TEST(has(ended.err, "in/b.png': cannot write image '" + place.path("out/b.jpg") +
                                "': 66000 x 1 pixels are too many for a JPEG file"),
             ended.err);
  const auto json = nlohmann::json::parse(ended.out);
  BOOST_TEST(json.at("pictures").size() == 2u);
  BOOST_TEST(json.at("failed").size() == 1u);
  BOOST_TEST(fs::exists(place.folder / "out/c.jpg"), "the batch goes on");
}

BOOST_AUTO_TEST_CASE(results_never_lie_among_the_pictures_that_are_read) {
  const Place place;
  save(picture(16, 16), place.folder / "photos/a.jpg");
  save(picture(16, 16), place.folder / "photos/sub/b.jpg");
  fs::create_directory_symlink(place.folder / "photos", place.folder / "shortcut");
  const auto photos = place.path("photos");
  for (const Names& words :
       {Names{"--out", photos, photos}, Names{"--out", photos + "/../photos/", photos},
        Names{"--out", place.path("shortcut"), photos},
        Names{"--recursive", "--out", photos, photos},
        Names{"--out", photos, photos + "/sub", photos},
        Names{"--skip-existing", "--out", photos, photos}}) {
    const auto ended = place.restore(words);
    BOOST_TEST(ended.code == 1, ended.err);
    BOOST_TEST(has(ended.err, "--out: results would lie among the pictures of '"), ended.err);
  }
  BOOST_TEST(!fs::exists(place.folder / "photos/a.png"));
  // Beside a file that was named, and above or below a folder, they are met by no later run.
  for (const Names& words :
       {Names{"--out", photos, photos + "/a.jpg"}, Names{"--out", photos, photos + "/sub"},
        Names{"--recursive", "--out", photos + "/above", photos + "/sub"},
        Names{"--recursive", "--out", photos + "/sharp", photos}}) {
    const auto ended = place.restore(words);
    BOOST_TEST(ended.code == 0, ended.err);
    auto again = words;
    again.insert(again.begin(), "--skip-existing");
    const auto second = place.restore(again);
    BOOST_TEST(has(second.err, "restored 0 of "), second.err);
  }
}

void limit_memory() {
  const rlimit limit{std::uint64_t{1'500'000'000}, std::uint64_t{1'500'000'000}};
  ::setrlimit(RLIMIT_AS, &limit);
}

BOOST_AUTO_TEST_CASE(memory_that_runs_out_names_the_picture_and_hints_at_tiles) {
  const Place place;
  save(picture(16, 16), place.folder / "in/a.png");
  save(limpid::Image{torch::zeros({3000, 4000, 3}, torch::kByte)}, place.folder / "in/large.png");
  const auto ended = run(
      place.command({"--tile", "0", "--out", place.path("out"), place.path("in")}), limit_memory);
  BOOST_TEST(ended.code == 1, ended.err);
  BOOST_TEST(has(ended.err, "large.png': out of memory; smaller tiles need less: --tile 512"),
             ended.err);
  BOOST_TEST(!has(ended.err, "alloc_cpu"), ended.err);
  BOOST_TEST(fs::exists(place.folder / "out/a.png"));
}

BOOST_AUTO_TEST_CASE(a_picture_that_memory_would_not_hold_is_restored_in_tiles_and_that_is_said) {
  const Place place;
  save(limpid::Image{torch::zeros({1500, 2000, 3}, torch::kByte)}, place.folder / "in/a.png");
  save(limpid::Image{torch::zeros({1500, 2000, 3}, torch::kByte)}, place.folder / "in/b.png");
  const auto ended =
      run(place.command({"--out", place.path("out"), place.path("in")}), limit_memory);
  BOOST_TEST(ended.code == 0, ended.err);
  BOOST_TEST(has(ended.err, "a.png': at once it would take about "), ended.err);
  BOOST_TEST(has(ended.err, "restored in tiles of "), ended.err);
  BOOST_TEST(!has(ended.err, "b.png': at once"), "it is said once");
  BOOST_TEST(limpid::Image::load(place.folder / "out/b.png").width() == 2000);
}

BOOST_AUTO_TEST_CASE(jobs_change_neither_pictures_nor_messages) {
  const Place place;
  for (int i = 0; i < 9; ++i) {
    torch::manual_seed(i);
    save(limpid::Image::from_unit(torch::rand({3, 40 + 8 * i, 50})),
         place.folder / ("in/" + std::to_string(i) + ".png"));
  }
  for (const auto* name : {"in/2.png", "in/6.png"}) {
    const auto png = read_bytes(place.folder / name);
    write_bytes(place.folder / name, png.substr(0, png.size() / 2));
  }
  const auto restored = [&](const std::string& jobs) {
    auto ended = run({"limpid-restore", "--model", place.path("model.limpid"), "--task", "deblur",
                      "--threads", "3", "--jobs", jobs, "--out", place.path("out" + jobs), "--json",
                      "-", place.path("in")});
    BOOST_TEST(ended.code == 1, ended.err);
    return ended;
  };
  const auto one = restored("1"), three = restored("3");
  const auto failures = [](const Ended& ended) {
    const auto first = ended.err.find("2.png'"), second = ended.err.find("6.png'");
    return first < second && second != std::string::npos;
  };
  BOOST_TEST(failures(one), one.err);
  BOOST_TEST(failures(three), three.err);
  const auto names = [](const Ended& ended, const char* key) {
    Names all;
    for (const auto& entry : nlohmann::json::parse(ended.out).at(key))
      all.push_back(entry.at("input"));
    return all;
  };
  BOOST_TEST((names(one, "pictures") == names(three, "pictures")));
  BOOST_TEST((names(one, "failed") == names(three, "failed")));
  for (const auto i : {0, 1, 3, 4, 5, 7, 8}) {
    const auto name = std::to_string(i) + ".png";
    const auto a = limpid::Image::load(place.folder / "out1" / name);
    const auto b = limpid::Image::load(place.folder / "out3" / name);
    const auto off = (a.pixels().to(torch::kInt) - b.pixels().to(torch::kInt)).abs();
    BOOST_TEST(off.max().item<int>() <= 1, name);
  }
}

BOOST_AUTO_TEST_CASE(an_output_that_cannot_be_written_stops_all_jobs) {
  const Place place;
  for (int i = 0; i < 6; ++i) {
    save(picture(16, 16), place.folder / ("in/" + std::to_string(i) + ".png"));
  }
  fs::create_directories(place.folder / "out/3.png");
  const auto ended =
      run({"limpid-restore", "--model", place.path("model.limpid"), "--task", "deblur", "--threads",
           "2", "--jobs", "2", "--overwrite", "--out", place.path("out"), place.path("in")});
  BOOST_TEST(ended.code == 1);
  BOOST_TEST(has(ended.err, "out/3.png'"), ended.err);
  BOOST_TEST(fs::exists(place.folder / "out/2.png"));
}

BOOST_AUTO_TEST_CASE(an_ensemble_and_the_kind_of_tiles_can_be_asked_for) {
  const Place place;
  torch::manual_seed(4);
  save(limpid::Image::from_unit(torch::rand({3, 90, 120})), place.folder / "a.png");
  const auto made = [&](const std::string& out, Names more) {
    more.insert(more.end(), {"--out", place.path(out), place.path("a.png")});
    const auto ended = place.restore(more);
    BOOST_TEST(ended.code == 0, ended.err);
    return limpid::Image::load(place.folder / out / "a.png");
  };
  const auto whole = made("whole", {"--ensemble", "8"});
  const auto tiles = made("tiles", {"--ensemble", "8", "--tile", "48", "--tiling", "approximate"});
  const auto off = (whole.pixels().to(torch::kInt) - tiles.pixels().to(torch::kInt)).abs();
  BOOST_TEST(off.max().item<int>() <= 1);
}

BOOST_AUTO_TEST_CASE(a_picture_that_is_not_finite_is_not_written) {
  const Place place;
  auto model = limpid::make_model({"pixel-unet", nlohmann::json::object()}, {"deblur"});
  {
    const torch::NoGradGuard no_grad;
    double value = 3e38;
    for (auto& parameter : model.module->parameters()) parameter.fill_(value = -value);
  }
  limpid::save(model, place.folder / "model.limpid");
  save(picture(16, 16), place.folder / "a.png");
  const auto ended = place.restore({"--out", place.path("out"), place.path("a.png")});
  BOOST_TEST(ended.code == 1);
  BOOST_TEST(has(ended.err, "a.png': the picture restored by task 'deblur': "), ended.err);
  BOOST_TEST(!fs::exists(place.folder / "out/a.png"));
}

BOOST_AUTO_TEST_CASE(names_cannot_control_the_terminal) {
  const Place place;
  const auto evil = place.folder / "in" / "evil\x1b[2J\nlimpid-restore: done.png";
  write_bytes(evil, "no picture");
  save(picture(16, 16), place.folder / "in" / "caf\xe9.png");
  save(picture(16, 16), place.folder / "in" / "caf\xc3\xa9.png");
  const auto ended = place.restore({"--out", place.path("out"), "--json", place.path("r.json"),
                                    place.path("in"), evil.string()});
  BOOST_TEST(ended.code == 1);
  BOOST_TEST(!has(ended.err, "\x1b"), ended.err);
  BOOST_TEST(!has(ended.err, "\nlimpid-restore: done"), ended.err);
  BOOST_TEST(has(ended.err, "evil\\x1b[2J"), ended.err);
  BOOST_TEST(nlohmann::json::parse(read_bytes(place.folder / "r.json")).at("pictures").size() ==
             2u);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
