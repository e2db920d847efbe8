// Fibers: stacks that threads wait on, and the jumps between them.
#pragma once
#include <sys/mman.h>
#include <ucontext.h>
#include "state.h"

namespace emulator {

inline void fiberMain();

// A place to go on from: where a fiber, or the scheduler, left off.
#ifdef __x86_64__

// Puts what a function must preserve on the stack and notes the stack in *from; goes on from `to`. Six times as fast as
// the C library's jumps, which matters: a block of 256 threads that adds up by shuffles makes thousands.
__attribute__((naked, noinline)) inline void jump(void **from, void *to) {
  asm(R"(
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    popq %rcx
    jmp *%rcx)");  // not ret: it would go elsewhere than the processor predicts
}

// What jump pops to begin a fiber: six registers and fiberMain, above which the stack is as after a call.
inline void *beginning(char *stack) {
  void **top = reinterpret_cast<void **>(reinterpret_cast<uintptr_t>(stack + STACK) & ~uintptr_t(15)) - 1;
  *--top = reinterpret_cast<void *>(fiberMain);
  return top - 6;
}

#else

inline void jump(void **from, void *to) {
  ucontext_t *here = new ucontext_t;
  *from = here;
  ucontext_t *there = static_cast<ucontext_t *>(to);
  swapcontext(here, there);
  delete here;
}

inline void *beginning(char *stack) {
  ucontext_t *context = new ucontext_t;
  getcontext(context);
  context->uc_stack.ss_sp = stack;
  context->uc_stack.ss_size = STACK;
  context->uc_link = nullptr;
  makecontext(context, fiberMain, 0);
  return context;
}

#endif

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
  jump(&mine->place, device->scheduler);
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
  if (!fiber->place) {
    fiber->place = beginning(fiber->stack);
  }
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber(&device->hostFake, fiber->stack, STACK);
#endif
  jump(&device->scheduler, fiber->place);
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
