#include <limpid/datasets/data_argument.hpp>
#include <limpid/degradations/named_degradations.hpp>
#include <limpid/losses/content/content_losses.hpp>
#include <limpid/metrics/metric_table.hpp>
#include <limpid/model/families.hpp>
#include <limpid/optim/named_optimizers.hpp>
#include <limpid/optim/named_schedules.hpp>
#include <limpid/recipes/adversarial_names.hpp>
#include <limpid/weights/map_registry.hpp>
#include <support/paths.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

// What the tables of docs/ say is what the code says: options and their defaults, names, headers.
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file{path};
  BOOST_REQUIRE_MESSAGE(file, "no file " << path);
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::string page(const std::string& name) {
  return text_of(limpid_test::source_folder() / "docs" / name);
}

/// The part of a page from a heading to the next of its level.
std::string section(const std::string& text, const std::string& heading) {
  const auto begin = text.find("\n" + heading + "\n");
  BOOST_REQUIRE_MESSAGE(begin != text.npos, "no heading " << heading);
  const auto level = heading.substr(0, heading.find(' ') + 1);
  return text.substr(begin, text.find("\n" + level, begin + 1) - begin);
}

using Cells = std::vector<std::string>;

/// The rows of all tables of a text, each as its cells.
std::vector<Cells> rows_of(const std::string& text) {
  std::vector<Cells> rows;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("| ", 0) != 0) continue;
    auto& cells = rows.emplace_back();
    std::istringstream cell_text{line.substr(1)};
    for (std::string cell; std::getline(cell_text, cell, '|');) cells.push_back(cell);
  }
  return rows;
}

/// The first row whose first cell names `name` or a member of it; no cells if there is none.
Cells row_of(const std::vector<Cells>& rows, const std::string& name) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Cells& cells) {
    return cells[0].find("`" + name + "`") != std::string::npos ||
           cells[0].find("`" + name + ".") != std::string::npos;
  });
  return row == rows.end() ? Cells{} : *row;
}

struct Field {
  std::string name, value;
};

/// The fields of `struct NAME {` in a header, and their defaults without braces.
std::vector<Field> fields_of(const std::string& header, const std::string& name) {
  const auto text = text_of(limpid_test::source_folder() / "include" / "limpid" / header);
  const auto begin = text.find("struct " + name + " {");
  BOOST_REQUIRE_MESSAGE(begin != text.npos, "no struct " << name << " in " << header);
  std::istringstream lines{text.substr(begin, text.find("\n};", begin) - begin)};
  const std::regex field{R"(^  [\w:<>, ]+ (\w+)(?: = ([^;]+)|\{([^;]*)\})?;.*)"};
  std::vector<Field> fields;
  std::smatch match;
  for (std::string line, rest; std::getline(lines, line);) {
    if (line.ends_with(" =") && std::getline(lines, rest)) {  // where the formatter broke it
      line += rest.substr(rest.find_first_not_of(' ') - 1);
    }
    if (std::regex_match(line, match, field)) {
      fields.push_back({match[1], match[2].matched ? match[2].str() : match[3].str()});
    }
  }
  return fields;
}

BOOST_AUTO_TEST_SUITE(documented_tables)

BOOST_AUTO_TEST_CASE(every_option_stands_on_its_page_with_its_default) {
  struct Options {
    std::string header, name, page, heading;
  };
  for (const auto& [header, name, page_name, heading] : std::vector<Options>{
           {"training/options.hpp", "TrainerOptions", "training.md", "## TrainerOptions"},
           {"training/branch.hpp", "Branch", "training.md", "## Branch"},
           {"inference/restorer_options.hpp", "RestorerOptions", "inference.md", "## Options"},
       }) {
    const auto rows = rows_of(section(page(page_name), heading));
    const auto fields = fields_of(header, name);
    BOOST_TEST(fields.size() >= 3);
    for (const auto& [field, value] : fields) {
      const auto row = row_of(rows, field);
      BOOST_TEST(row.size() >= 2, page_name << " has no row for " << name << "::" << field);
      if (row.size() < 2 || value.empty()) continue;
      BOOST_TEST((row[1].find(value) != std::string::npos),
                 page_name << ": the default of " << field << " is " << value << ", not" << row[1]);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_name_stands_on_its_page) {
  std::vector<std::string> metrics;
  for (const auto& entry : limpid::metric_table()) metrics.push_back(entry.name);
  struct Names {
    std::vector<std::string> names;
    std::string page;
  };
  for (const auto& table : std::vector<Names>{
           {limpid::kFamilies.names(), "model.md"},
           {limpid::kObjectives.names(), "losses.md"},
           {limpid::kContentLosses.names(), "losses.md"},
           {limpid::kPenaltySlopes.names(), "losses.md"},
           {limpid::kCritics.names(), "critics.md"},
           {limpid::kPublishedMaps.names(), "weights.md"},
           {metrics, "metrics.md"},
           {limpid::kOptimizers.names(), "optim.md"},
           {limpid::kSchedules.names(), "optim.md"},
       }) {
    const auto text = page(table.page);
    for (const auto& name : table.names) {
      BOOST_TEST((text.find("`" + name + "`") != std::string::npos),
                 table.page << " does not mention `" << name << "`");
    }
  }
}

BOOST_AUTO_TEST_CASE(every_degradation_stands_on_its_page_with_its_task) {
  const auto rows = rows_of(page("degradations.md"));
  limpid::kDegradations.for_each([&](const auto& entry) {
    const auto row = row_of(rows, std::string{entry.name});
    BOOST_REQUIRE_MESSAGE(row.size() > 2, "degradations.md has no row for " << entry.name);
    BOOST_TEST(row[2] == " " + std::string{entry.value.task} + " ");
  });
}

BOOST_AUTO_TEST_CASE(every_data_format_stands_on_its_page_with_its_parts) {
  const auto rows = rows_of(section(page("datasets.md"), "## On the command line"));
  limpid::kDataFormats.for_each([&](const auto& entry) {
    const auto row = row_of(rows, std::string{entry.name});
    BOOST_REQUIRE_MESSAGE(row.size() > 2, "datasets.md has no row for " << entry.name);
    std::istringstream parts{std::string{entry.value.parts}};
    for (std::string part; parts >> part;) {
      BOOST_TEST((row[2].find(part) != std::string::npos), entry.name << " lacks " << part);
    }
  });
}

BOOST_AUTO_TEST_CASE(every_option_of_a_program_stands_on_a_page) {
  const fs::path root = limpid_test::source_folder();
  std::string pages;
  for (const auto& entry : fs::directory_iterator{root / "docs"}) {
    if (entry.path().extension() == ".md") pages += text_of(entry.path());
  }
  const std::regex written{R"(--[a-z][a-z-]*)"}, quoted{R"("(--[a-z][a-z-]*))"};
  std::set<std::string> named;
  for (std::sregex_iterator at{pages.begin(), pages.end(), written}, end; at != end; ++at) {
    named.insert(at->str());
  }
  for (const auto& entry : fs::recursive_directory_iterator{root / "examples" / "programs"}) {
    const auto type = entry.path().extension();
    if (type != ".hpp" && type != ".cpp") continue;
    const auto code = text_of(entry.path());
    for (std::sregex_iterator at{code.begin(), code.end(), quoted}, end; at != end; ++at) {
      const auto option = (*at)[1].str();
      BOOST_TEST((named.count(option) == 1),
                 "no page of docs/ names " << option << " of " << entry.path().filename());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_room_uses_the_rooms_that_the_architecture_names_and_no_other) {
  const fs::path rooms = limpid_test::source_folder() / "include" / "limpid";
  const std::regex folder{R"( `([a-z/]+)/` )"}, used{R"(#include <limpid/([a-z]+)/.*)"};
  for (const auto& row : rows_of(section(page("architecture.md"), "## Rooms"))) {
    std::smatch match;
    if (row.size() < 3 || !std::regex_match(row[0], match, folder)) continue;
    const auto room = match[1].str();
    if (!fs::is_directory(rooms / room)) continue;  // the table's heading
    auto allowed = row[2] + " " + room.substr(0, room.find('/'));
    if (allowed.find("networks") != std::string::npos) allowed += " backbones encoders decoders";
    for (const auto& entry : fs::recursive_directory_iterator{rooms / room}) {
      if (entry.path().extension() != ".hpp") continue;
      std::ifstream header{entry.path()};
      for (std::string line; std::getline(header, line);) {
        if (!std::regex_match(line, match, used)) continue;
        BOOST_TEST((allowed.find(match[1].str()) != std::string::npos),
                   room << " may not use " << match[1] << ": " << entry.path());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_header_stands_on_the_page_of_its_room) {
  const fs::path rooms = limpid_test::source_folder() / "include" / "limpid";
  for (const auto& entry : fs::recursive_directory_iterator{rooms}) {
    if (entry.path().extension() != ".hpp" || entry.path().parent_path() == rooms) continue;
    const auto room = fs::relative(entry.path(), rooms).begin()->string();
    const auto name = entry.path().filename().string();
    BOOST_TEST((page(room + ".md").find(name + "`") != std::string::npos),
               "docs/" << room << ".md does not name " << name);
  }
}

BOOST_AUTO_TEST_CASE(every_header_that_a_page_lists_is_there) {
  const fs::path root = limpid_test::source_folder();
  std::set<std::string> headers;
  for (const auto& entry : fs::recursive_directory_iterator{root / "include" / "limpid"}) {
    headers.insert(entry.path().filename().string());
  }
  const std::regex listed{R"(`([\w/]+\.hpp)`)"};
  for (const auto& entry : fs::directory_iterator{root / "docs"}) {
    if (entry.path().extension() != ".md") continue;
    for (const auto& row : rows_of(text_of(entry.path()))) {
      for (std::sregex_iterator at{row[0].begin(), row[0].end(), listed}, end; at != end; ++at) {
        const auto name = fs::path{(*at)[1].str()}.filename().string();
        BOOST_TEST((headers.count(name) == 1), entry.path().filename()
                                                   << " lists " << name << ", which is not there");
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
