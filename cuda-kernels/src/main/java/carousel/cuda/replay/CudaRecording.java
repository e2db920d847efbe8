package carousel.cuda.replay;

import carousel.cuda.driver.CudaDriver;
import carousel.tensor.OutOfMemoryException;
import carousel.tensor.TensorException;
import carousel.tensor.spi.Memory;
import carousel.tensor.spi.Recorder;
import carousel.tensor.spi.SlabPool;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Calls of a driver, noted to be made in each run; the memory they work on, which nobody else gets while
 * this is open; and words that the host writes anew before each run.
 */
public final class CudaRecording implements Recorder.Recorded {
  private final CudaDriver driver;
  private final Memory memory;
  private final TreeMap<Long, Long> taken = new TreeMap<>();
  private final SlabPool pool;
  private final Consumer<CudaRecording> whenEmpty;
  private final List<Runnable> calls = new ArrayList<>();
  private final List<Words> words = new ArrayList<>();
  private final List<Runnable> actions = new ArrayList<>();
  private CudaDriver.@Nullable LaunchGraph graph;
  private boolean ran;
  private boolean closed;

  /** Words at an address, and what they are in the next run. */
  private record Words(long address, Supplier<long[]> next) {}

  /**
   * An empty recording.
   *
   * @param driver what makes the calls
   * @param memory where the memory comes from
   * @param whenEmpty told when this has given back its memory
   */
  CudaRecording(CudaDriver driver, Memory memory, Consumer<CudaRecording> whenEmpty) {
    this.driver = driver;
    this.memory = memory;
    this.whenEmpty = whenEmpty;
    this.pool =
        new SlabPool(
            new SlabPool.Source() {
              @Override
              public long take(long bytes) {
                return CudaRecording.this.take(bytes);
              }

              @Override
              public void giveBack(long address, long bytes) {
                // Calls that were noted use it.
              }
            },
            Long.MAX_VALUE);
  }

  private long take(long bytes) {
    long address = memory.allocate(bytes);
    if (address != 0) {
      taken.put(address, bytes);
    }
    return address;
  }

  /** Notes a call. */
  void note(Runnable call) {
    calls.add(call);
  }

  synchronized long allocate(long bytes) {
    return pool.allocate(bytes);
  }

  /** Takes a block back if it is one of this recording's. */
  synchronized boolean free(long address, long bytes) {
    if (pool.inUse() == 0) {
      return false;
    }
    Map.Entry<Long, Long> block = taken.floorEntry(address);
    if (block == null || address >= block.getKey() + block.getValue()) {
      return false;
    }
    pool.free(address, bytes);
    giveBackIfDone();
    return true;
  }

  /** Keeps a block of somebody else until this is closed. */
  synchronized void keep(long address, long bytes) {
    taken.put(address, bytes);
  }

  /**
   * Words that kernels of the recording read, and that change from run to run.
   *
   * @param first what they are in the first run
   * @param next what they are in the next one; as many
   * @return their address
   */
  public long words(long[] first, Supplier<long[]> next) {
    long address = take(8L * first.length);
    if (address == 0) {
      throw new OutOfMemoryException(
          "replay: out of memory: it takes " + 8L * first.length + " bytes; free some");
    }
    driver.upload(MemorySegment.ofArray(first), address);
    words.add(new Words(address, next));
    return address;
  }

  /**
   * Notes what the host does in each run.
   *
   * @param action what
   */
  public void beforeEach(Runnable action) {
    actions.add(action);
  }

  /** No more calls: makes them one piece. */
  void end() {
    if (pool.inUse() > 0) {
      throw new TensorException(
          "replay: the code keeps "
              + pool.inUse()
              + " bytes in tensors that outlive it, which the next run would overwrite; make these"
              + " tensors before, and assign to them");
    }
    graph = driver.graph(() -> calls.forEach(Runnable::run));
  }

  @Override
  public void run() {
    if (ran) {
      for (Words w : words) {
        driver.upload(MemorySegment.ofArray(w.next().get()), w.address());
      }
    }
    ran = true;
    actions.forEach(Runnable::run);
    if (graph != null) {
      graph.launch();
    }
  }

  /** Makes no more calls. The memory goes back with the last tensor that uses it: after an error, some may. */
  @Override
  public synchronized void close() {
    if (graph != null) {
      graph.close();
      graph = null;
    }
    closed = true;
    giveBackIfDone();
  }

  private void giveBackIfDone() {
    if (closed && pool.inUse() == 0) {
      taken.forEach(memory::free);
      taken.clear();
      whenEmpty.accept(this);
    }
  }
}
