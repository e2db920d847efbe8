package carousel.tensor;

import java.lang.System.Logger.Level;
import java.lang.ref.Cleaner;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Owns tensors that several threads read, such as weights, and belongs to none of them: one thread may
 * open it and another close it.
 *
 * <pre>{@code
 * SharedScope weights = SharedScope.open();
 * Model shared = weights.make(() -> Model.of(rng)); // on any thread, several times if need be
 * // ... threads read the model, each inside scopes of its own ...
 * weights.close(); // on any thread, when none of them reads any more
 * }</pre>
 *
 * <p>A {@link TensorScope} is innermost for its thread until it is closed there. This one is innermost for nobody:
 * only what {@link #make} makes belongs to it. It lies further out than every scope of every thread, so that
 * {@link TensorScope#keep} leaves its tensors where they are.
 *
 * <p>Closing is for who knows that no thread computes with its tensors any more; a tensor used later says so,
 * but one that is being read while its memory is given to another reads garbage. Writing in place is for one
 * thread at a time.
 *
 * <p>One that is dropped without being closed is reported with the place where it was opened, and its memory
 * stays in use: somebody may still have its tensors.
 */
public final class SharedScope implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();
  private static final System.Logger LOG = System.getLogger("carousel.tensor");

  /** What is owned by those that are open, for the message that memory is out. */
  private static final Set<Ledger> OPEN = ConcurrentHashMap.newKeySet();

  private final Device device;
  private final Ledger ledger;
  private final Cleaner.Cleanable dropWatch;

  private SharedScope(Device device, String place) {
    this.device = device;
    this.ledger = Ledger.shared(place);
    this.dropWatch = CLEANER.register(this, new Dropped(ledger));
    OPEN.add(ledger);
  }

  /** Runs when a scope became unreachable, and when it was closed: too late if it is still open. */
  private record Dropped(Ledger ledger) implements Runnable {
    @Override
    public void run() {
      synchronized (ledger) {
        if (!ledger.isClosed()) {
          LOG.log(
              Level.WARNING,
              "leak: {0} was dropped and never closed; what it holds, {1} bytes, stays in use",
              ledger.describe(),
              Long.toString(ledger.bytes()));
        }
      }
    }
  }

  /**
   * Opens one on the {@linkplain Device#standard standard device}.
   *
   * @return the scope, empty
   */
  public static SharedScope open() {
    return new SharedScope(Device.standard(), TensorScope.caller());
  }

  /**
   * Opens one on a device.
   *
   * @param device where {@link #make} makes tensors
   * @return the scope, empty
   */
  public static SharedScope open(Device device) {
    return new SharedScope(device, TensorScope.caller());
  }

  /** What is owned by all that are open. */
  static List<Ledger> ledgers() {
    return List.copyOf(OPEN);
  }

  /** {@return where its tensors live} */
  public Device device() {
    return device;
  }

  /**
   * Runs a piece of program on this thread; the tensors it makes, and does not free in scopes of its own,
   * belong to this scope. If it fails they are freed.
   *
   * @param body what to run; several threads may at once
   * @param <R> what it returns: a tensor, a model, or anything
   * @return its result
   * @throws TensorException if this scope is closed
   */
  public <R extends @Nullable Object> R make(Supplier<R> body) {
    requireOpen();
    try (var scope = TensorScope.openUnwatched(device)) {
      R made = body.get();
      synchronized (ledger) {
        requireOpen();
        scope.handTo(ledger);
      }
      return made;
    }
  }

  /**
   * As {@link #make(Supplier)}, for a program that assigns to fields.
   *
   * @param body what to run
   * @throws TensorException if this scope is closed
   */
  public void make(Runnable body) {
    Object unused =
        make(() -> {
          body.run();
          return this;
        });
  }

  private void requireOpen() {
    synchronized (ledger) {
      if (ledger.isClosed()) {
        throw new TensorException(
            "make: " + ledger.describe() + " is closed; make the tensors before, or open another");
      }
    }
  }

  /** {@return the bytes this scope owns: the sum of the sizes of its storages} */
  public long bytes() {
    synchronized (ledger) {
      return ledger.bytes();
    }
  }

  /** Frees everything this scope owns, except what a tape holds; on any thread, a second time in vain. */
  @Override
  public void close() {
    synchronized (ledger) {
      if (ledger.isClosed()) {
        return;
      }
      ledger.close();
    }
    OPEN.remove(ledger);
    dropWatch.clean();
  }

  @Override
  public String toString() {
    synchronized (ledger) {
      return ledger.describe() + (ledger.isClosed() ? " (closed)" : "");
    }
  }
}
