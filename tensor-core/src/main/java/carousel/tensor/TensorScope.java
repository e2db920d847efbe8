package carousel.tensor;

import carousel.tensor.spi.Memory;
import java.lang.System.Logger.Level;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Owns the memory of every tensor made while it is the innermost open scope of its thread.
 *
 * <pre>{@code
 * try (var step = TensorScope.open()) {
 *   Tensor loss = model.loss(x, y); // everything made in here is freed at the brace,
 *   best = step.keep(loss);         // except what is kept: it goes to the enclosing scope
 * }
 * }</pre>
 *
 * <p>A scope that nothing names is written {@code try (var _ = TensorScope.open())}: of others {@code javac -Xlint:try} says
 * that they are never referenced.
 *
 * <p>Scopes nest and belong to the thread that opened them; a thread that makes tensors opens its
 * own. Tensors that threads share may belong to a {@link SharedScope}. A scope left open is closed, and
 * reported with the place where it was opened, when the scope around it closes or, at the latest, when its
 * thread is gone.
 */
public final class TensorScope implements AutoCloseable {
  private static final ThreadLocal<@Nullable TensorScope> CURRENT = new ThreadLocal<>();
  private static final Cleaner CLEANER = Cleaner.create();
  private static final System.Logger LOG = System.getLogger("carousel.tensor");
  private static final StackWalker WALKER = StackWalker.getInstance();

  private final @Nullable TensorScope parent;
  private final Device device;
  private final Ledger ledger;
  private final Cleaner.@Nullable Cleanable leakWatch;

  private TensorScope(@Nullable TensorScope parent, Device device, @Nullable String place) {
    this.parent = parent;
    this.device = device;
    this.ledger = new Ledger(place, parent == null ? 0 : parent.ledger.depth() + 1);
    this.leakWatch = place == null ? null : CLEANER.register(this, ledger);
    CURRENT.set(this);
  }

  /**
   * Opens a scope on the device of the enclosing scope, or on the {@linkplain Device#standard
   * standard one}.
   *
   * @return the scope, now the innermost of this thread
   */
  public static TensorScope open() {
    TensorScope parent = CURRENT.get();
    return new TensorScope(parent, parent == null ? Device.standard() : parent.device, caller());
  }

  /**
   * Opens a scope in which tensors are made on the given device.
   *
   * @param device where tensors made in this scope live
   * @return the scope, now the innermost of this thread
   */
  public static TensorScope open(Device device) {
    return new TensorScope(CURRENT.get(), device, caller());
  }

  /**
   * Opens a scope for the inside of an engine that opens one per op: as {@link #open()}, but it
   * neither notes where it was opened nor watches for being forgotten.
   *
   * @return the scope, now the innermost of this thread
   */
  public static TensorScope openUnwatched() {
    TensorScope parent = CURRENT.get();
    return new TensorScope(parent, parent == null ? Device.standard() : parent.device, null);
  }

  /** {@link #openUnwatched()} on a device. */
  static TensorScope openUnwatched(Device device) {
    return new TensorScope(CURRENT.get(), device, null);
  }

  /** Who opens a scope. */
  static String caller() {
    return WALKER.walk(frames ->
        frames
            .filter(f ->
                !f.getClassName().equals(TensorScope.class.getName())
                    && !f.getClassName().equals(SharedScope.class.getName()))
            .findFirst()
            .map(f ->
                f.getClassName()
                    + "."
                    + f.getMethodName()
                    + "("
                    + f.getFileName()
                    + ":"
                    + f.getLineNumber()
                    + ")")
            .orElse("an unknown place"));
  }

  /**
   * The innermost open scope of this thread.
   *
   * @return the scope that owns what is made now
   * @throws TensorException if none is open
   */
  public static TensorScope current() {
    TensorScope scope = CURRENT.get();
    if (scope == null) {
      throw noneOpen();
    }
    return scope;
  }

  private static TensorException noneOpen() {
    return new TensorException(
        "no scope is open on thread "
            + Thread.currentThread().getName()
            + ": tensors need an owner; wrap the work in try (var scope = TensorScope.open()) { ... }");
  }

  /** {@return where tensors made in this scope live} */
  public Device device() {
    return device;
  }

  /**
   * Hands a tensor made in this scope (or in one inside it) to the scope around this one.
   *
   * <p>What already belongs further out stays where it is. All views of the tensor go with it.
   *
   * @param tensor what shall outlive this scope
   * @return the tensor
   * @throws TensorException if there is no enclosing scope, or the tensor's memory is gone
   */
  public Tensor keep(Tensor tensor) {
    if (parent == null && leakWatch == null) {
      throw noneOpen(); // an engine's: who called it has none
    }
    if (parent == null) {
      throw new TensorException(
          "keep: " + describe() + " has no enclosing scope to hand the tensor to");
    }
    return parent.adopt(tensor);
  }

  /**
   * Takes over a tensor from a scope inside this one, so that it lives as long as this scope.
   *
   * @param tensor the tensor; one that belongs further out stays where it is
   * @return the tensor
   * @throws TensorException if this scope is closed, or the tensor's memory is gone
   */
  public Tensor adopt(Tensor tensor) {
    requireUsable("adopt");
    Storage storage = tensor.storage();
    long unused = storage.address();
    Ledger owner = storage.owner();
    if (owner.isShared() && !owner.isClosed()) {
      return tensor; // further out than any thread's
    }
    if (!owner.isShared() && !owner.isOf(Thread.currentThread())) {
      throw new TensorException(
          "adopt: "
              + owner.describe()
              + " belongs to thread "
              + owner.threadName()
              + ", not to "
              + ledger.threadName()
              + "; copy the tensor instead");
    }
    if (owner.isClosed() || owner.depth() > ledger.depth()) {
      if (!owner.isClosed()) {
        owner.remove(storage);
      }
      ledger.add(storage);
    }
    return tensor;
  }

  /**
   * Tells whether this scope, or one inside it, owns a tensor.
   *
   * @param tensor any tensor
   * @return whether it was made while this scope was open, and not kept further out
   */
  public boolean owns(Tensor tensor) {
    Ledger owner = tensor.storage().owner();
    return owner.isOfThreadOf(ledger) && owner.depth() >= ledger.depth();
  }

  /** Allocates a block owned by this scope. */
  Storage allocate(Device target, long bytes, String op, Shape shape) {
    requireUsable(op);
    Memory memory = target.backend().memory();
    long size = Math.max(1, bytes);
    long address = memory.allocate(size);
    if (address == 0) {
      throw new OutOfMemoryException(OutOfMemory.text(target, size, op, shape, ledgers()));
    }
    try {
      return new Storage(memory, address, size, op, shape, ledger);
    } catch (OutOfMemoryError e) { // of the heap: nobody else knows of this block
      memory.free(address, size);
      throw e;
    }
  }

  private void requireUsable(String op) {
    if (ledger.isClosed()) {
      throw new TensorException(op + ": " + describe() + " is closed");
    }
    if (!ledger.isOf(Thread.currentThread())) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: %s belongs to thread %s, used on %s; open a scope on this thread",
              op,
              describe(),
              ledger.threadName(),
              Thread.currentThread().getName()));
    }
  }

  /** What this scope owns, and those around it. */
  private List<Ledger> ledgers() {
    List<Ledger> ledgers = new ArrayList<>();
    for (TensorScope s = this; s != null; s = s.parent) {
      ledgers.add(s.ledger);
    }
    return ledgers;
  }

  /** Hands what this scope owns to another. */
  void handTo(Ledger other) {
    ledger.handTo(other);
  }

  /**
   * Frees everything this scope still owns, except what a tape holds.
   *
   * @throws TensorException if called by another thread than the one that opened it
   */
  @Override
  public void close() {
    if (ledger.isClosed()) {
      return;
    }
    if (!ledger.isOf(Thread.currentThread())) {
      throw new TensorException(
          "close: "
              + describe()
              + " belongs to thread "
              + ledger.threadName()
              + ", closed by "
              + Thread.currentThread().getName()
              + "; close it where it was opened, or make what threads share in a SharedScope");
    }
    for (TensorScope inner = CURRENT.get(); inner != null && inner != this; inner = inner.parent) {
      LOG.log(Level.WARNING, inner.describe() + " was never closed; closed by the scope around it");
      inner.end();
    }
    end();
    CURRENT.set(parent);
  }

  private void end() {
    ledger.close();
    if (leakWatch != null) {
      leakWatch.clean();
    }
  }

  boolean isClosed() {
    return ledger.isClosed();
  }

  /**
   * {@return the bytes this scope owns itself, without enclosing or inner scopes: the sum of the
   * sizes of its storages}
   */
  public long bytes() {
    return ledger.bytes();
  }

  /** "the scope opened at ...". */
  String describe() {
    return ledger.describe();
  }

  @Override
  public String toString() {
    return describe() + (isClosed() ? " (closed)" : "");
  }
}
