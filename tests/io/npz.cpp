#include <limpid/core/printable.hpp>
#include <limpid/io/inflate.hpp>
#include <limpid/io/input_file.hpp>
#include <limpid/io/npy.hpp>
#include <limpid/io/npz.hpp>
#include <limpid/io/zip.hpp>
#include <support/archives.hpp>
#include <support/errors.hpp>
#include <support/fixtures.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <filesystem>
#include <string>

namespace {

using limpid::read_npy, limpid::read_npz, limpid::ZipArchive, limpid::ZipLimits;
using namespace limpid_test;
using namespace std::string_literals;
namespace fs = std::filesystem;

struct OneFile {
  TemporaryFolder folder;
  fs::path path = folder / "a.npz";

  ZipArchive archive(const std::string& bytes, ZipLimits limits = {}) {
    write_bytes(path, bytes);
    return ZipArchive{path, limits};
  }

  /// What reading every entry says, without the part that names the file.
  std::string error(const std::string& bytes, ZipLimits limits = {}) {
    const auto text = error_of([&] {
      auto opened = archive(bytes, limits);
      for (const auto& entry : opened.entries()) opened.read(entry);
    });
    const auto start = "cannot read zip archive '" + path.string() + "': ";
    return text.compare(0, start.size(), start) == 0 ? text.substr(start.size()) : text;
  }

  at::Tensor array(const std::string& bytes) {
    write_bytes(path, bytes);
    return read_npy(path);
  }

  std::string npy_error(const std::string& bytes) {
    const auto text = error_of([&] { array(bytes); });
    const auto start = "cannot read npy file '" + path.string() + "': it has ";
    return text.compare(0, start.size(), start) == 0 ? text.substr(start.size()) : text;
  }
};

const std::string kText = "a text that repeats, a text that repeats, a text that repeats";

BOOST_FIXTURE_TEST_SUITE(zip, OneFile)

BOOST_AUTO_TEST_CASE(plain_and_deflated_entries_give_back_their_bytes) {
  for (const bool zip64 : {false, true}) {
    auto read = archive(
        zip_file({{"plain", kText}, {"small", kText, true}, {"empty", ""}, {"nothing", "", true}},
                 "", zip64));
    BOOST_REQUIRE(read.entries().size() == 4u);
    BOOST_TEST(read.read(*read.find("plain")) == kText);
    BOOST_TEST(read.find("small")->packed_size < kText.size());
    BOOST_TEST(read.read(*read.find("small")) == kText);
    BOOST_TEST(read.read(*read.find("empty")) == "");
    BOOST_TEST(read.read(*read.find("nothing")) == "");
    BOOST_TEST(!read.find("other"));
  }
  BOOST_TEST(archive(zip_file({})).entries().empty());
  BOOST_TEST(archive(zip_file({{"a", "b"}}, "PK\5\6 is no end"s)).entries().size() == 1u);
}

BOOST_AUTO_TEST_CASE(sizes_beyond_32_bits_stand_in_an_extra_field) {
  auto part = ZipPart{"a", kText};
  const auto size = part.size;
  part.extra = "xx\2\0ab"s + "\1\0\x10\0"s + little_endian(size, 8) + little_endian(size, 8);
  auto file = zip_file({part});
  const auto directory = file.find("PK\1\2");
  file.replace(directory + 20, 8, "\xff\xff\xff\xff\xff\xff\xff\xff");
  auto read = archive(file);
  BOOST_TEST(read.read(read.entries()[0]) == kText);
  part.extra = "\1\0\x08\0"s + little_endian(size, 8);
  file = zip_file({part});
  file.replace(file.find("PK\1\2") + 20, 8, "\xff\xff\xff\xff\xff\xff\xff\xff");
  BOOST_TEST(error(file) == "'a' has a zip64 field that is cut short");
}

BOOST_AUTO_TEST_CASE(an_archive_without_any_checksum_is_read) {
  auto part = ZipPart{"a", kText};
  part.checksum = 0;  // as torch.serialization.set_crc32_options(False) leaves it
  auto read = archive(zip_file({part}));
  BOOST_TEST(read.read(read.entries()[0]) == kText);
  BOOST_TEST(error(zip_file({part, {"b", kText}})) ==
             "the checksum of 'a' does not hold; the file is damaged");
}

BOOST_AUTO_TEST_CASE(hostile_archives_are_refused) {
  BOOST_TEST(error("PK") == "expected at least 22 bytes, found 2");
  BOOST_TEST(error(std::string(100, 'x')) ==
             "it has no directory (cut short, or not a zip archive)");
  BOOST_TEST(error(zip_file({{"a", "1"}, {"a", "2"}})) == "two entries are called 'a'");

  auto part = ZipPart{"a", kText};
  part.checksum ^= 1;
  BOOST_TEST(error(zip_file({part})) == "the checksum of 'a' does not hold; the file is damaged");
  part = {"a", kText, true};
  part.packed[3] ^= 8;
  BOOST_TEST(error(zip_file({part})).find("'a' ") != std::string::npos);
  part = {"a", kText};
  part.flags = 1;
  BOOST_TEST(error(zip_file({part})) == "'a' is encrypted or patched, which is not supported");
  part = {"a", kText};
  part.method = 12;
  BOOST_TEST(error(zip_file({part})) ==
             "'a': expected compression method 0 (none) or 8 (deflate), found 12");
  part = {"a", kText};
  part.size += 1;
  BOOST_TEST(error(zip_file({part})) == "'a' cannot hold the 62 bytes it says");
  part.said_packed_size += 1;
  BOOST_TEST(error(zip_file({part})) == "'a' lies outside the file");
  part = {"a", kText};
  part.name_in_header = "b";
  BOOST_TEST(error(zip_file({part})) == "the header of 'a' does not fit the directory");
  part = {"b", kText};
  part.header = 0;
  part.name_in_header = "a";
  BOOST_TEST(error(zip_file({{"a", kText}, part})) == "'b' overlaps another entry");
  part = {"\x1b[2Ja\xff", kText};
  part.checksum = 1;
  BOOST_TEST(error(zip_file({part})) ==
             "the checksum of '\\x1b[2Ja\\xff' does not hold; the file is damaged");
}

BOOST_AUTO_TEST_CASE(a_small_archive_cannot_ask_for_much_memory) {
  auto part = ZipPart{"a", kText, true};
  part.size = 0xfffffff0;
  BOOST_TEST(error(zip_file({part})) == "'a' cannot hold the 4294967280 bytes it says");
  part.size = 1000;
  BOOST_TEST(error(zip_file({part})) ==
             "'a' has damaged deflate data, or not the 1000 bytes that the directory says");
  part.size = kText.size() - 1;
  BOOST_TEST(error(zip_file({part})) ==
             "'a' has damaged deflate data, or not the 60 bytes that the directory says");
  BOOST_TEST(error(zip_file({{"a", kText, true}, {"b", kText, true}}), {.inflated_bytes = 121}) ==
             "its unpacked size exceeds the limit of 121 bytes");
  BOOST_TEST(error(zip_file({{"a", kText, true}, {"b", kText, true}}), {.inflated_bytes = 122}) ==
             "no error");
  const auto zeros = std::string(3'000'000, '\0');  // packed to three thousand
  BOOST_TEST(error(zip_file({{"a", zeros, true}}), {.inflated_bytes_of_any = 1'000'000}) ==
             "its unpacked size exceeds the limit of 1000000 bytes");
  BOOST_TEST(error(zip_file({{"a", ""}, {"b", ""}}), {.entries = 1}) ==
             "2 entries exceed the limit of 1");
}

BOOST_AUTO_TEST_CASE(every_archive_that_is_cut_short_is_refused) {
  const auto whole = zip_file({{"a", kText}, {"b", kText, true}}, "", true);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    BOOST_TEST((error(whole.substr(0, size)) != "no error"), size);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(npz, OneFile)

const auto kTwoByThree = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }   \n"s;
const auto kSixShorts = "\1\0\2\0\3\0\4\0\5\0\xff\xff"s;

BOOST_AUTO_TEST_CASE(arrays_of_all_versions_types_and_orders) {
  const auto expected = torch::tensor({1, 2, 3, 4, 5, -1}, torch::kShort);
  for (const int version : {1, 2, 3}) {
    const auto read = array(npy_file(kTwoByThree, kSixShorts, version));
    BOOST_TEST(torch::equal(read, expected.view({2, 3})));
  }
  const auto turned =
      array(npy_file("{'shape': (2, 3), 'descr': '<i2', 'fortran_order': True}", kSixShorts));
  BOOST_TEST(turned.is_contiguous());
  BOOST_TEST(torch::equal(turned, expected.view({3, 2}).t()));

  const auto one = [&](const std::string& type, const std::string& data) {
    return array(npy_file("{'descr':'" + type + "','fortran_order':False,'shape':()}", data));
  };
  const auto is = [](const at::Tensor& tensor, at::ScalarType type, double value) {
    return tensor.dim() == 0 && tensor.scalar_type() == type && tensor.item<double>() == value;
  };
  BOOST_TEST(is(one("<f4", "\0\0\xc0\x3f"s), torch::kFloat, 1.5));
  BOOST_TEST(is(one("<f8", "\0\0\0\0\0\0\xf8\x3f"s), torch::kDouble, 1.5));
  BOOST_TEST(is(one("<f2", "\0\x3e"s), torch::kHalf, 1.5));
  BOOST_TEST(is(one("<i8", little_endian(1ull << 40, 8)), torch::kLong, std::ldexp(1.0, 40)));
  BOOST_TEST(is(one("<i4", "\xfe\xff\xff\xff"s), torch::kInt, -2));
  BOOST_TEST(is(one("|i1", "\xfe"), torch::kChar, -2));
  BOOST_TEST(is(one("|u1", "\xfe"), torch::kByte, 254));
  BOOST_TEST(is(one("|b1", "\1"), torch::kBool, 1));
  BOOST_TEST(is(one("<u2", "\xfe\xff"), torch::kInt, 65534));
  BOOST_TEST(is(one("<u4", "\xfe\xff\xff\xff"), torch::kLong, 4294967294));
  const auto none = array(npy_file("{'descr':'<f4','fortran_order':False,'shape':(0,7)}", ""));
  BOOST_TEST(none.sizes() == torch::IntArrayRef({0, 7}));
}

BOOST_AUTO_TEST_CASE(hostile_arrays_are_refused) {
  const auto with = [&](const std::string& dictionary, const std::string& data = {}) {
    return npy_error(npy_file(dictionary, data));
  };
  BOOST_TEST(npy_error("\x93NUMPY\1") == "no .npy header (cut short, or not an array)");
  BOOST_TEST(npy_error(npy_file(kTwoByThree, kSixShorts, 4)) ==
             "version 4.0 of .npy, expected 1.0 to 3.0");
  BOOST_TEST(npy_error("\x93NUMPY\1\0\xff\xff"s) == "a header that is cut short");
  BOOST_TEST(with(kTwoByThree, "12345") == "a shape larger than the file");
  BOOST_TEST(with(kTwoByThree, kSixShorts + "1") == "13 bytes of data, expected 12");
  BOOST_TEST(with("{'descr':'>f4','fortran_order':False,'shape':()}") ==
             "type '>f4', expected little-endian numbers such as <f4");
  BOOST_TEST(with("{'descr':'|O','fortran_order':False,'shape':()}") ==
             "type '|O', expected little-endian numbers such as <f4");
  BOOST_TEST(with("{'descr':[('a','<f4')],'fortran_order':False,'shape':()}") ==
             "a structured type, expected numbers");
  BOOST_TEST(with("{'descr':'<f4','fortran_order':False,'shape':(4294967296,4294967296,9)}") ==
             "a shape larger than the file");
  BOOST_TEST(with("{'descr':'<f4','fortran_order':False,'shape':(99999999999999999999,)}") ==
             "a shape larger than the file");
  BOOST_TEST(with("{'descr':'<f4','fortran_order':False,'shape':(-1,)}") ==
             "a malformed header (expected a number at 46)");
  BOOST_TEST(with("{'descr':'|b1','fortran_order':False,'shape':()}", "\2") == "a bool of value 2");
  BOOST_TEST(with("{'descr':'<f4','fortran_order':False}") ==
             "a header without descr, fortran_order or shape");
  BOOST_TEST(with("{'descr':'<f4','run':'it'}") == "a header with the entry 'run'");
  BOOST_TEST(with("{}__import__('os')") == "a header with more than a dictionary");
  BOOST_TEST(with("{'descr") == "a malformed header (an endless string)");
}

BOOST_AUTO_TEST_CASE(an_archive_of_arrays_is_read_by_name_and_errors_name_the_array) {
  const auto whole = npy_file(kTwoByThree, kSixShorts);
  for (const bool deflate : {false, true}) {
    write_bytes(path, zip_file({{"first.npy", whole, deflate}, {"b.c.npy", whole, deflate}}));
    const auto arrays = read_npz(path);
    BOOST_REQUIRE(arrays.size() == 2u);
    BOOST_TEST(arrays.at("first").sum().item<int>() == 14);
    BOOST_TEST(torch::equal(arrays.at("first"), arrays.at("b.c")));
  }
  const auto start = "cannot read npz file '" + path.string() + "': ";
  write_bytes(path, zip_file({{"bad.npy", "nothing"}}));
  BOOST_TEST(error_of([&] { read_npz(path); }) ==
             start + "array 'bad' has no .npy header (cut short, or not an array)");
  write_bytes(path, zip_file({{"readme.txt", "nothing"}}));
  BOOST_TEST(error_of([&] { read_npz(path); }) ==
             start +
                 "expected arrays of numbers (NAME.npy), found 1 other entries, such as "
                 "'readme.txt' (no array, but a file of 7 bytes)");
  const auto objects = npy_file("{'descr':'|O','fortran_order':False,'shape':(1,)}", "pickled");
  write_bytes(path, zip_file({{"a.npy", whole, true}, {"b.npy", objects}, {"c.txt", "nothing"}}));
  const auto file = limpid::read_all(limpid::index_npz(path));
  BOOST_TEST(file.tensors.size() == 1u);
  BOOST_TEST(file.passed_over.at("b") ==
             "an array of type '|O', expected little-endian numbers such as <f4");
  BOOST_TEST(file.passed_over.at("c.txt") == "no array, but a file of 7 bytes");
  BOOST_TEST(error_of([&] { read_npz(folder / "none.npz"); }).find("No such file") !=
             std::string::npos);
}

// Sums from NumPy.
BOOST_AUTO_TEST_CASE(published_plain_arrays_are_read) {
  const auto file = data_folder() / "weights" / "niqe_pris_params.npz";
  if (!available(file)) return;
  const auto model = read_npz(file);
  BOOST_TEST(model.size() == 3u);
  BOOST_TEST(model.at("mu_pris_param").sizes() == torch::IntArrayRef({1, 36}));
  BOOST_TEST(std::abs(model.at("mu_pris_param").sum().item<double>() - 17.32876552816881) < 1e-12);
  BOOST_TEST(std::abs(model.at("cov_pris_param").sum().item<double>() - 13.276807347444823) <
             1e-12);
  BOOST_TEST(model.at("gaussian_window").sizes() == torch::IntArrayRef({7, 7}));
}

BOOST_AUTO_TEST_CASE(published_deflated_arrays_are_read) {
  const auto file = data_folder() / "depth" / "motorcycle_disp.npz";
  if (!available(file)) return;
  const auto disparity = read_npz(file).at("arr_0");
  BOOST_TEST(disparity.sizes() == torch::IntArrayRef({500, 741}));
  BOOST_TEST(disparity.isinf().sum().item<std::int64_t>() == 27226);
  const auto known = disparity.masked_select(disparity.isfinite()).to(torch::kDouble);
  BOOST_TEST(std::abs(known.sum().item<double>() - 11788647.234642029) < 1e-6);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
