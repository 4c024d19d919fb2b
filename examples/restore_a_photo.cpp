// Restores a photograph with the model that first_training wrote: by its type, and by what its file
// says.
//
//   restore_a_photo [PHOTO]                    (default: photos/photo0.png; reads run/model.limpid)
#include <limpid/limpid.hpp>

#include <cstdio>
#include <filesystem>

using namespace limpid;

using TwoTasks =
    MultiTaskModel<PixelUNetEncoder, PixelUNetDecoder<"deblur">, PixelUNetDecoder<"dehaze">>;

int main(int argc, char** argv) try {
  const std::filesystem::path path = argc > 1 ? argv[1] : "photos/photo0.png";
  const auto photo = Image::load(path);

  // A task that the model does not have would not compile.
  Restorer restorer{load<TwoTasks>("run/model.limpid")};
  restorer.restore<"deblur">(photo).save("sharp.png");

  // Networks, sizes and tasks as the file has them; large pictures go through in tiles.
  const AnyRestorer any{"run/model.limpid", {.tiling = {.tile = 128}}};
  for (const auto& task : any.tasks()) any.restore(task, photo).save(task + ".png");
} catch (const c10::Error& error) {
  std::fprintf(stderr, "%s\n", error.what_without_backtrace());
  return 1;
}
