// Draws the perception-distortion plane of several models from what limpid-evaluate measured:
//
//   limpid-evaluate --model a/model.limpid --data deblur=gopro:GoPro --json a.json
//                   --metrics psnr_rgb niqe --niqe-model niqe_pris_params.npz
//   limpid-plane --scores small=a.json --scores large=b.json --out plane
//
// Prints the points as a table, and writes a page, its figures as SVG, and the points as JSON.
#include <limpid/core/fixed_string.hpp>
#include <limpid/report/plane_page.hpp>
#include <limpid/report/plane_scores.hpp>

#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "options.hpp"
#include "program.hpp"

namespace {

namespace fs = std::filesystem;

/// "NAME[@TASK]=FILE"
struct ScoresArgument {
  std::string model, task;
  fs::path file;

  static ScoresArgument parse(const std::string& text) {
    const auto equals = text.find('=');
    if (equals == text.npos || equals == 0 || equals + 1 == text.size()) {
      throw examples::UsageError("--scores: '" + text +
                                 "': expected NAME[@TASK]=FILE, for example small=scores.json");
    }
    const auto name = text.substr(0, equals);
    const auto at = name.rfind('@');
    const auto task = at == name.npos ? std::string{} : name.substr(at + 1);
    if (at == 0 || (at != name.npos && !limpid::is_task_name(task))) {
      throw examples::UsageError("--scores: '" + text +
                                 "': expected a name, and behind '@' a task of lower-case letters, "
                                 "digits, '-' and '_'");
    }
    return {name.substr(0, at), task, text.substr(equals + 1)};
  }
};

/// The command line.
struct Plan {
  std::vector<std::string> scores;
  std::string distortion = "rmse", perception = "niqe", command;
  fs::path out;
  limpid::PlanePage page;
};

void draw(Plan plan) {
  std::vector<ScoresArgument> arguments;
  for (const auto& text : plan.scores) arguments.push_back(ScoresArgument::parse(text));
  auto& page = plan.page;
  std::set<std::string> warnings;  // two models of one set give one warning
  for (const auto& argument : arguments) {
    const auto json = limpid::read_scores(argument.file);
    const auto source = "scores '" + argument.file.string() + "'";
    const auto distortion = limpid::axis_of_scores(plan.distortion, json, source);
    const auto perception = limpid::axis_of_scores(plan.perception, json, source);
    if (page.plane.restored.empty()) {
      page.plane.distortion = distortion;
      page.plane.perception = perception;
    } else if (page.plane.distortion.protocol != distortion.protocol ||
               page.plane.perception.protocol != perception.protocol) {
      warnings.insert(argument.model + " was measured by another protocol than " +
                      arguments.front().model + "; their points cannot be compared");
    }
    for (const auto& warning :
         limpid::add_scores(page.plane, argument.model, json, source, argument.task)) {
      warnings.insert(warning);
    }
    page.facts.push_back({argument.model, argument.file.string()});
  }
  const auto left_out = limpid::left_out_lines(page.plane);
  warnings.insert(left_out.begin(), left_out.end());
  page.warnings.assign(warnings.begin(), warnings.end());
  page.facts.push_back({"Command", plan.command, true});
  limpid::write_plane(plan.out, page);
  examples::print("%s", limpid::text_table(page.plane).c_str());
  for (const auto& warning : page.warnings) {
    examples::complain("limpid-plane: " + warning);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  CLI::App app{"Draws the perception-distortion plane of several models.", "limpid-plane"};
  app.add_option(
         "--scores", plan.scores,
         "What limpid-evaluate --json wrote for a model, once for each; behind '@' the only "
         "task to take, which the scores of --compare need")
      ->required()
      ->type_name("NAME[@TASK]=FILE");
  app.add_option("--out", plan.out, "Write DIR/index.html, DIR/plane.json and DIR/plane.svg")
      ->required()
      ->type_name("DIR");
  app.add_option("--distortion", plan.distortion,
                 "The axis of closeness: rmse (from psnr_rgb), or a metric in the files")
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--perception", plan.perception, "The axis of looks: a metric in the files")
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--title", plan.page.title, "Of the page")->type_name("TEXT");
  app.add_option("--summary", plan.page.summary, "A sentence or two under the title")
      ->type_name("TEXT");
  plan.command = examples::command_line(argc, argv);
  return examples::run_program(app, argc, argv, [&] { draw(plan); });
}
