// A CUDA driver that is not one: it answers the calls of DriverQuery.java with what the macros say.
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#ifndef VERSION
#define VERSION 12060
#endif
#ifndef INIT
#define INIT 0
#endif
#ifndef COUNT
#define COUNT 2
#endif

int cuDriverGetVersion(int *version) {
  *version = VERSION;
  return 0;
}

#ifndef WITHOUT_INIT
int cuInit(unsigned int flags) { return flags == 0 ? INIT : 1; }
#endif

int cuDeviceGetCount(int *count) {
  *count = COUNT;
  return 0;
}

int cuDeviceGet(int *device, int index) {
  *device = 70 + index;  // a handle is not an index
  return index < COUNT ? 0 : 101;
}

int cuDeviceGetName(char *name, int length, int device) {
  snprintf(name, (size_t)length, "Fake %d", device - 70);
  return 0;
}

int cuDeviceTotalMem_v2(size_t *bytes, int device) {
  *bytes = ((size_t)device - 69) * 40 * 1024 * 1024 * 1024;
  return 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
  switch (attribute) {
    case 16: *value = 100 + device - 70; return 0;
    case 75: *value = 9; return 0;
    case 76: *value = 1; return 0;
    case 97: *value = 227 << 10; return 0;
    default: return 1;
  }
}

int cuGetErrorName(int code, const char **name) {
  *name = code == 100 ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_OTHER";
  return 0;
}
