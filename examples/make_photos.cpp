// Pictures: make, resize, save, load. Fills a folder with generated photographs that the other
// lessons train on; with photographs of your own you need none of it.
//
//   make_photos [FOLDER]                       (default: photos)
#include <limpid/limpid.hpp>

#include <torch/torch.h>

#include <cstdio>
#include <filesystem>
#include <string>

using namespace limpid;

/// Clouds of colour behind dark bars: smooth parts, edges, and more than one size of things.
Image picture() {
  auto unit = Image::from_unit(torch::rand({3, 6, 8})).resized(192, 256).unit();  // (1, 3, H, W)
  for (int bar = 0; bar < 6; ++bar) {
    const auto left = torch::randint(240, {1}).item<std::int64_t>();
    unit.slice(3, left, left + 3 + bar).mul_(0.4);
  }
  return Image::from_unit(unit);
}

int main(int argc, char** argv) try {
  const std::filesystem::path folder = argc > 1 ? argv[1] : "photos";
  std::filesystem::create_directories(folder);
  torch::manual_seed(1);
  for (int i = 0; i < 6; ++i) picture().save(folder / ("photo" + std::to_string(i) + ".png"));

  const auto again = Image::load(folder / "photo0.png");
  std::printf("%s: 6 pictures of %d x %d pixels\n", folder.c_str(), static_cast<int>(again.width()),
              static_cast<int>(again.height()));
} catch (const c10::Error& error) {
  std::fprintf(stderr, "make_photos: %s\n", error.what_without_backtrace());
  return 1;
}
