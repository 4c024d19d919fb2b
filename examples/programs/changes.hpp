#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace examples {

/// What a command line changes of a `Target` that is made later, a recipe's options for one: each
/// option says once what it sets, and one that is not given changes nothing.
template <class Target>
class Changes {
 public:
  /// An option that sets a member.
  template <class Value, class Owner>
  CLI::Option* bind(CLI::App& app, const std::string& name, Value Owner::*member,
                    const std::string& text) {
    return add<Value>(
        app, name, [member](Target& target, const Value& value) { target.*member = value; }, text);
  }

  /// An option that does `set(target, value)`.
  template <class Value, class Set>
  CLI::Option* add(CLI::App& app, const std::string& name, Set set, const std::string& text) {
    return app.add_option_function<Value>(
        name,
        [this, set](const Value& value) {
          changes_.push_back([set, value](Target& target) { set(target, value); });
        },
        text);
  }

  /// A flag that does `set(target)`.
  template <class Set>
  CLI::Option* flag(CLI::App& app, const std::string& name, Set set, const std::string& text) {
    return app.add_flag_callback(
        name, [this, set] { changes_.push_back(set); }, text);
  }

  bool empty() const { return changes_.empty(); }

  void apply(Target& target) const {
    for (const auto& change : changes_) change(target);
  }

 private:
  std::vector<std::function<void(Target&)>> changes_;
};

}  // namespace examples
