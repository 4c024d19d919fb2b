#pragma once

#include <limpid/interpolation/frame_triplets.hpp>
#include <limpid/interpolation/interpolation_model.hpp>
#include <limpid/interpolation/sepconv_network.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/training/any_trainer.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/options.hpp>

#include <cstdint>
#include <utility>

namespace limpid {

/// Options that interpolation networks train well with: the paper's learning rate and crops. The
/// rest is as for every trainer.
inline TrainerOptions interpolation_options() {
  TrainerOptions options;
  options.length = Minutes{10};
  options.rate = 1e-3;
  options.crop = 128;
  options.cache_mb = 1024;
  options.validation_images = 12;
  options.recipe = "interpolation";
  return options;
}

/// A trainer of a network that gives the middle frame of triplets, by the mean absolute difference:
///
/// ```cpp
/// SepConvNetwork network{SepConvOptions::small()};
/// network->start_from_average();
/// auto trainer = interpolation_trainer(options, network, split_triplets(frame_sequences("in")));
/// trainer.fit();  // writes OUT/model.limpid, which load_sepconv takes
/// ```
///
/// Validates on the triplets that are held back, against the mean of both neighbours.
///
/// Source: Niklaus, Mai and Liu, ICCV 2017, sec. 3.1: rate 1e-3, crops of 128 pixels, mirrored,
/// turned and reversed in time. Differs: Adam, as everywhere here, in the place of Adamax; crops
/// are drawn evenly, not by their motion; small batches and a falling learning rate, since runs
/// here are minutes, not days.
///
/// @param network     trained where it is; `start_from_average` makes a good beginning
/// @param batch_size  crops in a step: many small steps suit a short run
inline AnyTrainer interpolation_trainer(TrainerOptions options, SepConvNetwork network,
                                        TripletSplit split, std::int64_t batch_size = 2) {
  AnyTrainer trainer{std::move(options), InterpolationModel{std::move(network)}};
  trainer.branch("interpolate", Branch{.pairs = std::move(split.training),
                                       .validation = std::move(split.held_back),
                                       .batch_size = batch_size,
                                       .content = L1{}});
  return trainer;
}

}  // namespace limpid
