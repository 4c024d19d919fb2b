#include <limpid/core/printable.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using limpid::printable, limpid::printable_lines;

BOOST_AUTO_TEST_SUITE(printable_text)

BOOST_AUTO_TEST_CASE(letters_of_all_languages_stay) {
  const std::string text = "caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80 'a\\b'";
  BOOST_TEST(printable(text) == text);
}

BOOST_AUTO_TEST_CASE(what_controls_a_terminal_is_shown_as_bytes) {
  BOOST_TEST(printable("a\x1b[2Jb\r\n\t\x7f") == "a\\x1b[2Jb\\x0d\\x0a\\x09\\x7f");
  BOOST_TEST(printable(std::string("\0", 1)) == "\\x00");
  BOOST_TEST(printable("\xc2\x9b"
                       "2J") == "\\xc2\\x9b2J",
             "C1: CSI in one character");
  BOOST_TEST(printable("\xff\xc3") == "\\xff\\xc3", "Latin-1, and a character cut off");
}

BOOST_AUTO_TEST_CASE(marks_of_writing_direction_cannot_disguise_a_name) {
  BOOST_TEST(printable("a\xe2\x80\xaegnp.exe") == "a\\xe2\\x80\\xaegnp.exe");
  BOOST_TEST(printable("\xe2\x81\xa6") == "\\xe2\\x81\\xa6");
}

BOOST_AUTO_TEST_CASE(a_long_text_ends_at_a_whole_character) {
  BOOST_TEST(printable("abcdef", 3) == "abc...");
  BOOST_TEST(printable("abc", 3) == "abc");
  BOOST_TEST(printable("ab\xc3\xa9x", 3) == "ab\xc3\xa9...");
}

BOOST_AUTO_TEST_CASE(a_newline_in_a_name_begins_no_line_of_its_own) {
  BOOST_TEST(printable_lines("cannot read 'a\nlimpid-restore: done'") ==
             "cannot read 'a\n  limpid-restore: done'");
  BOOST_TEST(printable_lines("table\n  row\x1b\n") == "table\n  row\\x1b\n");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
