/* Restores a picture from C: reads and writes binary PPM, which needs no library.
 *
 *   cc restore.c -llimpid_restore -o restore
 *   ./restore MODEL.limpid TASK IN.ppm OUT.ppm
 */
#include <limpid_restore.h>
#include <stdio.h>
#include <stdlib.h>

static int show(int64_t tiles_done, int64_t tiles, void* user) {
  (void)user;
  fprintf(stderr, "\r%lld of %lld tiles", (long long)tiles_done, (long long)tiles);
  return 0; /* anything else would cancel */
}

static int complain(const char* what) {
  fprintf(stderr, "restore: %s\n", what);
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 5) return complain("expected MODEL.limpid TASK IN.ppm OUT.ppm");

  FILE* file = fopen(argv[3], "rb");
  long long width = 0, height = 0;
  if (file == NULL || fscanf(file, "P6 %lld %lld 255", &width, &height) != 2 ||
      fgetc(file) == EOF || width < 1 || height < 1 || width > 1 << 20 || height > 1 << 20) {
    return complain("expected a binary PPM of 8 bits");
  }
  const size_t size = (size_t)width * (size_t)height * 3;
  unsigned char* pixels = malloc(size);
  if (pixels == NULL || fread(pixels, 1, size, file) != size) return complain("it is cut short");
  fclose(file);

  limpid_restorer* restorer = NULL;
  limpid_options options = {.struct_size = sizeof options}; /* the rest is 0: defaults */
  if (limpid_restorer_open(argv[1], &options, &restorer) != LIMPID_OK) {
    return complain(limpid_last_error());
  }
  limpid_picture picture = {pixels, width, height, 0, LIMPID_RGB8, 0};
  if (limpid_restore(restorer, argv[2], &picture, &picture, show, NULL) != LIMPID_OK) {
    return complain(limpid_last_error());
  }
  fprintf(stderr, "\n");
  limpid_restorer_close(restorer);

  file = fopen(argv[4], "wb");
  if (file == NULL) return complain("the output cannot be written");
  fprintf(file, "P6\n%lld %lld\n255\n", width, height);
  if (fwrite(pixels, 1, size, file) != size || fclose(file) != 0) return complain("a full disk");
  free(pixels);
  return 0;
}
