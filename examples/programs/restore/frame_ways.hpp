#pragma once

// Frames as pictures, and what is done to all frames of a video alike.

#include <limpid/inference/router.hpp>
#include <limpid/io/image.hpp>

#include <ATen/ops/from_blob.h>
#include <c10/util/Exception.h>

#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "frames.hpp"
#include "pipes.hpp"

namespace examples {

/// How pictures and frames are restored.
struct RestoreWays {
  using Tasks = std::vector<std::string>;
  RestorePicture picture;  ///< one by itself

  /// The same, saying what was done: where each picture is looked at to choose its tasks; else
  /// empty.
  std::function<limpid::RoutedPicture(const limpid::Image& degraded)> routed;

  /// Where each picture is looked at to choose its tasks: what all frames of a video get alike, by
  /// what some of them show; frames would flicker else. Empty where one task does everything.
  std::function<Tasks(const std::vector<limpid::Image>& frames)> tasks_of_frames;
  std::function<limpid::Image(const Tasks& tasks, const limpid::Image& degraded)> by_tasks;

  bool choose() const { return tasks_of_frames != nullptr; }
};

/// "dehaze, then denoise"
inline std::string listed(const RestoreWays::Tasks& tasks) {
  std::string text;
  for (const auto& task : tasks) text += (text.empty() ? "" : ", then ") + task;
  return text;
}

/// The frame's pixels as a picture, which must not outlive them.
inline limpid::Image as_picture(Frame& frame) {
  return limpid::Image{at::from_blob(frame.rgb.data(), {frame.height, frame.width, 3}, at::kByte)};
}

/// A frame as a picture, restored, and back.
inline ChangeFrame changing_frames(RestorePicture restore) {
  return [restore = std::move(restore)](Frame& frame) {
    const auto restored = restore(as_picture(frame));
    TORCH_CHECK(restored.height() == frame.height && restored.width() == frame.width,
                "expected a frame of the same size");
    std::memcpy(frame.rgb.data(), restored.data(), frame.rgb.size());
  };
}

}  // namespace examples
