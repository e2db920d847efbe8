// The emulated device: blocks run one after the other, the threads of a block as fibers.
//
// A launch runs the threads of a block in a plain loop on one fiber. Only a thread that has to wait, at a barrier or in
// a warp operation, keeps the fiber it is on; another fiber goes on with the loop. The threads of a cooperative launch
// are all alive at once: its blocks take turns when none of their threads can go on.
//
// Everything here has a place in .data: what kernels declare __shared__ is all that is in .bss, which is how a block
// finds it, fills it with nonsense and, in a cooperative launch, carries it away when another block takes over.
#pragma once
#include "barriers.h"

namespace emulator {

inline void staticShared(Block &block, bool in) {
  size_t bytes = _end - __bss_start;
  if (in && block.away.empty()) {
    memset(__bss_start, NONSENSE, bytes);
    return;
  }
  block.away.resize(bytes);
  in ? memcpy(__bss_start, block.away.data(), bytes) : memcpy(block.away.data(), __bss_start, bytes);
}

inline void prepare(Block &block, unsigned index) {
  const Launch &launch = *device->launch;
  block.index = position(index, launch.grid);
  block.size = launch.block.x * launch.block.y * launch.block.z;
  block.started = block.exited = block.atBarrier = block.atGrid = 0;
  block.threads.assign(block.size, Thread{});
  block.ready.clear();
  block.polling.clear();
  block.meetings.clear();
  block.dynamic.assign(launch.shared, NONSENSE);
  block.away.clear();
}

// Runs a block until all its threads have returned or wait for other blocks.
inline void run(Block &block) {
  device->block = &block;
  blockIdx = block.index;
  while (!device->failed) {
    if (!block.ready.empty()) {
      // In reverse, who was woken last goes first: a warp that is complete runs ahead of the others.
      bool last = device->launch->reverse;
      unsigned thread = last ? block.ready.back() : block.ready.front();
      last ? block.ready.pop_back() : block.ready.pop_front();
      device->thread = thread;
      threadIdx = block.size == blockDim.x ? uint3{thread, 0, 0} : position(thread, blockDim);
      resume(block.threads[thread].fiber);
    } else if (block.started < block.size) {
      Fiber *fiber = takeFiber();
      if (!fiber) {
        note("no memory for the stacks of " + std::to_string(block.size) + " threads");
        return;
      }
      resume(fiber);
    } else {
      return;
    }
  }
}

inline bool done(const Block &block) { return block.exited == block.size; }

// Runs blocks that are alive together, in turns.
inline void runTogether(unsigned count) {
  auto &blocks = device->blocks;
  long rounds = 0;
  for (bool all = false; !all && !device->failed;) {
    device->moved = false;
    bool polled = false;
    bool everyoneAtGrid = true;
    all = true;
    for (unsigned i = 0; i < count && !device->failed; i++) {
      Block &block = blocks[i];
      if (done(block)) {
        everyoneAtGrid = false;
        continue;
      }
      for (unsigned thread : block.polling) {
        block.threads[thread].wait = Wait::NONE;
        block.ready.push_back(thread);
        polled = true;
      }
      block.polling.clear();
      if (!block.ready.empty() || block.started < block.size) {
        if (count > 1) {
          staticShared(block, true);
        }
        run(block);
        if (count > 1) {
          staticShared(block, false);
        }
      }
      polled |= !block.polling.empty();
      all &= done(block);
      everyoneAtGrid &= block.atGrid == block.size;
    }
    if (device->failed || all) {
      return;
    }
    if (everyoneAtGrid) {
      for (unsigned i = 0; i < count; i++) {
        blocks[i].atGrid = 0;
        for (unsigned thread = 0; thread < blocks[i].size; thread++) {
          wake(blocks[i], thread);
        }
      }
    }
    rounds = device->moved ? 0 : rounds + 1;
    if (!device->moved && (!polled || rounds > PATIENCE)) {
      stuck(blocks, count);
    }
  }
}

inline void runGrid() {
  const Launch &launch = *device->launch;
  unsigned blocks = launch.grid.x * launch.grid.y * launch.grid.z;
  unsigned together = launch.cooperative ? blocks : 1;
  if (device->blocks.size() < together) {
    device->blocks.resize(together);
  }
  for (unsigned first = 0; first < blocks && !device->failed; first += together) {
    for (unsigned i = 0; i < together; i++) {
      prepare(device->blocks[i], launch.reverse ? blocks - 1 - first - i : first + i);
    }
    if (together == 1) {
      staticShared(device->blocks[0], true);
    }
    runTogether(together);
  }
}

[[noreturn]] EMULATOR_COLD inline void returnedTooSoon(unsigned thread) {
  const Block &block = *device->block;
  fail("divergent barrier: " + doing(block, firstThat(block, Wait::BLOCK)) + ", but " + doing(block, thread));
}

// The fast loop: starts the threads of a block one after the other until none is left.
template <auto Kernel, typename... P, size_t... I>
inline void startThreads(void (*)(P...), std::index_sequence<I...>) {
  Block &block = *device->block;
  const bool flat = block.size == blockDim.x;  // three divisions less per thread
  while (block.started < block.size) {
    unsigned thread = block.started++;
    if (device->launch->reverse) {
      thread = block.size - 1 - thread;
    }
    device->thread = thread;
    threadIdx = flat ? uint3{thread, 0, 0} : position(thread, blockDim);
    Kernel(*static_cast<P *>(device->parameters[I])...);
    block.threads[thread].exited = true;
    block.exited++;
    device->moved = true;
    if (block.atBarrier > 0) {
      returnedTooSoon(thread);
    }
  }
}

template <typename... P>
constexpr std::index_sequence_for<P...> indices(void (*)(P...)) {
  return {};
}

template <auto Kernel>
void loop() {
  startThreads<Kernel>(Kernel, indices(Kernel));
}

template <auto Kernel>
int start(const char *name, Launch *launch, void **parameters) {
  if (!device) {
    device = new Device();
  }
  device->kernel = name;
  device->launch = launch;
  device->parameters = parameters;
  device->loop = loop<Kernel>;
  device->failed = false;
  gridDim = launch->grid;
  blockDim = launch->block;
  runGrid();
  if (device->failed) {
    device->idle.clear();  // what was abandoned holds fibers; they are few, and an error is the end of a run
  }
  return device->failed;
}

}  // namespace emulator

#define EMULATED_KERNEL(name)                                                                  \
  extern "C" __attribute__((visibility("default"))) int emulated_##name(emulator::Launch *launch, void **parameters) { \
    return emulator::start<name>(#name, launch, parameters);                                   \
  }
