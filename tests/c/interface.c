/* The C interface as C sees it: interface MODEL.limpid. Ends with 1 at the first surprise. */
#include <limpid_restore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                     \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      fprintf(stderr, "line %d: %s (last error: '%s')\n", __LINE__, #condition,              \
              limpid_last_error());                                                          \
      exit(1);                                                                               \
    }                                                                                        \
  } while (0)

enum { kWidth = 70, kHeight = 50, kPixels = kWidth * kHeight };

static unsigned char value_at(int i) { return (unsigned char)(i * 37 % 251); }

struct seen {
  int64_t calls, done, tiles, cancel_at;
};

static int look(int64_t done, int64_t tiles, void* user) {
  struct seen* seen = user;
  ++seen->calls;
  seen->done = done;
  seen->tiles = tiles;
  return done == seen->cancel_at;
}

static int error_has(const char* text) { return strstr(limpid_last_error(), text) != NULL; }

static char* bytes_of(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
  *size = (size_t)ftell(file);
  rewind(file);
  char* bytes = malloc(*size);
  CHECK(bytes != NULL && fread(bytes, 1, *size, file) == *size);
  fclose(file);
  return bytes;
}

static void options_and_models_are_checked(const char* path) {
  limpid_restorer* none = (limpid_restorer*)path;
  CHECK(limpid_restorer_open("no-such-file", NULL, &none) == LIMPID_BAD_MODEL);
  CHECK(none == NULL && error_has("'no-such-file'"));
  CHECK(limpid_restorer_open(NULL, NULL, &none) == LIMPID_BAD_ARGUMENT);
  CHECK(limpid_restorer_open(path, NULL, NULL) == LIMPID_BAD_ARGUMENT);
  CHECK(limpid_restorer_open_memory("no model", 8, NULL, &none) == LIMPID_BAD_MODEL);
  CHECK(error_has("'in memory'"));
  limpid_options options = {0};
  CHECK(limpid_restorer_open(path, &options, &none) == LIMPID_BAD_ARGUMENT);
  CHECK(error_has("struct_size"));
  options.struct_size = sizeof options;
  options.tile = 5;
  CHECK(limpid_restorer_open(path, &options, &none) == LIMPID_BAD_ARGUMENT && error_has("tile"));
  options.tile = 0;
  options.ensemble = 3;
  CHECK(limpid_restorer_open(path, &options, &none) == LIMPID_BAD_ARGUMENT);
  options.ensemble = 0;
  options.device = "abacus";
  CHECK(limpid_restorer_open(path, &options, &none) == LIMPID_BAD_ARGUMENT);
  CHECK(error_has("'abacus'"));
  /* A caller of a later version whose further fields are zeros, and one that sets them. */
  struct {
    limpid_options options;
    int64_t later;
  } later = {{0}, 0};
  later.options.struct_size = sizeof later;
  CHECK(limpid_restorer_open(path, &later.options, &none) == LIMPID_OK);
  limpid_restorer_close(none);
  later.later = 1;
  CHECK(limpid_restorer_open(path, &later.options, &none) == LIMPID_BAD_ARGUMENT);
  /* A caller of an earlier version: what lies behind its fields is not looked at. */
  options.struct_size = sizeof options.struct_size;
  CHECK(limpid_restorer_open(path, &options, &none) == LIMPID_OK);
  limpid_restorer_close(none);
  limpid_restorer_close(NULL);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  CHECK(limpid_last_error()[0] == 0);
  CHECK(limpid_restore_version()[0] != 0);
  options_and_models_are_checked(argv[1]);

  size_t size = 0;
  char* bytes = bytes_of(argv[1], &size);
  limpid_options options = {.struct_size = sizeof options};
  options.tile = 32;
  limpid_restorer* restorer = NULL;
  CHECK(limpid_restorer_open_memory(bytes, size, &options, &restorer) == LIMPID_OK);
  free(bytes);
  CHECK(limpid_restorer_tasks(restorer) >= 1 && limpid_restorer_tasks(NULL) == 0);
  const char* task = limpid_restorer_task(restorer, 0);
  CHECK(task != NULL && limpid_restorer_task(restorer, limpid_restorer_tasks(restorer)) == NULL);
  CHECK(limpid_restorer_task(restorer, -1) == NULL);

  unsigned char rgb[kPixels * 3], restored[kPixels * 3], bgra[kPixels * 4];
  float floats[kPixels * 3];
  for (int i = 0; i < kPixels; ++i) {
    for (int c = 0; c < 3; ++c) {
      rgb[3 * i + c] = value_at(3 * i + c);
      bgra[4 * i + 2 - c] = value_at(3 * i + c);
      floats[3 * i + c] = (float)value_at(3 * i + c) / 255.0f;
    }
    bgra[4 * i + 3] = (unsigned char)i;
  }
  struct seen seen = {0, 0, 0, -1};
  limpid_picture from = {rgb, kWidth, kHeight, 0, LIMPID_RGB8, 0};
  limpid_picture to = {restored, kWidth, kHeight, kWidth * 3, LIMPID_RGB8, 0};
  CHECK(limpid_restore(restorer, task, &from, &to, look, &seen) == LIMPID_OK);
  CHECK(limpid_last_error()[0] == 0);
  CHECK(seen.tiles == 6 && seen.done == 6 && seen.calls >= 7);
  CHECK(memcmp(rgb, restored, sizeof rgb) != 0);
  for (int i = 0; i < kPixels * 3; ++i) CHECK(rgb[i] == value_at(i));

  limpid_picture other = {bgra, kWidth, kHeight, 0, LIMPID_BGRA8, 0};
  CHECK(limpid_restore(restorer, task, &other, &other, NULL, NULL) == LIMPID_OK);
  limpid_picture exact = {floats, kWidth, kHeight, 0, LIMPID_RGB_FLOAT32, 0};
  CHECK(limpid_restore(restorer, task, &exact, &exact, NULL, NULL) == LIMPID_OK);
  for (int i = 0; i < kPixels; ++i) {
    CHECK(bgra[4 * i + 3] == (unsigned char)i);
    for (int c = 0; c < 3; ++c) {
      CHECK(bgra[4 * i + 2 - c] == restored[3 * i + c]);
      CHECK((int)(floats[3 * i + c] * 255.0f + 0.5f) == restored[3 * i + c]);
    }
  }

  /* What is cancelled, or wrong, leaves the picture as it was. */
  seen = (struct seen){0, 0, 0, 2};
  CHECK(limpid_restore(restorer, task, &from, &from, look, &seen) == LIMPID_CANCELLED);
  CHECK(error_has("cancelled after 2 of 6 tiles"));
  CHECK(limpid_restore(restorer, "no task", &from, &from, NULL, NULL) == LIMPID_BAD_ARGUMENT);
  CHECK(error_has("expected one of its tasks") && error_has("'no task'"));
  CHECK(limpid_restore(NULL, task, &from, &from, NULL, NULL) == LIMPID_BAD_ARGUMENT);
  CHECK(limpid_restore(restorer, NULL, &from, &from, NULL, NULL) == LIMPID_BAD_ARGUMENT);
  CHECK(limpid_restore(restorer, task, NULL, &from, NULL, NULL) == LIMPID_BAD_ARGUMENT);
  from.stride = kWidth;
  CHECK(limpid_restore(restorer, task, &from, &from, NULL, NULL) == LIMPID_BAD_ARGUMENT);
  CHECK(error_has("expected a stride of at least 210 bytes"));
  from.stride = 0;
  from.format = 99;
  CHECK(limpid_restore(restorer, task, &from, &from, NULL, NULL) == LIMPID_BAD_ARGUMENT);
  CHECK(error_has("pixel format"));
  from.format = LIMPID_RGB8;
  from.reserved = 1;
  CHECK(limpid_restore(restorer, task, &from, &from, NULL, NULL) == LIMPID_BAD_ARGUMENT);
  for (int i = 0; i < kPixels * 3; ++i) CHECK(rgb[i] == value_at(i));

  /* "auto" says what it did and how sure it was, and does the same as the task of that name. */
  from.reserved = 0;
  CHECK(limpid_restorer_has_router(restorer) == 1 && limpid_restorer_has_router(NULL) == 0);
  limpid_guess guesses[8];
  int32_t count = -1;
  CHECK(limpid_restore_auto(restorer, &from, &to, guesses, 8, &count, NULL, NULL) == LIMPID_OK);
  CHECK(count == limpid_restorer_tasks(restorer) && count <= 8);
  unsigned char by_tasks[kPixels * 3];
  memcpy(by_tasks, rgb, sizeof rgb);
  limpid_picture again = {by_tasks, kWidth, kHeight, 0, LIMPID_RGB8, 0};
  for (int i = 0; i < count; ++i) {
    CHECK(guesses[i].probability >= 0 && guesses[i].probability <= 1);
    CHECK(i == 0 || guesses[i].done <= guesses[i - 1].done);
    if (guesses[i].done == 0) continue;
    CHECK(limpid_restore(restorer, guesses[i].task, &again, &again, NULL, NULL) == LIMPID_OK);
  }
  CHECK(memcmp(by_tasks, restored, sizeof by_tasks) == 0);
  CHECK(limpid_restore(restorer, "auto", &from, &to, NULL, NULL) == LIMPID_OK);
  CHECK(memcmp(by_tasks, restored, sizeof by_tasks) == 0);
  CHECK(limpid_restore_auto(restorer, &from, &to, NULL, 0, NULL, NULL, NULL) == LIMPID_OK);
  CHECK(limpid_restore_auto(restorer, &from, &to, NULL, 1, NULL, NULL, NULL) ==
        LIMPID_BAD_ARGUMENT);
  seen = (struct seen){0, 0, 0, 2};
  CHECK(limpid_restore_auto(restorer, &from, &from, NULL, 0, &count, look, &seen) ==
        LIMPID_CANCELLED);
  CHECK(count == 0);
  for (int i = 0; i < kPixels * 3; ++i) CHECK(rgb[i] == value_at(i));

  limpid_restorer_close(restorer);
  printf("the C interface holds\n");
  return 0;
}
