package carousel.tensor;

import carousel.tensor.spi.Memory;
import java.lang.System.Logger.Level;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Owns the memory of every tensor made while it is the innermost open scope of its thread.
 *
 * <pre>{@code
 * try (var step = Scope.open()) {
 *   Tensor loss = ...;              // everything in here is freed at the brace,
 *   best = step.keep(loss);         // except what is kept: it goes to the enclosing scope
 * }
 * }</pre>
 *
 * <p>Scopes nest and belong to the thread that opened them; a thread that makes tensors opens its
 * own. A scope left open is closed, and reported with the place where it was opened, when the scope
 * around it closes or, at the latest, when its thread is gone.
 */
public final class Scope implements AutoCloseable {
  private static final ThreadLocal<@Nullable Scope> CURRENT = new ThreadLocal<>();
  private static final Cleaner CLEANER = Cleaner.create();
  private static final System.Logger LOG = System.getLogger("carousel.tensor");
  private static final StackWalker WALKER = StackWalker.getInstance();
  private static final int LARGEST_SHOWN = 5;

  private final Thread thread = Thread.currentThread();
  private final @Nullable Scope parent;
  private final Device device;
  private final Ledger ledger;
  private final Cleaner.@Nullable Cleanable leakWatch;
  private final int depth;

  private Scope(@Nullable Scope parent, Device device, @Nullable String place) {
    this.parent = parent;
    this.device = device;
    this.depth = parent == null ? 0 : parent.depth + 1;
    this.ledger = new Ledger(place);
    this.leakWatch = place == null ? null : CLEANER.register(this, ledger);
    CURRENT.set(this);
  }

  /**
   * Opens a scope on the device of the enclosing scope, or on the CPU.
   *
   * @return the scope, now the innermost of this thread
   */
  public static Scope open() {
    Scope parent = CURRENT.get();
    return new Scope(parent, parent == null ? Device.cpu() : parent.device, caller());
  }

  /**
   * Opens a scope in which tensors are made on the given device.
   *
   * @param device where tensors made in this scope live
   * @return the scope, now the innermost of this thread
   */
  public static Scope open(Device device) {
    return new Scope(CURRENT.get(), device, caller());
  }

  /**
   * Opens a scope for the inside of an engine that opens one per op: as {@link #open()}, but it
   * neither notes where it was opened nor watches for being forgotten.
   *
   * @return the scope, now the innermost of this thread
   */
  public static Scope openUnwatched() {
    Scope parent = CURRENT.get();
    return new Scope(parent, parent == null ? Device.cpu() : parent.device, null);
  }

  private static String caller() {
    return WALKER.walk(frames ->
        frames
            .filter(f -> !f.getClassName().equals(Scope.class.getName()))
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
  public static Scope current() {
    Scope scope = CURRENT.get();
    if (scope == null) {
      throw new TensorException(
          "no scope is open on thread "
              + Thread.currentThread().getName()
              + ": tensors need an owner; wrap the work in try (var scope = Scope.open()) { ... }");
    }
    return scope;
  }

  /**
   * Returns where tensors made in this scope live.
   *
   * @return the device
   */
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
    var unused = storage.address();
    Scope owner = storage.owner;
    if (owner != null && owner.thread != thread) {
      throw new TensorException(
          "adopt: "
              + owner.describe()
              + " belongs to thread "
              + owner.thread.getName()
              + ", not to "
              + thread.getName()
              + "; copy the tensor instead");
    }
    if (owner == null || owner.isClosed() || owner.depth > depth) {
      if (owner != null && !owner.isClosed()) {
        owner.ledger.remove(storage);
      }
      ledger.add(storage);
      storage.owner = this;
    }
    return tensor;
  }

  /** Allocates a block owned by this scope. */
  Storage allocate(Device target, long bytes, String op, Shape shape) {
    requireUsable(op);
    Memory memory = target.backend().memory();
    long size = Math.max(1, bytes);
    long address = memory.allocate(size);
    if (address == 0) {
      throw new TensorException(outOfMemory(memory, size, op, shape));
    }
    var storage = new Storage(memory, address, size, op + " " + shape);
    storage.owner = this;
    ledger.add(storage);
    return storage;
  }

  private void requireUsable(String op) {
    if (ledger.closed) {
      throw new TensorException(op + ": " + describe() + " is closed");
    }
    if (thread != Thread.currentThread()) {
      throw new TensorException(
          op
              + ": "
              + describe()
              + " belongs to thread "
              + thread.getName()
              + ", used on "
              + Thread.currentThread().getName()
              + "; open a scope on this thread");
    }
  }

  private String outOfMemory(Memory memory, long bytes, String op, Shape shape) {
    var text =
        new StringBuilder(
            "%s %s: out of memory on %s: %,d bytes wanted, %,d in use, cap %,d"
                .formatted(op, shape, device.name(), bytes, memory.inUse(), memory.limit()));
    text.append("\nopen scopes, innermost first:");
    List<Storage> all = new ArrayList<>();
    for (Scope s = this; s != null; s = s.parent) {
      text.append(
          "\n  %,15d bytes in %,d tensors, %s"
              .formatted(s.ledger.bytes(), s.ledger.count, s.describe()));
      all.addAll(s.ledger.storages());
    }
    text.append("\nlargest holders:");
    all.sort(Comparator.comparingLong(Storage::bytes).reversed());
    for (Storage s : all.subList(0, Math.min(LARGEST_SHOWN, all.size()))) {
      text.append("\n  %,15d bytes  %s".formatted(s.bytes(), s.origin()));
    }
    return text.append(
            "\nclose scopes sooner, use smaller batches or fewer steps, or raise the cap"
                + " (-Dcarousel.memory=, e.g. 8g)")
        .toString();
  }

  /**
   * Frees everything this scope still owns, except what a tape holds.
   *
   * @throws TensorException if called by another thread than the one that opened it
   */
  @Override
  public void close() {
    if (ledger.closed) {
      return;
    }
    if (thread != Thread.currentThread()) {
      throw new TensorException(
          "close: "
              + describe()
              + " belongs to thread "
              + thread.getName()
              + ", closed by "
              + Thread.currentThread().getName());
    }
    for (Scope inner = CURRENT.get(); inner != null && inner != this; inner = inner.parent) {
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
    return ledger.closed;
  }

  /**
   * Returns the bytes this scope owns itself, without enclosing or inner scopes.
   *
   * @return the sum of the sizes of its storages
   */
  public long bytes() {
    return ledger.bytes();
  }

  /** "the scope opened at ...". */
  String describe() {
    return ledger.place == null ? "an engine's scope" : "the scope opened at " + ledger.place;
  }

  @Override
  public String toString() {
    return describe() + (isClosed() ? " (closed)" : "");
  }

  /** What a scope owns. Apart from the scope, so that the cleaner can reach it without it. */
  private static final class Ledger implements Runnable {
    private final @Nullable String place;
    private @Nullable Storage[] owned = new Storage[8];
    private int count;
    private boolean closed;

    Ledger(@Nullable String place) {
      this.place = place;
    }

    void add(Storage storage) {
      if (count == owned.length) {
        owned = Arrays.copyOf(owned, 2 * count);
      }
      storage.slot = count;
      owned[count++] = storage;
    }

    void remove(Storage storage) {
      Storage last = owned[--count];
      owned[count] = null;
      if (last != null && last != storage) {
        owned[storage.slot] = last;
        last.slot = storage.slot;
      }
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
          owned[i] = null;
        }
      }
      count = 0;
    }

    /** Runs when the scope became unreachable: too late if it is still open. */
    @Override
    public void run() {
      if (!closed) {
        LOG.log(
            Level.WARNING,
            "leak: the scope opened at {0} was never closed; {1} bytes are freed now",
            place,
            bytes());
        close();
      }
    }
  }
}
