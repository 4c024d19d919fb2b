#include <limpid/core/json_text.hpp>
#include <support/paths.hpp>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace {

using limpid::json_excerpt, limpid::json_line, limpid::json_text, nlohmann::json;

std::string deep(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

BOOST_AUTO_TEST_SUITE(json_texts)

BOOST_AUTO_TEST_CASE(a_name_that_is_not_utf8_never_fails) {
  const json named{{"name", "caf\xe9"}};
  BOOST_TEST(json_line(named) == "{\"name\":\"caf\xef\xbf\xbd\"}");
  BOOST_TEST(json_text(named) == "{\n  \"name\": \"caf\xef\xbf\xbd\"\n}\n");
  BOOST_TEST(json_text(nlohmann::ordered_json{{"caf\xe9", 1}}, 1) ==
             "{\n \"caf\xef\xbf\xbd\": 1\n}\n");
}

BOOST_AUTO_TEST_CASE(an_excerpt_is_short_and_safe_to_show) {
  BOOST_TEST(json_excerpt(json{1, -2, 0.5, nullptr, true}) == "[1,-2,0.5,null,true]");
  BOOST_TEST(json_excerpt(json("a\x1b\xe9")) == "\"a\\x1b\\xe9\"");
  BOOST_TEST(json_excerpt(nlohmann::ordered_json{{"a", 1}}) == "{\"a\":1}");
  BOOST_TEST(json_excerpt(json::parse(deep(200'000))).size() < 200u);
  BOOST_TEST(json_excerpt(json(std::string(10'000, 'x'))).size() < 200u);
  BOOST_TEST(json_excerpt(json(std::vector<int>(10'000))).size() < 200u);
}

BOOST_AUTO_TEST_CASE(no_other_place_turns_json_into_text) {
  namespace fs = std::filesystem;
  for (const auto* folder : {"include", "examples"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator{limpid_test::source_folder() / folder}) {
      const auto& path = entry.path();
      if (path.extension() != ".hpp" && path.extension() != ".cpp") continue;
      if (path.filename() == "json_text.hpp") continue;
      std::ifstream stream{path};
      const std::string code{std::istreambuf_iterator<char>{stream}, {}};
      BOOST_TEST((code.find(".dump(") == code.npos),
                 path.string() + ": use json_text, json_line or json_excerpt");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
