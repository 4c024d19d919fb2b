// Restores a photograph with the model that first_training wrote: by its type, by what its file
// says, and where its pixels lie in memory.
//
//   restore_a_photo [PHOTO]                    (default: photos/photo0.png; reads run/model.limpid)
#include <limpid/limpid.hpp>
#include <limpid/restore.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <stop_token>
#include <thread>
#include <vector>

using namespace limpid;

using TwoTasks =
    MultiTaskModel<PixelUNetEncoder, PixelUNetDecoder<"deblur">, PixelUNetDecoder<"dehaze">>;

int main(int argc, char** argv) try {
  at::set_num_threads(static_cast<int>(std::thread::hardware_concurrency()));  // Debian's: 1
  const std::filesystem::path path = argc > 1 ? argv[1] : "photos/photo0.png";
  const auto photo = Image::load(path);

  // A task that the model does not have would not compile.
  Restorer restorer{load<TwoTasks>("run/model.limpid")};
  restorer.restore<"deblur">(photo).save("sharp.png");

  // Networks, sizes and tasks as the file has them; large pictures go through in tiles.
  const AnyRestorer any{"run/model.limpid", {.tiling = {.tile = 128}}};
  for (const auto& task : any.tasks()) any.restore(task, photo).save(task + ".png");

  // Pixels in memory, of a camera or a window; here the photograph's.
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(4 * photo.width() * photo.height()));
  const PictureBuffer frame{.pixels = pixels.data(),
                            .width = photo.width(),
                            .height = photo.height(),
                            .format = PixelFormat::bgra8};
  copy_to(frame, photo);
  std::stop_source stop;  // stop.request_stop() in any thread cancels: RestoreCancelled
  const auto show = [](const RestoreProgress& progress) {
    std::printf("%d of %d tiles\n", static_cast<int>(progress.tiles_done),
                static_cast<int>(progress.tiles));
  };
  any.restore_in_place("deblur", frame, {.stop = stop.get_token(), .progress = show});
  image_of(frame).save("frame.png");
} catch (const c10::Error& error) {
  std::fprintf(stderr, "%s\n", error.what_without_backtrace());
  return 1;
}
