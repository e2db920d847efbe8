// The emulated device apart from its kernels: memory, and the matrix products that cuBLAS would do.
#include <stdlib.h>
#include <string.h>

#define EXPORT extern "C" __attribute__((visibility("default")))

// Filled with nonsense (NaN, −1): whoever reads what was never written shall notice.
EXPORT void *emulated_allocate(size_t bytes) {
  void *memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (memory) {
    memset(memory, 0xFF, bytes);
  }
  return memory;
}

EXPORT void emulated_free(void *memory) { free(memory); }
