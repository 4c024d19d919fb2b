// Damaged files of every kind that holds tensors: an error or well-formed tensors, never a crash.
//
//   test_fuzz_weights [SECONDS [SEED]]
//
// Built with the address and undefined-behaviour sanitizers, whatever the rest is built with. Every
// small file is cut short at every byte, which must be an error, and damaged in seeded ways: at
// least 1000 of each kind, then on until SECONDS (1) have passed. A format whose bytes all stand
// under a checksum must give back the values that were written or an error; the others
// (safetensors, legacy PyTorch files, .npy) must give back some tensors of sound shape and type.
#include <limpid/io/tensor_file.hpp>
#include <limpid/model/model_file.hpp>
#include <support/archives.hpp>
#include <support/pickles.hpp>
#include <support/temporary_folder.hpp>

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <c10/util/Logging.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

/// A small file that asks for more than this is a finding.
extern "C" const char* __asan_default_options() { return "max_allocation_size_mb=400"; }

namespace {

using limpid::TensorFile;
namespace pickle = limpid_test::pickle;
namespace fs = std::filesystem;

/// Thrown by a check that fails, with what is wrong.
struct Finding {
  std::string text;
};

/// A kind of file: an example, how it is read, and how far damage can go unseen.
struct Kind {
  const char* name;
  std::string bytes;
  std::function<std::string(const std::string&)> wrapped;  ///< damaged bytes to a file's bytes
  std::function<TensorFile(const fs::path&)> read;
  bool is_checked = false;  ///< checksums cover all values
};

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string content_of(const fs::path& path) {
  std::ifstream stream{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

std::vector<Kind> kinds(const fs::path& scratch) {
  const auto floats = bytes_of<float>({0, 1, 2, 3, 4, 5});
  const std::string flags{"\1\0\1", 3};
  const auto data = pickle::storage("FloatStorage", "0", 6);
  const auto content = pickle::named(
      {{"epoch", pickle::integer(7)},
       {"model", pickle::named(
                     {{"a", pickle::tensor(data, 0, {2, 3}, {3, 1})},
                      {"b", pickle::tensor(data, 1, {2, 2}, {1, 2})},
                      {"c", pickle::tensor(pickle::storage("BoolStorage", "1", 3), 0, {3}, {1})}})},
       {"list", "](" + pickle::text("x") + "G" + std::string(8, '\x3f') + "Ne"}});
  const auto array =
      limpid_test::npy_file("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", floats);

  const auto untyped =
      pickle::tuple({pickle::text("storage"), pickle::global("torch.storage", "UntypedStorage"),
                     pickle::text("0"), pickle::text("cpu"), pickle::integer(24)}) +
      "Q";
  const auto state =
      pickle::named({{"_parameters", pickle::named({{"w", pickle::tensor(data, 0, {6}, {1})}})},
                     {"_buffers", "}"},
                     {"_modules", "}"}});
  const auto objects = pickle::named(
      {{"a", pickle::tensor(data, 0, {6}, {1})},
       {"e4m3", pickle::call("torch._utils", "_rebuild_tensor_v3",
                             {untyped, pickle::integer(0), pickle::sides({24}), pickle::sides({1}),
                              "\x89", "N", pickle::global("torch", "float8_e4m3fn")})},
       {"best", pickle::call("numpy.core.multiarray", "scalar", {pickle::integer(1)})},
       {"args", pickle::global("argparse", "Namespace") + ")\x81" +
                    pickle::named({{"rate", pickle::integer(1)}}) + "b"},
       {"net", pickle::global("mine", "Net") + ")\x81" + state + "b"},
       {"counts", pickle::global("collections", "defaultdict") + ")R" + pickle::text("w") +
                      pickle::tensor(data, 0, {6}, {1}) + "s"},
       {"old", "(I12\nL34L\nS'x'\nF1.5\np7\ng7\n\x8f(K\1\x90N0imine\nOld\n"}});
  const auto same = [](const std::string& bytes) { return bytes; };
  const auto any = [](const fs::path& path) -> TensorFile {
    return limpid::read_tensor_file(path);
  };
  const TensorFile tensors{{{"a", at::arange(6, at::kFloat).view({2, 3})},
                            {"b", at::arange(3, at::kLong)},
                            {"c", at::ones({2}, at::kBool)}},
                           {{"epoch", "7"}}};
  const std::string header = R"({"a":{"dtype":"F8_E4M3","shape":[2,3],"data_offsets":[0,6]},)"
                             R"("b":{"dtype":"U16","shape":[2],"data_offsets":[6,10]},)"
                             R"("c":{"dtype":"F4","shape":[2],"data_offsets":[10,11]}})";
  const auto wide = limpid_test::little_endian(header.size(), 8) + header + std::string(11, '\x3c');
  const auto path = scratch / "example";
  limpid::write_safetensors(path, tensors);
  const auto safetensors = content_of(path);
  limpid::detail::write_with_manifest(path, {{"kind", "model"}, {"tasks", nlohmann::json::array()}},
                                      tensors.tensors);
  const auto model = content_of(path);

  return {
      {"safetensors", safetensors, same, any},
      {"limpid model", model, same,
       [](const fs::path& file) -> TensorFile {
         return {limpid::detail::read_with_manifest(file, "model").tensors, {}};
       }},
      {"zip .pth", pickle::zip_pth(content, {{"0", floats}, {"1", flags}}), same, any, true},
      {"pickle in a zip .pth", pickle::whole(content),
       [=](const std::string& damaged) {
         return limpid_test::zip_file(
             {{"a/data.pkl", damaged}, {"a/data/0", floats}, {"a/data/1", flags}});
       },
       any},
      {"objects in a .pth", pickle::whole(objects),
       [=](const std::string& damaged) {
         return limpid_test::zip_file({{"a/data.pkl", damaged}, {"a/data/0", floats}});
       },
       any},
      {"types beyond LibTorch", wide, same, any},
      {"legacy .pth", pickle::legacy_pth(content, {{"0", 6, floats}, {"1", 3, flags}}), same, any},
      {"plain .npz", limpid_test::zip_file({{"a.npy", array}, {"b.npy", array}}), same, any, true},
      {"deflated .npz", limpid_test::zip_file({{"a.npy", array, true}, {"b.npy", array, true}}),
       same, any, true},
      {"zip64 .npz", limpid_test::zip_file({{"a.npy", array}, {"b.npy", array}}, "", true), same,
       any, true},
      {".npy", array, same, any},
  };
}

void check_sound(const TensorFile& file) {
  for (const auto& [name, tensor] : file.tensors) {
    if (!limpid::is_utf8(name) && !name.empty()) throw Finding{"a name that is not UTF-8"};
    if (!tensor.is_contiguous()) throw Finding{"a tensor that is not contiguous"};
    const auto* bytes = static_cast<const unsigned char*>(tensor.data_ptr());
    volatile unsigned sum = 0;
    for (std::size_t i = 0; i < tensor.nbytes(); ++i) sum = sum + bytes[i];
    if (tensor.scalar_type() != at::kBool) continue;
    for (std::size_t i = 0; i < tensor.nbytes(); ++i) {
      if (bytes[i] > 1) throw Finding{"a bool that is neither true nor false"};
    }
  }
}

void check_equal(const TensorFile& file, const TensorFile& original) {
  if (file.tensors.size() != original.tensors.size()) throw Finding{"other tensors"};
  for (const auto& [name, tensor] : original.tensors) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end() || found->second.scalar_type() != tensor.scalar_type() ||
        !at::equal(found->second, tensor)) {
      throw Finding{"another value of '" + name + "'"};
    }
  }
}

class Damage {
 public:
  explicit Damage(std::uint64_t seed) : random_(seed) {}

  std::string operator()(std::string bytes) {
    for (auto edits = random_() % 4 == 0 ? 2 + random_() % 6 : 1; edits > 0; --edits) {
      if (bytes.empty()) return bytes;
      const auto at = random_() % bytes.size();
      switch (random_() % 8) {
        case 0:
        case 1:
          bytes[at] ^= static_cast<char>(1 << random_() % 8);
          break;
        case 2:
        case 3:
          bytes[at] = static_cast<char>(random_());
          break;
        case 4: {  // a run of an extreme value, as lengths and offsets
          constexpr char kExtremes[] = {'\0', '\xff', '\x7f', '\x80'};
          const auto count =
              std::min<std::size_t>(std::size_t{1} << random_() % 4, bytes.size() - at);
          bytes.replace(at, count, count, kExtremes[random_() % 4]);
          break;
        }
        case 5:
          bytes.insert(at, 1 + random_() % 4, static_cast<char>(random_()));
          break;
        case 6:
          bytes.erase(at, 1 + random_() % 4);
          break;
        default: {  // a piece of the file at another place
          const auto piece = bytes.substr(random_() % bytes.size(), 1 + random_() % 24);
          random_() % 2 ? bytes.insert(at, piece) : bytes.replace(at, piece.size(), piece);
        }
      }
    }
    return bytes;
  }

 private:
  std::mt19937_64 random_;
};

class Fuzzer {
 public:
  Fuzzer(fs::path path, std::uint64_t seed) : path_(std::move(path)), seed_(seed) {}

  void run(const Kind& kind, double seconds, int least) {
    const auto started = std::chrono::steady_clock::now();
    const auto original = read(kind, kind.bytes);
    int errors = 0, values = 0;
    for (std::size_t size = 0; size < kind.bytes.size(); ++size) {
      auto cut = kind.bytes.substr(0, size);
      attempt(kind, cut, [&] {
        read(kind, cut);
        throw Finding{"no error, though it is cut short"};
      });
    }
    Damage damage{seed_};
    for (int i = 0; i < least || since(started) < seconds; ++i) {
      const auto damaged = damage(kind.bytes);
      const bool failed = attempt(kind, damaged, [&] {
        const auto file = read(kind, damaged);
        check_sound(file);
        if (kind.is_checked) check_equal(file, original);
      });
      ++(failed ? errors : values);
    }
    std::printf("%-22s %5zu cuts, %7d errors, %6d read, %.1f s\n", kind.name, kind.bytes.size(),
                errors, values, since(started));
    std::fflush(stdout);
  }

 private:
  static double since(std::chrono::steady_clock::time_point started) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  }

  TensorFile read(const Kind& kind, const std::string& bytes) {
    fs::remove(path_);  // ext4 flushes a file that is cut and written again, but not a new one
    std::ofstream{path_, std::ios::binary} << kind.wrapped(bytes);
    return kind.read(path_);
  }

  /// @return whether it ended with an error of limpid's. Anything else that is thrown ends the run.
  template <class Action>
  bool attempt(const Kind& kind, const std::string& bytes, Action action) {
    std::string finding;
    try {
      action();
      return false;
    } catch (const c10::Error&) {
      return true;
    } catch (const Finding& found) {
      finding = found.text;
    } catch (const std::exception& error) {
      finding = std::string{"an exception of another kind: "} + error.what();
    }
    std::ofstream{"fuzz_finding", std::ios::binary} << kind.wrapped(bytes);
    std::fprintf(stderr, "%s: %s (seed %llu; the file is ./fuzz_finding)\n", kind.name,
                 finding.c_str(), static_cast<unsigned long long>(seed_));
    std::exit(1);
  }

  fs::path path_;
  std::uint64_t seed_;
};

}  // namespace

int main(int argc, char** argv) {
  c10::SetStackTraceFetcher([] { return std::string{}; });  // most of the time goes there
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
  const auto seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  const limpid_test::TemporaryFolder folder;
  Fuzzer fuzzer{folder / "damaged", seed};
  for (const auto& kind : kinds(folder.path())) fuzzer.run(kind, seconds, 1000);
}
