#include <limpid/core/random.hpp>
#include <limpid/io/safetensors.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>

namespace {

using limpid::read_safetensors, limpid::TensorFile, limpid::write_safetensors;
using limpid_test::error_of, limpid_test::read_bytes, limpid_test::TemporaryFolder,
    limpid_test::write_bytes;
namespace fs = std::filesystem;

/// A file with this header and `data_bytes` zeros behind it.
std::string file_with(const std::string& header, std::size_t data_bytes = 0) {
  auto length = limpid_test::big_endian(header.size(), 8);
  return std::string{length.rbegin(), length.rend()} + header + std::string(data_bytes, '\0');
}

TensorFile sample() {
  TensorFile file;
  file.tensors["weight"] = torch::arange(6, torch::kFloat).view({2, 3});
  file.tensors["half"] = torch::tensor({0.5, -2.0}).to(torch::kHalf);
  file.tensors["brain"] = torch::tensor({1.5}).to(torch::kBFloat16);
  file.tensors["double"] = torch::tensor({1e-300}, torch::kDouble);
  file.tensors["steps"] = torch::tensor(std::int64_t{1} << 40);
  file.tensors["bytes"] = torch::arange(5).to(torch::kByte);
  file.tensors["flags"] = torch::tensor({true, false});
  file.tensors["empty"] = torch::empty({0, 4});
  file.tensors["turned"] = torch::arange(6, torch::kInt).view({2, 3}).t();
  file.metadata["format"] = "limpid";
  return file;
}

struct OneFile {
  TemporaryFolder folder;
  fs::path path = folder / "a.safetensors";

  std::string error(const std::string& bytes) {
    write_bytes(path, bytes);
    const auto text = error_of([&] { read_safetensors(path); });
    const auto start = "cannot read safetensors file '" + path.string() + "': ";
    return text.compare(0, start.size(), start) == 0 ? text.substr(start.size()) : text;
  }
};

BOOST_FIXTURE_TEST_SUITE(safetensors, OneFile)

BOOST_AUTO_TEST_CASE(gives_back_every_type_shape_and_value) {
  const auto written = sample();
  write_safetensors(path, written);
  const auto read = read_safetensors(path);
  BOOST_TEST(read.metadata.at("format") == "limpid");
  BOOST_REQUIRE(read.tensors.size() == written.tensors.size());
  for (const auto& [name, tensor] : written.tensors) {
    BOOST_TEST(read.tensors.at(name).scalar_type() == tensor.scalar_type(), name);
    BOOST_TEST(torch::equal(read.tensors.at(name), tensor), name);
  }
  write_safetensors(path, {});
  BOOST_TEST(read_safetensors(path).tensors.empty());
}

BOOST_AUTO_TEST_CASE(hostile_headers_are_refused) {
  using namespace std::string_literals;
  const auto entry = [&](const std::string& fields, std::size_t bytes = 8) {
    return error(file_with("{\"a\":{" + fields + "}}", bytes));
  };
  BOOST_TEST(error("abc") == "expected a header length of 8 bytes, found a file of 3");
  BOOST_TEST(error("\xff\xff\xff\xff\xff\xff\xff\xff{}"s).find("(cut short, or not safetensors)") !=
             std::string::npos);
  BOOST_TEST(error(file_with("[]")) == "its header: expected a JSON object, found []");
  BOOST_TEST(error(file_with("{")).find("its header: expected JSON, found the end") == 0u);
  BOOST_TEST(error(file_with("{\"a\":1}")).find("tensor 'a' is malformed") == 0u);
  BOOST_TEST(error(file_with("{\"__metadata__\":{\"a\":1}}")).find("metadata is malformed") == 0u);
  BOOST_TEST(entry(R"("dtype":"F4","shape":[1],"data_offsets":[0,9])") ==
             "tensor 'a' has offsets [0,9] that do not hold its shape");
  BOOST_TEST(entry(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])") ==
             "tensor 'a' has a shape with -2");
  BOOST_TEST(entry(R"("dtype":"F32","shape":2,"data_offsets":[0,8])") ==
             "tensor 'a' has a shape with 2");
  BOOST_TEST(entry(R"("dtype":"F32","shape":[4294967296,4294967296,16],"data_offsets":[0,8])") ==
             "tensor 'a' has a shape larger than the file");
  BOOST_TEST(entry(R"("dtype":"F32","shape":[2],"data_offsets":[8,16])") ==
             "tensor 'a' has offsets [8,16] that do not hold its shape");
  BOOST_TEST(entry(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])") ==
             "tensor 'a' has offsets [8,0] that do not hold its shape");
  BOOST_TEST(entry(R"("dtype":"F32","shape":[1],"data_offsets":[0,8])") ==
             "tensor 'a' has offsets [0,8] that do not hold its shape");
  BOOST_TEST(error(file_with(R"({"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})") +
                   "\2") == "tensor 'a' has a bool of value 2");
  BOOST_TEST(entry(R"("dtype":"F32","shape":[2],"data_offsets":{"x":0,"y":8})") ==
             R"(tensor 'a' has offsets {"x":0,"y":8})");
  BOOST_TEST(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0.0,8])") ==
             "tensor 'a' has offsets [0.0,8]");
  BOOST_TEST(entry(R"("dtype":7,"shape":[2],"data_offsets":[0,8])").find("is malformed") !=
             std::string::npos);
  BOOST_TEST(entry(R"("dtype":"F32","shape":[2])").find("is malformed") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(types_that_libtorch_lacks_become_wider_or_are_passed_over) {
  using namespace std::string_literals;
  const auto header = R"({"e4m3":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]},)"
                      R"("e5m2":{"dtype":"F8_E5M2","shape":[1],"data_offsets":[3,4]},)"
                      R"("u16":{"dtype":"U16","shape":[1],"data_offsets":[4,6]},)"
                      R"("u32":{"dtype":"U32","shape":[1],"data_offsets":[6,10]},)"
                      R"("complex":{"dtype":"C64","shape":[1],"data_offsets":[10,18]},)"
                      R"("u64":{"dtype":"U64","shape":[1],"data_offsets":[18,26]},)"
                      R"("four":{"dtype":"F4","shape":[3],"data_offsets":[26,28]}})"s;
  const auto data = "\x38\xc0\x7e"s + "\x3c"s + "\xff\xff"s + "\xff\xff\xff\xff"s +
                    "\0\0\x80\x3f\0\0\0\x40"s + std::string(8, '\1') + "ab";
  write_bytes(path, file_with(header) + data);
  const auto file = read_safetensors(path);
  BOOST_TEST(torch::equal(file.tensors.at("e4m3"), torch::tensor({1.f, -2.f, 448.f})));
  BOOST_TEST(torch::equal(file.tensors.at("e5m2"), torch::tensor({1.f})));
  BOOST_TEST(torch::equal(file.tensors.at("u16"), torch::tensor({65535}, torch::kInt)));
  BOOST_TEST(torch::equal(file.tensors.at("u32"), torch::tensor({4294967295}, torch::kLong)));
  BOOST_TEST(file.tensors.at("complex").is_complex());
  BOOST_TEST(file.tensors.size() == 5u);
  BOOST_TEST(file.passed_over.at("u64") == "a tensor of type 'U64'");
  BOOST_TEST(file.passed_over.at("four") == "a tensor of type 'F4'");
}

BOOST_AUTO_TEST_CASE(headers_of_many_brackets_are_refused_in_no_time) {
  const std::size_t deep = 200'000;
  for (const std::string field : {"shape", "data_offsets", "dtype", "other"}) {
    const auto header =
        "{\"a\":{\"" + field + "\":" + std::string(deep, '[') + std::string(deep, ']') + "}}";
    BOOST_TEST(error(file_with(header)) ==
               "its header: expected JSON of at most 8 nested brackets, found more");
  }
  const auto wide = "{\"a\":{\"dtype\":\"F32\",\"shape\":[" + std::string(100'000, ' ') +
                    "-1],\"data_offsets\":[0,0]}}";
  BOOST_TEST(error(file_with(wide)) == "tensor 'a' has a shape with -1");
}

BOOST_AUTO_TEST_CASE(tensors_that_share_their_bytes_are_refused) {
  // Else a small file could ask for any amount of memory.
  BOOST_TEST(error(file_with(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                             R"("b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                             8)) == "tensor 'b' has data that another tensor has too");
}

BOOST_AUTO_TEST_CASE(empty_tensors_of_absurd_shape_are_an_error_or_empty) {
  const auto found =
      error(file_with(R"({"a":{"dtype":"F32","shape":[0,9223372036854775807,9223372036854775807],)"
                      R"("data_offsets":[0,0]}})"));
  BOOST_TEST_MESSAGE(found);
  BOOST_TEST(!found.empty());
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_read_are_named) {
  BOOST_TEST(error_of([&] { read_safetensors(folder / "none"); }) ==
             "cannot read safetensors file '" + (folder / "none").string() +
                 "': No such file or directory");
  BOOST_TEST(error_of([&] { read_safetensors(folder.path()); }) ==
             "cannot read safetensors file '" + folder.path().string() + "': it is a folder");
}

BOOST_AUTO_TEST_CASE(every_truncation_is_an_error) {
  write_safetensors(path, sample());
  const auto bytes = read_bytes(path);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    BOOST_TEST(error(bytes.substr(0, size)) != "no error", "cut at " << size);
  }
}

BOOST_AUTO_TEST_CASE(damaged_files_never_crash) {
  write_safetensors(path, sample());
  const auto original = read_bytes(path);
  auto random = limpid::Random{3};
  std::int64_t read = 0;
  std::int64_t refused = 0;
  for (int round = 0; round < 4000; ++round) {
    auto bytes = original;
    for (auto flips = 1 + random.below(3); flips > 0; --flips) {
      const auto at =
          static_cast<std::size_t>(random.below(static_cast<std::int64_t>(bytes.size())));
      bytes[at] = static_cast<char>(random.below(256));
    }
    ++(error(bytes) == "no error" ? read : refused);
  }
  BOOST_TEST(read > 0);
  BOOST_TEST(refused > 1000);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
