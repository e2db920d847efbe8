// A CUDA driver with a device that is not one: its memory is the host's, a "cubin" is a library that the emulator's
// compiler made, and everything is done when a call returns. FAKE_FAIL=cuStreamSynchronize:700 makes a call fail.
#define _GNU_SOURCE
#include "fake_driver.c"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

typedef unsigned long long address;

static int answer(const char *call) {
  const char *fail = getenv("FAKE_FAIL");
  size_t length = strlen(call);
  return fail && strncmp(fail, call, length) == 0 && fail[length] == ':' ? atoi(fail + length + 1) : 0;
}

static int current = 0;

// Every call needs a context; so a driver that forgets to enter it is found.
#define CALL(name)                     \
  if (!current) {                      \
    return 201;                        \
  }                                    \
  int failed = answer(#name);          \
  if (failed) {                        \
    return failed;                     \
  }

int cuDevicePrimaryCtxRetain(void **context, int device) {
  *context = (void *)(size_t)(1000 + device);
  return 0;
}
int cuCtxSetCurrent(void *context) {
  current = context != 0;
  return 0;
}
// Two streams: the first is of a device, the second, of the same, is captured.
static size_t streams = 0;
int cuStreamCreate(void **stream, unsigned flags) {
  *stream = (void *)(77 + streams++);
  return flags == 1 && streams <= 2 ? 0 : 1;  // non-blocking
}

// What was captured, to be done at each launch of the graph. The arguments of kernels stay where they are, though a
// driver copies them.
struct node {
  enum { KERNEL, COPY, SET } kind;
  void *function;
  unsigned grid[3], block[3], shared, cooperative;
  void **parameters;
  address to, from;
  unsigned char value;
  size_t bytes;
};
static struct node nodes[1000];
static int node_count = 0, capturing = 0;

static struct node *captured(void *stream) {
  return capturing && stream == (void *)78 ? &nodes[node_count++] : 0;
}
int cuStreamSynchronize(void *stream) { CALL(cuStreamSynchronize) return stream == (void *)77 ? 0 : 400; }

int cuMemAllocAsync(address *memory, size_t bytes, void *stream) {
  CALL(cuMemAllocAsync)
  (void)stream;
  *memory = (address)aligned_alloc(256, (bytes + 255) / 256 * 256);
  return *memory ? 0 : 2;
}
int cuMemFreeAsync(address memory, void *stream) {
  CALL(cuMemFreeAsync)
  (void)stream;
  free((void *)memory);
  return 0;
}
int cuMemAllocHost_v2(void **memory, size_t bytes) {
  CALL(cuMemAllocHost)
  *memory = malloc(bytes);
  return 0;
}
int cuMemcpyHtoDAsync_v2(address to, const void *from, size_t bytes, void *stream) {
  CALL(cuMemcpyHtoDAsync)
  (void)stream;
  memcpy((void *)to, from, bytes);
  return 0;
}
int cuMemcpyDtoHAsync_v2(void *to, address from, size_t bytes, void *stream) {
  CALL(cuMemcpyDtoHAsync)
  (void)stream;
  memcpy(to, (void *)from, bytes);
  return 0;
}
int cuMemcpyDtoDAsync_v2(address to, address from, size_t bytes, void *stream) {
  CALL(cuMemcpyDtoDAsync)
  struct node *node = captured(stream);
  if (node) {
    *node = (struct node){.kind = COPY, .to = to, .from = from, .bytes = bytes};
    return 0;
  }
  memcpy((void *)to, (void *)from, bytes);
  return 0;
}
int cuMemsetD8Async(address to, unsigned char value, size_t bytes, void *stream) {
  CALL(cuMemsetD8Async)
  struct node *node = captured(stream);
  if (node) {
    *node = (struct node){.kind = SET, .to = to, .value = value, .bytes = bytes};
    return 0;
  }
  memset((void *)to, value, bytes);
  return 0;
}
int cuEventCreate(void **event, unsigned flags) {
  *event = (void *)88;
  return flags == 2 ? 0 : 1;  // without timing
}
int cuEventRecord(void *event, void *stream) { CALL(cuEventRecord) return event && stream ? 0 : 400; }
int cuEventSynchronize(void *event) { CALL(cuEventSynchronize) return event == (void *)88 ? 0 : 400; }

// The image's size is in its header: the section table of a shared library comes last.
static size_t elf_bytes(const unsigned char *image) {
  size_t sections;
  unsigned short entry, count;
  memcpy(&sections, image + 0x28, sizeof sections);
  memcpy(&entry, image + 0x3A, sizeof entry);
  memcpy(&count, image + 0x3C, sizeof count);
  return sections + (size_t)entry * count;
}

int cuModuleLoadData(void **module, const void *image) {
  CALL(cuModuleLoadData)
  if (memcmp(image, "\177ELF", 4) != 0) {
    return 200;
  }
  char path[] = "/tmp/carousel-fake-module-XXXXXX";
  int file = mkstemp(path);
  size_t bytes = elf_bytes(image);
  if (file < 0 || write(file, image, bytes) != (ssize_t)bytes) {
    return 304;
  }
  close(file);
  *module = dlopen(path, RTLD_NOW);
  unlink(path);
  return *module ? 0 : 200;
}

struct kernel {
  int (*run)(void *launch, void **parameters);
  int shared;
};

int cuModuleGetFunction(void **function, void *module, const char *name) {
  CALL(cuModuleGetFunction)
  char symbol[256];
  snprintf(symbol, sizeof symbol, "emulated_%s", name);
  struct kernel *kernel = malloc(sizeof *kernel);
  *(void **)&kernel->run = dlsym(module, symbol);
  kernel->shared = 48 << 10;
  *function = kernel;
  return kernel->run ? 0 : 500;
}
int cuFuncSetAttribute(void *function, int attribute, int value) {
  CALL(cuFuncSetAttribute)
  if (attribute == 8 && value <= 227 << 10) {
    ((struct kernel *)function)->shared = value;
    return 0;
  }
  return 1;
}

// struct Launch of the emulator's state.h
struct launch {
  unsigned grid[3], block[3], shared, cooperative, reverse;
  char error[1024];
};

static int start(struct kernel *kernel, struct launch launch, void **parameters) {
  if (launch.shared > (unsigned)kernel->shared) {
    return 1;
  }
  if (kernel->run(&launch, parameters) != 0) {
    fprintf(stderr, "%s\n", launch.error);
    return 719;
  }
  return 0;
}
static int launch(struct node given, void *stream) {
  struct node *node = captured(stream);
  if (node) {
    *node = given;
    return 0;
  }
  struct launch launch = {{given.grid[0], given.grid[1], given.grid[2]},
                          {given.block[0], given.block[1], given.block[2]},
                          given.shared, given.cooperative, 0, ""};
  return stream == (void *)77 ? start(given.function, launch, given.parameters) : 400;
}
int cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned tx, unsigned ty, unsigned tz,
                   unsigned shared, void *stream, void **parameters, void **extra) {
  CALL(cuLaunchKernel)
  struct node node = {.kind = KERNEL, .function = function, .grid = {x, y, z}, .block = {tx, ty, tz},
                      .shared = shared, .parameters = parameters};
  return extra ? 1 : launch(node, stream);
}
int cuLaunchCooperativeKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned tx, unsigned ty,
                              unsigned tz, unsigned shared, void *stream, void **parameters) {
  CALL(cuLaunchCooperativeKernel)
  struct node node = {.kind = KERNEL, .function = function, .grid = {x, y, z}, .block = {tx, ty, tz},
                      .shared = shared, .cooperative = 1, .parameters = parameters};
  return launch(node, stream);
}

int cuStreamBeginCapture_v2(void *stream, int mode) {
  CALL(cuStreamBeginCapture)
  int fresh = !capturing;
  capturing = 1;
  node_count = 0;
  return fresh && stream == (void *)78 && mode == 2 ? 0 : 1;  // relaxed
}
int cuStreamEndCapture(void *stream, void **graph) {
  CALL(cuStreamEndCapture)
  int was = capturing;
  capturing = 0;
  *graph = (void *)91;
  return was && stream == (void *)78 ? 0 : 1;
}
int cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long flags) {
  CALL(cuGraphInstantiate)
  *executable = (void *)92;
  return graph == (void *)91 && flags == 0 ? 0 : 1;
}
int cuGraphDestroy(void *graph) { return graph == (void *)91 ? 0 : 1; }
int cuGraphExecDestroy(void *executable) { CALL(cuGraphExecDestroy) return executable == (void *)92 ? 0 : 1; }
int cuGraphLaunch(void *executable, void *stream) {
  CALL(cuGraphLaunch)
  if (executable != (void *)92 || stream != (void *)77) {
    return 400;
  }
  for (int i = 0; i < node_count; i++) {
    struct node *n = &nodes[i];
    int failed = 0;
    switch (n->kind) {
      case KERNEL: failed = launch(*n, stream); break;
      case COPY: memcpy((void *)n->to, (void *)n->from, n->bytes); break;
      case SET: memset((void *)n->to, n->value, n->bytes); break;
    }
    if (failed) {
      return failed;
    }
  }
  return 0;
}
