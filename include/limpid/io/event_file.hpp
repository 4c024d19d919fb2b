#pragma once

#include <limpid/core/compiled.hpp>

#if LIMPID_WITH_PROTOZERO
#include <protozero/pbf_writer.hpp>
#endif

#include <unistd.h>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>

#include <c10/util/Exception.h>

#include <array>
#include <chrono>
#endif

namespace limpid {

/// Whether this build writes event files: it has protozero (Debian: libprotozero-dev).
#if LIMPID_WITH_PROTOZERO
inline constexpr bool kWritesEventFiles = true;
#else
inline constexpr bool kWritesEventFiles = false;
#endif

/// What TensorBoard shows of one step.
struct EventSummary {
  struct Picture {
    std::string tag;
    std::string bytes;  ///< an encoded PNG or JPEG
    std::int64_t height = 0, width = 0;
  };

  std::int64_t step = 0;
  std::vector<std::pair<std::string, double>> scalars{};  ///< tag and value; '/' groups tags
  std::vector<Picture> pictures{};
};

namespace detail {

/// CRC-32C (Castagnoli): "123456789" gives e3069283.
LIMPID_INLINE std::uint32_t crc32c(std::string_view bytes);

/// A record of TensorFlow's record files: length, its checksum, the data, their checksum; checksums
/// are turned and shifted, so that records may hold records.
LIMPID_INLINE std::string event_record(std::string_view data);

}  // namespace detail

/// A file that TensorBoard reads: `tensorboard --logdir FOLDER`. Each sitting of a run writes one
/// of its own; TensorBoard shows them as one run, without the steps that a later one did again.
///
/// Source: the messages Event and Summary of TensorFlow's event.proto and summary.proto.
class EventFile {
 public:
  EventFile() = default;

  /// @param folder  of the run
  /// @param step    steps done: what other files of the folder say of later ones is out of date
  /// @throws c10::ValueError in a build without protozero, and c10::Error if it cannot be written.
  EventFile(const std::filesystem::path& folder, [[maybe_unused]] std::int64_t step);

  bool is_open() const;

  /// Adds a step; what is written can be looked at at once.
  void write([[maybe_unused]] const EventSummary& summary);

 private:
  // Fields of Event, SessionLog, Summary, Summary.Value and Summary.Image.
  static constexpr std::uint32_t kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5,
                                 kSessionLog = 7, kSessionStatus = 1, kValue = 1, kTag = 1,
                                 kSimpleValue = 2, kImage = 4, kHeight = 1, kWidth = 2,
                                 kColorspace = 3, kEncoded = 4;
  static constexpr std::int32_t kSessionStarts = 1, kRgb = 3;

  static double seconds_now();

  void append(std::string_view message);

  std::ofstream stream_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::uint32_t crc32c(std::string_view bytes) {
  static const auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
      auto value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) * 0x82f63b78U);
      table[i] = value;
    }
    return table;
  }();
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) {
    crc = kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xff] ^ (crc >> 8);
  }
  return ~crc;
}

LIMPID_INLINE std::string event_record(std::string_view data) {
  const auto little_endian = [](std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
    return text;
  };
  const auto masked = [&](std::string_view bytes) {
    const auto crc = crc32c(bytes);
    return little_endian(((crc >> 15) | (crc << 17)) + 0xa282ead8U, 4);
  };
  const auto length = little_endian(data.size(), 8);
  return length + masked(length) + std::string{data} + masked(data);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE EventFile::EventFile(const std::filesystem::path& folder,
                                   [[maybe_unused]] std::int64_t step) {
  TORCH_CHECK_VALUE(kWritesEventFiles,
                    "event files for TensorBoard need protozero (Debian: libprotozero-dev), "
                    "which this build is without");
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {"localhost"};
  const auto now = static_cast<std::int64_t>(seconds_now());
  const auto name = "events.out.tfevents." + std::to_string(now) + "." + host.data() + "." +
                    std::to_string(::getpid()) + "." + std::to_string(step);
  const auto path = folder / name;
  stream_.open(path, std::ios::binary | std::ios::trunc);
  TORCH_CHECK(stream_.is_open(), "cannot write '", path.string(), "'");
#if LIMPID_WITH_PROTOZERO
  std::string version;
  protozero::pbf_writer event{version};
  event.add_double(kWallTime, seconds_now());
  event.add_string(kFileVersion, "brain.Event:2");
  append(version);
  if (step == 0) return;
  std::string start;
  protozero::pbf_writer restart{start};
  restart.add_double(kWallTime, seconds_now());
  restart.add_int64(kStep, step + 1);
  protozero::pbf_writer session{restart, kSessionLog};
  session.add_enum(kSessionStatus, kSessionStarts);
  session.commit();
  append(start);
#endif
}

LIMPID_INLINE bool EventFile::is_open() const { return stream_.is_open(); }

LIMPID_INLINE void EventFile::write([[maybe_unused]] const EventSummary& summary) {
  if (!stream_.is_open()) return;
#if LIMPID_WITH_PROTOZERO
  std::string message;
  protozero::pbf_writer event{message};
  event.add_double(kWallTime, seconds_now());
  event.add_int64(kStep, summary.step);
  {
    protozero::pbf_writer values{event, kSummary};
    for (const auto& [tag, number] : summary.scalars) {
      protozero::pbf_writer value{values, kValue};
      value.add_string(kTag, tag);
      value.add_float(kSimpleValue, static_cast<float>(number));
    }
    for (const auto& picture : summary.pictures) {
      protozero::pbf_writer value{values, kValue};
      value.add_string(kTag, picture.tag);
      protozero::pbf_writer image{value, kImage};
      image.add_int32(kHeight, static_cast<std::int32_t>(picture.height));
      image.add_int32(kWidth, static_cast<std::int32_t>(picture.width));
      image.add_int32(kColorspace, kRgb);
      image.add_bytes(kEncoded, picture.bytes);
    }
  }
  append(message);
#endif
}

LIMPID_INLINE double EventFile::seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

LIMPID_INLINE void EventFile::append(std::string_view message) {
  stream_.clear();  // a disk that was full may have room again
  const auto record = detail::event_record(message);
  stream_.write(record.data(), static_cast<std::streamsize>(record.size()));
  stream_.flush();
}

}  // namespace limpid

#endif  // LIMPID_BODIES
