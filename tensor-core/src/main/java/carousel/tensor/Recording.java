package carousel.tensor;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the host has to do before each run of a {@link Replay}, noted while its code is recorded: to
 * move random streams on, to count the steps of an optimiser.
 */
public final class Recording {
  private static final ScopedValue<Recording> CURRENT = ScopedValue.newInstance();

  private final List<Runnable> actions = new ArrayList<>();
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

  /** Notes that each run writes a storage in place. */
  void writes(Storage storage) {
    written.add(storage);
  }

  /** Runs the code of the replay. */
  <R> R record(Supplier<R> code) {
    return ScopedValue.where(CURRENT, this).call(code::get);
  }

  /** Does what is to be done before a run. */
  void nextRun() {
    actions.forEach(Runnable::run);
    for (Storage storage : written) {
      if (storage.isOpen()) {
        storage.touch();
      }
    }
  }
}
