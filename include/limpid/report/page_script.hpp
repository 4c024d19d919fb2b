#pragma once

#include <string_view>

namespace limpid::detail {

/// Says that scripts run: only then do the degraded and the restored picture share one place.
inline constexpr std::string_view kPageHeadScript = "document.documentElement.classList.add('js');";

/// Moves the border between the degraded and the restored picture; the keyboard comes with the
/// range input.
inline constexpr std::string_view kPageScript = R"js(
document.querySelectorAll('.slide').forEach(function (slide) {
  var range = slide.querySelector('input');
  range.addEventListener('input', function () {
    slide.style.setProperty('--cut', range.value + '%');
    range.setAttribute('aria-valuetext', range.value + ' % degraded, the rest restored');
  });
});
)js";

}  // namespace limpid::detail
