#include <limpid/io/json_file.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <string>

namespace {

using limpid::parse_json, limpid::read_json;

using limpid_test::error_of;

std::string error_of_text(const std::string& text, const limpid::JsonLimits& limits = {}) {
  return error_of([&] { parse_json(text, "scores 'x'", limits); });
}

std::string repeated(const std::string& part, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += part;
  return text;
}

BOOST_AUTO_TEST_SUITE(json_file)

BOOST_AUTO_TEST_CASE(reads_what_is_within_the_limits) {
  const limpid_test::TemporaryFolder place;
  std::ofstream{place / "a.json"} << R"({"a": [1, {"b": "[[[\"[["}], "c": 2.5})";
  const auto json = read_json(place / "a.json", "scores");
  BOOST_TEST(json.at("a")[1].at("b") == "[[[\"[[", "brackets in strings do not nest");
  BOOST_TEST(json.at("c") == 2.5);
  BOOST_TEST(parse_json(repeated("[", 64) + repeated("]", 64), "x").is_array());
  BOOST_TEST(parse_json("[" + repeated("[],", 5000) + "[]]", "x").size() == 5001u);
}

BOOST_AUTO_TEST_CASE(deep_brackets_are_refused_by_name_before_they_cost_a_stack) {
  const std::string expected =
      "scores 'x': expected JSON of at most 64 nested brackets, found more";
  BOOST_TEST(error_of_text(repeated("[", 65) + repeated("]", 65)) == expected);
  BOOST_TEST(error_of_text(repeated("[", 200000)) == expected);
  BOOST_TEST(error_of_text(repeated("{\"a\":", 200000)) == expected);
  BOOST_TEST(error_of_text("{\"\\\"\":" + repeated("[", 200000)) == expected);
}

BOOST_AUTO_TEST_CASE(what_is_no_json_is_shown_with_its_place) {
  BOOST_TEST(error_of_text("") == "scores 'x': expected JSON, found nothing");
  BOOST_TEST(error_of_text(" \n") == "scores 'x': expected JSON, found nothing");
  BOOST_TEST(error_of_text("{\"a\": \x1b[2J}") ==
             "scores 'x': expected JSON, found '\\x1b[2J}' at byte 6");
  BOOST_TEST(error_of_text("[1, 2") ==
             "scores 'x': expected JSON, found the end at byte 5 (cut short?)");
  BOOST_TEST(error_of_text("[1e999]").starts_with(
      "scores 'x': expected JSON, found what cannot be read ("));
  const auto long_error = error_of_text("<html>" + repeated("x", 100000));
  BOOST_TEST(long_error.size() < 150u);
  BOOST_TEST(error_of_text("[1, 2, 3]", {.bytes = 8}) ==
             "scores 'x': expected at most 8 bytes of JSON, found 9");
}

BOOST_AUTO_TEST_CASE(files_are_named) {
  const limpid_test::TemporaryFolder place;
  const auto path = (place / "a.json").string();
  std::ofstream{path} << "no";
  BOOST_TEST(error_of([&] {
               read_json(path, "boxes");
             }).starts_with("boxes '" + path + "': expected JSON, found '"));
  BOOST_TEST(error_of([&] { read_json(path, "boxes", {.bytes = 1}); }) ==
             "boxes '" + path + "': expected at most 1 bytes of JSON, found 2");
  BOOST_TEST(error_of([&] { read_json(place / "b.json", "boxes"); }) ==
             "cannot read boxes '" + (place / "b.json").string() + "': No such file or directory");
}

BOOST_AUTO_TEST_CASE(an_excerpt_is_short_whatever_is_in_it) {
  BOOST_TEST(limpid::json_excerpt(nlohmann::json::parse(R"({"a": [1, "b"], "c": null})")) ==
             "{\"a\":[1,\"b\"],\"c\":null}");
  BOOST_TEST(limpid::json_excerpt(std::string(1000000, 'x')).size() < 90u);
  nlohmann::json deep;
  for (int i = 0; i < 100000; ++i) {
    auto outer = nlohmann::json::array();
    outer.push_back(std::move(deep));
    deep = std::move(outer);
  }
  BOOST_TEST(limpid::json_excerpt(deep).size() < 90u);
  BOOST_TEST(limpid::json_excerpt("\x1b[2J") == "\"\\x1b[2J\"");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
