// A user's program: a task set of their own, compiled against the umbrella header.
#include <limpid/core/compiled.hpp>
#include <limpid/limpid.hpp>

#include <cstdio>

#if !defined(LIMPID_COMPILED) && defined(LIMPID_ONCE)
#error "without limpid::compiled headers leave nothing to it"
#endif

using ThreeTasks =
    limpid::MultiTaskModel<limpid::PixelUNetEncoder, limpid::PixelUNetDecoder<"deblur">,
                           limpid::PixelUNetDecoder<"dehaze">, limpid::PixelUNetDecoder<"derain">>;

int main() {
  limpid::Restorer restorer{ThreeTasks{}};
  const auto grey = limpid::Image::from_unit(at::full({1, 3, 21, 34}, 0.5));
  const auto restored = restorer.restore<"deblur">(grey);
  std::printf("limpid %s restored %ld x %ld\n", limpid::kVersion,
              static_cast<long>(restored.width()), static_cast<long>(restored.height()));
  return restored.width() == 34 && restored.height() == 21 ? 0 : 1;
}
