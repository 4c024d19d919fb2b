// What must not compile, and with which single line: one case a build, chosen by CASE_*.
#include <limpid/inference/restorer.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>
#include <limpid/training/trainer.hpp>
#include <support/tiny.hpp>

using namespace limpid;
using namespace limpid_test;

#if defined(CASE_same_task)
using Set = MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">, TinyDecoder<"deblur">>;
#elif defined(CASE_unreadable_features)
struct OtherFeatures {
  at::Tensor map;
};
struct OtherDecoderImpl : torch::nn::Cloneable<OtherDecoderImpl> {
  static constexpr std::string_view task = "deblur";
  void reset() override {}
  at::Tensor forward(const OtherFeatures& features) { return features.map; }
};
using Set = MultiTaskTrainer<TinyEncoder, torch::nn::ModuleHolder<OtherDecoderImpl>>;
#elif defined(CASE_no_task_name)
using Set = MultiTaskTrainer<TinyEncoder, TinyEncoder>;
#else
using Set = MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">, TinyDecoder<"dehaze">>;
#endif

void use() {
  Set trainer{TrainerOptions{}};
#if defined(CASE_critic_mismatch)
  trainer.branch<"deblur">(Branch{.critic = TinyAutoencoder{}, .adversarial = WassersteinGP{}});
#elif defined(CASE_unknown_task)
  trainer.branch<"debulr">(Branch{.pairs = DarkPictures{}});
#elif defined(CASE_unknown_task_to_restore)
  Restorer{trainer.model()}.restore<"debulr">(Image::load("photo.jpg"));
#elif defined(CASE_lonely_critic)
  trainer.branch<"deblur">(Branch{.critic = TinyCritic{}});
#else
  trainer.branch<"deblur">(Branch{.pairs = DarkPictures{}});
#endif
  trainer.fit();
}
