package carousel.tensor;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the host has to do before each run of a {@link Replay}, noted while its code is recorded: to
 * move random streams on, to count the steps of an optimiser.
 */
public final class Recording {
  private static final ScopedValue<Recording> CURRENT = ScopedValue.newInstance();

  /** How many threads record: what is asked of every tensor's memory must cost nothing while none does. */
  private static final AtomicInteger RECORDING = new AtomicInteger();

  private final List<Runnable> actions = new ArrayList<>();
  private final Set<Storage> used = new LinkedHashSet<>();
  private final Set<Storage> written = new LinkedHashSet<>();

  Recording() {}

  /**
   * What is recorded on this thread.
   *
   * @return the recording, or null if none is
   */
  public static @Nullable Recording current() {
    return CURRENT.isBound() ? CURRENT.get() : null;
  }

  /**
   * Notes what is to be done before each later run, in the order of these calls.
   *
   * @param action what
   */
  public void beforeEach(Runnable action) {
    actions.add(action);
  }

  /**
   * Refuses what cannot be repeated without its code.
   *
   * @param op who
   * @param does what it does
   * @throws TensorException if something is recorded on this thread
   */
  public static void refuse(String op, String does) {
    if (CURRENT.isBound()) {
      throw new TensorException(
          op
              + ": the code of a replay "
              + does
              + "; do that before the run, and assign what depends on it to tensors made outside of the"
              + " code, or read what the run returned");
    }
  }

  /** Notes that what this thread records needs a storage, if it records. */
  static void uses(Storage storage) {
    if (RECORDING.getPlain() > 0) {
      Recording recording = current();
      if (recording != null) {
        recording.used.add(storage);
      }
    }
  }

  /** Notes that each run writes a storage in place. */
  void writes(Storage storage) {
    written.add(storage);
  }

  /** Runs the code of the replay. */
  <R> R record(Supplier<R> code) {
    RECORDING.incrementAndGet();
    try {
      return ScopedValue.where(CURRENT, this).call(code::get);
    } finally {
      RECORDING.decrementAndGet();
      // What is closed by now was the code's own.
      used.removeIf(storage -> !storage.isOpen());
      written.retainAll(used);
    }
  }

  /**
   * Does what is to be done before a run.
   *
   * @throws TensorException if a tensor that the code uses has been closed since
   */
  void nextRun() {
    used.forEach(Storage::address);
    actions.forEach(Runnable::run);
    written.forEach(Storage::touch);
  }
}
