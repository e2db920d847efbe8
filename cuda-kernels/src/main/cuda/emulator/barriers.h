// Barriers of a block, a warp and a grid, from the side of the thread that waits.
#pragma once
#include "errors.h"

namespace emulator {

inline void wait(Wait what, Site site) {
  Block &block = *device->block;
  unsigned thread = device->thread;
  Thread &t = block.threads[thread];
  t.fiber = device->fiber;
  t.wait = what;
  t.site = site;
  suspend();
}

inline void wake(Block &block, unsigned thread) {
  block.threads[thread].wait = Wait::NONE;
  block.ready.push_back(thread);
  device->moved = true;
}

inline void blockBarrier(Site site) {
  Block &block = *device->block;
  unsigned thread = device->thread;
  if (block.exited > 0) {
    fail("divergent barrier: " + doing(block, thread, Wait::BLOCK, site) + ", but " + doing(block, firstReturned(block)));
  }
  if (block.atBarrier == 0) {
    block.barrier = site;
  } else if (block.barrier != site) {
    fail("divergent barrier: " + doing(block, firstThat(block, Wait::BLOCK)) + ", but " +
         doing(block, thread, Wait::BLOCK, site));
  }
  if (++block.atBarrier < block.size) {
    wait(Wait::BLOCK, site);
    return;
  }
  block.atBarrier = 0;
  for (unsigned i = 0; i < block.size; i++) {
    if (i != thread) {
      wake(block, i);
    }
  }
}

// Every lane of the mask must be there, and this one must be in it.
inline void checkLanes(unsigned mask, unsigned there, Site site) {
  Block &block = *device->block;
  unsigned thread = device->thread;
  unsigned first = thread / WARP * WARP;
  const char *wrong = mask >> (thread - first) & 1 ? nullptr : "calls it";
  unsigned lane = thread - first;
  if (!wrong && (mask & ~there) == 0 && block.exited == 0) {
    return;
  }
  for (unsigned i = 0; i < WARP; i++) {
    if (mask >> i & 1 && !wrong) {
      wrong = !(there >> i & 1) ? "does not exist" : block.threads[first + i].exited ? "has returned" : nullptr;
      lane = i;
    }
  }
  if (wrong) {
    fail("warp operation: " + doing(block, thread, Wait::WARP, site) + " with mask " + hex(mask) + ", but lane " +
         std::to_string(lane) + " " + wrong + (wrong[0] == 'c' ? " and is not in it" : ""));
  }
}

// Waits for the other lanes of a mask, leaving a value for them. The caller reads theirs and calls leave.
inline Meeting *meet(unsigned mask, uint64_t value, Site site) {
  Block &block = *device->block;
  unsigned lane = device->thread % WARP;
  unsigned warp = device->thread / WARP;
  unsigned first = warp * WARP;
  checkLanes(mask, block.size - first >= WARP ? ~0u : (1u << (block.size - first)) - 1, site);
  if (block.meetings.empty()) {
    block.meetings.resize((block.size + WARP - 1) / WARP);
  }
  Meeting *meeting = nullptr;
  for (Meeting &m : block.meetings[warp]) {
    if (m.mask == mask && m.arrived != mask) {
      meeting = &m;
    }
  }
  for (Meeting &m : block.meetings[warp]) {
    if (!meeting && m.left == m.mask) {
      meeting = &(m = Meeting{mask, 0, 0, site, {}});
    }
  }
  if (!meeting) {
    meeting = &block.meetings[warp].emplace_back(Meeting{mask, 0, 0, site, {}});
  }
  if (meeting->site != site) {
    fail("divergent warp operation: " + doing(block, device->thread, Wait::WARP, site) + ", but lane " +
         std::to_string(__builtin_ctz(meeting->arrived)) + " of its warp is at " + words(meeting->site));
  }
  meeting->arrived |= 1u << lane;
  meeting->values[lane] = value;
  if (meeting->arrived != mask) {
    wait(Wait::WARP, site);
  } else {
    for (unsigned i = 0; i < WARP; i++) {
      if (mask >> i & 1 && i != lane) {
        wake(block, first + i);
      }
    }
  }
  return meeting;
}

inline void leave(Meeting *meeting) { meeting->left |= 1u << device->thread % WARP; }

inline void gridBarrier(Site site) {
  Block &block = *device->block;
  if (!device->launch->cooperative) {
    fail("grid barrier outside a cooperative launch: " + doing(block, device->thread, Wait::GRID, site));
  }
  block.atGrid++;
  wait(Wait::GRID, site);
}

// Lets other threads run before the next look at a flag; a loop that waits for one must come by here.
inline void poll(Site site) {
  device->block->polling.push_back(device->thread);
  wait(Wait::POLL, site);
}

inline void *dynamicShared() { return device->block->dynamic.data(); }

}  // namespace emulator
