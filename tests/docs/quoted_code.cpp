#include <support/paths.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

// Code that README and docs show is code that a compiler has seen: each ```cpp and ```c block
// stands, line for line, in a lesson or in tests/docs/. Spaces do not count, and "// ..." skips
// lines.
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

/// The line's words with one space between them; empty for a line without words.
std::string squeezed(const std::string& line) {
  std::istringstream words{line};
  std::string text;
  for (std::string word; words >> word;) text += (text.empty() ? "" : " ") + word;
  return text;
}

Lines squeezed_lines(const fs::path& path) {
  Lines lines;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) {
    if (auto text = squeezed(line); !text.empty()) lines.push_back(std::move(text));
  }
  return lines;
}

/// A part of a ```cpp block without gaps.
struct Quote {
  std::string place;  ///< page and line
  Lines lines;
};

std::vector<Quote> quotes_of(const fs::path& page) {
  std::vector<Quote> quotes;
  std::ifstream file{page};
  bool quoting = false;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const auto text = squeezed(line);
    const bool begins = !quoting && (text == "```cpp" || text == "```c");
    const bool ends = quoting && text == "```";
    if (begins || (quoting && text == "// ...")) {
      quotes.push_back({page.filename().string() + ":" + std::to_string(number), {}});
    } else if (quoting && !ends && !text.empty()) {
      quotes.back().lines.push_back(text);
    }
    quoting = begins || (quoting && !ends);
  }
  return quotes;
}

std::vector<fs::path> files_in(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator{folder}) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

BOOST_AUTO_TEST_SUITE(quoted_code)

BOOST_AUTO_TEST_CASE(code_that_the_docs_show_is_compiled) {
  const fs::path root = limpid_test::source_folder();
  std::vector<Lines> compiled;
  for (const auto& folder :
       {root / "examples", root / "examples" / "engines", root / "tests" / "docs"}) {
    for (const auto& file : files_in(folder, ".cpp")) compiled.push_back(squeezed_lines(file));
  }
  for (const auto& file : files_in(root / "examples" / "other_languages", ".c")) {
    compiled.push_back(squeezed_lines(file));
  }
  auto pages = files_in(root / "docs", ".md");
  pages.push_back(root / "README.md");
  for (const auto& page : pages) {
    for (const auto& quote : quotes_of(page)) {
      const bool found = std::any_of(compiled.begin(), compiled.end(), [&](const Lines& file) {
        return std::search(file.begin(), file.end(), quote.lines.begin(), quote.lines.end()) !=
               file.end();
      });
      const auto first = quote.lines.empty() ? "an empty block" : quote.lines.front();
      BOOST_TEST((found || quote.lines.empty()),
                 quote.place << ": no lesson and no file of tests/docs has these lines: " << first);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
