#pragma once

#include <limpid/weighting/weighting.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <concepts>
#include <cstddef>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

// What a weighting keeps from step to step, into a checkpoint and back: numbers as JSON, tensors as
// tensors. Both by the names that its `each_state` gives.
namespace limpid::detail {

template <class W, class Visit>
void visit_state(W& weighting, Visit&& visit) {
  if constexpr (requires { std::remove_const_t<W>::each_state(weighting, visit); }) {
    std::remove_const_t<W>::each_state(weighting, visit);
  }
}

template <class Value>
inline constexpr bool kIsTensor = std::same_as<std::remove_cvref_t<Value>, at::Tensor>;

template <class Number>
void save_number(nlohmann::json& json, const std::string& name, const Number& number) {
  if constexpr (std::same_as<Number, TaskVector>) {
    json[name] = std::vector<double>{number.data(), number.data() + number.size()};
  } else if constexpr (std::same_as<Number, TaskMatrix>) {
    auto rows = nlohmann::json::array();
    for (Eigen::Index i = 0; i < number.rows(); ++i) {
      auto row = nlohmann::json::array();
      for (Eigen::Index j = 0; j < number.cols(); ++j) row.push_back(number(i, j));
      rows.push_back(std::move(row));
    }
    json[name] = std::move(rows);
  } else {
    json[name] = number;
  }
}

/// @throws c10::Error that begins with `source`.
template <class Number>
void load_number(const nlohmann::json& json, const std::string& name, Number& number,
                 const std::string& source) {
  const auto found = json.find(name);
  TORCH_CHECK(found != json.end(), source, ": expected '", name,
              "' in the state of the weighting, found none");
  try {
    if constexpr (std::same_as<Number, TaskVector>) {
      const auto values = found->template get<std::vector<double>>();
      number =
          Eigen::Map<const TaskVector>(values.data(), static_cast<Eigen::Index>(values.size()));
    } else if constexpr (std::same_as<Number, TaskMatrix>) {
      const auto rows = found->template get<std::vector<std::vector<double>>>();
      const auto size = static_cast<Eigen::Index>(rows.size());
      number.resize(size, size);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        TORCH_CHECK(rows[i].size() == rows.size(), source, ": expected '", name,
                    "' in the state of the weighting to be square");
        for (std::size_t j = 0; j < rows.size(); ++j) {
          number(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = rows[i][j];
        }
      }
    } else {
      number = found->template get<Number>();
    }
  } catch (const nlohmann::json::exception& error) {
    limpid::fail(source, ": '", name, "' in the state of the weighting is no number of its kind (",
                 error.what(), ")");
  }
}

template <class W>
void save_numbers(const W& weighting, nlohmann::json& json) {
  visit_state(weighting, [&](const char* name, const auto& value) {
    if constexpr (!kIsTensor<decltype(value)>) save_number(json, name, value);
  });
}

template <class W>
void save_tensors(const W& weighting, std::map<std::string, at::Tensor>& tensors) {
  visit_state(weighting, [&](const char* name, const auto& value) {
    if constexpr (kIsTensor<decltype(value)>) {
      if (value.defined()) tensors[name] = value;
    }
  });
}

/// Gives a copy of a weighting tensors of its own.
template <class W>
void own_tensors(W& weighting) {
  visit_state(weighting, [&](const char*, auto& value) {
    if constexpr (kIsTensor<decltype(value)>) {
      if (value.defined()) value = value.clone();
    }
  });
}

/// @throws c10::Error that begins with `source`.
template <class W>
void load_weighting(W& weighting, const nlohmann::json& numbers,
                    const std::map<std::string, at::Tensor>& tensors, const std::string& source) {
  visit_state(weighting, [&](const char* name, auto& value) {
    if constexpr (kIsTensor<decltype(value)>) {
      const auto found = tensors.find(name);
      value = found == tensors.end() ? at::Tensor{} : found->second.clone();
    } else {
      load_number(numbers, name, value, source);
    }
  });
}

}  // namespace limpid::detail
