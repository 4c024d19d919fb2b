// A program to go out with a model: pixels in memory in, pixels out, a task by its name.
//
//   deploy MODEL TASK PHOTO OUT                (TASK: one of the model's, or auto)
#include <limpid/restore.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>

using namespace limpid;

int main(int argc, char** argv) try {
  if (argc != 5) {
    std::fprintf(stderr, "usage: deploy MODEL TASK PHOTO OUT\n");
    return 2;
  }
  at::set_num_threads(static_cast<int>(std::thread::hardware_concurrency()));  // Debian's: 1
  const AnyRestorer restorer{argv[1], {.convolution = Convolution::fast}};

  // Here they come from a file; those of a camera or a window are as good.
  const auto photo = Image::load(argv[3]);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(3 * photo.width() * photo.height()));
  const PictureBuffer picture{.pixels = pixels.data(),
                              .width = photo.width(),
                              .height = photo.height(),
                              .format = PixelFormat::rgb8};
  copy_to(picture, photo);

  restorer.restore_in_place(argv[2], picture);  // from any thread, several at once
  image_of(picture).save(argv[4]);
} catch (const c10::Error& error) {
  std::fprintf(stderr, "%s\n", error.what_without_backtrace());
  return 1;
}
