#include <support/paths.hpp>

#include <boost/test/unit_test.hpp>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

// Links between the pages lead to files and headings that are there.
namespace {

namespace fs = std::filesystem;

/// The lines of a page that are not code.
std::vector<std::string> prose_of(const fs::path& page) {
  std::vector<std::string> lines;
  std::ifstream file{page};
  bool code = false;
  for (std::string line; std::getline(file, line);) {
    const bool fence = line.find("```") == line.find_first_not_of(' ') && !line.empty();
    if (fence) code = !code;
    if (!code && !fence) lines.push_back(line);
  }
  return lines;
}

/// What GitHub calls a heading in links: "By name" is "by-name", the second of them "by-name-1".
std::set<std::string> anchors_of(const fs::path& page) {
  std::set<std::string> anchors;
  std::map<std::string, int> seen;
  for (const auto& line : prose_of(page)) {
    const auto text = line.find_first_not_of('#');
    if (text == 0 || text == line.npos || line[text] != ' ') continue;
    std::string anchor;
    for (const unsigned char c : line.substr(text + 1)) {
      if (std::isalnum(c) || c == '_' || c == '-') anchor += static_cast<char>(std::tolower(c));
      if (c == ' ') anchor += '-';
    }
    const auto before = seen[anchor]++;
    anchors.insert(before == 0 ? anchor : anchor + "-" + std::to_string(before));
  }
  return anchors;
}

BOOST_AUTO_TEST_SUITE(links)

BOOST_AUTO_TEST_CASE(links_of_the_pages_lead_to_what_is_there) {
  const fs::path root = limpid_test::source_folder();
  std::vector<fs::path> pages{root / "README.md", root / "CONTRIBUTING.md", root / "CHANGELOG.md"};
  for (const auto& entry : fs::directory_iterator{root / "docs"}) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  }
  const std::regex link{R"(\]\(([^)\s#]*)(?:#([^)\s]*))?\))"};
  int links = 0;
  for (const auto& page : pages) {
    std::string text;
    for (const auto& line : prose_of(page)) text += line + "\n";
    for (std::sregex_iterator at{text.begin(), text.end(), link}, end; at != end; ++at) {
      const auto file = (*at)[1].str(), heading = (*at)[2].str();
      if (file.find("://") != file.npos) continue;
      ++links;
      const auto target = file.empty() ? page : page.parent_path() / file;
      BOOST_TEST(fs::exists(target), page << " links to " << file << ", which is not there");
      if (heading.empty() || !fs::exists(target)) continue;
      BOOST_TEST(anchors_of(target).count(heading) == 1,
                 page << ": " << file << " has no heading #" << heading);
    }
  }
  BOOST_TEST(links > 50);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
