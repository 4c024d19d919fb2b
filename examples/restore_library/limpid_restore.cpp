#include <limpid/core/errors.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/single_thread.hpp>
#include <limpid/inference/any_restorer.hpp>
#include <limpid/version.hpp>

#include <ATen/Parallel.h>
#include <c10/core/Device.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "limpid_restore.h"

struct limpid_restorer {
  limpid::AnyRestorer restorer;
  int threads;
};

namespace {

thread_local std::string last_error;

limpid_status failed(limpid_status status, std::string_view text) noexcept {
  try {
    last_error = text;
  } catch (...) {
    last_error.clear();
  }
  return status;
}

/// Calls `action`; nothing that it throws passes.
/// @param otherwise  what errors mean that are of no kind of their own
template <class Action>
limpid_status guarded(limpid_status otherwise, Action action) noexcept {
  last_error.clear();
  try {
    action();
    return LIMPID_OK;
  } catch (const limpid::RestoreCancelled& error) {
    return failed(LIMPID_CANCELLED, error.what());
  } catch (const std::exception& error) {
    try {
      const auto text = limpid::error_text(error);
      if (limpid::is_out_of_memory(error)) return failed(LIMPID_OUT_OF_MEMORY, text);
      const bool is_argument = dynamic_cast<const c10::ValueError*>(&error) != nullptr;
      return failed(is_argument ? LIMPID_BAD_ARGUMENT : otherwise, text);
    } catch (...) {
      return failed(LIMPID_OUT_OF_MEMORY, "out of memory");
    }
  } catch (...) {
    return failed(LIMPID_FAILED, "an error that is no std::exception");
  }
}

/// The options of a caller who was compiled with this version's struct, an older or a newer one:
/// fields that it lacks are zeros, and those that this version does not know must be.
limpid_options options_of(const limpid_options* given) {
  limpid_options options{};
  if (given == nullptr) return options;
  const auto size = given->struct_size;
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  TORCH_CHECK_VALUE(size >= sizeof given->struct_size && size <= 4096,
                    "options: expected struct_size to be sizeof(limpid_options), got ", size);
  for (auto i = sizeof options; i < size; ++i) {
    TORCH_CHECK_VALUE(bytes[i] == 0, "options: fields beyond those of limpid_restore ",
                      limpid::kVersion, " are set; it has ", sizeof options, " bytes of ", size);
  }
  std::memcpy(&options, bytes, std::min(size, sizeof options));
  return options;
}

limpid::Precision precision_of(std::int32_t precision) {
  switch (precision) {
    case LIMPID_FLOAT32:
      return limpid::Precision::float32;
    case LIMPID_BFLOAT16:
      return limpid::Precision::bfloat16;
    case LIMPID_FASTEST_PRECISION:
      return limpid::Precision::automatic;
    default:
      limpid::refuse("options: expected a limpid_precision, got ", precision);
  }
}

c10::Device device_of(const char* name) {
  if (name == nullptr) return c10::kCPU;
  try {
    return c10::Device{name};
  } catch (const c10::Error&) {
    limpid::refuse("options: expected a device such as 'cpu' or 'cuda:0', got '", name, "'");
  }
}

limpid::RestorerOptions restorer_options(const limpid_options& options) {
  TORCH_CHECK_VALUE(options.tile == 0 || options.tile == -1 || options.tile >= 16,
                    "options: expected a tile of at least 16, 0 or -1, got ", options.tile);
  TORCH_CHECK_VALUE(options.threads >= 0, "options: threads must not be negative, got ",
                    options.threads);
  const int ensemble = options.ensemble == 0 ? 1 : options.ensemble;
  limpid::Turn::first(ensemble);  // refuses what is none
  return {.tiling = {.tile = options.tile == 0    ? limpid::Tiling::automatic
                             : options.tile == -1 ? 0
                                                  : options.tile},
          .device = device_of(options.device),
          .precision = precision_of(options.precision),
          .convolution = options.fast != 0 ? limpid::Convolution::fast : limpid::Convolution::exact,
          .ensemble = ensemble,
          .memory = options.memory};
}

/// While it lives, LibTorch uses so many threads for what this one asks of it.
class ThreadsScope {
 public:
  explicit ThreadsScope(int count) : before_(at::get_num_threads()) { limpid::use_threads(count); }
  ~ThreadsScope() { limpid::use_threads(before_); }
  ThreadsScope(const ThreadsScope&) = delete;
  ThreadsScope& operator=(const ThreadsScope&) = delete;

 private:
  int before_;
};

template <class Model>
limpid_status open(const Model& model, const limpid_options* given, limpid_restorer** restorer) {
  if (restorer == nullptr) return failed(LIMPID_BAD_ARGUMENT, "restorer: it is NULL");
  *restorer = nullptr;
  limpid_options options{};
  limpid::RestorerOptions how;
  const auto status = guarded(LIMPID_FAILED, [&] {
    options = options_of(given);
    how = restorer_options(options);
  });
  if (status != LIMPID_OK) return status;
  return guarded(how.device.is_cpu() ? LIMPID_BAD_MODEL : LIMPID_FAILED, [&] {
    const auto cores = static_cast<int>(std::thread::hardware_concurrency());
    *restorer = new limpid_restorer{limpid::AnyRestorer{model, how},
                                    options.threads > 0 ? options.threads : std::max(1, cores)};
  });
}

limpid::PictureBuffer buffer_of(const char* what, const limpid_picture* picture) {
  TORCH_CHECK_VALUE(picture != nullptr, what, ": it is NULL");
  TORCH_CHECK_VALUE(picture->reserved == 0, what, ": reserved must be 0, got ", picture->reserved);
  return {picture->pixels, picture->width, picture->height,
          static_cast<limpid::PixelFormat>(picture->format), picture->stride};
}

/// What a caller's progress function sees, and how it cancels.
class Watching {
 public:
  Watching(limpid_progress progress, void* user) : progress_(progress), user_(user) {}

  limpid::RestoreWatch watch() const {
    if (progress_ == nullptr) return {};
    return {stop_.get_token(), [this](const limpid::RestoreProgress& reached) {
              if (progress_(reached.tiles_done, reached.tiles, user_) != 0) stop_.request_stop();
            }};
  }

 private:
  limpid_progress progress_;
  void* user_;
  mutable std::stop_source stop_;
};

/// A task's name that lives as long as the restorer.
const char* name_of(const limpid_restorer& restorer, const std::string& task) {
  const auto& tasks = restorer.restorer.tasks();
  return std::find(tasks.begin(), tasks.end(), task)->c_str();
}

static_assert(static_cast<int>(limpid::PixelFormat::rgb8) == LIMPID_RGB8);
static_assert(static_cast<int>(limpid::PixelFormat::bgr8) == LIMPID_BGR8);
static_assert(static_cast<int>(limpid::PixelFormat::rgba8) == LIMPID_RGBA8);
static_assert(static_cast<int>(limpid::PixelFormat::bgra8) == LIMPID_BGRA8);
static_assert(static_cast<int>(limpid::PixelFormat::grey8) == LIMPID_GREY8);
static_assert(static_cast<int>(limpid::PixelFormat::rgb_float32) == LIMPID_RGB_FLOAT32);

}  // namespace

const char* limpid_restore_version(void) { return limpid::kVersion; }

limpid_status limpid_restorer_open(const char* path, const limpid_options* options,
                                   limpid_restorer** restorer) {
  if (path == nullptr) return failed(LIMPID_BAD_ARGUMENT, "path: it is NULL");
  return open(std::filesystem::path{path}, options, restorer);
}

limpid_status limpid_restorer_open_memory(const void* bytes, size_t size,
                                          const limpid_options* options,
                                          limpid_restorer** restorer) {
  if (bytes == nullptr) return failed(LIMPID_BAD_ARGUMENT, "bytes: they are NULL");
  return open(limpid::ModelBytes{{static_cast<const char*>(bytes), size}}, options, restorer);
}

void limpid_restorer_close(limpid_restorer* restorer) { delete restorer; }

int32_t limpid_restorer_tasks(const limpid_restorer* restorer) {
  return restorer == nullptr ? 0 : static_cast<int32_t>(restorer->restorer.tasks().size());
}

const char* limpid_restorer_task(const limpid_restorer* restorer, int32_t index) {
  if (index < 0 || index >= limpid_restorer_tasks(restorer)) return nullptr;
  return restorer->restorer.tasks()[static_cast<std::size_t>(index)].c_str();
}

int32_t limpid_restorer_has_router(const limpid_restorer* restorer) {
  return restorer != nullptr && restorer->restorer.router() ? 1 : 0;
}

limpid_status limpid_restore(const limpid_restorer* restorer, const char* task,
                             const limpid_picture* degraded, const limpid_picture* restored,
                             limpid_progress progress, void* user) {
  return guarded(LIMPID_FAILED, [&] {
    TORCH_CHECK_VALUE(restorer != nullptr, "restorer: it is NULL");
    TORCH_CHECK_VALUE(task != nullptr, "task: it is NULL");
    const Watching watching{progress, user};
    const ThreadsScope threads{restorer->threads};
    restorer->restorer.restore(task, buffer_of("degraded picture", degraded),
                               buffer_of("restored picture", restored), watching.watch());
  });
}

limpid_status limpid_restore_auto(const limpid_restorer* restorer, const limpid_picture* degraded,
                                  const limpid_picture* restored, limpid_guess* guesses,
                                  int32_t capacity, int32_t* count, limpid_progress progress,
                                  void* user) {
  if (count != nullptr) *count = 0;
  return guarded(LIMPID_FAILED, [&] {
    TORCH_CHECK_VALUE(restorer != nullptr, "restorer: it is NULL");
    TORCH_CHECK_VALUE(capacity >= 0 && (guesses != nullptr || capacity == 0),
                      "guesses: expected room for ", capacity, ", got none");
    const Watching watching{progress, user};
    const ThreadsScope threads{restorer->threads};
    const auto routing = restorer->restorer.restore_routed(buffer_of("degraded picture", degraded),
                                                           buffer_of("restored picture", restored),
                                                           watching.watch());
    std::int32_t written = 0;
    const auto write = [&](const limpid::RoutingGuess& guess, std::int32_t done) {
      if (written < capacity) {
        guesses[written] = {name_of(*restorer, guess.task), guess.probability, done, 0};
      }
      ++written;
    };
    for (const auto& guess : routing.done) write(guess, 1);
    for (const auto& guess : routing.last_seen) write(guess, 0);
    if (count != nullptr) *count = written;
  });
}

const char* limpid_last_error(void) { return last_error.c_str(); }
