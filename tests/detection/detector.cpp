#include <limpid/detection/detector.hpp>
#include <support/detectors.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace {

using limpid::Detector, limpid::Image;
using limpid_test::TemporaryFolder;

/// A detector whose `forward` has this text.
Detector scripted(const std::string& forward) {
  return Detector{limpid_test::scripted_module(forward), "detector 'd.pt'"};
}

auto says(std::string text) {
  return [text](const c10::Error& error) {
    const std::string found = error.what_without_backtrace();
    BOOST_TEST_MESSAGE(found);
    return found.find(text) != std::string::npos;
  };
}

void check_square(const std::vector<limpid::Detection>& found) {
  BOOST_REQUIRE(found.size() == 1u);
  BOOST_TEST(found[0].box.x1 == 16);
  BOOST_TEST(found[0].box.y1 == 8);
  BOOST_TEST(found[0].box.x2 == 24);
  BOOST_TEST(found[0].box.y2 == 16);
  BOOST_TEST(found[0].label == 3);
  BOOST_TEST(found[0].score == 1.0);
}

BOOST_AUTO_TEST_SUITE(detector)

BOOST_AUTO_TEST_CASE(finds_in_every_form_of_output) {
  const auto image = limpid_test::squares(32, 40, {{8, 16}});
  const std::string find = limpid_test::kFindSquares;
  const std::vector<std::string> tensor_outputs{
      "return d",
      "return [d]",
      "return (torch.zeros(3), [d])",
      "e: Dict[str, Tensor] = {}\n    return (e, [d])",
      "return torch.cat([boxes, scores[:, None], labels[:, None].float()], 1)",
      "return torch.cat([boxes, scores[:, None], labels[:, None].float()], 1)[None]",
      "return [torch.cat([boxes, scores[:, None], labels[:, None].float()], 1).double()]"};
  for (const auto& output : tensor_outputs) {
    BOOST_TEST_CONTEXT(output) {
      check_square(scripted("def forward(self, x):\n" + find + "    " + output + "\n")(image));
      check_square(scripted("def forward(self, xs: List[Tensor]):\n    x = xs[0][None]\n" + find +
                            "    " + output + "\n")(image));
    }
  }
}

BOOST_AUTO_TEST_CASE(takes_one_picture_in_the_unit_range) {
  const auto sees = [](const std::string& input, const std::string& x) {
    return scripted("def forward(self, " + input +
                    ", extra: Optional[List[Dict[str, Tensor]]] = None):\n    x = " + x +
                    "\n    return torch.stack([x.min(), x.max(), torch.tensor(float(x.dim())), "
                    "torch.tensor(float(x.size(-1))), x.mean(), torch.tensor(0.0)])[None]\n");
  };
  const auto image = limpid_test::squares(32, 40, {{8, 16}});
  for (const auto& seen : {sees("x", "x")(image), sees("x: List[Tensor]", "x[0][None]")(image)}) {
    BOOST_REQUIRE(seen.size() == 1u);
    BOOST_TEST(seen[0].box.x1 == 0);
    BOOST_TEST(seen[0].box.y1 == 1);
    BOOST_TEST(seen[0].box.x2 == 4);
    BOOST_TEST(seen[0].box.y2 == 40);
    BOOST_TEST(seen[0].score == 64.0 / (32 * 40), boost::test_tools::tolerance(1e-6));
  }
}

BOOST_AUTO_TEST_CASE(finds_nothing_in_a_dark_picture) {
  const auto dark = limpid_test::squares(32, 40, {});
  BOOST_TEST(Detector{limpid_test::square_detector()}(dark).empty());
  BOOST_TEST(scripted("def forward(self, x):\n    return torch.zeros(0, 6)\n")(dark).empty());
}

BOOST_AUTO_TEST_CASE(is_loaded_from_a_file) {
  TemporaryFolder folder;
  const auto file = folder / "squares.pt";
  limpid_test::square_detector().save(file.string());
  check_square(Detector{file}(limpid_test::squares(32, 40, {{8, 16}})));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_module_is_named) {
  TemporaryFolder folder;
  const auto file = folder / "detector.pt";
  BOOST_CHECK_EXCEPTION(Detector{file}, c10::Error,
                        says("detector '" + file.string() + "': there is no such file"));
  limpid_test::write_bytes(file, "not a module");
  BOOST_CHECK_EXCEPTION(Detector{file}, c10::Error,
                        says("detector '" + file.string() + "': expected a TorchScript module"));
  limpid_test::square_detector().save(file.string());
  const auto whole = limpid_test::read_bytes(file);
  for (const auto part : {whole.size() / 4, whole.size() / 2, whole.size() - 10}) {
    limpid_test::write_bytes(file, whole.substr(0, part));
    BOOST_CHECK_EXCEPTION(Detector{file}, c10::Error, says(file.string()));
  }
}

BOOST_AUTO_TEST_CASE(a_module_of_other_arguments_is_refused) {
  for (const std::string input : {"a, b", "a: int", "a: List[int]", "a: Dict[str, Tensor]"}) {
    BOOST_CHECK_EXCEPTION(
        scripted("def forward(self, " + input + "):\n    return torch.zeros(0)\n"), c10::Error,
        says("detector 'd.pt': expected forward(Tensor) or forward(List[Tensor])"));
  }
  BOOST_CHECK_EXCEPTION(scripted("def find(self, x):\n    return x\n"), c10::Error,
                        says("detector 'd.pt': it has no method 'forward'"));
}

BOOST_AUTO_TEST_CASE(another_output_says_what_was_expected) {
  const auto image = limpid_test::picture(16, 16);
  const auto check = [&](const std::string& body, const std::string& found) {
    BOOST_CHECK_EXCEPTION(
        scripted("def forward(self, x):\n    return " + body + "\n")(image), c10::Error,
        says("detector 'd.pt': expected a dict {boxes (N, 4), labels (N), scores "
             "(N)}, a list of one such dict, a tuple that ends with one of these, "
             "or a tensor (N, 6) of x1, y1, x2, y2, score, class; found " +
             found));
  };
  check("torch.zeros(5, 7)", "a tensor [5, 7]");
  check("torch.zeros(2, 5, 6)", "a tensor [2, 5, 6]");
  check("[torch.zeros(1, 6), torch.zeros(1, 6)]", "a list of 2");
  check("((x, x), (x, x))", "a tuple of 2");
  check("3", "Int");
  check("{'boxes': torch.zeros(1, 4), 'scores': torch.zeros(1)}",
        "a dict without the tensor 'labels'");
  check("{'boxes': torch.zeros(2, 4), 'scores': torch.zeros(1), 'labels': torch.zeros(2)}",
        "boxes [2, 4], labels [2], scores [1]");
  BOOST_CHECK_EXCEPTION(
      scripted("def forward(self, x):\n    return torch.full([2, 6], float('nan'))\n")(image),
      c10::Error, says("detector 'd.pt': row 0 holds a value that is not finite"));
}

BOOST_AUTO_TEST_CASE(a_module_that_fails_is_named) {
  const auto failing = scripted("def forward(self, x):\n    return x.view(3, 5)\n");
  BOOST_CHECK_EXCEPTION(failing(limpid_test::picture(16, 20)), c10::Error,
                        says("detector 'd.pt': failed on a picture of 20 x 16 pixels ("));
  BOOST_CHECK_EXCEPTION(failing(Image{}), c10::ValueError, says("the image is empty"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
