#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/options_by_name.hpp>

#include <concepts>

namespace limpid {

/// A degradation whose options can be set by name, on a command line or in a file:
/// `HasOptionsByName`, its options of type `Interval`, `double` or `std::int64_t`, and a member
/// `void check() const` that throws c10::ValueError for options out of range.
template <class D>
concept DegradationWithOptions = Degradation<D> && std::default_initializable<D> &&
    HasOptionsByName<D> && requires(const D& constant) {
  constant.check();
};

}  // namespace limpid
