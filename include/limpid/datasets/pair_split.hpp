#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/atomic_file.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>
#include <limpid/core/json_text.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/shuffled.hpp>
#include <limpid/core/utf8.hpp>
#include <limpid/io/json_file.hpp>

#include <c10/util/Exception.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#endif

namespace limpid {

/// Which pairs are for training and which for the test, by their names.
/// Bytes of a name that are not UTF-8 are U+FFFD here (`as_utf8`).
struct PairSplit {
  std::string set;         ///< what was split, for whoever reads the file
  std::uint64_t seed = 0;  ///< what it was drawn with
  std::vector<std::string> train;
  std::vector<std::string> test;

  /// Draws `train_count` of the names for training; the rest is the test. The order in which names
  /// come makes no difference. Both parts are sorted.
  /// @throws c10::ValueError if a part would be empty or a name comes twice.
  static PairSplit draw(std::string set, std::vector<std::string> names, std::int64_t train_count,
                        std::uint64_t seed);

  /// Reads what `write` wrote.
  /// @throws c10::Error that names the file and what is wrong with it.
  static PairSplit read(const std::filesystem::path& path);

  /// Writes the split as JSON, atomically.
  /// @throws c10::Error that names the file and the cause.
  void write(const std::filesystem::path& path) const;

  friend bool operator==(const PairSplit&, const PairSplit&) = default;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE PairSplit PairSplit::draw(std::string set, std::vector<std::string> names,
                                        std::int64_t train_count, std::uint64_t seed) {
  const auto count = static_cast<std::int64_t>(names.size());
  TORCH_CHECK_VALUE(train_count >= 1 && train_count < count, "PairSplit: expected 1 to ", count - 1,
                    " pairs to train on, got ", train_count, " of ", count);
  for (auto& name : names) name = as_utf8(name);  // as the file can hold it
  std::sort(names.begin(), names.end());
  TORCH_CHECK_VALUE(std::adjacent_find(names.begin(), names.end()) == names.end(),
                    "PairSplit: expected names that differ, got '",
                    *std::adjacent_find(names.begin(), names.end()), "' twice");
  Random random{seed};
  names = shuffled(std::move(names), random);
  const auto middle = names.begin() + train_count;
  PairSplit split{std::move(set), seed, {names.begin(), middle}, {middle, names.end()}};
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.test.begin(), split.test.end());
  return split;
}

LIMPID_INLINE PairSplit PairSplit::read(const std::filesystem::path& path) {
  const auto json = read_json(path, "split file");
  const auto where = "cannot read split file '" + path.string() + "': ";
  PairSplit split;
  try {
    split.set = json.value("set", std::string{});
    split.seed = json.value("seed", std::uint64_t{0});
    split.train = json.at("train").get<std::vector<std::string>>();
    split.test = json.at("test").get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    limpid::fail(where, "expected JSON with lists of names 'train' and 'test', found ",
                 json_excerpt(json));
  }
  std::set<std::string> seen;
  for (const auto* part : {&split.train, &split.test}) {
    TORCH_CHECK(!part->empty(), where, "expected names in 'train' and in 'test'");
    for (const auto& name : *part) {
      TORCH_CHECK(seen.insert(name).second, where, "'", name, "' is named twice");
    }
  }
  return split;
}

LIMPID_INLINE void PairSplit::write(const std::filesystem::path& path) const {
  const nlohmann::ordered_json json{{"set", set}, {"seed", seed}, {"train", train}, {"test", test}};
  write_atomically(path, json_text(json, 1));
}

}  // namespace limpid

#endif  // LIMPID_BODIES
