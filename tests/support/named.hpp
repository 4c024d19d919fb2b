#pragma once

#include <limpid/core/named.hpp>

#include "support/errors.hpp"

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

namespace limpid_test {

/// What holds for every table of names: each is spelled as names are, once; is found, under its old
/// spelling too; and has a line for help texts.
template <class... Values>
void check_table(const limpid::NamedTable<Values...>& table) {
  std::set<std::string> seen;
  table.for_each([&](const auto& entry) {
    BOOST_TEST_CONTEXT("table of " << table.kind() << ", entry '" << entry.name << "'") {
      BOOST_TEST(limpid::is_table_name(entry.name));
      BOOST_TEST(seen.insert(std::string{entry.name}).second, "the name comes twice");
      BOOST_TEST(table.contains(entry.name));
      BOOST_TEST(table.help().find(std::string{entry.name} + ": ") != std::string::npos);
      BOOST_TEST(!entry.what.empty());
      BOOST_TEST(!entry.what.ends_with('.'));
      auto old = std::string{entry.name};
      for (auto& c : old) c = c == '-' ? '_' : c;
      BOOST_TEST(table.spelled(old) == entry.name);
    }
  });
  BOOST_TEST(limpid_test::value_error_of([&] { table.with("no-such-name", [](const auto&) {}); }) ==
             "expected " + std::string{table.kind()} + ", one of " + table.list() +
                 "; got 'no-such-name'");
}

}  // namespace limpid_test
