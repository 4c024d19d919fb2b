// Makes data for training:
//
//   limpid-data split photos parts       parts/{train,test}/NAME.png
//   limpid-data degrade --task deblur parts/test blurred
//                                        blurred/{input,target}/NAME.png
//   limpid-data blur frames GoPro        GoPro/train/SEQUENCE/{blur,sharp}/NNNNNN.png
//   limpid-data train-interpolation frames --minutes 10 --out run
//   limpid-data interpolate frames more --fps 240 --to 960 --weights run/model.limpid
//                                        more/NNNNNN.png
//   limpid-data haze images depths hazy  hazy/{input,target}/NAME.png
//   limpid-data dhazy-split DHAZY FILE   which pairs of D-HAZY are for training
//   limpid-data check dehaze=pairs:hazy  what is in a set, and what is wrong with it
#include "data/blur.hpp"
#include "data/check.hpp"
#include "data/degrade.hpp"
#include "data/dhazy_split.hpp"
#include "data/haze.hpp"
#include "data/interpolate.hpp"
#include "data/niqe_model.hpp"
#include "data/split.hpp"
#include "data/train_interpolation.hpp"
#include "program.hpp"

int main(int argc, char** argv) {
  CLI::App app{"Makes data for image restoration.", "limpid-data"};
  app.require_subcommand(1);

  examples::DegradeOptions degrade_options;
  auto* degrade = examples::add_degrade(app, degrade_options);
  examples::SplitOptions split_options;
  auto* split = examples::add_split(app, split_options);
  examples::BlurOptions blur_options;
  auto* blur = examples::add_blur(app, blur_options);
  examples::HazeOptions haze_options;
  auto* haze = examples::add_haze(app, haze_options);
  examples::DHazySplitOptions dhazy_split_options;
  auto* dhazy_split = examples::add_dhazy_split(app, dhazy_split_options);
  examples::CheckOptions check_options;
  auto* check = examples::add_check(app, check_options);
  examples::NIQEModelOptions niqe_model_options;
  auto* niqe_model = examples::add_niqe_model(app, niqe_model_options);

  examples::InterpolateOptions interpolate_options;
  auto* interpolate = examples::add_interpolate(app, interpolate_options);
  examples::TrainInterpolationOptions train_options;
  auto* train_interpolation = examples::add_train_interpolation(app, train_options);

  examples::add_max_pixels(app);
  for (auto* command : app.get_subcommands({})) examples::add_max_pixels(*command);
  return examples::run_program(app, argc, argv, [&] {
    if (degrade->parsed()) examples::degrade(degrade_options);
    if (split->parsed()) examples::split(split_options);
    if (niqe_model->parsed()) examples::niqe_model(niqe_model_options);
    if (blur->parsed()) examples::blur(blur_options);
    if (haze->parsed()) examples::haze(haze_options);
    if (dhazy_split->parsed()) examples::dhazy_split(dhazy_split_options);
    if (interpolate->parsed()) examples::interpolate(interpolate_options);
    if (train_interpolation->parsed()) examples::train_interpolation(train_options);
    return check->parsed() ? examples::check(check_options) : 0;
  });
}
