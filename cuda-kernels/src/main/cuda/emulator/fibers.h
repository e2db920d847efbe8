// Fibers: stacks that threads wait on, and the jumps between them.
#pragma once
#include <sys/mman.h>
#include <ucontext.h>
#include "state.h"

namespace emulator {

inline void onFiber() {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(device->fiber->fake, &device->hostStack, &device->hostStackSize);
#endif
}

// Leaves the fiber that runs; returns when the scheduler resumes it.
inline void suspend() {
  Fiber *mine = device->fiber;
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber(&mine->fake, device->hostStack, device->hostStackSize);
#endif
  if (_setjmp(mine->state) == 0) {
    _longjmp(device->scheduler, 1);
  }
  onFiber();
}

// What a fiber does: its share of the threads of a block, then waits to be given another block.
inline void fiberMain() {
  onFiber();
  for (;;) {
    device->loop();
    device->idle.push_back(device->fiber);
    suspend();
  }
}

inline void resume(Fiber *fiber) {
  device->fiber = fiber;
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber(&device->hostFake, fiber->stack, STACK);
#endif
  if (_setjmp(device->scheduler) == 0) {
    if (fiber->started) {
      _longjmp(fiber->state, 1);
    }
    fiber->started = true;
    ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = fiber->stack;
    context.uc_stack.ss_size = STACK;
    context.uc_link = nullptr;
    makecontext(&context, fiberMain, 0);
    setcontext(&context);
  }
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(device->hostFake, nullptr, nullptr);
#endif
}

inline Fiber *takeFiber() {
  if (device->idle.empty()) {
    constexpr int MANY = 64;
    void *memory =
        mmap(nullptr, MANY * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
      return nullptr;
    }
    for (int i = MANY - 1; i >= 0; i--) {
      Fiber *fiber = new Fiber();
      fiber->stack = static_cast<char *>(memory) + i * STACK;
      device->idle.push_back(fiber);
    }
  }
  Fiber *fiber = device->idle.back();
  device->idle.pop_back();
  return fiber;
}

}  // namespace emulator
