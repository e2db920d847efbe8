package carousel.tensor.spi;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.host.HostMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** The pool: blocks are aligned, apart, reused, counted, and large ones go back to the system. */
class SlabPoolTest {
  private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
  private static final long MB = 1L << 20;

  private record Block(long address, long bytes) {
    void mark() {
      ALL.set(ValueLayout.JAVA_BYTE, address, (byte) address);
      ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, address + Math.max(0, bytes - 8), address);
    }

    boolean isMarked() {
      return ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, address + Math.max(0, bytes - 8)) == address;
    }
  }

  @Test
  void sizesAreRoundedByAQuarterAtMost() {
    int last = -1;
    for (long n = 1; n < 1L << 50; n += Math.max(1, n / 7)) {
      int c = SlabPool.sizeClass(n);
      long size = SlabPool.blockSize(c);
      assertThat(size).isGreaterThanOrEqualTo(n).isLessThanOrEqualTo(Math.max(n + 63, n * 5 / 4));
      assertThat(c).isGreaterThanOrEqualTo(last);
      assertThat(SlabPool.sizeClass(size)).isEqualTo(c);
      assertThat(SlabPool.sizeClass(size + 1)).isEqualTo(c + 1);
      last = c;
    }
  }

  @Test
  void blocksAreAlignedAndNeverOverlap() {
    var pool = HostMemory.pool();
    var random = new SplittableRandom(1);
    List<Block> live = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      if (live.size() > 300 || (!live.isEmpty() && random.nextInt(3) == 0)) {
        Block b = live.remove(random.nextInt(live.size()));
        assertThat(b.isMarked()).as("nobody else wrote into %s", b).isTrue();
        pool.free(b.address, b.bytes);
      } else {
        long bytes = 8 + (long) Math.exp(random.nextDouble(15));
        var b = new Block(pool.allocate(bytes), bytes);
        assertThat(b.address % 64).isZero();
        b.mark();
        live.add(b);
      }
    }
    live.forEach(b -> pool.free(b.address, b.bytes));
    assertThat(pool.inUse()).isZero();
  }

  @Test
  void freedBlocksAreGivenOutAgain() {
    var pool = HostMemory.pool();
    for (long bytes : new long[] {64, 1000, 100_000, 3 * MB}) {
      long first = pool.allocate(bytes);
      pool.free(first, bytes);
      assertThat(pool.allocate(bytes)).isEqualTo(first);
      assertThat(pool.allocate(bytes)).isNotEqualTo(first);
    }
  }

  @Test
  void countsWhatIsOut() {
    var pool = HostMemory.pool();
    long a = pool.allocate(100);
    assertThat(pool.inUse()).isEqualTo(128);
    long b = pool.allocate(1000);
    assertThat(pool.inUse()).isEqualTo(128 + 1024);
    pool.free(a, 100);
    assertThat(pool.inUse()).isEqualTo(1024);
    assertThat(pool.peak()).isEqualTo(128 + 1024);
    pool.free(b, 1000);
    assertThat(pool.inUse()).isZero();
  }

  @Test
  void thePeakStartsAnewFromWhatIsInUse() {
    var pool = HostMemory.pool();
    long a = pool.allocate(100);
    pool.free(pool.allocate(10 * MB), 10 * MB);
    pool.resetPeak();
    assertThat(pool.peak()).isEqualTo(128);
    long reserved = pool.reserved();
    pool.free(pool.allocate(1000), 1000);
    assertThat(pool.peak()).isEqualTo(128 + 1024);
    pool.free(a, 100);
    // What is kept for the next large block is what it was before.
    assertThat(pool.reserved()).isEqualTo(reserved);
    pool.free(pool.allocate(10 * MB), 10 * MB);
    assertThat(pool.reserved()).isEqualTo(reserved);
  }

  @Test
  void countsWhatTheSystemGave() {
    var pool = HostMemory.pool();
    assertThat(pool.reserved()).isZero();
    long small = pool.allocate(100);
    assertThat(pool.reserved()).as("a slab").isEqualTo(4 * MB);
    long large = pool.allocate(40 * MB);
    assertThat(pool.reserved()).isEqualTo(44 * MB);
    pool.free(small, 100);
    pool.free(large, 40 * MB);
    assertThat(pool.reserved()).as("kept for the next").isEqualTo(44 * MB);
    long other = pool.allocate(48 * MB);
    assertThat(pool.reserved()).isEqualTo(92 * MB);
    pool.free(other, 48 * MB);
    assertThat(pool.reserved()).as("cut to half the peak at most").isEqualTo(4 * MB);
  }

  @Test
  void theCapHolds() {
    var pool = new SlabPool(HostMemory.source(), 1000);
    assertThat(pool.limit()).isEqualTo(1000);
    assertThat(pool.allocate(1001)).isZero();
    long a = pool.allocate(500);
    assertThat(a).isNotZero();
    assertThat(pool.allocate(500)).as("512 are out, 512 more would be 1024").isZero();
    assertThat(pool.inUse()).isEqualTo(512);
    pool.limit(1024);
    assertThat(pool.allocate(500)).isNotZero();
    pool.limit(100);
    pool.free(a, 500);
    assertThat(pool.allocate(64)).as("still too much is out").isZero();
    assertThat(pool.allocate(Long.MAX_VALUE - 1)).isZero();
  }

  @Test
  void whatTheSystemCannotGiveIsRefused() {
    assertThat(HostMemory.pool().allocate(1L << 55)).isZero();
  }

  private static long resident() throws IOException {
    return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]) * 4096;
  }

  private static void touch(long address, long bytes) {
    for (long i = 0; i < bytes; i += 4096) {
      ALL.set(ValueLayout.JAVA_BYTE, address + i, (byte) 1);
    }
  }

  /** A working set that changes its sizes must not leave every size it ever had in the cache. */
  @Test
  void largeBlocksGoBackToTheSystem() throws IOException {
    Assumptions.assumeTrue(
        Files.isReadable(Path.of("/proc/self/statm")), "no /proc/self/statm: RSS is not known");
    var pool = HostMemory.pool();
    long before = resident();
    for (long mb = 40; mb <= 100; mb += 10) {
      long a = pool.allocate(mb * MB);
      touch(a, mb * MB);
      pool.free(a, mb * MB);
    }
    assertThat(pool.peak()).isLessThanOrEqualTo(112 * MB);
    // All sizes together are 490 MB; no more than the largest may stay.
    assertThat(resident() - before).isLessThan(160 * MB);
  }

  /** Steps whose tensors have other sizes each time, as those of ragged batches do. */
  @Test
  void whatIsReservedFollowsTheWorkingSet() {
    var pool = HostMemory.pool();
    var random = new SplittableRandom(1);
    for (int step = 0; step < 300; step++) {
      List<Block> live = new ArrayList<>();
      double scale = random.nextDouble(20, 800) * 1000;
      for (int i = 0; i < 30; i++) {
        long bytes = (long) (scale * random.nextDouble(0.3, 1));
        live.add(new Block(pool.allocate(bytes), bytes));
      }
      live.forEach(b -> pool.free(b.address, b.bytes));
    }
    assertThat(pool.peak()).isGreaterThan(15 * MB);
    assertThat(pool.reserved()).isLessThan(2 * pool.peak());
  }

  @Test
  void threadsMayShareIt() throws Exception {
    var pool = HostMemory.pool();
    try (var threads = Executors.newFixedThreadPool(4)) {
      List<Future<Boolean>> done = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        int seed = t;
        done.add(
            threads.submit(() -> {
              var random = new SplittableRandom(seed);
              List<Block> live = new ArrayList<>();
              boolean intact = true;
              for (int i = 0; i < 20_000; i++) {
                if (live.size() > 20) {
                  Block b = live.remove(random.nextInt(live.size()));
                  intact &= b.isMarked();
                  pool.free(b.address, b.bytes);
                }
                long bytes = random.nextLong(8, 5000);
                var b = new Block(pool.allocate(bytes), bytes);
                b.mark();
                live.add(b);
              }
              live.forEach(b -> pool.free(b.address, b.bytes));
              return intact;
            }));
      }
      for (Future<Boolean> f : done) {
        assertThat(f.get()).isTrue();
      }
    }
    assertThat(pool.inUse()).isZero();
  }
}
