#include <limpid/io/safetensors.hpp>
#include <support/small_run.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

// What limpid-evaluate says where a picture is exact or cannot be scored.
namespace {

using namespace limpid_test;
using nlohmann::json;
using Words = std::vector<std::string>;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

limpid::Image brighter(const limpid::Image& image, double by) {
  return limpid::Image::from_unit((image.unit() + by / 255).clamp(0, 1));
}

/// limpid-evaluate --compare, and what it wrote.
json compared(const std::filesystem::path& restored, const std::filesystem::path& target,
              const Words& more = {}, Ended* shown = nullptr) {
  TemporaryFolder folder;
  Words words{"limpid-evaluate", "--compare", restored.string(),
              target.string(),   "--json",    (folder / "scores.json").string()};
  words.insert(words.end(), more.begin(), more.end());
  const auto ended = run(words);
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  if (shown != nullptr) *shown = ended;
  const auto text = read_bytes(folder / "scores.json");
  for (const auto* word : {"nan", "-inf", "null"}) BOOST_TEST(!has(text, word), word);
  return json::parse(text);
}

BOOST_AUTO_TEST_SUITE(evaluate_program)

BOOST_AUTO_TEST_CASE(a_gain_is_over_the_pictures_that_have_both_scores) {
  TemporaryFolder folder;
  const auto sharp = picture(40, 48, 1), other = picture(40, 48, 2);
  save(brighter(sharp, 9), folder / "set/input/a.png");
  save(sharp, folder / "set/target/a.png");
  save(other, folder / "set/input/b.png");  // is its own target
  save(other, folder / "set/target/b.png");
  const auto report = folder / "report";
  const auto ended =
      run({"limpid-evaluate", "--model", SmallRun::get().model(), "--data",
           "deblur=pairs:" + (folder / "set").string(), "--report", report.string()});
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  const auto text = read_bytes(report / "metrics.json");
  for (const auto* word : {"nan", "-inf", "null"}) BOOST_TEST(!has(text, word), word);
  const auto task = json::parse(text).at("tasks").at("deblur");
  const auto& gain = task.at("gain").at("psnr_rgb");
  BOOST_TEST(gain.at("count") == 1);
  BOOST_TEST(gain.at("left_out") == 1);
  const auto& a = task.at("images")[0];
  BOOST_TEST(gain.at("mean").get<double>() == a.at("restored").at("psnr_rgb").get<double>() -
                                                  a.at("identity").at("psnr_rgb").get<double>(),
             boost::test_tools::tolerance(1e-9));
  BOOST_TEST(task.at("identity").at("psnr_rgb").at("count") == 1);
  BOOST_TEST(task.at("identity").at("psnr_rgb").at("left_out") == 1);
  BOOST_TEST(task.at("restored").at("psnr_rgb").at("interval").size() == 2);
  BOOST_TEST(!gain.contains("interval"), "of one picture there is none");
  BOOST_TEST(json::parse(text).at("confidence").at("draws") == 10'000);
  BOOST_TEST(task.at("restored").at("psnr_rgb").at("count") == 2);
  BOOST_TEST(has(ended.out, " (1 of 2)"), ended.out);
  const std::string line =
      "psnr_rgb of deblur: 1 of 2 pictures left out of the gain: 'b' (exact before, ";
  BOOST_TEST(has(ended.out, line), ended.out);
  const auto page = read_bytes(report / "index.html");
  BOOST_TEST(has(page, "over 1 of 2, 1 exact"));
  BOOST_TEST(has(page, "percentile bootstrap over the pictures (10000 draws, seed 0)"));
  BOOST_TEST(has(page, "<span class=\"spread\">["));
  BOOST_TEST(has(page, "left out of the gain: &#39;b&#39; (exact before, "));
  for (const auto* word : {">nan", ">inf", "-inf"}) BOOST_TEST(!has(page, word), word);
}

BOOST_AUTO_TEST_CASE(further_models_are_measured_on_the_same_pictures) {
  TemporaryFolder folder;
  const auto sharp = picture(40, 48, 1);
  save(brighter(sharp, 9), folder / "set/input/a.png");
  save(sharp, folder / "set/target/a.png");
  const auto model = SmallRun::get().model();
  const Words words{"limpid-evaluate",
                    "--model",
                    model,
                    "--data",
                    "deblur=pairs:" + (folder / "set").string(),
                    "--report",
                    (folder / "report").string(),
                    "--beside"};
  auto same = words;
  same.insert(same.end(), {"the same=" + std::string{model}, "--name", "this one"});
  const auto ended = run(same);
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  for (const auto* name : {"the same", "this one"}) BOOST_TEST(has(ended.out, name), ended.out);
  const auto scores = json::parse(read_bytes(folder / "report/metrics.json"));
  const auto& own = scores.at("tasks").at("deblur");
  const auto& other = scores.at("beside").at("the same").at("deblur").at("psnr_rgb");
  for (const auto* what : {"restored", "gain"}) {
    BOOST_TEST(other.at(what) == own.at(what).at("psnr_rgb").at("mean"), what);
  }
  BOOST_TEST(has(read_bytes(folder / "report/index.html"), "Models side by side"));
  for (const auto& [text, code, error] :
       {std::tuple{"=a.limpid", 2, "--beside: expected NAME=FILE, found '=a.limpid'"},
        std::tuple{"b=missing.limpid", 1, "missing.limpid"}}) {
    auto wrong = words;
    wrong.emplace_back(text);
    const auto refused = run(wrong);
    BOOST_TEST(refused.code == code, refused.err);
    BOOST_TEST(has(refused.err, error), refused.err);
  }
}

BOOST_AUTO_TEST_CASE(saved_pictures_replace_nothing_unasked_and_names_stay_on_their_line) {
  TemporaryFolder folder;
  const auto sharp = picture(40, 48, 1);
  for (const auto* part : {"input", "target"}) save(sharp, folder / "set" / part / "a\nb\033.png");
  const Words words{"limpid-evaluate",
                    "--model",
                    SmallRun::get().model(),
                    "--data",
                    "deblur=pairs:" + (folder / "set").string(),
                    "--save",
                    (folder / "saved").string()};
  const auto first = run(words);
  BOOST_REQUIRE_MESSAGE(first.code == 0, first.err);
  BOOST_TEST(has(first.out, "'a\\x0ab\\x1b' (exact before"), first.out);
  const auto saved = folder / "saved/deblur/a\nb\033.png";
  write_bytes(saved, "edited");
  const auto again = run(words);
  BOOST_TEST(again.code == 1);
  BOOST_TEST(has(again.err, "is there already; name another folder, or --overwrite"), again.err);
  BOOST_TEST(read_bytes(saved) == "edited");
  auto more = words;
  more.emplace_back("--overwrite");
  const auto replaced = run(more);
  BOOST_TEST(replaced.code == 0, replaced.err);
  BOOST_TEST(read_bytes(saved) != "edited");
}

/// A file whose header says a picture and whose pixels end early.
void cut(const std::filesystem::path& file) {
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
}

BOOST_AUTO_TEST_CASE(bad_pictures_are_named_and_cost_no_other_its_scores) {
  TemporaryFolder folder;
  for (const std::string name : {"a", "cut", "size", "z"}) {
    const auto image = picture(40, 48, static_cast<std::uint64_t>(name[0]));
    save(brighter(image, 3), folder / "set/input" / (name + ".png"));
    save(image, folder / "set/target" / (name + ".png"));
  }
  cut(folder / "set/input/cut.png");
  save(picture(40, 47), folder / "set/input/size.png");
  const auto check = [&](const Ended& ended, const json& image, const json& means) {
    BOOST_TEST(ended.code == 1);
    for (const auto* text : {"cut.png': ", "47 x 40", "2 of 4 pictures could not be measured"}) {
      BOOST_TEST(has(ended.err, text), text << " in: " << ended.err);
    }
    BOOST_TEST(has(ended.out, "2 of 4 pictures could not be measured: 'cut' ("), ended.out);
    BOOST_TEST(has(ended.out, " (2 of 4)"), ended.out);
    BOOST_TEST(means.at("psnr_rgb").at("count") == 2);
    BOOST_TEST(means.at("psnr_rgb").at("none") == 2);
    BOOST_TEST(has(image.at("error").get<std::string>(), "cut.png'"));
  };
  const auto file = folder / "scores.json";
  const auto scores = [&] { return json::parse(read_bytes(file)); };
  const auto set = "pairs:" + (folder / "set").string();
  const auto model = SmallRun::get().model();
  const auto measured = run({"limpid-evaluate", "--model", model, "--data", "deblur=" + set,
                             "--data", "derain=" + set, "--json", file.string(), "--report",
                             (folder / "report").string(), "--save", (folder / "saved").string()});
  auto task = scores().at("tasks").at("derain");
  check({measured.code, measured.out, measured.err + "2 of 4 pictures could not be measured"},
        task.at("images")[1], task.at("restored"));
  BOOST_TEST(has(measured.err, "4 of 8 pictures could not be measured; see above"), measured.err);
  BOOST_TEST(task.at("failed") == 2);
  BOOST_TEST(task.at("images")[1].at("none").at("identity").contains("psnr_rgb"));
  BOOST_TEST(has(read_bytes(folder / "report/index.html"), "could not be measured"));
  BOOST_TEST(std::filesystem::exists(folder / "report/strip.png"));
  BOOST_TEST(std::filesystem::exists(folder / "saved/derain/z.png"));

  const auto compared = run({"limpid-evaluate", "--compare", (folder / "set/input").string(),
                             (folder / "set/target").string(), "--json", file.string()});
  check(compared, scores().at("images")[1], scores().at("compared"));
}

BOOST_AUTO_TEST_CASE(what_restore_wrote_is_compared_with_the_pictures_that_it_read) {
  TemporaryFolder folder;
  for (const auto* name : {"IMG.jpg", "IMG.bmp", "other.ppm"}) {
    save(picture(16, 20, static_cast<std::uint64_t>(name[4])), folder / "photos" / name);
  }
  const auto photos = (folder / "photos").string(), restored = (folder / "restored").string();
  const auto ended = run({"limpid-restore", "--model", SmallRun::get().model(), "--task", "deblur",
                          "--out", restored, photos});
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  const auto scores = compared(restored, photos);
  BOOST_TEST(scores.at("count") == 3);
  BOOST_TEST(scores.at("images")[0].at("name") == "IMG.bmp");
}

BOOST_AUTO_TEST_CASE(folders_of_all_tasks_are_looked_at_before_the_work) {
  TemporaryFolder folder;
  for (const auto* part : {"input", "target"})
    save(picture(16, 20), folder / "set" / part / "a.png");
  write_bytes(folder / "saved/derain/a.png", "edited");
  const auto set = "pairs:" + (folder / "set").string();
  const auto ended =
      run({"limpid-evaluate", "--model", SmallRun::get().model(), "--data", "deblur=" + set,
           "--data", "derain=" + set, "--save", (folder / "saved").string()});
  BOOST_TEST(ended.code == 1);
  BOOST_TEST(has(ended.err, "saved/derain/a.png' is there already"), ended.err);
  BOOST_TEST(!std::filesystem::exists(folder / "saved/deblur/a.png"), "nothing was restored");
}

BOOST_AUTO_TEST_CASE(pictures_that_are_restored_in_tiles_are_counted) {
  TemporaryFolder folder;
  for (const auto* part : {"input", "target"}) {
    save(picture(40, 48, 1), folder / "set" / part / "a.png");
    save(picture(20, 20, 2), folder / "set" / part / "b.png");
  }
  const auto file = folder / "scores.json";
  const Words words{"limpid-evaluate",
                    "--model",
                    SmallRun::get().model(),
                    "--data",
                    "deblur=pairs:" + (folder / "set").string(),
                    "--json",
                    file.string()};
  const auto tiles = [&](const Words& more) {
    auto all = words;
    all.insert(all.end(), more.begin(), more.end());
    const auto ended = run(all);
    BOOST_TEST(ended.code == 0, ended.err);
    return json::parse(read_bytes(file)).at("tiles");
  };
  BOOST_TEST(tiles({}).at("pictures") == 0);
  const auto report = folder / "report";
  const auto cut_up = tiles({"--tile", "24", "--overlap", "8", "--report", report.string()});
  BOOST_TEST((cut_up == json{{"pictures", 1}, {"tile", 24}, {"overlap", 8}, {"exact", false}}),
             cut_up);
  BOOST_TEST(has(read_bytes(report / "index.html"), "Restored in tiles"));
}

BOOST_AUTO_TEST_CASE(a_picture_too_small_for_a_window_costs_no_other_score) {
  TemporaryFolder folder;
  for (const auto* name : {"a", "z"}) {
    const auto image = picture(20, 24, name[0]);
    save(brighter(image, 3), folder / "restored" / (std::string{name} + ".png"));
    save(image, folder / "true" / (std::string{name} + ".png"));
  }
  save(brighter(picture(6, 6), 3), folder / "restored/tiny.png");
  save(picture(6, 6), folder / "true/tiny.png");
  Ended ended;
  const auto scores = compared(folder / "restored", folder / "true", {}, &ended);
  BOOST_TEST(scores.at("count") == 3);
  BOOST_TEST(scores.at("compared").at("psnr_rgb").at("count") == 3);
  BOOST_TEST(scores.at("compared").at("ssim_gaussian").at("count") == 2);
  BOOST_TEST(scores.at("compared").at("ssim_gaussian").at("left_out") == 1);
  BOOST_TEST(scores.at("compared").at("ssim_gaussian").at("mean").is_number());
  const auto& tiny = scores.at("images")[1];
  BOOST_TEST(tiny.at("name") == "tiny");
  BOOST_TEST(tiny.at("ssim_uniform") == "none");
  BOOST_TEST(tiny.at("psnr_y").is_number());
  BOOST_TEST(has(ended.out, "without a score: 'tiny' (SSIMUniform: expected sides of at least 7"),
             ended.out);
  BOOST_TEST(has(ended.err, "1/3  a"), "shows how far it is: " << ended.err);

  const auto nothing = run({"limpid-evaluate", "--compare", (folder / "restored").string(),
                            (folder / "true").string(), "--metrics", "ms-ssim"});
  BOOST_TEST(nothing.code == 1);
  BOOST_TEST(has(nothing.out, "none (0 of 3)"), nothing.out);
  BOOST_TEST(has(nothing.err, "limpid-evaluate: no picture has a score"), nothing.err);
}

// A is better on each picture, and exact on b: its mean is over a alone and lies below B's.
BOOST_AUTO_TEST_CASE(two_programs_of_which_one_is_exact_somewhere_are_ranked_by_pooled) {
  TemporaryFolder folder;
  const auto a = limpid::Image::from_unit(picture(40, 48, 3).unit() * 0.5);
  const auto b = limpid::Image::from_unit(picture(40, 48, 4).unit() * 0.5);
  save(a, folder / "true/a.png");
  save(b, folder / "true/b.png");
  save(brighter(a, 8), folder / "A/a.png");
  save(b, folder / "A/b.png");
  save(brighter(a, 9), folder / "B/a.png");
  save(brighter(b, 1), folder / "B/b.png");
  Ended shown;
  const auto of_a = compared(folder / "A", folder / "true", {}, &shown).at("compared");
  const auto of_b = compared(folder / "B", folder / "true").at("compared");
  BOOST_TEST(of_a.at("psnr_rgb").at("count") == 1);
  BOOST_TEST(of_a.at("psnr_rgb").at("exact") == 1);
  BOOST_TEST(of_b.at("psnr_rgb").at("count") == 2);
  BOOST_TEST(of_a.at("psnr_rgb").at("mean").get<double>() <
             of_b.at("psnr_rgb").at("mean").get<double>());
  BOOST_TEST(of_a.at("psnr_rgb").at("pooled").get<double>() >
             of_b.at("psnr_rgb").at("pooled").get<double>());
  BOOST_TEST(has(shown.out, "1 of 2 pictures left out of the mean, exact: 'b'"), shown.out);
  BOOST_TEST(has(shown.out, "pooled: the PSNR of the mean squared error over all pictures"));
}

BOOST_AUTO_TEST_CASE(protocols_and_parts_of_the_pictures_are_named) {
  TemporaryFolder folder;
  const auto image = limpid::Image::from_unit(picture(35, 40, 3).unit() * 0.5);
  save(image, folder / "true/a.png");
  save(brighter(image, 5), folder / "A/a.png");
  Ended shown;
  const auto json = compared(folder / "A", folder / "true",
                             {"--protocol", "aio", "--metrics", "psnr-rgb:crop-border=2"}, &shown);
  BOOST_TEST(json.at("compared").size() == 3u);
  for (const auto* name : {"psnr_unrounded:multiple_of=16", "ssim_uniform_unrounded:multiple_of=16",
                           "psnr_rgb:crop_border=2"}) {
    BOOST_TEST(json.at("compared").at(name).at("count") == 1);
    BOOST_TEST(has(shown.out, std::string{name} + ": "), shown.out);
  }
}

BOOST_AUTO_TEST_CASE(unrounded_metrics_see_what_the_model_made_before_it_was_a_picture) {
  TemporaryFolder folder;
  const auto scores = folder / "scores.json", restored = folder / "restored";
  const auto ended = run({"limpid-evaluate", "--model", SmallRun::get().model(), "--data",
                          SmallRun::get().data("deblur"), "--protocol", "aio", "--metrics",
                          "psnr-rgb", "--save", restored.string(), "--json", scores.string()});
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  const auto of_model = json::parse(read_bytes(scores)).at("tasks").at("deblur").at("restored");
  const auto of_files = compared(restored / "deblur", SmallRun::get().path("deblur/target"),
                                 {"--protocol", "aio", "--metrics", "psnr-rgb"})
                            .at("compared");
  const auto distance = [&](const std::string& metric) {
    return std::abs(of_model.at(metric).at("mean").get<double>() -
                    of_files.at(metric).at("mean").get<double>());
  };
  BOOST_TEST(distance("psnr_rgb") < 1e-9);
  for (const std::string metric :
       {"psnr_unrounded:multiple_of=16", "ssim_uniform_unrounded:multiple_of=16"}) {
    BOOST_TEST(distance(metric) > 1e-7, metric);
    BOOST_TEST(distance(metric) < 0.05, metric);
  }
}

// Features by a formula; the distance by NumPy and SciPy, tests/metrics/reference_values.py.
BOOST_AUTO_TEST_CASE(files_of_features_are_compared) {
  TemporaryFolder folder;
  const auto write = [&](const char* name, std::int64_t count, double phase) {
    const auto index = torch::arange(count * 6, torch::kDouble).reshape({count, 6});
    limpid::TensorFile file;
    file.tensors["features"] =
        (index * index * 0.013 + phase).sin() * (1 + torch::arange(6).remainder(3));
    write_safetensors(folder / name, file);
  };
  write("a", 40, 0), write("b", 50, 0.5);
  const auto json = compared(folder / "a", folder / "b");
  BOOST_TEST(
      json.at("compared").at("frechet_distance").at("mean").get<double>() == 0.5213224358987674,
      boost::test_tools::tolerance(1e-9));
  BOOST_TEST(json.at("features") == 6);
}

BOOST_AUTO_TEST_CASE(two_programs_are_compared_on_the_pictures_that_both_have) {
  TemporaryFolder folder;
  for (int i = 0; i < 6; ++i) {
    const auto name = std::string{static_cast<char>('a' + i)} + ".png";
    const auto image = limpid::Image::from_unit(picture(20, 24, 10 + i).unit() * 0.5);
    save(image, folder / "true" / name);
    save(brighter(image, 2 + i), folder / "A" / name);
    save(brighter(image, 3 + i), folder / "B" / name);
  }
  std::filesystem::remove(folder / "B/f.png");
  Ended shown;
  const auto json =
      compared(folder / "A", folder / "true", {"--against", (folder / "B").string()}, &shown);
  const auto& psnr = json.at("difference").at("psnr_rgb");
  BOOST_TEST(psnr.at("count") == 5);
  BOOST_TEST(psnr.at("mean").get<double>() > 0);
  BOOST_TEST(psnr.at("p") == 2.0 / 32, "all five of one sign");
  BOOST_TEST(psnr.at("interval")[0].get<double>() > 0);
  BOOST_TEST(json.at("missing").at("f") == "not in '" + (folder / "B").string() + "'");
  BOOST_TEST(json.at("confidence").at("level") == 0.95);
  for (const auto* text : {"1 of 6 pictures left out: 'f' (not in '", "exact, 2^5 sign flips",
                           "95 %: where the mean lies", "difference  "}) {
    BOOST_TEST(has(shown.out, text), text << " in: " << shown.out);
  }
  cut(folder / "B/b.png");
  const auto ended = run({"limpid-evaluate", "--compare", (folder / "A").string(),
                          (folder / "true").string(), "--against", (folder / "B").string()});
  BOOST_TEST(ended.code == 1);
  BOOST_TEST(has(ended.err, "B/b.png'"), ended.err);
  BOOST_TEST(has(ended.out, "(4 of 5)"), ended.out);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
