#include <limpid/io/pickle.hpp>
#include <limpid/io/pickled_tensors.hpp>
#include <limpid/io/pth.hpp>
#include <limpid/io/tensor_file.hpp>
#include <support/archives.hpp>
#include <support/fixtures.hpp>
#include <support/images.hpp>
#include <support/pickles.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

using limpid::Pickle, limpid::read_pth, limpid::read_tensor_file, limpid::TensorFile,
    limpid::TensorFormat;
using limpid_test::little_endian, limpid_test::TemporaryFolder, limpid_test::write_bytes,
    limpid_test::zip_file;
using namespace limpid_test::pickle;
using namespace std::string_literals;
namespace fs = std::filesystem;

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  }
  return "no error";
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

const auto kSix = bytes_of<float>({0, 1, 2, 3, 4, 5});

/// Pickled: six numbers as (2, 3).
std::string six(const std::string& key = "0") {
  return tensor(storage("FloatStorage", key, 6), 0, {2, 3}, {3, 1});
}

struct OneFile {
  TemporaryFolder folder;
  fs::path path = folder / "a.pth";

  TensorFile read(const std::string& bytes) {
    write_bytes(path, bytes);
    return read_pth(path);
  }

  std::string error(const std::string& bytes) {
    const auto text = error_of([&] { read(bytes); });
    const auto start = "cannot read PyTorch file '" + path.string() + "': ";
    return text.compare(0, start.size(), start) == 0 ? text.substr(start.size()) : text;
  }

  /// The error of a pickled tensor called "w" in a file whose storage "0" has six floats.
  std::string tensor_error(const std::string& content) {
    const auto text = error(zip_pth(named({{"w", content}}), {{"0", kSix}}));
    return text.rfind("tensor 'w': ", 0) == 0 ? text.substr(12) : text;
  }

  std::string pickle_error(const std::string& content) { return error(zip_pth(content, {})); }
};

BOOST_FIXTURE_TEST_SUITE(pth, OneFile)

BOOST_AUTO_TEST_CASE(both_formats_give_back_tensors_by_dotted_name) {
  const auto content = named({{"epoch", integer(7)},
                              {"name", text("best")},
                              {"rate", "G" + std::string("\x3f\xb9\x99\x99\x99\x99\x99\x9a", 8)},
                              {"done", "\x88"},
                              {"nothing", "N"},
                              {"empty", "}"},
                              {"model", named({{"module.conv.weight", six()}})},
                              {"state", dict({{integer(3), tuple({six()})}})}});
  const auto expected = torch::arange(6, torch::kFloat).view({2, 3});
  for (const auto& bytes :
       {zip_pth(content, {{"0", kSix}}), legacy_pth(content, {{"0", 6, kSix}})}) {
    const auto file = read(bytes);
    BOOST_TEST(file.tensors.size() == 2u);
    BOOST_TEST(torch::equal(file.tensors.at("model.module.conv.weight"), expected));
    BOOST_TEST(torch::equal(file.tensors.at("state.3.0"), expected));
    BOOST_TEST(file.metadata.size() == 5u);
    BOOST_TEST(file.metadata.at("epoch") == "7");
    BOOST_TEST(file.metadata.at("name") == "best");
    BOOST_TEST(file.metadata.at("rate") == "0.1");
    BOOST_TEST(file.metadata.at("done") == "true");
    BOOST_TEST(file.metadata.at("nothing") == "none");
  }
}

BOOST_AUTO_TEST_CASE(every_type_is_read) {
  const auto one = [&](const std::string& type, const std::string& bytes) {
    return read(zip_pth(tensor(storage(type, "k", 1), 0, {}, {}), {{"k", bytes}}))
        .tensors.at("value");
  };
  const auto is = [](const at::Tensor& tensor, at::ScalarType type, double value) {
    return tensor.dim() == 0 && tensor.scalar_type() == type && tensor.item<double>() == value;
  };
  BOOST_TEST(is(one("FloatStorage", bytes_of<float>({1.5})), torch::kFloat, 1.5));
  BOOST_TEST(is(one("DoubleStorage", bytes_of<double>({1.5})), torch::kDouble, 1.5));
  BOOST_TEST(is(one("HalfStorage", "\0\x3e"s), torch::kHalf, 1.5));
  BOOST_TEST(is(one("BFloat16Storage", "\xc0\x3f"), torch::kBFloat16, 1.5));
  BOOST_TEST(is(one("LongStorage", bytes_of<std::int64_t>({-2})), torch::kLong, -2));
  BOOST_TEST(is(one("IntStorage", bytes_of<std::int32_t>({-2})), torch::kInt, -2));
  BOOST_TEST(is(one("ShortStorage", bytes_of<std::int16_t>({-2})), torch::kShort, -2));
  BOOST_TEST(is(one("CharStorage", "\xfe"), torch::kChar, -2));
  BOOST_TEST(is(one("ByteStorage", "\xfe"), torch::kByte, 254));
  BOOST_TEST(is(one("BoolStorage", "\1"), torch::kBool, 1));
}

BOOST_AUTO_TEST_CASE(older_and_newer_calls_that_make_tensors) {
  const auto data = storage("FloatStorage", "0", 6);
  const auto hooks = global("collections", "OrderedDict") + ")R";
  const auto untyped = tuple({text("storage"), global("torch.storage", "UntypedStorage"), text("0"),
                              text("cpu"), integer(24)}) +
                       "Q";
  const auto content = named({
      {"old", call("torch._utils", "_rebuild_tensor", {data, integer(1), sides({2}), sides({1})})},
      {"parameter", call("torch._utils", "_rebuild_parameter", {six(), "\x88", hooks})},
      {"third", call("torch._utils", "_rebuild_tensor_v3",
                     {untyped, integer(1), call("torch", "Size", {sides({2})}), sides({1}), "\x89",
                      hooks, global("torch", "float32")})},
      {"ordered", call("collections", "OrderedDict", {"](" + tuple({text("a"), six()}) + "e"}) +
                      named({{"_metadata", "}"}}) + "b"},
      {"device", call("torch", "device", {text("cpu")})},
  });
  const auto file = read(zip_pth(content, {{"0", kSix}}));
  BOOST_TEST(torch::equal(file.tensors.at("old"), torch::tensor({1.f, 2.f})));
  BOOST_TEST(torch::equal(file.tensors.at("third"), torch::tensor({1.f, 2.f})));
  BOOST_TEST(torch::equal(file.tensors.at("parameter"), file.tensors.at("ordered.a")));
  BOOST_TEST(file.tensors.size() == 4u);
}

BOOST_AUTO_TEST_CASE(views_share_what_was_read_once) {
  const auto data = storage("FloatStorage", "0", 6);
  const auto content = named({{"all", six()},
                              {"tail", tensor(data, 4, {2}, {1})},
                              {"turned", tensor(data, 0, {3, 2}, {1, 3})},
                              {"repeated", tensor(data, 5, {4}, {0})},
                              {"none", tensor(data, 6, {0, 3}, {3, 1})}});
  for (const auto& bytes :
       {zip_pth(content, {{"0", kSix}}), legacy_pth(content, {{"0", 6, kSix}})}) {
    const auto tensors = read(bytes).tensors;
    const auto all = tensors.at("all");
    BOOST_TEST(tensors.at("tail").data_ptr<float>() == all.data_ptr<float>() + 4);
    BOOST_TEST(torch::equal(tensors.at("turned"), all.t()));
    BOOST_TEST(tensors.at("turned").is_contiguous());
    BOOST_TEST(torch::equal(tensors.at("repeated"), torch::full({4}, 5.f)));
    BOOST_TEST(tensors.at("none").sizes() == torch::IntArrayRef({0, 3}));
  }
  const auto view = tuple({text("v"), integer(2), integer(3)});
  const auto part = tensor(storage("FloatStorage", "0", 6, view), 1, {2}, {1});
  const auto tensors = read(legacy_pth(named({{"part", part}}), {{"0", 6, kSix}})).tensors;
  BOOST_TEST(torch::equal(tensors.at("part"), torch::tensor({3.f, 4.f})));
}

BOOST_AUTO_TEST_CASE(whatever_is_no_tensor_or_container_is_refused_by_name) {
  const auto refused = [&](const std::string& content, const std::string& name) {
    const auto text = pickle_error(content);
    const auto expected = "refused '" + name + "': only tensors and plain containers are read";
    BOOST_TEST(text.rfind(expected, 0) == 0u, text);
  };
  refused(call("posix", "system", {text("touch owned")}), "posix.system");
  refused(named({{"a", call("builtins", "eval", {text("1")})}}), "builtins.eval");
  refused(text("os") + text("system") + "\x93", "os.system");
  refused(global("torch", "load"), "torch.load");
  refused(global("numpy.core.multiarray", "_reconstruct"), "numpy.core.multiarray._reconstruct");
  refused(global("torch", "\x1b[2J"), "torch.\\x1b[2J");
  for (const auto* opcode : {"i", "o", "\x81", "\x92", "P", "\x82", "\x97"}) {
    const auto text = pickle_error(opcode);
    BOOST_TEST(text.rfind("refused the opcode '", 0) == 0u, text);
  }
  BOOST_TEST(pickle_error("i") ==
             "refused the opcode 'i', which no tensor or plain container needs, at byte 2 of its "
             "pickle");
}

BOOST_AUTO_TEST_CASE(malformed_pickles_are_refused) {
  const auto says = [&](const std::string& content, const std::string& expected) {
    const auto text = pickle_error(content);
    BOOST_TEST(text.rfind(expected, 0) == 0u, text);
  };
  says("", "an empty stack");
  says("t", "no mark");
  says("(", "an empty stack");
  says("NN", "values that belong to nothing");
  says("(N", "values that belong to nothing");
  says("h\7", "a reference to nothing");
  says("Na", "an empty stack");
  says("NNa", "items for what is no list");
  says("]NNs", "items for what is no dict");
  says("}(Nu", "a key without a value");
  says("(Nd", "a key without a value");
  says("NNR", "a malformed call");
  says("NNb", "attributes for what is no dict");
  says("X\xff\xff\xff\xff", "an end that comes too early");
  says("\x8d\xff\xff\xff\xff\xff\xff\xff\xff", "an end that comes too early");
  says("\x80\x06", "protocol 6, expected at most 5");
  says(call("collections", "OrderedDict", {integer(1)}), "a malformed OrderedDict");
  says(call("torch", "Size", {integer(1)}), "a malformed torch.Size");
  says("N.N", "its pickle ends before its file");
  says(dict({{tuple({}), "N"}}), "'' has a key that is no text");
  says(dict({{text("\xff"), "N"}}), "'' has a key that is no name: '\\xff'");
}

BOOST_AUTO_TEST_CASE(what_holds_itself_or_unfolds_without_end_is_refused) {
  BOOST_TEST(pickle_error("]q\0h\0a"s).find("is nested deeper than 32 levels, or holds itself") !=
             std::string::npos);
  BOOST_TEST(pickle_error("}q\0"s + text("a") + "h\0s"s).find("or holds itself") !=
             std::string::npos);
  auto doubling = "]q\0"s;  // each list holds the one before it twice
  for (int level = 1; level <= 30; ++level) {
    const auto last = std::string{"h"} + static_cast<char>(level - 1);
    doubling += "](" + last + last + "eq" + static_cast<char>(level);
  }
  BOOST_TEST(pickle_error("(" + doubling + "t") == "it unfolds to too many values");
  const auto long_text = text(std::string(1 << 16, 'x')) + "q\0"s;
  auto many = "](" + long_text;
  for (int i = 0; i < 2000; ++i) many += "h\0"s;
  BOOST_TEST(pickle_error(many + "e") == "it unfolds to too many values");
  BOOST_TEST(pickle_error("](" + std::string(2'000'001, '}') + "e").rfind("more than 2000000", 0) ==
             0u);
}

BOOST_AUTO_TEST_CASE(tensors_that_do_not_fit_their_storage_are_refused) {
  const auto data = storage("FloatStorage", "0", 6);
  const auto beyond = "a shape or strides beyond its storage"s;
  BOOST_TEST(tensor_error(six()) == "no error");
  BOOST_TEST(tensor_error(tensor(data, 1, {2, 3}, {3, 1})) == beyond);
  BOOST_TEST(tensor_error(tensor(data, 0, {2, 3}, {4, 1})) == beyond);
  BOOST_TEST(tensor_error(tensor(data, 6, {}, {})) == beyond);
  BOOST_TEST(tensor_error(tensor(data, 7, {0}, {1})) == "an offset beyond its storage");
  BOOST_TEST(tensor_error(tensor(data, -1, {1}, {1})) == "a malformed offset");
  BOOST_TEST(tensor_error(tensor(data, 5, {2}, {-1})) == "a malformed strides");
  BOOST_TEST(tensor_error(tensor(data, 0, {-1}, {1})) == "a malformed shape");
  BOOST_TEST(tensor_error(tensor(data, 0, {2}, {1, 1})) == "as many strides as 2, expected 1");
  BOOST_TEST(tensor_error(tensor(data, 0, {2, 2}, {1ll << 48, 1ll << 48})) == beyond);
  BOOST_TEST(tensor_error(tensor(data, 0, {1ll << 48, 1ll << 48}, {0, 0})) ==
             "a shape beyond all bounds");
  BOOST_TEST(tensor_error(tensor(data, 0, {0, 1ll << 48, 1ll << 48}, {1, 1, 1})) ==
             "a shape beyond all bounds");
  BOOST_TEST(tensor_error(tensor(data, 0, {1ll << 40}, {0})) ==
             "strides that repeat its numbers up to too many bytes");
  BOOST_TEST(tensor_error(tensor(storage("FloatStorage", "0", 7), 0, {1}, {1})) ==
             "a storage of 28 bytes, its file has 24");
  BOOST_TEST(tensor_error(tensor(storage("FloatStorage", "1", 6), 0, {1}, {1})) ==
             "a storage '1' that is not in the file");
  BOOST_TEST(tensor_error(tensor(storage("Size", "0", 6), 0, {1}, {1})) ==
             "a storage of class 'torch.Size'");
  BOOST_TEST(tensor_error(tensor("N", 0, {1}, {1})) == "no storage");
  BOOST_TEST(tensor_error(tensor(storage("BoolStorage", "0", 24), 0, {1}, {1}))
                 .rfind("a bool of value", 0) == 0u);
  BOOST_TEST(error(zip_pth(named({{"a", named({{"b", six()}})}, {"a.b", six()}}), {{"0", kSix}})) ==
             "two tensors are called 'a.b'");
  BOOST_TEST(error(zip_pth(named({{"\xc3\xa4\x1b", "N"}, {"w", tensor("N", 0, {}, {})}}), {})) ==
             "tensor 'w': no storage");
}

BOOST_AUTO_TEST_CASE(malformed_files_are_refused) {
  BOOST_TEST(error("") == "expected a zip archive or a pickle");
  BOOST_TEST(error("text") == "expected a zip archive or a pickle");
  const auto tar = std::string(257, 'x') + "ustar" + std::string(300, 'x');
  BOOST_TEST(error(tar).rfind("the tar format of PyTorch before 0.1.10 is not supported", 0) == 0u);
  BOOST_TEST(error(zip_file({{"a/b", ""}})) ==
             "expected an archive with data.pkl, found one of 1 other entries");
  BOOST_TEST(error(zip_file({{"a/data.pkl", whole("N")}, {"a/constants.pkl", ""}}))
                 .rfind("expected tensors, found a TorchScript program", 0) == 0u);
  BOOST_TEST(error(zip_file({{"a/data.pkl", whole("N")}, {"a/byteorder", "big"}})) ==
             "expected little-endian numbers");
  auto damaged = zip_pth(named({{"w", six()}}), {{"0", kSix}});
  damaged[damaged.find(kSix) + 5] ^= 1;
  BOOST_TEST(error(damaged).find("the checksum of 'archive/data/0' does not hold") !=
             std::string::npos);

  const auto content = named({{"w", six()}});
  const auto legacy = legacy_pth(content, {{"0", 6, kSix}});
  BOOST_TEST(error(whole("N")) == "expected the number of the legacy format");
  BOOST_TEST(error(legacy_pth(content, {{"1", 6, kSix}})) == "a storage that no tensor names");
  BOOST_TEST(error(legacy_pth(content, {})) == "a list of storages that does not fit its tensors");
  BOOST_TEST(error(legacy_pth(content, {{"0", 5, kSix}})) == "a storage of 5 numbers, expected 6");
  BOOST_TEST(error(legacy_pth(content, {{"0", 6, "short"}})) == "a storage that is cut short");
  BOOST_TEST(error(legacy + "x") == "1 bytes behind its last storage");
  BOOST_TEST(error(legacy_pth(
                 named({{"w", six()}, {"v", tensor(storage("FloatStorage", "0", 5), 0, {1}, {1})}}),
                 {{"0", 6, kSix}})) == "a storage with two lengths");
  for (std::size_t size = 0; size < legacy.size(); ++size) {
    BOOST_TEST((error(legacy.substr(0, size)) != "no error"), size);
  }
}

BOOST_AUTO_TEST_CASE(every_format_is_recognised_by_what_it_holds) {
  const auto found = [&](const std::string& bytes) {
    write_bytes(path, bytes);
    return read_tensor_file(path);
  };
  const auto expected = torch::arange(6, torch::kFloat).view({2, 3});
  const auto content = named({{"w", six()}});
  const auto array =
      limpid_test::npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", kSix);
  const auto check = [&](const limpid::RecognisedFile& file, TensorFormat format,
                         const std::string& name = "w") {
    BOOST_TEST((file.format == format), name_of(file.format));
    BOOST_TEST(torch::equal(file.tensors.at(name), expected));
  };
  check(found(zip_pth(content, {{"0", kSix}})), TensorFormat::pth);
  check(found(legacy_pth(content, {{"0", 6, kSix}})), TensorFormat::legacy_pth);
  check(found(zip_file({{"w.npy", array}})), TensorFormat::npz);
  check(found(array), TensorFormat::npy, "array");
  limpid::write_safetensors(path, {{{"w", expected}}, {}});
  check(read_tensor_file(path), TensorFormat::safetensors);
  limpid::write_safetensors(path, {{{"w", expected}}, {{"limpid", "{}"}}});
  check(read_tensor_file(path), TensorFormat::limpid);

  const auto start =
      "cannot read tensor file '" + path.string() +
      "': expected safetensors, a PyTorch file (zip or legacy), .npz or .npy, found ";
  BOOST_TEST(error_of([&] { found(""); }) == start + "nothing in it");
  BOOST_TEST(error_of([&] { found("some text"); }) == start + "something else");
  BOOST_TEST(error_of([&] { found(whole("N")); }) == start + "a pickle of something else");
  BOOST_TEST(error_of([&] { read_tensor_file(folder.path()); }) ==
             "cannot read tensor file '" + folder.path().string() + "': it is a folder");
}

BOOST_AUTO_TEST_SUITE_END()

/// What tests/weights/write_weights.py wrote, and what it says must be in there.
BOOST_AUTO_TEST_SUITE(from_python)

BOOST_AUTO_TEST_CASE(every_value_that_pytorch_wrote_is_read) {
  const fs::path folder = limpid_test::folder_from("LIMPID_WEIGHTS_DIR", "no LIMPID_WEIGHTS_DIR");
  if (!limpid_test::available(folder)) return;
  const auto expected = limpid::read_safetensors(folder / "expected.safetensors");
  std::map<std::string, limpid::RecognisedFile> files;
  for (const auto& entry : fs::directory_iterator{folder}) {
    const auto name = entry.path().stem().string();
    if (entry.path().extension() != ".pth" || name.rfind("refused_", 0) == 0) continue;
    files.emplace(name, read_tensor_file(entry.path()));
  }
  const auto split = [](const std::string& name) {
    const auto slash = name.find('/');
    return std::pair{name.substr(0, slash), name.substr(slash + 1)};
  };
  std::size_t tensors = 0, texts = 0;
  for (const auto& [name, file] : files) {
    tensors += file.tensors.size();
    texts += file.metadata.size();
    const bool is_legacy = name.find("_legacy") != std::string::npos;
    BOOST_TEST((file.format == (is_legacy ? TensorFormat::legacy_pth : TensorFormat::pth)), name);
  }
  BOOST_TEST(tensors == expected.tensors.size());
  BOOST_TEST(texts == expected.metadata.size());
  for (const auto& [name, value] : expected.tensors) {
    const auto [file, key] = split(name);
    const auto& found = files.at(file).tensors;
    BOOST_REQUIRE_MESSAGE(found.count(key) == 1, name << " is missing");
    BOOST_TEST((found.at(key).scalar_type() == value.scalar_type()), name);
    BOOST_TEST(found.at(key).is_contiguous(), name);
    BOOST_TEST(torch::equal(found.at(key), value), name);
  }
  for (const auto& [name, value] : expected.metadata) {
    const auto [file, key] = split(name);
    BOOST_TEST(files.at(file).metadata.at(key) == value, name);
  }
  BOOST_TEST(tensors > 200u);
}

BOOST_AUTO_TEST_CASE(what_is_more_than_tensors_is_refused_and_not_executed) {
  const fs::path folder = limpid_test::folder_from("LIMPID_WEIGHTS_DIR", "no LIMPID_WEIGHTS_DIR");
  if (!limpid_test::available(folder)) return;
  const auto says = [&](const std::string& name, const std::string& text) {
    const auto error = error_of([&] { read_tensor_file(folder / name); });
    BOOST_TEST((error.find(text) != std::string::npos), name << ": " << error);
  };
  says("refused_hostile_zip.pth", "refused 'posix.system'");
  says("refused_hostile_legacy.pth", "refused 'posix.system'");
  says("refused_module_zip.pth", "refused 'torch.nn.modules.linear.Linear'");
  says("refused_module_legacy.pth", "refused 'torch.nn.modules.linear.Linear'");
  says("refused_sparse.pth", "refused 'torch._utils._rebuild_sparse_tensor'");
  says("refused_complex.pth", "refused 'torch.ComplexFloatStorage'");
  says("refused_script.pth", "found a TorchScript program");
  BOOST_TEST(!fs::exists(folder / "executed"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
