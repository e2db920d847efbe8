// What went wrong, in words that name kernel, block, thread and line.
#pragma once
#include "fibers.h"

#define EMULATOR_COLD __attribute__((noinline, cold))

namespace emulator {

// Notes an error; the first is the cause of the others.
EMULATOR_COLD inline void note(const std::string &error) {
  if (!device->failed) {
    device->failed = true;
    std::string text = std::string(device->kernel) + ": " + error;
    strncpy(device->launch->error, text.c_str(), sizeof device->launch->error - 1);
  }
}

// Ends the launch from inside a thread: its fiber is not resumed.
[[noreturn]] EMULATOR_COLD inline void fail(const std::string &error) {
  note(error);
  suspend();
  __builtin_unreachable();
}

inline std::string triple(uint3 i) {
  return "(" + std::to_string(i.x) + "," + std::to_string(i.y) + "," + std::to_string(i.z) + ")";
}

// "reduce.cu:31".
inline std::string words(Site site) {
  const char *slash = strrchr(site.file, '/');
  return (slash ? slash + 1 : site.file) + (":" + std::to_string(site.line));
}

// "thread (5,0,0) of block (1,0,0)".
inline std::string words(const Block &block, unsigned thread) {
  return "thread " + triple(position(thread, blockDim)) + " of block " + triple(block.index);
}

// "thread (5,0,0) of block (1,0,0) waits for its block at reduce.cu:31".
EMULATOR_COLD inline std::string doing(const Block &block, unsigned thread) {
  const Thread &t = block.threads[thread];
  if (t.exited) {
    return words(block, thread) + " has returned";
  }
  static const char *const WHAT[] = {"runs", "waits for its block", "waits for its warp", "waits for the grid", "polls"};
  return words(block, thread) + " " + WHAT[static_cast<int>(t.wait)] + (t.wait == Wait::NONE ? "" : " at " + words(t.site));
}

// The same of a thread that has just come to wait somewhere.
EMULATOR_COLD inline std::string doing(Block &block, unsigned thread, Wait wait, Site site) {
  block.threads[thread].wait = wait;
  block.threads[thread].site = site;
  return doing(block, thread);
}

// "0x0000ffff".
inline std::string hex(unsigned mask) {
  char text[16];
  snprintf(text, sizeof text, "0x%08x", mask);
  return text;
}

// The first thread that waits for something; the block's size if there is none.
inline unsigned firstThat(const Block &block, Wait what) {
  unsigned thread = 0;
  while (thread < block.size && (block.threads[thread].exited || block.threads[thread].wait != what)) {
    thread++;
  }
  return thread;
}

inline unsigned firstReturned(const Block &block) {
  unsigned thread = 0;
  while (!block.threads[thread].exited) {
    thread++;
  }
  return thread;
}

// Why no thread can go on: two that wait for different things, or one that waits for what never comes.
EMULATOR_COLD inline void stuck(const std::deque<Block> &blocks, unsigned count) {
  const Block *first = nullptr;
  unsigned thread = 0;
  for (unsigned b = 0; b < count; b++) {
    for (unsigned i = 0; i < blocks[b].size; i++) {
      const Thread &t = blocks[b].threads[i];
      if (!first && !t.exited) {
        first = &blocks[b];
        thread = i;
      }
    }
  }
  const Thread &waits = first->threads[thread];
  for (unsigned b = 0; b < count; b++) {
    for (unsigned i = 0; i < blocks[b].size; i++) {
      const Thread &t = blocks[b].threads[i];
      if (t.exited || t.wait != waits.wait || t.site != waits.site) {
        note("deadlock: " + doing(*first, thread) + ", " + doing(blocks[b], i));
        return;
      }
    }
  }
  note("deadlock: " + doing(*first, thread) + ", and so do all others");
}

}  // namespace emulator
