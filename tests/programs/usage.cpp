#include <support/run_program.hpp>

#include <boost/test/unit_test.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace {

using limpid_test::run;
using Words = std::vector<std::string>;

void check_help(const Words& command, const Words& options) {
  auto words = command;
  words.push_back("--help");
  const auto help = run(words);
  BOOST_TEST(help.code == 0);
  BOOST_TEST(help.err == "");
  std::istringstream lines{help.out};
  for (std::string line; std::getline(lines, line);) {
    BOOST_TEST(line.size() <= 98U, command.back() << " --help has a long line: " << line);
  }
  for (const auto& option : options) {
    BOOST_TEST((help.out.find(option) != std::string::npos),
               command.front() << " --help does not name " << option);
  }
}

/// Wrong usage: exit code 2, "NAME: text" on standard error.
void check_usage(const Words& words, const std::string& text) {
  const auto ended = run(words);
  BOOST_TEST(ended.code == 2, words.front() << " ended with " << ended.code << ": " << ended.err);
  BOOST_TEST((ended.err.rfind(words.front() + ": ", 0) == 0), ended.err);
  BOOST_TEST((ended.err.find(text) != std::string::npos), ended.err);
  BOOST_TEST(ended.out == "");
}

BOOST_AUTO_TEST_SUITE(usage)

BOOST_AUTO_TEST_CASE(help_names_every_option) {
  check_help({"limpid-data", "degrade"},
             {"--task", "--seed", "--depth", "--max-side", "--threads", "INPUT_DIR", "OUTPUT_DIR"});
  check_help({"limpid-data", "blur"}, {"--frames", "--seed"});
  check_help({"limpid-data", "haze"}, {"--beta", "--airlight", "--disparity", "--seed"});
  check_help({"limpid-data", "check"}, {"--sheet", "--json"});
  check_help({"limpid-data", "sheet"}, {"--out", "--pictures", "--seed", "--crop", "--width",
                                        "--columns", "--label", "--title", "--overwrite"});
  check_help({"limpid-data", "interpolate"},
             {"--fps", "--to", "--weights", "--tile", "--padding", "--device", "--threads"});
  check_help({"limpid-data", "train-interpolation"},
             {"--out", "--minutes", "--steps", "--epochs", "--batch", "--rate", "--size",
              "--held-back", "--validation-images", "--resume", "--data-changed", "--overwrite",
              "--stop-after", "--workers", "--seed", "--json", "--quiet", "--precision"});
  check_help({"limpid-data", "niqe-model"}, {"--luma"});
  check_help({"limpid-table"},
             {"--data", "--test", "--out", "--vgg", "--backbone", "--smoke", "--no-twins",
              "--shard", "--plan", "--epochs", "--max-images", "--device"});
  check_help({"limpid-transfer"}, {"--recipe", "--data", "--test", "--weightings", "upgrad",
                                   "--budget", "images=N", "--seeds", "--out", "--interference",
                                   "--batch", "--shard", "--plan", "--quiet", "--device"});
  check_help({"limpid-train"},
             {"--content",          "--weights",          "--penalty-slope", "per-pixel",
              "charbonnier",        "--adversarial",      "--critic",        "--critic-updates",
              "--critic-rate",      "--contextual",       "--weighting",     "upgrad",
              "nash-mtl",           "--interference",     "--tensorboard",   "--backbone",
              "--random-backbone",  "--freeze-epochs",    "softplus-r1",     "double-scale",
              "--average",          "best.limpid",        "--optimizer",     "adamw",
              "--critic-optimizer", "--accumulate",       "--schedule",      "multi-step",
              "--memory-format",    "channels-last",      "--tf32",          "--cudnn-benchmark",
              "--step-graphs",      "--checkpoint-blocks"});
  check_help(
      {"limpid-train"},
      {"--recipe",  "--data",      "--validate", "--out",     "--epochs", "--steps",
       "--minutes", "--batch",     "--crop",     "--vgg",     "--resume", "--stop-after",
       "--device",  "--seed",      "--json",     "--threads", "gopro",    "raindrop",
       "pairs",     "--processes", "--restarts", "--timeout", "--master", "--checkpoint-seconds"});
  check_help({"limpid-restore"},
             {"--model",     "--task",     "--tile",          "--overlap",  "--out",
              "--format",    "--device",   "--precision",     "--threads",  "--json",
              "--tiling",    "--ensemble", "--jobs",          "--compare",  "--watch",
              "--raw",       "IMAGE",      "--memory-format", "--strength", "photo.restored.jpg",
              "LIMPID_MODEL"});
  check_help({"limpid-evaluate"},
             {"--model", "--data", "--compare", "--against", "--protocol", "--metric-file",
              "--metrics", "--niqe-model", "--report", "--json", "--max-images", "--save", "--name",
              "--title", "--note", "--log", "--device", "--threads"});
  check_help({"limpid-benchmark"}, {"step", "restore", "data"});
  check_help({"limpid-benchmark", "step"}, {"--recipe", "--tasks", "--steps", "--warmup",
                                            "--device", "--precision", "--json", "--weighting"});
  check_help({"limpid-benchmark", "restore"}, {"--recipe", "--model", "--size", "--tile"});
  check_help({"limpid-benchmark", "data"},
             {"--data", "--crop", "--workers", "--cache-mb", "--cut-mb"});
}

BOOST_AUTO_TEST_CASE(wrong_usage_of_limpid_data) {
  check_usage({"limpid-data"}, "A subcommand is required");
  check_usage({"limpid-data", "degrade", "a", "b"}, "expected either --task or --degradation");
  check_usage({"limpid-data", "degrade", "--task", "sharpen", "a", "b"}, "sharpen");
}

BOOST_AUTO_TEST_CASE(wrong_usage_of_limpid_train) {
  const Words start{"limpid-train", "--recipe", "quickstart", "--out", "never-made"};
  const auto with = [&](const Words& more) {
    auto words = start;
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  check_usage(start, "--data is required");
  check_usage(with({"--data", "deblur"}),
              "--data: 'deblur': expected TASK=FORMAT:PATH[@PART], for example");
  check_usage(
      with({"--data", "deblur=zip:x"}),
      "--data: 'deblur=zip:x': expected a data format, one of gopro, gopro-gamma, raindrop");
  check_usage(with({"--data", "deblur=gopro:x@spring"}), "unknown part 'spring' of gopro");
  check_usage(with({"--data", "deblur=pairs:x", "--data", "deblur=pairs:y"}),
              "--data: task 'deblur' is named twice");
  check_usage(with({"--data", "deblur=pairs:x", "--steps", "3", "--epochs", "2"}),
              "[--epochs,--steps,--minutes]");
  const auto content = [&](const std::string& text) {
    return with({"--data", "deblur=pairs:x", "--content", text});
  };
  check_usage(content("psnr ++ l1"), "expected a weight or a content loss at character 7");
  check_usage(content("l1 + perceptal"), "did you mean 'perceptual'?");
  check_usage(content("perceptual + 0.5 l1"),
              "--content: 'perceptual + 0.5 l1' needs the weights of vgg19: --weights vgg19=FILE");
  check_usage(with({"--data", "deblur=pairs:x", "--content", "lpips-vgg", "--weights",
                    "lpips-vgg=vgg.pth"}),
              "--content: 'lpips-vgg' needs the weights of vgg16: --weights vgg16=FILE");
  check_usage(content("psnr:floor=0"), "character 1: PSNRLoss: floor must be positive, got 0");
  check_usage(with({"--data", "deblur=pairs:x", "--weights", "vgg19"}),
              "--weights: expected NAME=FILE, got 'vgg19'");
  // Weights that nothing would look at.
  check_usage(with({"--data", "deblur=pairs:x", "--vgg", "v.pth"}),
              "--vgg FILE: nothing would look through vgg19, not the content loss of recipe "
              "quickstart");
  check_usage(with({"--data", "deblur=pairs:x", "--vgg", "v.pth", "--content", "psnr"}),
              "nothing would look through vgg19, not --content 'psnr'");
  check_usage(with({"--data", "deblur=pairs:x", "--weights", "vg19=v.pth"}),
              "--weights: expected a network that content losses look through, one of alexnet, "
              "lpips-alex, lpips-squeeze, lpips-vgg, squeezenet, vgg16, vgg19; got 'vg19', did you "
              "mean 'vgg19'?");
  check_usage(with({"--data", "deblur=pairs:x", "--content", "perceptual", "--vgg", "v.pth",
                    "--weights", "vgg19=w.pth"}),
              "--weights: weights of vgg19 are given twice");
  check_usage({"limpid-table", "4.2", "--data", "deblur=pairs:x", "--out", "o", "--backbone", "b"},
              "--backbone: the networks of Table 4.2 have none");
  check_usage(with({"--data", "deblur=pairs:x", "--penalty-slope", "steep"}),
              "expected a penalty's slope, one of mean, sum, per-pixel");
  const auto weighting = [&](const std::string& text) {
    return with({"--data", "deblur=pairs:x", "--weighting", text});
  };
  check_usage(weighting("upgrd"), "did you mean 'upgrad'?");
  check_usage(weighting("cagrad:c=far"), "cagrad: c: expected a number, found 'far'");
  check_usage(weighting("cagrad:d=1"), "cagrad: expected an option, one of c, rescale; got 'd'");
  check_usage(weighting("fixed:deblurr=2"), "deblurr");
  check_usage({"limpid-train", "--recipe", "best", "--out", "x", "--data", "deblur=pairs:x"},
              "best");
}

BOOST_AUTO_TEST_CASE(wrong_usage_of_limpid_restore) {
  check_usage({"limpid-restore", "--model", "m", "--task", "deblur"}, "IMAGE is required");
  const Words start{"limpid-restore", "--model", "m", "--task", "deblur", "x.png", "--tile"};
  auto words = start;
  words.push_back("8");
  check_usage(words, "--tile: expected 0 or at least 16, got 8");
  check_usage({"limpid-restore", "--model", "m", "--task", "t", "--ensemble", "3", "x"},
              "--ensemble");
  check_usage({"limpid-restore", "--model", "m", "--task", "t", "--tiling", "about", "x"},
              "--tiling");
  check_usage({"limpid-restore", "--model", "m", "--task", "t", "--jobs", "0", "x"}, "--jobs");
  check_usage({"limpid-restore", "--model", "m", "--task", "t", "--format", "gif", "x"}, "gif");
}

BOOST_AUTO_TEST_CASE(wrong_usage_of_limpid_evaluate) {
  check_usage({"limpid-evaluate"}, "expected --model and --data, or --compare");
  check_usage({"limpid-evaluate", "--model", "m"}, "--data");
  check_usage({"limpid-evaluate", "--compare", "a"}, "--compare");
  check_usage({"limpid-evaluate", "--against", "a"}, "--against requires --compare");
  check_usage({"limpid-evaluate", "--compare", "a", "b", "--protocol", "aoi"},
              "--protocol: expected a protocol, one of usual, aio");
  check_usage({"limpid-evaluate", "--compare", "a", "b", "--metrics", "psnr_y:border=4"},
              "expected an option, one of multiple-of, crop-border; got 'border'");
  check_usage({"limpid-evaluate", "--compare", "a", "b", "--metrics", "beauty"},
              "expected a metric, one of psnr_rgb, psnr_y");
  check_usage({"limpid-evaluate", "--model", "m", "--data", "deblur"},
              "--data: 'deblur': expected TASK=FORMAT:PATH");
}

BOOST_AUTO_TEST_CASE(wrong_usage_of_limpid_benchmark) {
  check_usage({"limpid-benchmark"}, "A subcommand is required");
  check_usage({"limpid-benchmark", "step", "--recipe", "quickstart", "--tasks", "65"}, "65");
  check_usage({"limpid-benchmark", "restore"},
              "expected --recipe, --network, or --model and --task");
  check_usage({"limpid-benchmark", "restore", "--recipe", "quickstart", "--size", "big"},
              "--size: expected WIDTHxHEIGHT, got 'big'");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
