#include <limpid/interpolation/interpolate.hpp>
#include <limpid/interpolation/interpolation_model.hpp>
#include <limpid/interpolation/sepconv_file.hpp>
#include <limpid/model/families.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using limpid::AnyModel, limpid::InterpolationModel, limpid::SepConvNetwork, limpid::SepConvOptions;
using limpid_test::error_of, limpid_test::TemporaryFolder;

const SepConvOptions kTiny{.widths = {4, 6}, .taps = 5};

BOOST_AUTO_TEST_SUITE(interpolation_model)

BOOST_AUTO_TEST_CASE(restores_the_middle_of_two_frames_of_any_size) {
  torch::manual_seed(1);
  SepConvNetwork network{kTiny};
  const AnyModel model = InterpolationModel{network};
  BOOST_TEST((model.tasks == std::vector<std::string>{"interpolate"}));
  const auto frames = torch::rand({2, 6, 8, 12});
  const auto expected = network->forward(frames.narrow(1, 0, 3), frames.narrow(1, 3, 3));
  BOOST_TEST(torch::allclose(model.restore(0, frames * 2 - 1), expected * 2 - 1, 0, 1e-5));
  BOOST_TEST(model.restore(0, torch::zeros({1, 6, 7, 9})).sizes() ==
             torch::IntArrayRef({1, 3, 7, 9}));
  BOOST_TEST(error_of([&] {
               model.restore(0, torch::zeros({1, 3, 8, 8}));
             }) == "interpolate: expected two frames (N, 6, H, W), got [1, 3, 8, 8]");
}

BOOST_AUTO_TEST_CASE(restoring_programs_say_that_its_file_is_not_for_them) {
  TemporaryFolder folder;
  limpid::save_sepconv(folder / "model.limpid", SepConvNetwork{kTiny});
  const auto error = error_of([&] { limpid::load_any(folder / "model.limpid"); });
  BOOST_TEST((error.find("found 'sepconv'") != std::string::npos), error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
