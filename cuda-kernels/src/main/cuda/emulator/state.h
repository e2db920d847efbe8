// What the emulated device remembers: the launch, its blocks, their threads and the fibers these wait on.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <string>
#include <deque>
#include <vector>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#define EMULATOR_STATE __attribute__((section(".data")))

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
};

static uint3 threadIdx EMULATOR_STATE = {};
static uint3 blockIdx EMULATOR_STATE = {};
static dim3 blockDim EMULATOR_STATE = {};
static dim3 gridDim EMULATOR_STATE = {};

extern char __bss_start[] __attribute__((visibility("hidden")));
extern char _end[] __attribute__((visibility("hidden")));

namespace emulator {

constexpr unsigned WARP = 32;
constexpr size_t STACK = (64 << 10) + 320;  // an odd number of cache lines, so that stacks do not compete for the same ones
constexpr unsigned char NONSENSE = 0xFF;  // NaN as a float, −1 as an index
constexpr long PATIENCE = 200000;         // rounds of polling in which nothing else happens

// What Java hands over; EmulatedDriver writes this struct.
struct Launch {
  dim3 grid;
  dim3 block;
  unsigned shared;       // bytes of dynamic shared memory
  unsigned cooperative;  // 1: all blocks are alive at once and may meet at the grid's barrier
  unsigned reverse;      // 1: threads start from the last one, and who was woken last goes on first
  char error[1024];
};

// Where in the source a thread waits.
struct Site {
  const char *file;
  int line;
  bool operator!=(const Site &o) const { return line != o.line || (file != o.file && strcmp(file, o.file) != 0); }
};

struct Fiber {
  char *stack;
  void *place;  // where it goes on; null before it began
#ifdef __SANITIZE_ADDRESS__
  void *fake;
#endif
};

// Lanes that meet in one warp operation: those of a mask, each with a value.
struct Meeting {
  unsigned mask;
  unsigned arrived;
  unsigned left;
  Site site;
  uint64_t values[WARP];
};

enum class Wait { NONE, BLOCK, WARP, GRID, POLL };

struct Thread {
  Fiber *fiber;
  Wait wait;
  bool exited;
  Site site;
};

struct Block {
  uint3 index;
  unsigned size;     // threads
  unsigned started;  // how many have been started
  unsigned exited;
  unsigned atBarrier;
  Site barrier;  // where its threads wait
  unsigned atGrid;
  std::vector<Thread> threads;
  std::deque<unsigned> ready;
  std::vector<unsigned> polling;
  std::vector<std::deque<Meeting>> meetings;  // per warp, once one of them meets
  std::vector<char> dynamic;                                    // dynamic shared memory
  std::vector<char> away;  // static shared memory while another block of a cooperative launch runs
};

struct Device {
  const char *kernel;
  Launch *launch;
  void **parameters;
  void (*loop)();  // runs threads of the block until all have been started
  Block *block;
  unsigned thread;  // the one that runs, counted within its block
  Fiber *fiber;     // the one it runs on
  void *scheduler;  // where the scheduler goes on when a fiber leaves
  bool failed;
  bool moved;  // whether anything but polling happened
  std::vector<Fiber *> idle;
  std::deque<Block> blocks;  // kept from launch to launch for their memory
#ifdef __SANITIZE_ADDRESS__
  const void *hostStack;
  size_t hostStackSize;
  void *hostFake;
#endif
};

static Device *device EMULATOR_STATE = nullptr;

inline uint3 position(unsigned thread, dim3 size) {
  return {thread % size.x, thread / size.x % size.y, thread / size.x / size.y};
}

}  // namespace emulator
