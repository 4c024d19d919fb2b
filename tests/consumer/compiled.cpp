// A user's program that chooses by name, linked with limpid::compiled.
#include <limpid/core/compiled.hpp>
#include <limpid/restore.hpp>
#include <limpid/version.hpp>
#include <limpid/weighting/named_weightings.hpp>

#include <cstdio>

#ifndef LIMPID_COMPILED
#error "limpid::compiled says that it is linked"
#endif
#ifndef LIMPID_ONCE
#error "headers declare what limpid::compiled holds"
#endif
#ifdef ONEAPI_DNNL_DNNL_HPP
#error "who links limpid::compiled does not compile oneDNN's header"
#endif

int main() {
  limpid::AnyRestorer restorer{
      limpid::make_model({"pixel-unet", {{"width", 8}}}, {"deblur", "derain"})};
  const auto grey = limpid::Image::from_unit(at::full({1, 3, 21, 34}, 0.5));
  const auto restored = restorer.restore("derain", grey);
  const auto weighting = limpid::named_weighting("cagrad:c=0.4");
  std::printf("limpid %s restored %ld x %ld, %s\n", limpid::kVersion,
              static_cast<long>(restored.width()), static_cast<long>(restored.height()),
              weighting.description().c_str());
  return restored.width() == 34 && restored.height() == 21 ? 0 : 1;
}
