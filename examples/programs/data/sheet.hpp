#pragma once

// limpid-data sheet: before and after, of any data, to look at.

#include <limpid/core/fail.hpp>
#include <limpid/datasets/data_argument.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/io/image.hpp>
#include <limpid/report/pair_sheet.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../options.hpp"
#include "folders.hpp"
#include "made_set.hpp"
#include "shared_options.hpp"

namespace examples {

struct SheetCommand {
  std::vector<std::string> data;
  std::vector<std::string> labels;
  fs::path out;
  std::int64_t pictures = 6;
  std::uint64_t seed = 0;
  std::optional<std::int64_t> width;
  limpid::SheetOptions sheet;
  bool overwrite = false;
};

/// Up to `count` pairs, spread over the source. Where there are fewer, and draws of a pair differ,
/// they come again as they are drawn later.
inline std::vector<limpid::SheetPair> shown_pairs(const limpid::Pairs& source, std::int64_t count) {
  constexpr std::int64_t kMostDraws = 10'000;
  const auto pairs = source.spread(count);
  std::vector<limpid::SheetPair> shown;
  for (std::int64_t draw = 0; draw < kMostDraws && pairs.size() > 0; ++draw) {
    if (draw > 0 && pairs.variant(draw) == pairs.variant(draw - 1)) continue;
    for (std::int64_t i = 0; i < pairs.size(); ++i) {
      if (static_cast<std::int64_t>(shown.size()) == count) return shown;
      auto pair = pairs.load(i, draw);
      shown.push_back({pairs.name(i), std::move(pair.degraded), std::move(pair.target)});
    }
  }
  return shown;
}

inline void sheet(const SheetCommand& options) {
  constexpr std::int64_t kPageWidth = 720;
  const bool is_page = options.out.extension() == ".html";
  if (!is_page) {
    as_usage("--out: expected FILE.html or a picture: ",
             [&] { limpid::Image::check_can_be_saved(options.out, 1, 1); });
  }
  check_new_file("--out", options.out, options.overwrite);
  auto layout = options.sheet;
  layout.width = options.width.value_or(is_page ? kPageWidth : layout.width);
  if (!options.labels.empty() && options.labels.size() != options.data.size()) {
    throw UsageError("--label: expected one for each of " + std::to_string(options.data.size()) +
                     " sets, found " + std::to_string(options.labels.size()));
  }
  std::vector<limpid::DataArgument> arguments;
  for (const auto& text : options.data) {
    arguments.push_back(as_usage("", [&] { return limpid::DataArgument::parse(text); }));
  }
  std::vector<limpid::SheetPart> parts;
  std::size_t count = 0;
  Progress progress;
  for (const auto& argument : arguments) {
    progress.show("sheet: " + argument.text());
    const auto pairs =
        limpid::open_pairs(argument, limpid::DataUse::evaluation, nullptr, options.seed);
    TORCH_CHECK(!pairs.empty(), "'", argument.text(), "': expected pairs to show, found none");
    const bool is_labelled = !options.labels.empty();
    parts.push_back({is_labelled ? options.labels[parts.size()] : argument.text(),
                     is_labelled ? "" : pairs.description(), shown_pairs(pairs, options.pictures)});
    count += parts.back().pairs.size();
  }
  progress.end();
  if (is_page) {
    limpid::write_atomically(options.out, limpid::pair_sheet_html(parts, layout));
  } else {
    limpid::pair_sheet(parts, layout).save(options.out);
  }
  progress.say("sheet: " + std::to_string(count) + " pairs in '" + options.out.string() + "'");
}

/// Adds the subcommand; `options` must live until it has run.
inline CLI::App* add_sheet(CLI::App& app, SheetCommand& options) {
  auto* command = app.add_subcommand(
      "sheet",
      "Shows before and after of any data: a picture or a page with pairs side by side, each with "
      "its name and PSNR. Of photographs (photos:) it shows what their damage looks like");
  command
      ->add_option("TASK=FORMAT:PATH[@PART]", options.data,
                   limpid::data_argument_help("One or more sets, one below the other. FORMAT "
                                              "is") +
                       "\nWithout @PART the part is shown that evaluation reads")
      ->required()
      ->type_name("");
  command
      ->add_option("--out", options.out,
                   "What to write: a page (.html), which phones show well, or a picture (PNG, JPEG "
                   "...)")
      ->required()
      ->type_name("FILE");
  add_count(*command, "--pictures", options.pictures,
            "Pairs of each set, spread over it; photographs, where there are fewer, come again "
            "with other draws");
  add_seed(*command, options.seed,
           "Of what is drawn, where the set names none (photos:...,seed=N)");
  command
      ->add_option("--crop", options.sheet.crop,
                   "Show a square of N pixels from the middle of each, which keeps fine damage "
                   "(noise, rain) visible; 0: the whole picture")
      ->check(Whole{0, 1 << 16})
      ->capture_default_str()
      ->type_name("N");
  command
      ->add_option("--width", options.width,
                   "Shrink each picture to N pixels [" + std::to_string(options.sheet.width) +
                       "; on a page 720]")
      ->check(Whole{64, 4096})
      ->type_name("N");
  command
      ->add_option("--label", options.labels,
                   "What stands over a set instead of its name and description; once for each")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  command->add_option("--columns", options.sheet.columns, "Pairs side by side, in a picture")
      ->check(Whole{1, 64})
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--title", options.sheet.title, "Title of the page")
      ->capture_default_str()
      ->type_name("TEXT");
  add_overwrite(*command, options.overwrite, "the sheet");
  return command;
}

}  // namespace examples
