// Tasks that share an encoder: what it follows, by a weighting's name or by one of your own.
//
//   balance_tasks                              (reads photos/)
#include <limpid/limpid.hpp>
#include <limpid/weighting/named_weightings.hpp>

#include <torch/torch.h>

#include <cstdio>

using namespace limpid;

/// Weight to the task with the largest loss, and to no other.
struct WorstTask {
  TaskVector weights(const WeightingStep& step) {
    TaskVector weights = TaskVector::Zero(step.count());
    Eigen::Index worst = 0;
    step.losses.maxCoeff(&worst);
    weights[worst] = 1;
    return weights;
  }
};
static_assert(LossWeighting<WorstTask>);

void train(const AnyWeighting& weighting) {
  TrainerOptions options{.rate = 1e-3, .crop = 64};
  options.weighting = weighting;
  MultiTaskTrainer<PixelUNetEncoder, PixelUNetDecoder<"deblur">, PixelUNetDecoder<"dehaze">>
      trainer{options};
  trainer.branch<"deblur">(Branch{.content = L1{}});
  trainer.branch<"dehaze">(Branch{.content = L1{}});
  PairLoader blurred{DegradedPhotos{"photos", MotionBlur{}}, {.batch_size = 2, .crop = 64}};
  PairLoader hazy{DegradedPhotos{"photos", Haze{}}, {.batch_size = 2, .crop = 64}};

  std::printf("%s\n", weighting.description().c_str());
  for (int step = 0; step < 5; ++step) {
    for (const auto& loss : trainer.step({blurred.next(), hazy.next()})) {
      if (loss.term != "total" && loss.term != "weight") continue;  // equal has no weights to say
      std::printf("  %s %s %.3f", loss.task.c_str(), loss.term.c_str(), loss.value);
    }
    std::printf("\n");
  }
}

int main() try {
  train(AnyWeighting{});                   // the plain sum
  train(named_weighting("upgrad"));        // as limpid-train --weighting upgrad
  train(named_weighting("cagrad:c=0.4"));  // with an option
  train(AnyWeighting{WorstTask{}, "the worst task"});
} catch (const c10::Error& error) {
  std::fprintf(stderr, "%s\n", error.what_without_backtrace());
  return 1;
}
