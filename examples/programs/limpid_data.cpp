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
//   limpid-data sheet deblur=photos:photos --out sheet.png
//                                        before and after, to look at
#include "data/blur.hpp"
#include "data/check.hpp"
#include "data/degrade.hpp"
#include "data/dhazy_split.hpp"
#include "data/haze.hpp"
#include "data/interpolate.hpp"
#include "data/niqe_model.hpp"
#include "data/sheet.hpp"
#include "data/split.hpp"
#include "data/subcommands.hpp"
#include "data/train_interpolation.hpp"
#include "program.hpp"

int main(int argc, char** argv) {
  CLI::App app{"Makes data for image restoration.", "limpid-data"};
  examples::Subcommands commands{app};
  commands.add(examples::add_degrade, examples::degrade);
  commands.add(examples::add_split, examples::split);
  commands.add(examples::add_blur, examples::blur);
  commands.add(examples::add_haze, examples::haze);
  commands.add(examples::add_dhazy_split, examples::dhazy_split);
  commands.add(examples::add_check, examples::check);
  commands.add(examples::add_sheet, examples::sheet);
  commands.add(examples::add_niqe_model, examples::niqe_model);
  commands.add(examples::add_interpolate, examples::interpolate);
  commands.add(examples::add_train_interpolation, examples::train_interpolation);

  examples::add_max_pixels(app);
  for (auto* command : app.get_subcommands({})) examples::add_max_pixels(*command);
  return examples::run_program(app, argc, argv, [&] { return commands.run(); });
}
