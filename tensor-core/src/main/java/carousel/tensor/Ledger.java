package carousel.tensor;

import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a scope owns, and what is to be said of it in errors.
 *
 * <p>Apart from the scope, and knowing nothing of it: storages and the cleaner hold the ledger, so
 * that a scope nobody can close any more becomes unreachable, however many tensors it owns.
 */
final class Ledger implements Runnable {
  private static final System.Logger LOG = System.getLogger("carousel.tensor");

  /** Whose it is; null where threads share it, and those that use it lock it. */
  private final @Nullable Thread thread;

  private final @Nullable String place;
  private final int depth;
  private @Nullable Storage[] owned = new Storage[8];
  private int count;
  private boolean closed;

  /** The ledger of a scope of this thread: where it was opened, if watched, and how deep inside others. */
  Ledger(@Nullable String place, int depth) {
    this(Thread.currentThread(), place, depth);
  }

  private Ledger(@Nullable Thread thread, @Nullable String place, int depth) {
    this.thread = thread;
    this.place = place;
    this.depth = depth;
  }

  /** The ledger of a scope of no thread, further out than those of all threads. */
  static Ledger shared(String place) {
    return new Ledger(null, place, -1);
  }

  /** "the scope opened at ...". */
  String describe() {
    if (place == null) {
      return "an engine's scope";
    }
    return (thread == null ? "the shared scope opened at " : "the scope opened at ") + place;
  }

  boolean isShared() {
    return thread == null;
  }

  /** Whether it belongs to a thread. */
  boolean isOf(Thread other) {
    return thread == other;
  }

  /** Whether both belong to one thread. */
  boolean isOfThreadOf(Ledger other) {
    return thread != null && thread == other.thread;
  }

  /** The name of the thread that it belongs to. */
  String threadName() {
    return thread == null ? "no thread" : thread.getName();
  }

  int depth() {
    return depth;
  }

  int count() {
    return count;
  }

  boolean isClosed() {
    return closed;
  }

  void add(Storage storage) {
    if (count == owned.length) {
      owned = Arrays.copyOf(owned, 2 * count);
    }
    storage.ownedBy(this, count);
    owned[count++] = storage;
  }

  void remove(Storage storage) {
    Storage last = owned[--count];
    owned[count] = null;
    if (last != null && last != storage) {
      owned[storage.slot()] = last;
      last.ownedBy(this, storage.slot());
    }
  }

  /** Hands all it owns to another; then it owns nothing. */
  void handTo(Ledger other) {
    storages().forEach(other::add);
    owned = new Storage[8];
    count = 0;
  }

  List<Storage> storages() {
    List<Storage> list = new ArrayList<>(count);
    for (Storage s : owned) {
      if (s != null) {
        list.add(s);
      }
    }
    return list;
  }

  long bytes() {
    return storages().stream().mapToLong(Storage::bytes).sum();
  }

  void close() {
    closed = true;
    for (int i = 0; i < count; i++) {
      Storage s = owned[i];
      if (s != null) {
        s.disown();
      }
    }
    // A tensor that outlives its scope still leads here, to name it: keep no more than that.
    owned = new Storage[0];
    count = 0;
  }

  /** Runs when the scope became unreachable: too late if it is still open. */
  @Override
  public void run() {
    if (!closed) {
      LOG.log(
          Level.WARNING,
          "leak: {0} was never closed; what it holds, {1} bytes, is freed now",
          describe(),
          Long.toString(bytes()));
      close();
    }
  }
}
