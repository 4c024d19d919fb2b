#include <limpid/io/pickle.hpp>
#include <limpid/io/pickled_tensors.hpp>
#include <limpid/io/pth.hpp>
#include <limpid/io/tensor_file.hpp>
#include <support/archives.hpp>
#include <support/errors.hpp>
#include <support/fixtures.hpp>
#include <support/images.hpp>
#include <support/pickles.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

using limpid::Pickle, limpid::read_pth, limpid::read_tensor_file, limpid::TensorFile,
    limpid::TensorFormat;
using limpid_test::error_of, limpid_test::little_endian, limpid_test::TemporaryFolder,
    limpid_test::write_bytes, limpid_test::zip_file;
using namespace limpid_test::pickle;
using namespace std::string_literals;
namespace fs = std::filesystem;

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

/// Pickled: an object as classes of one's own are saved, with its attributes.
std::string object(const std::string& module, const std::string& name, const std::string& state) {
  return global(module, name) + ")\x81" + state + "b";
}

BOOST_AUTO_TEST_CASE(what_is_no_tensor_is_passed_over_and_named) {
  const auto hooks = global("collections", "OrderedDict") + ")R";
  const auto kin =
      call("torch._utils", "_rebuild_tensor_v2",
           {storage("FloatStorage", "0", 6), integer(0), sides({6}), sides({1}), "\x89", hooks});
  const auto arguments =
      tuple({storage("FloatStorage", "0", 6), integer(0), sides({6}), sides({1}), "\x89", hooks});
  const auto content = named({
      {"w", six()},
      {"scalar", call("numpy._core.multiarray", "scalar",
                      {call("numpy", "dtype", {text("f8"), "\x89", "\x88"}) +
                           tuple({integer(3), text("<"), "N", "N", "N"}) + "b",
                       call("_codecs", "encode", {text("12345678"), text("latin1")})})},
      {"array", call("numpy.core.multiarray", "_reconstruct", {global("numpy", "ndarray")})},
      {"args", object("argparse", "Namespace", named({{"rate", integer(1)}, {"w", six()}}))},
      {"old", call("copy_reg", "_reconstructor",
                   {global("mine", "Options"), global("__builtin__", "object"), "N"}) +
                  named({{"a", integer(1)}}) + "b"},
      {"run", call("posix", "system", {text("touch owned")})},
      {"chained", call("builtins", "getattr", {text("a"), text("b")}) + tuple({}) + "R"},
      {"class", global("torch.nn.modules.conv", "Conv2d")},
      {"function", text("os") + text("system") + "\x93"},
      {"terminal", global("torch", "\x1b[2J")},
      {"sparse", call("torch._utils", "_rebuild_sparse_tensor", {integer(1)})},
      {"dtensor", call("torch._tensor", "_rebuild_from_type_v2",
                       {global("torch._utils", "_rebuild_wrapper_subclass"),
                        global("torch.distributed.tensor", "DTensor"), tuple({kin}), "N"})},
      {"subclass", call("torch._tensor", "_rebuild_from_type_v2",
                        {global("torch._utils", "_rebuild_tensor_v2"), global("mine", "Tagged"),
                         arguments, named({{"tag", integer(1)}})})},
      {"defaults",
       global("collections", "defaultdict") + tuple({}) + "R" + text("w") + six() + "s"},
      {"bytes", "\x8e" + little_endian(2, 8) + "\1\2"},
      {"set", "\x8f(K\1\x90"},
      {"pairs", dict({{tuple({integer(1)}), six()}, {integer(2), six()}})},
      {"instance",
       "(imine\nOldStyle\nN"
       "b"},
  });
  for (const auto& bytes :
       {zip_pth(content, {{"0", kSix}}), legacy_pth(content, {{"0", 6, kSix}})}) {
    const auto file = read(bytes);
    const auto& over = file.passed_over;
    const std::map<std::string, std::string> expected{
        {"scalar", "made by 'numpy._core.multiarray.scalar'"},
        {"array", "made by 'numpy.core.multiarray._reconstruct'"},
        {"args", "made by 'argparse.Namespace'"},
        {"old", "made by 'mine.Options'"},
        {"run", "made by 'posix.system'"},
        {"chained", "made by 'something without a name'"},
        {"class", "'torch.nn.modules.conv.Conv2d'"},
        {"function", "'os.system'"},
        {"terminal", "'torch.\\x1b[2J'"},
        {"sparse", "made by 'torch._utils._rebuild_sparse_tensor'"},
        {"dtensor", "made by 'torch.distributed.tensor.DTensor'"},
        {"pairs.[0]", "under a key that is no name"},
        {"instance", "made by 'mine.OldStyle'"}};
    BOOST_TEST(over == expected, boost::test_tools::per_element());
    BOOST_TEST(file.tensors.size() == 4u);
    for (const auto* name : {"w", "defaults.w", "pairs.2"}) {
      BOOST_TEST(torch::equal(file.tensors.at(name), file.tensors.at("w")), name);
    }
    BOOST_TEST(torch::equal(file.tensors.at("subclass"), torch::arange(6, torch::kFloat)));
  }
}

BOOST_AUTO_TEST_CASE(a_file_without_any_tensor_is_refused_by_what_it_has) {
  const auto refused = [&](const std::string& content, const std::string& what) {
    BOOST_TEST(pickle_error(content) ==
               "expected tensors, found none, only what is never executed: " + what);
  };
  refused(call("posix", "system", {text("touch owned")}), "'value' (made by 'posix.system')");
  refused(named({{"a", call("builtins", "eval", {text("1")})}, {"b", global("os", "remove")}}),
          "'a' (made by 'builtins.eval') and 1 more");
  refused(global("torch", "load"), "'value' ('torch.load')");
  refused(dict({{tuple({}), "N"}}), "'[0]' (under a key that is no name)");
  refused(dict({{text("\xff"), "N"}}), "'[0]' (under a key that is no name)");
  for (const auto* opcode : {"\x82", "\x97"}) {
    const auto text = pickle_error(opcode);
    BOOST_TEST(text.rfind("refused the opcode '", 0) == 0u, text);
  }
}

BOOST_AUTO_TEST_CASE(a_module_saved_whole_gives_the_tensors_of_its_state_dict) {
  const auto module = [](const std::string& name, const Pairs& parameters, const Pairs& buffers,
                         const Pairs& modules, const std::string& transient) {
    return object("mine", name,
                  named({{"training", "\x88"},
                         {"_parameters", named(parameters)},
                         {"_buffers", named(buffers)},
                         {"_non_persistent_buffers_set", "\x8f(" + transient + "\x90"},
                         {"_modules", named(modules)}}));
  };
  const auto conv = module("Conv", {{"weight", six()}, {"bias", "N"}}, {}, {}, "");
  const auto norm = module("Norm", {}, {{"mean", six()}, {"cache", six()}}, {}, text("cache"));
  const auto content = module("Net", {}, {}, {{"conv", conv}, {"norm", norm}}, "");
  const auto file = read(zip_pth(named({{"model", content}}), {{"0", kSix}}));
  BOOST_TEST(file.tensors.size() == 2u);
  BOOST_TEST(file.tensors.count("model.conv.weight") == 1u);
  BOOST_TEST(file.tensors.count("model.norm.mean") == 1u);
}

BOOST_AUTO_TEST_CASE(small_files_cannot_ask_for_much_time_or_memory) {
  const auto many = [](const std::string& part, int count) {
    std::string bytes;
    bytes.reserve(part.size() * static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) bytes += part;
    return bytes;
  };
  const auto says = [&](const std::string& content, const std::string& expected) {
    const auto text = error(zip_file({{"a/data.pkl", whole(content), true}}));
    BOOST_TEST(text.rfind(expected, 0) == 0u, text.substr(0, 200));
  };
  const auto size = global("torch", "Size") + "q\1";
  // One tuple of a million, asked for 3000 times as a torch.Size: shared, not copied.
  says("((" + many("N", 1'000'000) + "tq\0"s + size + many("h\1h\0\x85R"s, 3000) + "t",
       "it unfolds to too many values");
  says("](" + many("N", 7'000'000) + "e", "more than 6000000 values in its containers");
  says("N" + many("N0", 7'000'000), "more than 6000000 values in its containers");
  says(many("(", 7'000'000), "more than 6000000 values in its containers");
  says(many("\x94", 3'000'000), "an empty stack");
  says("N" + many("\x94", 3'000'000), "more than 1000000 values that are used again");
  says(many("}", 3'000'000), "more than 2000000 values");
  // Names put together from two long texts.
  auto names = text(std::string(1'000, 'm')) + "q\0"s;
  for (int i = 0; i < 6'000; ++i) names += "h\0"s + text(std::to_string(i)) + "\x93";
  says("(" + names + "t", "names of more than 4194304 bytes");
  says(text(std::string(2'000, 'm')) + text("a") + "\x93", "a name of more than 1024 characters");
  const auto pairs = "]q\0("s + many("NN\x86", 500'000) + "e";
  says(
      "(" + pairs + global("collections", "OrderedDict") + "q\1" + many("h\1h\0\x85R"s, 3000) + "t",
      "more than 6000000 values in its containers");
}

BOOST_AUTO_TEST_CASE(each_storage_is_looked_at_once_however_many_views_it_has) {
  // Twenty thousand times sixteen megabytes would take minutes.
  constexpr std::int64_t kBytes = 16'000'000;
  const auto first = storage("BoolStorage", "0", kBytes) + "q\1";
  auto content = "}(" + text("t0") + tensor(first, 0, {1}, {1});
  for (int i = 1; i < 20'000; ++i) {
    content += text("t" + std::to_string(i)) + tensor("h\1", i, {1}, {1});
  }
  write_bytes(path, zip_file({{"a/data.pkl", whole(content + "u"), true},
                              {"a/data/0", std::string(kBytes, '\1'), true}}));
  const auto file = read_pth(path);
  BOOST_TEST(file.tensors.size() == 20'000u);
  BOOST_TEST(file.tensors.at("t19999").item<bool>());
}

BOOST_AUTO_TEST_CASE(numbers_are_read_when_they_are_asked_for) {
  const auto data = storage("FloatStorage", "0", 6);
  const auto other = tensor(storage("BoolStorage", "1", 2), 0, {2}, {1});
  write_bytes(path, zip_pth(named({{"a", six()}, {"b", other}}), {{"0", kSix}, {"1", "\1\2"}}));
  const auto index = limpid::index_tensor_file(path);
  BOOST_TEST((index.format == TensorFormat::pth));
  BOOST_TEST(index.tensors.at("b").stored == "bool");
  BOOST_TEST((index.tensors.at("a").shape == std::vector<std::int64_t>{2, 3}));
  BOOST_TEST(torch::equal(index.tensors.at("a").read(), torch::arange(6.f).view({2, 3})));
  BOOST_TEST(error_of([&] { index.tensors.at("b").read(); }) ==
             "cannot read PyTorch file '" + path.string() + "': tensor 'b': a bool of value 2");
}

BOOST_AUTO_TEST_CASE(eight_bit_floats_and_unsigned_numbers_become_what_holds_them) {
  const auto of = [&](const std::string& type, const std::string& bytes, std::int64_t count) {
    const auto untyped =
        tuple({text("storage"), global("torch.storage", "UntypedStorage"), text("0"), text("cpu"),
               integer(static_cast<std::int64_t>(bytes.size()))}) +
        "Q";
    const auto made = call("torch._utils", "_rebuild_tensor_v3",
                           {untyped, integer(0), sides({count}), sides({1}), "\x89",
                            global("collections", "OrderedDict") + ")R", global("torch", type)});
    const auto file =
        read(zip_pth(named({{"w", six("1")}, {"a", made}}), {{"0", bytes}, {"1", kSix}}));
    return file.tensors.count("a") != 0 ? file.tensors.at("a") : at::Tensor{};
  };
  const auto inf = std::numeric_limits<float>::infinity();
  BOOST_TEST(torch::equal(of("float8_e4m3fn", "\x38\xc0\x7e\1"s, 4),
                          torch::tensor({1.f, -2.f, 448.f, 0.001953125f})));
  BOOST_TEST(of("float8_e4m3fn", "\x7f\xff"s, 2).isnan().all().item<bool>());
  BOOST_TEST(torch::equal(of("float8_e5m2", "\x3c\xc0\x7b\x7c"s, 4),
                          torch::tensor({1.f, -2.f, 57344.f, inf})));
  BOOST_TEST(of("float8_e4m3fnuz", "\x80"s, 1).isnan().all().item<bool>());
  BOOST_TEST(torch::equal(of("float8_e5m2fnuz", "\x40\x7f"s, 2), torch::tensor({1.f, 57344.f})));
  BOOST_TEST(torch::equal(of("float8_e8m0fnu", "\x7f\x80"s, 2), torch::tensor({1.f, 2.f})));
  BOOST_TEST(torch::equal(of("uint16", "\xff\xff"s, 1), torch::tensor({65535}, torch::kInt)));
  BOOST_TEST(torch::equal(of("uint32", "\xff\xff\xff\xff"s, 1),
                          torch::tensor({4294967295}, torch::kLong)));
  BOOST_TEST(!of("uint64", "12345678", 1).defined());  // passed over
}

BOOST_AUTO_TEST_CASE(what_no_network_needs_never_spoils_the_file) {
  std::string history = "](";
  for (int i = 0; i < 600'000; ++i) history += "K\1";
  history += "e";
  const auto file = read(zip_pth(named({{"w", six()},
                                        {"history", history},
                                        {"odd", tensor(storage("Size", "0", 6), 0, {1}, {1})}}),
                                 {{"0", kSix}}));
  BOOST_TEST(file.tensors.size() == 1U);
  BOOST_TEST(file.tensors.count("w") == 1U);
  BOOST_TEST(file.passed_over.at("history") == "a list of 600000 numbers");
  BOOST_TEST(file.passed_over.at("odd") == "a tensor of a type that is not read");
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
  says("NNb", "a state for what is no object");
  says("(o", "an object without a class");
  says("Ix\n", "a malformed number");
  says("X\xff\xff\xff\xff", "an end that comes too early");
  says("\x8d\xff\xff\xff\xff\xff\xff\xff\xff", "an end that comes too early");
  says("\x80\x06", "protocol 6, expected at most 5");
  says(call("collections", "OrderedDict", {integer(1)}), "a malformed OrderedDict");
  says(call("torch", "Size", {integer(1)}), "a malformed torch.Size");
  says("N.N", "its pickle ends before its file");
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
  BOOST_TEST(tensor_error(tensor("N", 0, {1}, {1})) == "no storage");
  BOOST_TEST(tensor_error(tensor(storage("BoolStorage", "0", 24), 0, {1}, {1}))
                 .rfind("a bool of value", 0) == 0u);
  BOOST_TEST(error(zip_pth(named({{"a", named({{"b", six()}})}, {"a.b", six()}}), {{"0", kSix}})) ==
             "tensor 'a.b': a name that two tensors have");
  BOOST_TEST(error(zip_pth(named({{"\xc3\xa4\x1b", "N"}, {"w", tensor("N", 0, {}, {})}}), {})) ==
             "tensor 'w': no storage");
}

BOOST_AUTO_TEST_CASE(malformed_files_are_refused) {
  BOOST_TEST(error("") == "expected a zip archive or a pickle, found nothing in it");
  BOOST_TEST(error("text") == "expected a zip archive or a pickle, found text");
  const auto tar = std::string(257, 'x') + "ustar" + std::string(300, 'x');
  BOOST_TEST(error(tar) ==
             "expected a zip archive or a pickle, found a tar archive (unpack it first)");
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
  BOOST_TEST(error_of([&] { found("some text"); }) == start + "text");
  BOOST_TEST(error_of([&] { found(whole("N")); }) == start + "a pickle of something else");
  const auto says = [&](const std::string& bytes, const std::string& expected) {
    const auto text = error_of([&] { found(bytes); });
    BOOST_TEST(text.rfind(start + expected, 0) == 0u, text);
  };
  says("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
       "a Git LFS pointer: the file itself was not downloaded");
  says("<!DOCTYPE html>\n<html><title>Sign in</title>", "an HTML page");
  says("\xef\xbb\xbf \n<html lang='en'>", "an HTML page");
  says("{\"error\": \"not found\"}", "JSON");
  says("\x1f\x8b\x08 and so on", "a gzip archive");
  says("sys_info"s + std::string(249, '\0') + "ustar" + std::string(300, 'x'),
       "a tar archive, as PyTorch before 0.1.10 wrote it");
  says("weights.pth"s + std::string(246, '\0') + "ustar" + std::string(300, 'x'),
       "a tar archive (unpack it first)");
  says(zip_file({{"readme.txt", "x"}, {"weights.pth", "y"}}),
       "a zip archive of something else (unpack it first); it holds 'readme.txt' and 1 more");
  says(zip_file({}), "an empty zip archive");
  says("\x89HDF\r\n\x1a\n12345", "HDF5");
  says("\x89PNG\r\n\x1a\n12345", "a picture (PNG)");
  says("\1\2\3\4\5\6\7\x08\x0b", "something else");
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
    if (entry.path().extension() != ".pth" || name.rfind("refused_", 0) == 0 ||
        name.rfind("beside_", 0) == 0) {
      continue;
    }
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

BOOST_AUTO_TEST_CASE(what_is_more_than_tensors_is_passed_over_and_not_executed) {
  const fs::path folder = limpid_test::folder_from("LIMPID_WEIGHTS_DIR", "no LIMPID_WEIGHTS_DIR");
  if (!limpid_test::available(folder)) return;
  for (const auto* kind : {"zip", "legacy"}) {
    const auto file = read_tensor_file(folder / ("beside_" + std::string{kind} + ".pth"));
    BOOST_TEST(file.tensors.size() == 1u);
    BOOST_TEST(torch::equal(file.tensors.at("w"), torch::ones({2})));
    for (const auto* name :
         {"hostile", "arguments", "sparse", "quantised", "optimizer", "scalar"}) {
      BOOST_TEST(file.passed_over.count(name) == 1u, kind << " " << name);
    }
    BOOST_TEST(file.passed_over.at("hostile") == "made by 'posix.system'");
  }
  const auto error = error_of([&] { read_tensor_file(folder / "refused_script.pth"); });
  BOOST_TEST((error.find("found a TorchScript program") != std::string::npos), error);
  BOOST_TEST(!fs::exists(folder / "executed"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
