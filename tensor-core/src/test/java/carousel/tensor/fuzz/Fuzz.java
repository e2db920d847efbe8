package carousel.tensor.fuzz;

import carousel.tensor.Device;
import carousel.tensor.TensorScope;
import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Runs a {@link Reader} over damaged files: each is read, or refused by its one documented exception
 * with a message, in time, within the heap and the tensor memory that its size allows, and no other
 * file comes to be.
 *
 * <p>{@code -Dcarousel.fuzz=N} is the number of inputs of a reader of cost 1. Input k depends on k
 * alone; what goes wrong names it, and leaves the file in {@code target/fuzz}.
 */
public final class Fuzz {
  private static final int INPUTS = Integer.getInteger("carousel.fuzz", 2000);
  private static final long SEED = 20261121;

  /** After so many inputs no classes are loaded that would count as heap of the reader. */
  private static final int WARM = 500;

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final Reader reader;
  private final Path folder;
  private final Path file;
  private final Set<String> kinds = new HashSet<>();
  private volatile int round;
  private int read;
  private long mostHeap;
  private long mostOffHeap;
  private long slowest;

  private Fuzz(Reader reader, Path folder) {
    this.reader = reader;
    this.folder = folder;
    this.file = folder.resolve("input");
  }

  /**
   * Puts a reader to the test.
   *
   * @param reader the reader
   * @param folder empty; where the inputs go
   */
  public static void run(Reader reader, Path folder) throws Exception {
    var fuzz = new Fuzz(reader, folder);
    fuzz.readSound();
    fuzz.watched(Math.max(1, INPUTS / reader.cost()));
    fuzz.report();
  }

  /**
   * Damages a file as the inputs are: for readers that mend by damaging only a part.
   *
   * @param sound left as it is
   * @param other where parts are taken from
   * @param random decides all
   * @return the damaged file
   */
  public static byte[] damaged(byte[] sound, byte[] other, SplittableRandom random) {
    return Mutations.mutate(sound, other, random);
  }

  private void readSound() throws Exception {
    for (var bytes : reader.sound()) {
      Files.write(file, bytes);
      try (var _ = TensorScope.open()) {
        reader.read(file);
      }
    }
  }

  /** In a thread of its own, so that one that hangs can be told. */
  private void watched(int rounds) throws InterruptedException {
    var failed = new AtomicReference<Throwable>();
    var worker =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              try {
                for (int k = 0; k < rounds; k++) {
                  round = k;
                  once();
                }
                round = rounds;
              } catch (Throwable e) {
                failed.set(e);
              }
            });
    for (int last = -1; !worker.join(PATIENCE); last = round) {
      if (last == round) {
        var error = new AssertionError(where("hangs"));
        error.setStackTrace(worker.getStackTrace());
        throw error;
      }
    }
    if (failed.get() != null) {
      throw new AssertionError(where("failed"), failed.get());
    }
  }

  private byte[] input() {
    var random = new SplittableRandom(SEED + round);
    var sound = reader.sound();
    var damaged =
        Mutations.mutate(
            sound.get(random.nextInt(sound.size())),
            sound.get(random.nextInt(sound.size())),
            random);
    return random.nextBoolean() ? reader.mend(damaged, random) : damaged;
  }

  private void once() throws IOException {
    var input = input();
    // Anew: file systems write the data of a file that is truncated to the disk at once.
    Files.deleteIfExists(file);
    Files.write(file, input);
    var memory = Device.standard().backend().memory();
    long cap = memory.limit();
    long allowed = reader.offHeap(input.length);
    // What wants more gets none, and fails by an exception that no reader documents.
    memory.limit(memory.inUse() + allowed);
    long start = System.nanoTime();
    long before = THREADS.getCurrentThreadAllocatedBytes();
    try (var scope = TensorScope.open()) {
      reader.read(file);
      read++;
      mostOffHeap = Math.max(mostOffHeap, scope.bytes());
    } catch (Exception | StackOverflowError e) {
      refused(e);
    } finally {
      memory.limit(cap);
    }
    long heap = THREADS.getCurrentThreadAllocatedBytes() - before;
    slowest = Math.max(slowest, System.nanoTime() - start);
    if (round >= WARM) {
      mostHeap = Math.max(mostHeap, heap);
    }
    if (heap > reader.heap(input.length)) {
      throw new AssertionError(
          String.format(Locale.ROOT, "%d bytes of heap for %d bytes of file", heap, input.length));
    }
    var files = folder.toFile().list();
    if (files == null || !Arrays.equals(files, new String[] {"input"})) {
      throw new AssertionError("other files: " + Arrays.toString(files));
    }
  }

  private void refused(Throwable e) {
    if (e.getClass() != reader.refusal()) {
      throw new AssertionError("not the documented error", e);
    }
    String message = String.valueOf(e.getMessage());
    if (message.isBlank() || message.length() > 5000 || message.equals("null")) {
      throw new AssertionError("no clear message: " + message, e);
    }
    // What kinds of refusal were reached: the message without what the input gave to it.
    kinds.add(message.replaceAll("\"[^\"]*+\"|'[^']*+'|[0-9]++", ""));
  }

  private String where(String what) throws AssertionError {
    var kept = Path.of("target", "fuzz", reader.name() + "-" + round);
    try {
      Files.createDirectories(kept.getParent());
      Files.write(kept, input());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return String.format(
        Locale.ROOT, "%s %s on input %d, kept as %s", reader.name(), what, round, kept);
  }

  private void report() {
    System.out.printf(
        Locale.ROOT,
        "fuzz | %-16s | %7d inputs | %6d read | %7d refused, %3d kinds | heap %5d KiB | tensors %5d"
            + " KiB | slowest %3d ms%n",
        reader.name(),
        round,
        read,
        round - read,
        kinds.size(),
        mostHeap >> 10,
        mostOffHeap >> 10,
        slowest / 1_000_000);
    // Damage that is all refused, or all overlooked, tests nothing.
    if (read == 0 || read == round) {
      throw new AssertionError("all alike: " + read + " read");
    }
  }
}
