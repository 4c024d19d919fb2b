#pragma once

#include <limpid/core/autocast.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/datasets/progressive_crop.hpp>
#include <limpid/kernels/convolution_switch.hpp>
#include <limpid/optim/adam.hpp>
#include <limpid/optim/any_optimizer.hpp>
#include <limpid/optim/schedule.hpp>
#include <limpid/parallel/communicator.hpp>
#include <limpid/training/epoch_policy.hpp>
#include <limpid/weighting/any_weighting.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/memory_format.hpp>
#include <limpid/io/event_file.hpp>

#include <c10/util/Exception.h>
#endif

namespace limpid {

/// The longest run, in steps: a hundred thousand a second for a century.
inline constexpr std::int64_t kMostSteps = 1'000'000'000'000'000;

/// Length of a run in epochs, each as long as the epoch policy says.
struct Epochs {
  std::int64_t count = 80;
};

/// Length of a run in steps of the generator.
struct Steps {
  std::int64_t count = 1000;
};

/// Length of a run in minutes of wall time, validation and checkpoints included. Such a run is
/// resumed where it stood, but is not reproducible bit for bit.
struct Minutes {
  double count = 10;
};

using RunLength = std::variant<Epochs, Steps, Minutes>;

/// What to do with a run that is already in the folder.
enum class Start {
  fresh,   ///< an error, so that no run is overwritten by accident
  resume,  ///< go on with it; start where there is none
};

/// How a `MultiTaskTrainer` runs. Rates, betas and length are the thesis' (sec. 4.3).
struct TrainerOptions {
  std::filesystem::path out{};  ///< folder of checkpoints, model and log; empty: none is written
  RunLength length = Epochs{80};
  EpochPolicy epoch = LongestEpoch{};
  double rate = 1e-4;               ///< of the encoder and the decoders
  double critic_rate = 1e-4;        ///< of the critics
  double beta1 = 0.9;               ///< of Adam, where no optimiser is chosen
  double beta2 = 0.999;             ///< the same
  AnyOptimizer optimizer{};         ///< of the encoder and the decoders; none chosen: Adam
  AnyOptimizer critic_optimizer{};  ///< of the critics; none chosen: Adam
  Schedule schedule = ConstantThenLinear{};
  std::int64_t freeze_encoder_epochs = 0;  ///< first epochs without an update of the encoder's
                                           ///< pretrained part; where it has none, of all of it
  std::vector<std::string> frozen{};       ///< parts of the model that stay as they are for the
                                           ///< whole run, by their names: "encoder",
                                           ///< "decoder.deblur". A task that has nothing left to
                                           ///< train needs no branch
  double clip_gradient_norm = 0;           ///< of the generator's gradient; 0: not clipped
  bool checkpoint_blocks =
      false;                    ///< the networks' blocks keep their inputs alone and are computed
                                ///< again in the backward: less memory, more time, the same bits
  std::int64_t accumulate = 1;  ///< batches whose gradients make one step; only one is in memory
  double average = 0;  ///< share of a moving average of the weights that stays in each step, 0.999
                       ///< for one; it is validated and saved as the model. 0: no average
  AnyWeighting weighting{};  ///< how the tasks share the encoder: the plain sum

  std::int64_t crop = 256;             ///< side of a training crop, pixels
  ProgressiveCrop progressive_crop{};  ///< crops that grow over the run, in place of `crop`,
                                       ///< for the branches that have none of their own; a
                                       ///< run of minutes takes none
  std::int64_t workers = 1;            ///< threads that decode ahead, per task
  std::int64_t cache_mb = 0;           ///< decoded photographs kept in memory, per task
  std::int64_t cut_mb = 256;           ///< JPEG files kept packed anew for crops, per task
  std::uint64_t seed = 0;              ///< of weights, shuffling, crops and penalties

  at::Device device = at::kCPU;
  Communicator communicator{};               ///< the processes that train together; this one alone
  Precision reduce_in = Precision::float32;  ///< in which processes add up gradients; bfloat16
                                             ///< halves what is sent
  Precision precision = Precision::float32;
  Convolution convolution = Convolution::exact;  ///< CPU: how those in float32 are computed
  bool tf32 = true;  ///< CUDA: whether float32 convolutions and products may round to TF32
  at::MemoryFormat memory_format = at::MemoryFormat::Contiguous;  ///< how pictures and kernels lie
  bool cudnn_benchmark = false;  ///< CUDA: whether cuDNN tries its algorithms for each new shape
  bool step_graphs = false;      ///< CUDA: whether steps are recorded and replayed (`StepGraph`)

  Start start = Start::fresh;
  bool data_changed = false;            ///< resume although branches have other pairs than before
  std::int64_t stop_after = 0;          ///< steps of this sitting; 0: until the run's end
  std::int64_t log_every = 0;           ///< steps between lines of metrics.jsonl; 0: by time, 5 s
  std::int64_t interference_every = 0;  ///< steps between looks at how much the tasks' gradients
                                        ///< agree; 0: never
  std::int64_t validate_every = 0;      ///< steps; 0: each epoch, but at most once a minute
  std::int64_t validation_images = 0;   ///< at most so many a task, spread over its set; 0: all
  std::int64_t validation_tile = 0;     ///< larger pictures are validated in tiles of this side,
                                        ///< pixels; 0: those above two megapixels, in tiles of
  ///< 1024; as large as any picture: none. The log counts them
  double checkpoint_seconds = 300;  ///< between checkpoints; one is written at the end in any case
  bool tensorboard = false;         ///< writes event files for TensorBoard beside metrics.jsonl
  bool quiet = false;               ///< no progress line

  std::string recipe{};                             ///< name, for manifest and reports
  nlohmann::json facts = nlohmann::json::object();  ///< kept in the files as they are
};

namespace detail {

/// The optimiser where none is chosen.
LIMPID_INLINE Adam usual_optimizer(const TrainerOptions& options);

LIMPID_INLINE AnyOptimizer generator_optimizer(const TrainerOptions& options);

LIMPID_INLINE AnyOptimizer critic_optimizer(const TrainerOptions& options);

/// In what processes add up gradients.
LIMPID_INLINE at::ScalarType type_of_sums(Precision reduce_in);

/// @throws c10::ValueError that names the option that is out of range
LIMPID_INLINE void check_options(const TrainerOptions& options);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE Adam usual_optimizer(const TrainerOptions& options) {
  return {options.beta1, options.beta2};
}

LIMPID_INLINE AnyOptimizer generator_optimizer(const TrainerOptions& options) {
  return options.optimizer ? options.optimizer : usual_optimizer(options);
}

LIMPID_INLINE AnyOptimizer critic_optimizer(const TrainerOptions& options) {
  return options.critic_optimizer ? options.critic_optimizer : usual_optimizer(options);
}

LIMPID_INLINE at::ScalarType type_of_sums(Precision reduce_in) {
  return reduce_in == Precision::bfloat16 ? at::kBFloat16 : at::kFloat;
}

LIMPID_INLINE void check_options(const TrainerOptions& options) {
  check_not_negative("TrainerOptions: freeze_encoder_epochs",
                     static_cast<double>(options.freeze_encoder_epochs));
  check_at_least("TrainerOptions: crop", options.crop, 1);
  TORCH_CHECK_VALUE(!options.tensorboard || kWritesEventFiles,
                    "TrainerOptions: tensorboard needs protozero (Debian: libprotozero-dev), which "
                    "this build is without");
  usual_optimizer(options).check();
  check_at_least("TrainerOptions: accumulate", options.accumulate, 1);
  TORCH_CHECK_VALUE(options.reduce_in != Precision::automatic,
                    "TrainerOptions: reduce_in must be float32 or bfloat16");
  TORCH_CHECK_VALUE(
      options.progressive_crop.empty() || !std::holds_alternative<Minutes>(options.length),
      "TrainerOptions: progressive_crop needs a length in steps or epochs, because "
      "batches are made ahead; got one in minutes");
  check_positive("TrainerOptions: rate", options.rate);
  TORCH_CHECK_VALUE(options.average >= 0 && options.average < 1,
                    "TrainerOptions: average must be at least 0 and below 1, got ",
                    options.average);
  check_positive("TrainerOptions: critic_rate", options.critic_rate);
  check_not_negative("TrainerOptions: stop_after", static_cast<double>(options.stop_after));
  check_at_least("TrainerOptions: interference_every", options.interference_every, 0);
  check_at_least("TrainerOptions: validation_images", options.validation_images, 0);
  TORCH_CHECK_VALUE(options.validation_tile == 0 || options.validation_tile >= 16,
                    "TrainerOptions: validation_tile must be 0 or at least 16, got ",
                    options.validation_tile);
  std::visit(
      [](const auto& length) {
        check_positive("TrainerOptions: length", static_cast<double>(length.count));
        TORCH_CHECK_VALUE(static_cast<double>(length.count) <= static_cast<double>(kMostSteps),
                          "TrainerOptions: length must be at most ", kMostSteps, ", got ",
                          length.count);
      },
      options.length);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
