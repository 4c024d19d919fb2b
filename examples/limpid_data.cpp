// Makes data for training:
//
//   limpid-data split photos parts                             parts/{train,test}/NAME.png
//   limpid-data degrade --task deblur parts/test blurred       blurred/{input,target}/NAME.png
#include "data/degrade.hpp"
#include "data/split.hpp"
#include "program.hpp"

int main(int argc, char** argv) {
  CLI::App app{"Makes data for image restoration.", "limpid-data"};
  app.require_subcommand(1);

  examples::DegradeOptions degrade_options;
  auto* degrade = examples::add_degrade(app, degrade_options);
  examples::SplitOptions split_options;
  auto* split = examples::add_split(app, split_options);

  return examples::run_program(app, argc, argv, [&] {
    if (degrade->parsed()) examples::degrade(degrade_options);
    if (split->parsed()) examples::split(split_options);
  });
}
