/* Restoring pictures from C, and from whatever calls C: the library liblimpid_restore.
 *
 * A restorer holds a model; pictures are restored from memory to memory. Functions that can fail
 * return a limpid_status, and limpid_last_error() says what is wrong. Nothing throws or ends the
 * program, and nothing here changes once it is released: what is new is added.
 */
#ifndef LIMPID_RESTORE_H
#define LIMPID_RESTORE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define LIMPID_API __attribute__((visibility("default")))
#else
#define LIMPID_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A model, ready to restore. Any number of threads may restore with one at the same time. */
typedef struct limpid_restorer limpid_restorer;

typedef enum limpid_status {
  LIMPID_OK = 0,
  LIMPID_BAD_ARGUMENT = 1,  /* a size, stride, format, option, task ... */
  LIMPID_BAD_MODEL = 2,     /* the model file is missing, damaged or foreign */
  LIMPID_OUT_OF_MEMORY = 3,
  LIMPID_CANCELLED = 4,     /* the progress function said so */
  LIMPID_FAILED = 5         /* anything else, such as a device that is not there */
} limpid_status;

/* How pixels lie in memory, one value behind the other. */
typedef enum limpid_pixel_format {
  LIMPID_RGB8 = 0,
  LIMPID_BGR8 = 1,
  LIMPID_RGBA8 = 2, /* not premultiplied; alpha is kept */
  LIMPID_BGRA8 = 3,
  LIMPID_GREY8 = 4,
  LIMPID_RGB_FLOAT32 = 5 /* values in [0, 1] */
} limpid_pixel_format;

typedef enum limpid_precision {
  LIMPID_FLOAT32 = 0,
  LIMPID_BFLOAT16 = 1,
  LIMPID_FASTEST_PRECISION = 2 /* bfloat16 where the machine is fast at it */
} limpid_precision;

/* How to restore. Zeros are good defaults:
 *   limpid_options options = {.struct_size = sizeof options}; */
typedef struct limpid_options {
  size_t struct_size; /* sizeof(limpid_options), so that later versions know what is there */
  const char* device; /* NULL or "cpu"; "cuda", "cuda:1" */
  int32_t threads;    /* of the CPU for each call; 0: one for each core */
  int32_t precision;  /* a limpid_precision */
  int64_t tile;       /* side of a tile in pixels, at least 16; 0: tiles where memory asks for
                         them; -1: the whole picture at once. Progress and cancelling go by tiles */
  uint64_t memory;    /* bytes that a call may take; 0: what is free */
  int32_t fast;       /* not 0: 3x3 convolutions by fewer multiplications, where the machine can */
  int32_t ensemble;   /* the mean over so many ways to lay the picture: 0 or 1, 2, 4, 8 */
} limpid_options;

/* A picture in memory that belongs to the caller. */
typedef struct limpid_picture {
  void* pixels; /* the first pixel of the first row */
  int64_t width, height;
  int64_t stride;   /* bytes from a row to the next, negative where it lies upside down; 0: none lie
                       between rows */
  int32_t format;   /* a limpid_pixel_format */
  int32_t reserved; /* 0 */
} limpid_picture;

/* Called by the thread that restores: at first, and whenever the network has run or a tile is done.
 * Returns 0 to go on, anything else to cancel before the network runs again. */
typedef int (*limpid_progress)(int64_t tiles_done, int64_t tiles, void* user);

/* The version of the library: "0.1.0". */
LIMPID_API const char* limpid_restore_version(void);

/* Reads a model file; `options` may be NULL. Close it with limpid_restorer_close. */
LIMPID_API limpid_status limpid_restorer_open(const char* path, const limpid_options* options,
                                              limpid_restorer** restorer);

/* The same from the bytes of a model file, which may go afterwards. */
LIMPID_API limpid_status limpid_restorer_open_memory(const void* bytes, size_t size,
                                                     const limpid_options* options,
                                                     limpid_restorer** restorer);

/* NULL is fine. No call may be going on. */
LIMPID_API void limpid_restorer_close(limpid_restorer* restorer);

/* The model's tasks, such as "deblur": how many, and the name of each; NULL beyond the last. Names
 * live as long as the restorer. */
LIMPID_API int32_t limpid_restorer_tasks(const limpid_restorer* restorer);
LIMPID_API const char* limpid_restorer_task(const limpid_restorer* restorer, int32_t index);

/* What a model's router says of one picture: how sure it is that a task brings the picture closer to
 * what it was. */
typedef struct limpid_guess {
  const char* task;   /* lives as long as the restorer */
  double probability; /* 0 ... 1 */
  int32_t done;       /* not 0: the task was done */
  int32_t reserved;
} limpid_guess;

/* Whether the model has a router, which the task "auto" asks. */
LIMPID_API int32_t limpid_restorer_has_router(const limpid_restorer* restorer);

/* Restores `degraded` into `restored`, which has the same size, and may be the same picture or have
 * another format. `task` is one of the model's, or "auto" where it has a router. `restored` is written when all is done, and not at all where this fails or is
 * cancelled. `progress` may be NULL; `user` is handed to it. */
LIMPID_API limpid_status limpid_restore(const limpid_restorer* restorer, const char* task,
                                        const limpid_picture* degraded,
                                        const limpid_picture* restored, limpid_progress progress,
                                        void* user);

/* Restores by the task "auto" as limpid_restore does, and says what was done and why: the router is
 * asked which tasks help, those that it is sure of are done one after another, and a picture that
 * none is sure to help comes back as it is. Writes at most `capacity` guesses, first the tasks that
 * were done in their order, then those that were left, the likeliest first; `*count` is how many
 * there are, never more than the model has tasks. Either may be NULL. Progress begins anew with each
 * task. */
LIMPID_API limpid_status limpid_restore_auto(const limpid_restorer* restorer,
                                             const limpid_picture* degraded,
                                             const limpid_picture* restored, limpid_guess* guesses,
                                             int32_t capacity, int32_t* count,
                                             limpid_progress progress, void* user);

/* What was wrong in this thread's last call that returns a status; "" where it went well. It stands
 * until the next such call. */
LIMPID_API const char* limpid_last_error(void);

#ifdef __cplusplus
}
#endif

#endif
