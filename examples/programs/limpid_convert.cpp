// Converts between published weights and limpid's model files:
//
//   limpid-convert fpn_inception.h5 deblur.limpid --map deblurgan-v2-fpn-inception
//   limpid-convert thesis.pth.tar tasks.limpid --map thesis-resnet --task deblur dehaze derain
//   limpid-convert trained.pth deblur.limpid --network pixel-unet:width=16
//   limpid-convert run/model.limpid for_python.safetensors --map thesis-resnet
//   limpid-convert run/model.limpid deblur.onnx --task deblur
//   limpid-convert run/model.limpid deblur.limpid --tasks deblur
//   limpid-convert night.limpid both.limpid --join fog.limpid
//   limpid-convert run/model.limpid sharper.limpid --adapt deblur=tuned/model.limpid
//   limpid-convert run/model.limpid small.limpid --half
//   limpid-convert run/model.limpid more.limpid --network-options context=32
//   limpid-convert tuned/model.limpid between.limpid --average run/model.limpid:0.3
//   limpid-convert run/model.limpid auto.limpid --fit-router --data
//   any=photos:DIR,degradation=mixture
//
// A model file is published, or becomes an ONNX file or a model of other tasks; anything else
// becomes a model file. Prints what was loaded, what is missing and what was not needed.
#include <limpid/core/finite.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/inference/published_model.hpp>
#include <limpid/io/output_place.hpp>
#include <limpid/io/safetensors.hpp>
#include <limpid/io/tensor_file.hpp>
#include <limpid/model/change_tasks.hpp>
#include <limpid/onnx/export.hpp>
#include <limpid/weights/map_registry.hpp>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "convert/adapting.hpp"
#include "convert/averaging.hpp"
#include "convert/routing.hpp"
#include "network_options.hpp"
#include "options.hpp"
#include "program.hpp"

namespace {

namespace fs = std::filesystem;

/// The command line.
struct Plan {
  fs::path in, out, json;
  std::string map, key;
  examples::NetworkOptions network;
  std::vector<std::string> tasks;
  std::vector<fs::path> join;
  std::vector<std::string> average;
  examples::AdaptingPlan adapting;
  bool list = false, force = false, merge = false, half = false, lenient = false,
       for_published_code = false;
  examples::RoutingPlan routing;

  /// Whether a model file becomes another of its kind.
  bool is_of_models() const { return !tasks.empty() || is_of_models_only() || extends(); }

  /// Whether it asks for what only model files have.
  bool is_of_models_only() const {
    return !join.empty() || !average.empty() || !adapting.word.empty() || merge || half ||
           routing.fit;
  }

  /// Whether the encoder of a model file gets more than it has.
  bool extends() const {
    return map.empty() && network.network.empty() && !network.options.empty();
  }

  bool is_to_onnx() const { return out.extension() == ".onnx" && map != "same"; }
};

void list_maps() {
  limpid::kPublishedMaps.for_each([](const auto& map) {
    examples::print("%-38s %s%s\n", std::string{map.name}.c_str(), std::string{map.what}.c_str(),
                    map.value.is_model() ? "" : " (read as it is, not converted)");
  });
  examples::print("%-38s %s\n", "same", "any file of tensors, as safetensors under the same names");
}

void check_paths(const Plan& plan) {
  std::error_code ignored;
  TORCH_CHECK(!fs::equivalent(plan.in, plan.out, ignored), "'", plan.out.string(),
              "' is the input itself");
  using Kind = limpid::OutputPlace::Kind;
  const auto place = limpid::output_place(plan.out);  // pipes and devices lose nothing
  TORCH_CHECK(plan.force || !place.exists || place.kind != Kind::file, "'", plan.out.string(),
              "' exists; --force writes over it");
  if (examples::is_standard_output(plan.out) && examples::is_standard_output(plan.json)) {
    throw examples::UsageError("--json: standard output takes OUT already; name a file");
  }
}

bool is_model(const fs::path& path) {
  return limpid::index_tensor_file(path).format == limpid::TensorFormat::limpid;
}

/// Reports what was written. OUT and --json may be pipes that one program reads, one after the
/// other.
void tell(const Plan& plan, const std::vector<std::string>& names,
          const std::vector<std::pair<std::string, std::string>>& passed_over) {
  auto json = nlohmann::json{{"map", plan.map}, {"tensors", names}};
  json["passed_over"] = nlohmann::json::object();
  for (const auto& [name, what] : passed_over) {
    examples::print("passed over: %s (%s)\n", limpid::printable(name).c_str(), what.c_str());
    json["passed_over"][name] = what;
  }
  examples::print("%zu tensors written to '%s'\n", names.size(), plan.out.c_str());
  examples::write_json(plan.json, json);
}

void write_onnx(const Plan& plan) {
  const auto written = limpid::export_onnx(plan.in, plan.out, plan.tasks);
  const auto& graph = written.graph;
  std::map<std::string, int> operators;
  for (const auto& node : graph.nodes) ++operators[node.op];
  auto json = nlohmann::json{{"opset", written.opset}, {"operators", operators}};
  examples::print("input  %s: RGB in [0, 1], any number and size\n", graph.inputs[0].name.c_str());
  for (const auto& output : graph.outputs) {
    examples::print("output %s: the same, restored\n", output.name.c_str());
    json["outputs"].push_back(output.name);
  }
  json["input"] = graph.inputs[0].name;
  for (const auto& [key, value] : written.metadata) json["metadata"][key] = value;
  examples::print("opset %lld, %zu nodes written to '%s'\n", static_cast<long long>(written.opset),
                  graph.nodes.size(), plan.out.c_str());
  examples::write_json(plan.json, json);
}

/// Makes one model of several, of their tasks or the mean of them; one of fewer tasks; a smaller
/// file.
void change_tasks(const Plan& plan) {
  const auto first = limpid::load_any(plan.in);
  std::vector<limpid::NamedModel> models{{plan.in.string(), first.model}};
  // Names, not places: a model file travels, and folders are nobody else's business.
  auto made_from = nlohmann::json::array({plan.in.filename().string()});
  if (!plan.average.empty()) {
    models.front().model = examples::averaged(plan.in.string(), first.model, plan.average);
    for (const auto& word : plan.average) {
      made_from.push_back(fs::path(word).filename().string());
    }
  }
  if (!plan.adapting.word.empty()) {
    models.front().model = examples::adapted(models.front().model, plan.adapting);
    made_from.push_back(fs::path(plan.adapting.path()).filename().string());
  }
  for (const auto& path : plan.join) {
    models.push_back({path.string(), limpid::load_any(path).model});
    made_from.push_back(path.filename().string());
  }
  auto model = examples::as_usage("--join: ", [&] { return limpid::join_tasks(models); });
  if (!plan.tasks.empty()) {
    model = examples::as_usage("--tasks: ", [&] { return limpid::take_tasks(model, plan.tasks); });
  }
  if (plan.extends()) {
    const auto options = examples::as_usage(
        "--network-options: ", [&] { return limpid::parse_network_options(plan.network.options); });
    model = limpid::extend_encoder(model, options);
  }
  if (plan.merge) {
    model = examples::as_usage("--merge: ", [&] { return limpid::merge_adapters(model); });
  }
  auto facts = nlohmann::json{{"facts", {{"made_from", made_from}}}};
  auto router = plan.routing.fit ? examples::fitted_router(model, plan.routing)
                : plan.merge || !plan.average.empty() || !plan.adapting.word.empty()
                    ? nlohmann::json{}  // it was fitted to what other networks make of pictures
                    : examples::kept_router(first.manifest, plan.in.string(), model.tasks);
  if (!router.is_null()) facts["router"] = std::move(router);
  using limpid::StoredWeights;
  limpid::save(model, plan.out, facts, plan.half ? StoredWeights::float16 : StoredWeights::float32);
  std::string listed;
  for (const auto& task : model.tasks) listed += (listed.empty() ? "" : ", ") + task;
  examples::print("model '%s' of %s\n", plan.out.c_str(), listed.c_str());
  examples::write_json(plan.json, nlohmann::json{{"tasks", model.tasks}, {"made_from", made_from}});
}

void convert(const Plan& plan) {
  check_paths(plan);
  examples::leave_standard_output_to(plan.out);
  examples::try_output("OUT", plan.out);
  examples::try_output("--json", plan.json);
  if (plan.is_to_onnx()) {
    write_onnx(plan);
  } else if (plan.map == "same") {
    const limpid::TensorFile file = limpid::read_tensor_file(plan.in);
    TORCH_CHECK(!file.tensors.empty(), "weights '", plan.in.string(),
                "': expected tensors, found none");
    limpid::check_finite(file.tensors, "weights '" + plan.in.string() + "'");
    limpid::write_safetensors(plan.out, {file.tensors, {{"format", "pt"}}});
    std::vector<std::string> names;
    for (const auto& [name, tensor] : file.tensors) names.push_back(name);
    tell(plan, names, {file.passed_over.begin(), file.passed_over.end()});
  } else if (is_model(plan.in)) {
    if (plan.map.empty()) {
      if (!plan.network.network.empty() || !plan.is_of_models()) {
        throw examples::UsageError(
            "a model is published by --map NAME; --tasks, --join, --average, --adapt, --half, "
            "--fit-router and --network-options make another of it");
      }
      return change_tasks(plan);
    }
    const auto names = limpid::export_published(plan.in, plan.out, plan.map, plan.tasks,
                                                {.for_published_code = plan.for_published_code});
    tell(plan, names, {});
  } else {
    if (plan.map.empty() && plan.network.network.empty()) {
      throw examples::UsageError("expected a model.limpid to take tasks from, or --map NAME; '" +
                                 plan.in.string() + "' is none");
    }
    const auto tasks = plan.tasks.empty() ? std::vector<std::string>{"deblur"} : plan.tasks;
    const auto changed = examples::as_usage(
        "--network-options: ", [&] { return limpid::parse_network_options(plan.network.options); });
    const limpid::LoadOptions load{.strict = !plan.lenient, .key = plan.key};
    const auto import = [&] {
      return plan.map.empty()
                 ? limpid::import_weights(plan.in, plan.out, plan.network.chosen(), tasks, load)
                 : limpid::import_published(plan.in, plan.out, plan.map, tasks, load, changed);
    };
    const auto report = plan.network.given() ? examples::as_usage("", import) : import();
    examples::print("%s", report.table().c_str());
    examples::print("model '%s' of %zu task%s\n", plan.out.c_str(), tasks.size(),
                    tasks.size() == 1 ? "" : "s");
    examples::write_json(plan.json, nlohmann::json(report));
  }
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  CLI::App app{
      "Converts published weights (.pth, safetensors) to a model file, and a model file to "
      "safetensors under published names or to an ONNX file.",
      "limpid-convert"};
  app.add_flag("--list", plan.list, "List the maps");
  app.add_option("--map", plan.map, "Whose names the published file has; see --list")
      ->type_name("NAME");
  examples::add_network(app, plan.network, "the map's; without --map the file has limpid's names");
  app.add_option(
         "--task,--tasks", plan.tasks,
         "Tasks of the published file's decoders, in its order [deblur; of a model: its own]. Of a "
         "model without --map: those to take")
      ->delimiter(',')
      ->type_name("TASK");
  app.add_option("--join", plan.join,
                 "Model files whose tasks to add; all must have the same encoder, to the bit, as "
                 "after limpid-train --from MODEL --freeze encoder")
      ->type_name("MODEL");
  examples::add_averaging(app, plan.average);
  examples::add_adapting(app, plan.adapting);
  app.add_flag("--merge", plan.merge,
               "Of a model of one task, or of the one that --tasks takes: add its adapters to the "
               "encoder's convolutions");
  app.add_flag("--half", plan.half, "Keep 16 bits of each weight: a model file of half the size");
  examples::add_routing(app, plan.routing);
  app.add_option(
         "--key", plan.key,
         "Of a file with several sets of weights the one to take, such as params [what fits "
         "best, averaged weights before raw ones]")
      ->type_name("NAME");
  app.add_flag("--lenient", plan.lenient,
               "Convert what fits; the rest of the networks keeps random weights, each named");
  app.add_flag("--for-published-code", plan.for_published_code,
               "Also write second names and neutral statistics that the published code's own "
               "modules hold");
  app.add_flag("--force", plan.force, "Write over an existing file");
  examples::add_json(app, plan.json,
                     "Write the report of what was loaded, or the names of what was written");
  app.add_option("IN", plan.in, "Published weights, or a model.limpid")->type_name("");
  app.add_option("OUT", plan.out, "The file to write, NAME.onnx for ONNX; -: standard output")
      ->type_name("");
  return examples::run_program(app, argc, argv, [&] {
    if (plan.list) return list_maps();
    const bool own_names = plan.map.empty() && !plan.network.network.empty();
    if (plan.is_to_onnx() && !plan.in.empty()) {
      if (!plan.map.empty() || plan.network.given() || plan.is_of_models_only()) {
        throw examples::UsageError(
            "an .onnx file is written from a model file as it is, without --map, --network, "
            "--join, --average, --adapt, --merge, --half and --fit-router");
      }
      return convert(plan);
    }
    const bool changes = plan.map.empty() && plan.is_of_models();
    if (plan.in.empty() || plan.out.empty() || (plan.map.empty() && !own_names && !changes)) {
      throw examples::UsageError(
          "expected IN, OUT and --map NAME, or --list; --tasks or --join for a model of other "
          "tasks");
    }
    if (!plan.map.empty() && plan.is_of_models_only()) {
      throw examples::UsageError(
          "--join, --average, --adapt, --merge, --half, --fit-router: for model files; a model is "
          "published "
          "by --map "
          "later");
    }
    if (!plan.map.empty() && !plan.network.network.empty()) {
      throw examples::UsageError("--network: the map says which networks; see --network-options");
    }
    if (!plan.map.empty() && plan.map != "same") {
      const bool is_model = examples::as_usage(
          "--map: ", [&] { return limpid::kPublishedMaps.at(plan.map).is_model(); });
      if (!is_model) {
        throw examples::UsageError("--map: '" + plan.map +
                                   "' names no model; limpid reads such files as they are");
      }
    }
    convert(plan);
  });
}
