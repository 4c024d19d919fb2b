#include <limpid/inference/router.hpp>
#include <limpid/model/families.hpp>
#include <support/images.hpp>
#include <support/paths.hpp>
#include <support/run_program.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

// limpid-restore as one word: the model in the box, its router, results beside their pictures.
namespace {

using namespace limpid_test;
namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// Sure of derain, or of nothing.
limpid::Router router(double derain) {
  constexpr std::size_t kCount = 2 * 28 + 2 * 2;
  const std::vector<double> zeros(kCount, 0), ones(kCount, 1);
  return {zeros, ones, {{"deblur", -3, zeros}, {"derain", derain, zeros}}};
}

/// A folder with a model in the box of its own.
struct Box {
  TemporaryFolder folder;

  explicit Box(double derain = 6, bool has_router = true) {
    torch::manual_seed(1);
    const auto model = limpid::make_model({"pixel-unet", {{"width", 4}}}, {"deblur", "derain"});
    const torch::NoGradGuard no_grad;
    for (auto& [name, parameter] : model.parameters) {
      parameter.add_(0.05 * torch::randn_like(parameter));
    }
    auto facts = nlohmann::json::object();
    if (has_router) facts["router"] = router(derain).to_json();
    limpid::save(model, folder / "box.limpid", facts);
  }

  std::string path(const std::string& name) const { return (folder / name).string(); }

  Ended restore(Words words) const {
    words.insert(words.begin(), {"limpid-restore", "--threads", "1"});
    return run(words, [&] { ::setenv("LIMPID_MODEL", path("box.limpid").c_str(), 1); });
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(one_word)

BOOST_AUTO_TEST_CASE(a_photograph_is_restored_beside_itself_as_it_was_stored) {
  const Box box;
  const auto photo =
      with_segment(picture(40, 24).encoded("jpg", 80), exif_segment(/*orientation=*/6));
  write_bytes(box.folder / "photo.JPG", photo);
  const auto ended = box.restore({box.path("photo.JPG")});
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  BOOST_TEST(has(ended.err, "photo.JPG: derain (99 % sure) -> " + box.path("photo.restored.JPG")),
             ended.err);
  BOOST_TEST(read_bytes(box.folder / "photo.JPG") == photo);
  const auto before = limpid::Image::load(box.folder / "photo.JPG");
  const auto after = limpid::Image::load(box.folder / "photo.restored.JPG");
  BOOST_TEST(after.height() == before.height());
  BOOST_TEST(after.width() == before.width());
  BOOST_TEST(after.facts().format == "JPEG");
  BOOST_TEST(after.facts().jpeg_quality == 80);
  BOOST_TEST(!after.facts().exif.empty());
  BOOST_TEST(!(after == before));

  // What is there is not written over, and a result in a folder is no picture of it.
  const auto again = box.restore({box.path("photo.JPG")});
  BOOST_TEST(again.code == 1);
  BOOST_TEST(has(again.err,
                 "photo.restored.JPG' is there already; name a folder with --out, "
                 "--overwrite to replace, or --skip-existing"),
             again.err);
  BOOST_TEST(box.restore({"--skip-existing", box.folder.path().string()}).code == 0);
  BOOST_TEST(!fs::exists(box.folder / "photo.restored.restored.JPG"));
}

BOOST_AUTO_TEST_CASE(what_no_task_is_sure_to_help_comes_back_to_the_byte_and_that_is_said) {
  const Box box{/*derain=*/1};
  save(picture(24, 24), box.folder / "clean.jpg");
  save(picture(24, 24), box.folder / "clean.png");
  const auto ended = box.restore({"--json", "-", "--compare", box.path("page.html"),
                                  box.path("clean.jpg"), box.path("clean.png")});
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  BOOST_TEST(has(ended.err,
                 "left as it is: no task is sure to help, the likeliest derain (73 % sure, done "
                 "from 90 %)"),
             ended.err);
  BOOST_TEST(has(ended.err, "2 left as they were (--task derain, say, restores them all the same)"),
             ended.err);
  BOOST_TEST(has(ended.err, "restored 0 of 2 pictures"), ended.err);
  for (const auto* kind : {"jpg", "png"}) {
    const auto name = std::string{"clean."}, result = std::string{"clean.restored."};
    BOOST_TEST(
        (read_bytes(box.folder / (result + kind)) == read_bytes(box.folder / (name + kind))));
  }
  BOOST_TEST(has(read_bytes(box.folder / "page.html"), "24 x 24: left as it is"));
  const auto json = nlohmann::json::parse(ended.out);
  BOOST_TEST(json.at("task") == "auto");
  const auto& seen = json.at("pictures")[0].at("auto");
  BOOST_TEST(seen.at("done").empty());
  BOOST_TEST(seen.at("seen")[0].at("task") == "derain");
}

BOOST_AUTO_TEST_CASE(strength_zero_gives_the_picture_back) {
  const Box box;
  save(picture(24, 24), box.folder / "a.png");
  const auto words = [&](const std::string& strength, const std::string& task) {
    return Words{"--strength",     strength, "--task", task, "--out", box.path(strength + task),
                 box.path("a.png")};
  };
  const auto before = limpid::Image::load(box.folder / "a.png");
  for (const std::string task : {"auto", "deblur"}) {
    BOOST_TEST(box.restore(words("0", task)).code == 0);
    BOOST_TEST(box.restore(words("0.5", task)).code == 0);
    BOOST_TEST((limpid::Image::load(box.folder / ("0" + task) / "a.png") == before));
    BOOST_TEST(!(limpid::Image::load(box.folder / ("0.5" + task) / "a.png") == before));
  }
  const auto refused = box.restore(words("2", "auto"));
  BOOST_TEST(refused.code == 2);
  BOOST_TEST(has(refused.err, "--strength"), refused.err);
}

BOOST_AUTO_TEST_CASE(a_model_without_a_router_is_told_its_task) {
  const Box box{0, /*has_router=*/false};
  save(picture(16, 16), box.folder / "a.png");
  const auto ended = box.restore({box.path("a.png")});
  BOOST_TEST(ended.code == 2);
  BOOST_TEST(has(ended.err,
                 "--task is required: the model has no router that tells deblur, derain "
                 "apart"),
             ended.err);
  const auto named = box.restore({"--task", "auto", box.path("a.png")});
  BOOST_TEST(named.code == 1);
  BOOST_TEST(has(named.err,
                 "it has no router for task 'auto'; expected one of its tasks (deblur, "
                 "derain)"),
             named.err);
  BOOST_TEST(box.restore({"--task", "derain", box.path("a.png")}).code == 0);
}

BOOST_AUTO_TEST_CASE(what_the_command_line_says_wrong_comes_before_what_lies_on_the_disk) {
  const Box box;
  save(picture(16, 16), box.folder / "a.png");
  save(picture(16, 16), box.folder / "a.restored.png");  // is there already
  const auto fly = box.restore({"--task", "fly", box.path("a.png")});
  BOOST_TEST(fly.code == 1);
  BOOST_TEST(has(fly.err, "expected one of its tasks (deblur, derain), got 'fly'"), fly.err);
  const auto lost = box.restore({"--task", "fly", "--out", box.path("made"), box.path("lost.png")});
  BOOST_TEST(has(lost.err, "got 'fly'"), lost.err);
  BOOST_TEST(!fs::exists(box.folder / "made"));
  const auto tile = box.restore({"--tile", "5", box.path("a.png")});
  BOOST_TEST(tile.code == 2);
  BOOST_TEST(has(tile.err, "--tile: expected 0 or at least 16, got 5"), tile.err);
  const auto engine = box.restore({"--engine", "openvino", "--convolution", "fast", "lost.png"});
  BOOST_TEST(engine.code == 2);
  BOOST_TEST(has(engine.err, "--engine openvino: --convolution is of limpid's own"), engine.err);
}

BOOST_AUTO_TEST_CASE(an_engine_restores_as_limpid_does_or_says_how_to_get_it) {
  const Box box;
  save(picture(40, 24), box.folder / "a.png");
  BOOST_REQUIRE(box.restore({"--out", box.path("limpid"), box.path("a.png")}).code == 0);
  for (const std::string engine : {"openvino", "onnxruntime"}) {
    const auto ended =
        box.restore({"--engine", engine, "--out", box.path(engine), box.path("a.png")});
    if (ended.code != 0) {
      BOOST_TEST(has(ended.err, "--engine " + engine + ": this limpid was built without "),
                 ended.err);
      BOOST_TEST(has(ended.err, "; to have it: "), ended.err);
      BOOST_TEST(!fs::exists(box.folder / engine));
      continue;
    }
    BOOST_TEST(has(ended.err, "a.png: derain (99 % sure) -> "), ended.err);
    const auto off = limpid::Image::load(box.folder / engine / "a.png").unit() -
                     limpid::Image::load(box.folder / "limpid" / "a.png").unit();
    BOOST_TEST(off.abs().max().item<double>() < 1.5 / 255, engine);
  }
  const auto none = box.restore({"--engine", "abacus", box.path("a.png")});
  BOOST_TEST(none.code == 2);
  BOOST_TEST(has(none.err, "expected an engine, one of limpid, openvino, onnxruntime"), none.err);
}

BOOST_AUTO_TEST_CASE(the_model_in_the_box_is_found_or_all_places_are_named) {
  const Box box;
  save(picture(16, 16), box.folder / "a.png");
  const auto restore = [&](const std::string& program, const char* model) {
    return run({program, "--threads", "1", "--task", "derain", box.path("a.png")}, [&] {
      model == nullptr ? ::unsetenv("LIMPID_MODEL") : ::setenv("LIMPID_MODEL", model, 1);
    });
  };
  const auto lost = restore("limpid-restore", "/never/made.limpid");
  BOOST_TEST(lost.code == 1);
  BOOST_TEST(has(lost.err, "LIMPID_MODEL: there is no file '/never/made.limpid'"), lost.err);
  const auto built = restore("limpid-restore", nullptr);  // in the tree that it was built in
  BOOST_TEST(built.code == 0, built.err);

  const auto program = box.folder / "usr/bin/limpid-restore";
  fs::create_directories(program.parent_path());
  fs::copy_file(programs_folder() / "limpid-restore", program);
  const auto none = restore(program.string(), nullptr);
  BOOST_TEST(none.code == 1);
  BOOST_TEST(
      has(none.err, "name one with --model FILE or by the environment variable LIMPID_MODEL"),
      none.err);
  const auto share = box.folder / "usr/share/limpid/models/everyday.limpid";
  BOOST_TEST(has(none.err, share.string()), none.err);
  fs::create_directories(share.parent_path());
  fs::copy_file(box.folder / "box.limpid", share);
  const auto installed = run({program.string(), "--threads", "1", "--overwrite", box.path("a.png")},
                             [] { ::unsetenv("LIMPID_MODEL"); });
  BOOST_TEST(installed.code == 0, installed.err);
  BOOST_TEST(has(installed.err, "derain (99 % sure)"), installed.err);
}

BOOST_AUTO_TEST_CASE(a_router_is_fitted_to_pairs_and_kept_in_the_model_file) {
  const TemporaryFolder folder;
  for (int i = 0; i < 15; ++i) {
    save(picture(48, 48, static_cast<std::uint64_t>(i)),
         folder / ("photos/" + std::to_string(i) + ".png"));
  }
  const auto everyday = fs::path{kSourceFolder} / "examples/models/everyday.limpid";
  const auto routed = (folder / "routed.limpid").string();
  const auto fitted =
      run({"limpid-convert", everyday.string(), routed, "--fit-router", "--half", "--data",
           "noisy=photos:" + (folder / "photos").string() +
               ",degradation=mixture,parts=noise@0.5(sigma=40:50)"});
  BOOST_REQUIRE_MESSAGE(fitted.code == 0, fitted.err);
  BOOST_TEST(has(fitted.out, "denoise: "), fitted.out);
  const auto shown = run({"limpid-inspect", routed});
  BOOST_TEST(has(shown.out, "  router: "), shown.out);
  BOOST_TEST(has(shown.out, "; by 456 features"), shown.out);

  const auto one = (folder / "one.limpid").string();
  BOOST_TEST(run({"limpid-convert", routed, one, "--tasks", "denoise"}).code == 0);
  BOOST_TEST(has(run({"limpid-inspect", one}).out, "  router: denoise from "));
  const auto refused =
      run({"limpid-convert", routed, (folder / "x.limpid").string(), "--fit-router"});
  BOOST_TEST(refused.code == 2);
  BOOST_TEST(has(refused.err, "--fit-router: expected --data"), refused.err);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
