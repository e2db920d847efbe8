package carousel.tensor;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a piece of code drew, to draw the same when it runs again: a checkpointed segment must see
 * the same dropout masks when it is recomputed.
 */
public final class Draws {
  private static final ScopedValue<Draws> CURRENT = ScopedValue.newInstance();
  private static final List<ScopedValue<?>> CARRIED = new CopyOnWriteArrayList<>();

  private final @Nullable Supplier<? extends RuntimeException> refusal;
  private UnaryOperator<ScopedValue.Carrier> carried = UnaryOperator.identity();
  private final List<Philox.Draw> noted = new ArrayList<>();
  private @Nullable Draws around;
  private int position = -1;

  /** How far generators would have moved on; null where they do. */
  private @Nullable Map<Philox, Long> ahead;

  /** Whether code runs in a record. */
  static boolean isActive() {
    return CURRENT.isBound();
  }

  /** The blocks of the next fill, from the record, or noted in it. */
  static Philox.Draw next(Philox rng, long blocks) {
    return CURRENT.get().drawn(rng, blocks);
  }

  /**
   * A scoped value that decides what code draws, or otherwise computes. Code that runs again has it as when it was
   * recorded, also outside of what bound it.
   *
   * @param <T> its type
   * @return a new one, not bound
   */
  public static <T> ScopedValue<T> carried() {
    ScopedValue<T> value = ScopedValue.newInstance();
    CARRIED.add(value);
    return value;
  }

  private static <T> ScopedValue.Carrier bind(
      ScopedValue.Carrier to, ScopedValue<T> key, Object value) {
    @SuppressWarnings("unchecked") // It was this key's value.
    T typed = (T) value;
    return to.where(key, typed);
  }

  /** An empty record. */
  public Draws() {
    this(null);
  }

  private Draws(@Nullable Supplier<? extends RuntimeException> refusal) {
    this.refusal = refusal;
  }

  /**
   * Runs code that may not draw: a draw fails, and moves no generator on.
   *
   * @param refusal how it fails
   * @param body the code
   * @param <R> what it returns
   * @return its result
   */
  public static <R> R refused(Supplier<? extends RuntimeException> refusal, Supplier<R> body) {
    return ScopedValue.where(CURRENT, new Draws(refusal)).call(body::get);
  }

  /**
   * Runs code whose draws are those that would come next, and moves no generator on: for who wants to know what
   * the code does, not what it gives.
   *
   * @param body the code
   * @param <R> what it returns
   * @return its result
   */
  public static <R> R aside(Supplier<R> body) {
    var draws = new Draws();
    draws.ahead = new HashMap<>();
    return ScopedValue.where(CURRENT, draws).call(body::get);
  }

  /**
   * Runs code and notes what it draws.
   *
   * @param body the code
   * @param <R> what it returns
   * @return its result
   */
  public <R> R record(Supplier<R> body) {
    noted.clear();
    position = -1;
    carried = UnaryOperator.identity();
    for (ScopedValue<?> key : CARRIED) {
      if (key.isBound()) {
        Object value = key.get();
        UnaryOperator<ScopedValue.Carrier> before = carried;
        carried = carrier -> bind(before.apply(carrier), key, value);
      }
    }
    // In a segment of a segment the outer one decides: it may be replaying this recording.
    around = CURRENT.isBound() ? CURRENT.get() : null;
    return ScopedValue.where(CURRENT, this).call(body::get);
  }

  /**
   * Runs the same code again; its draws are those noted, and move no generator on.
   *
   * @param body the code
   * @param <R> what it returns
   * @return its result
   * @throws TensorException if it draws more often than when it was recorded
   */
  public <R> R replay(Supplier<R> body) {
    position = 0;
    try {
      return carried.apply(ScopedValue.where(CURRENT, this)).call(body::get);
    } finally {
      position = -1;
    }
  }

  private Philox.Draw drawn(Philox rng, long blocks) {
    if (refusal != null) {
      throw refusal.get();
    }
    if (ahead != null) {
      long before = ahead.getOrDefault(rng, 0L);
      ahead.put(rng, before + blocks);
      return new Philox.Draw(rng.seed(), rng.counter() + before);
    }
    if (position < 0) {
      Philox.Draw draw = around == null ? rng.take(blocks) : around.drawn(rng, blocks);
      noted.add(draw);
      return draw;
    }
    if (position == noted.size()) {
      throw new TensorException(
          "replay: the code draws random numbers more often than when it was recorded ("
              + noted.size()
              + " times); it must do the same each time it runs");
    }
    return noted.get(position++);
  }
}
