#pragma once

// limpid-data check: what is in a set of pairs, and what is wrong with it.

#include <limpid/core/errors.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/datasets/data_argument.hpp>
#include <limpid/io/image.hpp>
#include <limpid/metrics/psnr.hpp>

#include <ATen/Parallel.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../failures.hpp"
#include "../in_order.hpp"
#include "../options.hpp"
#include "contact_sheet.hpp"
#include "folders.hpp"
#include "made_set.hpp"

namespace examples {

struct CheckOptions {
  std::string data;
  fs::path json;
  fs::path sheet;
  std::int64_t sheet_pairs = 12;
  int threads = 1;
  bool overwrite = false;
};

/// What decoding one pair showed.
struct CheckedPair {
  std::int64_t height = 0;
  std::int64_t width = 0;
  double psnr = 0;  ///< of degraded against target; infinite where they are identical
  std::vector<std::string> unreadable;
  std::vector<std::string> unequal;  ///< the error of a pair whose sizes differ
};

inline CheckedPair check_pair(const limpid::Pairs& pairs, std::int64_t i) {
  CheckedPair checked;
  try {
    const auto pair = pairs.load(i);
    checked.psnr = limpid::PSNR<>{}(pair.degraded.unit(), pair.target.unit());
    checked.height = pair.target.height();
    checked.width = pair.target.width();
    return checked;
  } catch (const std::exception& error) {
    const auto file = pairs.file(i);
    const auto try_to_read = [&](const fs::path& path) {
      try {
        limpid::Image::load(path);
      } catch (const std::exception& unreadable) {
        checked.unreadable.push_back(text_naming(path.string(), unreadable));
      }
    };
    if (file) {
      try_to_read(file->degraded);
      try_to_read(file->target);
    }
    if (!checked.unreadable.empty()) return checked;
    const bool are_both_readable = file.has_value() && !limpid::is_out_of_memory(error);
    (are_both_readable ? checked.unequal : checked.unreadable)
        .push_back(text_naming(pairs.name(i), error));
  }
  return checked;
}

/// What was found in one part of a set.
struct CheckedPart {
  std::string name;
  std::string description;
  std::string error;  ///< why the part could not be opened at all
  std::int64_t pairs = 0;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> sizes;  ///< (width, height)
  limpid::UnpairedFiles unpaired;
  std::vector<std::string> unreadable;
  std::vector<std::string> unequal;
  std::vector<std::string> identical;
  double mean_psnr = std::numeric_limits<double>::quiet_NaN();  ///< of pairs that differ
  double worst_psnr = std::numeric_limits<double>::infinity();
  std::string worst;

  /// Clear pictures of RESIDE without a hazy one are published so.
  bool extra_targets_are_usual = false;

  std::int64_t problems() const {
    const auto extra = extra_targets_are_usual ? 0 : unpaired.target.size();
    return static_cast<std::int64_t>(unpaired.degraded.size() + extra + unreadable.size() +
                                     unequal.size() + identical.size()) +
           (error.empty() ? (pairs == 0 ? 1 : 0) : 1);
  }

  /// The size that most pairs have.
  auto usual_size() const {
    return std::max_element(sizes.begin(), sizes.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; });
  }
};

inline std::string size_text(const std::pair<std::int64_t, std::int64_t>& size) {
  return std::to_string(size.first) + " x " + std::to_string(size.second);
}

/// Decodes every pair of a part. `shown` gets pairs for the contact sheet, from all over the part.
inline CheckedPart check_part(const limpid::DataArgument& argument, limpid::DataUse use,
                              const std::string& name, const CheckOptions& options,
                              std::vector<limpid::ImagePair>& shown) {
  CheckedPart part;
  part.name = name;
  part.extra_targets_are_usual = argument.format == "reside";
  limpid::Pairs pairs;
  try {
    pairs = limpid::open_pairs(argument, use, &part.unpaired);
  } catch (const c10::Error& error) {
    part.error = error.what_without_backtrace();
    return part;
  }
  part.description = pairs.description();
  part.pairs = pairs.size();
  std::vector<CheckedPair> checked(static_cast<std::size_t>(pairs.size()));
  Progress progress;
  at::set_num_threads(1);  // a picture a thread
  work_in_order(
      checked.size(), options.threads,
      [&](std::size_t i) { checked[i] = check_pair(pairs, static_cast<std::int64_t>(i)); },
      [&](std::size_t i) {
        if (!progress.due()) return;
        progress.show("check: " + std::to_string(i + 1) + " of " + std::to_string(pairs.size()) +
                      " pairs, " + pairs.name(static_cast<std::int64_t>(i)));
      });
  progress.end();

  double sum = 0;
  std::int64_t measured = 0;
  std::vector<std::int64_t> good;
  for (std::size_t i = 0; i < checked.size(); ++i) {
    const auto& one = checked[i];
    const auto index = static_cast<std::int64_t>(i);
    part.unreadable.insert(part.unreadable.end(), one.unreadable.begin(), one.unreadable.end());
    part.unequal.insert(part.unequal.end(), one.unequal.begin(), one.unequal.end());
    if (one.height == 0) continue;
    good.push_back(index);
    ++part.sizes[{one.width, one.height}];
    if (std::isinf(one.psnr)) {
      part.identical.push_back(pairs.name(index));
      continue;
    }
    sum += one.psnr;
    ++measured;
    if (one.psnr < part.worst_psnr) {
      part.worst_psnr = one.psnr;
      part.worst = pairs.name(index);
    }
  }
  if (measured > 0) part.mean_psnr = sum / static_cast<double>(measured);
  if (!options.sheet.empty()) {
    const auto count =
        std::min<std::size_t>(static_cast<std::size_t>(options.sheet_pairs), good.size());
    for (std::size_t i = 0; i < count; ++i)
      shown.push_back(pairs.load(good[i * good.size() / count]));
  }
  return part;
}

inline void print_list(const std::string& title, const std::vector<std::string>& items) {
  constexpr std::size_t kShown = 10;
  examples::print("  %-26s %zu\n", title.c_str(), items.size());
  for (std::size_t i = 0; i < std::min(kShown, items.size()); ++i) {
    examples::print("    %s\n", limpid::printable(items[i], 4096).c_str());
  }
  if (items.size() > kShown) examples::print("    and %zu more\n", items.size() - kShown);
}

inline std::vector<std::string> texts_of(const std::vector<fs::path>& paths) {
  std::vector<std::string> texts;
  for (const auto& path : paths) texts.push_back(path.string());
  return texts;
}

inline void print_part(const CheckedPart& part) {
  examples::print("%s%s\n", part.name.empty() ? "" : (part.name + ": ").c_str(),
                  part.error.empty() ? part.description.c_str() : "cannot be read");
  if (!part.error.empty()) {
    examples::print("  %s\n", part.error.c_str());
    return;
  }
  examples::print("  %-26s %lld\n", "pairs", static_cast<long long>(part.pairs));
  if (!part.sizes.empty()) {
    const auto by_area = [](const auto& a, const auto& b) {
      return a.first.first * a.first.second < b.first.first * b.first.second;
    };
    const auto [least, most] = std::minmax_element(part.sizes.begin(), part.sizes.end(), by_area);
    const auto usual = part.usual_size();
    examples::print("  %-26s %s ... %s, %lld of %s\n", "sizes", size_text(least->first).c_str(),
                    size_text(most->first).c_str(), static_cast<long long>(usual->second),
                    size_text(usual->first).c_str());
  }
  if (!part.worst.empty()) {
    examples::print("  %-26s %.2f dB, at least %.2f (%s)\n", "PSNR of degraded, mean",
                    part.mean_psnr, part.worst_psnr, part.worst.c_str());
  }
  print_list("degraded without target", texts_of(part.unpaired.degraded));
  print_list(
      part.extra_targets_are_usual ? "target without degraded (*)" : "target without degraded",
      texts_of(part.unpaired.target));
  print_list("unreadable files", part.unreadable);
  print_list("pairs of unequal size", part.unequal);
  print_list("identical pairs", part.identical);
  if (part.extra_targets_are_usual && !part.unpaired.target.empty()) {
    examples::print("  (*) no error: OTS was published with such\n");
  }
}

inline nlohmann::ordered_json json_of(const CheckedPart& part) {
  nlohmann::ordered_json json{{"part", part.name}};
  if (!part.error.empty()) {
    json["error"] = part.error;
    return json;
  }
  json["description"] = part.description;
  json["pairs"] = part.pairs;
  json["sizes"] = nlohmann::ordered_json::array();
  for (const auto& [size, count] : part.sizes) {
    json["sizes"].push_back({{"width", size.first}, {"height", size.second}, {"pairs", count}});
  }
  const bool measured = !part.worst.empty();
  json["mean_psnr"] = measured ? nlohmann::ordered_json(part.mean_psnr) : "none";
  json["worst_psnr"] = measured ? nlohmann::ordered_json(part.worst_psnr) : "none";
  json["worst"] = part.worst;
  json["degraded_without_target"] = texts_of(part.unpaired.degraded);
  json["target_without_degraded"] = texts_of(part.unpaired.target);
  json["unreadable"] = part.unreadable;
  json["unequal_size"] = part.unequal;
  json["identical"] = part.identical;
  return json;
}

/// @return 0, or 1 where something is wrong.
inline int check(const CheckOptions& options) {
  try_output("--json", options.json);
  if (!options.sheet.empty()) {
    limpid::Image::check_can_be_saved(options.sheet, 1, 1);
    check_new_file("--sheet", options.sheet, options.overwrite);
  }
  const auto argument = as_usage("", [&] { return limpid::DataArgument::parse(options.data); });
  const auto& format = limpid::kDataFormats.at(argument.format);
  std::vector<std::pair<limpid::DataUse, std::string>> wanted;
  if (!argument.part.empty() || format.parts.empty()) {
    wanted.emplace_back(limpid::DataUse::evaluation, argument.part);
  } else {
    wanted.emplace_back(limpid::DataUse::training, format.training_part);
    wanted.emplace_back(limpid::DataUse::evaluation, format.evaluation_part);
  }
  std::vector<CheckedPart> parts;
  std::vector<limpid::ImagePair> shown;
  std::int64_t problems = 0;
  for (const auto& [use, name] : wanted) {
    parts.push_back(check_part(argument, use, name, options, shown));
    problems += parts.back().problems();
  }
  nlohmann::ordered_json json{{"data", options.data}, {"problems", problems}};
  for (const auto& part : parts) {
    print_part(part);
    json["parts"].push_back(json_of(part));
  }
  examples::print("%lld problem%s\n", static_cast<long long>(problems), problems == 1 ? "" : "s");
  examples::write_json(options.json, json);
  if (!options.sheet.empty()) {
    TORCH_CHECK(!shown.empty(), "--sheet: expected pairs that can be read, found none");
    contact_sheet(shown, 4).save(options.sheet);
  }
  return problems == 0 ? 0 : 1;
}

/// Adds the subcommand; `options` must live until it has run.
inline CLI::App* add_check(CLI::App& app, CheckOptions& options) {
  auto* command = app.add_subcommand(
      "check",
      "Decodes every picture of a set of pairs and says what is in it and what is wrong: missing "
      "partners, unreadable files, unequal sizes, identical pairs. Ends with 1 if anything is");
  add_operand(*command, "TASK=FORMAT:PATH[@PART]", options.data,
              limpid::data_argument_help("The set. FORMAT is") +
                  "\nWithout @PART the parts are checked that training and evaluation read");
  add_json(*command, options.json, "Write it as JSON");
  command
      ->add_option("--sheet", options.sheet,
                   "Also write a picture (PNG, JPEG ...) with small copies of pairs from all over "
                   "each part, degraded above target")
      ->type_name("FILE");
  add_overwrite(*command, options.overwrite, "the sheet");
  add_count(*command, "--sheet-pairs", options.sheet_pairs, "Pairs of each part on the sheet");
  add_threads(*command, options.threads);
  return command;
}

}  // namespace examples
